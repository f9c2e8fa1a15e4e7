"""Programs that are forks of the root: what they are told, and that they outlive their starter; and where none are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from hpo_core.problem import make_problem
from hpo_core.search import make_study, start_detached, start_run
from hpo_core.search.local import LocalExecutor
from hpo_core.search.workers import begin_program
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from tests.moody_landscape import ROOT, is_gone, wait_until

_STARTER = """
import os, sys
from pathlib import Path
from hpo_core.search import start_detached
from hpo_core.search.local import LocalExecutor
from hpo_core.studies.storage import StudyStorage
url, name, folder = sys.argv[1:]
executor = LocalExecutor(1)
while not executor.worker_pids:
    pass
storage = StudyStorage.open(url)
study = storage.study(name)
print(start_detached(storage, study, study.runs.current(), Path(folder)), flush=True)
os._exit(9)
"""


@pytest.fixture
def root():
    """A process that forks, as there is one beside every executor."""
    executor = LocalExecutor(1)
    wait_until(lambda: executor.worker_pids, "the worker")
    yield
    executor.shutdown()


def _searched(storage):
    study = make_study(storage, make_problem("iris", "svm"))
    return study, start_run(study, RunSettings(method="random", workers=2), Budget("trials", 30))


def _is_over(study):
    return study.runs.current().state == "finished"


def test_search_is_a_fork_and_gives_what_a_program_gives(storage, tmp_path, root, monkeypatch):
    study, run = _searched(storage)
    fork = psutil.Process(start_detached(storage, study, run, tmp_path))
    wait_until(lambda: fork.name() == "lab-detached" and os.getsid(fork.pid) == fork.pid, "a session of its own")
    other, run = _searched(storage)
    monkeypatch.setenv("TUNING_LAB_FORK", "no")
    program = psutil.Process(start_detached(storage, other, run, tmp_path))
    assert "hpo_core.search.detached" in program.cmdline()
    wait_until(lambda: _is_over(study) and _is_over(other), "the end of both")
    assert study.read().values.tolist() == other.read().values.tolist()
    wait_until(lambda: is_gone(fork.pid) and is_gone(program.pid), "the end of their processes")


def test_fork_outlives_the_process_that_asked_for_it(tmp_path, sqlite_url):
    storage = StudyStorage.open(sqlite_url)
    study, _ = _searched(storage)
    command = [sys.executable, "-c", _STARTER, sqlite_url, study.name, str(tmp_path)]
    starter = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert starter.returncode == 9, starter.stderr
    wait_until(lambda: _is_over(study), "the end of the search")
    assert len(study.read()) == 30
    wait_until(lambda: is_gone(int(starter.stdout)), "the end of its process")


def test_program_that_breaks_off_leaves_its_trace_in_the_log(tmp_path, root):
    log = tmp_path / "log"
    with log.open("ab") as file:
        pid = begin_program("hpo_core.no_such_program", (), os.environ, file)
    wait_until(lambda: is_gone(pid), "its end")
    assert "No module named 'hpo_core.no_such_program'" in log.read_text()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hanging"])
def test_search_starts_as_a_program_where_the_root_does_not_answer(sqlite_url, tmp_path, root, monkeypatch, blow):
    monkeypatch.setattr("hpo_core.search.workers._BEGINNING_SECONDS", 0.5)
    (first,) = [child for child in psutil.Process().children() if "hpo_core.nursery" in child.cmdline()]
    first.send_signal(blow)
    storage = StudyStorage.open(sqlite_url)
    study, run = _searched(storage)
    assert "hpo_core.search.detached" in psutil.Process(start_detached(storage, study, run, tmp_path)).cmdline()
    wait_until(lambda: _is_over(study), "the end of the search")
    wait_until(lambda: is_gone(first.pid), "the end of the root")


def test_programs_get_the_environment_of_those_who_ask(tmp_path, root):
    log = tmp_path / "log"
    with log.open("ab") as file:
        pid = begin_program("hpo_core.search.detached", ("study", "1", str(tmp_path)), {"PATH": "/nowhere"}, file)
    wait_until(lambda: is_gone(pid), "its end")
    assert "TUNING_LAB_RUNNER_STORAGE" in log.read_text()  # which is not in it
