"""Several processes at one storage: nothing lost, nothing doubled, one owner."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hpo_core.studies.database import shared_database
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from tests.finished_trials import finished, new_study

Start = Callable[..., subprocess.Popen[str]]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts workers; all of them are ended with the test."""
    workers: list[subprocess.Popen[str]] = []

    def start_one(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.storage_worker", *map(str, arguments)]
        workers.append(subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True, cwd=ROOT))
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.kill()
        worker.communicate()


def go(*workers: subprocess.Popen[str]) -> None:
    """Lets workers begin at one moment, once all of them are ready."""
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", worker.communicate()[1]
    for worker in workers:
        assert worker.stdin is not None
        print(file=worker.stdin, flush=True)


def test_processes_that_record_at_once_lose_and_double_nothing(storage: StudyStorage, start: Start) -> None:
    study = new_study(storage)
    workers = [start("record", storage.url, "digits", 1000 * k, 40) for k in range(4)]
    go(*workers)
    numbers = []
    for worker in workers:
        output, faults = worker.communicate(timeout=120)
        assert worker.returncode == 0, faults
        numbers.append([int(line) for line in output.splitlines()])
    assert all(given == sorted(given) for given in numbers)
    assert sorted(n for given in numbers for n in given) == list(range(160))
    table = study.read()
    assert table.numbers.tolist() == list(range(160))
    began = {finished(1000 * k + i).started for k in range(4) for i in range(40)}
    np.testing.assert_allclose(np.sort(table.started), sorted(began), atol=1e-5)


@pytest.mark.drill
def test_a_killed_recorder_leaves_whole_trials_and_all_that_it_was_told(storage: StudyStorage, start: Start) -> None:
    study = new_study(storage)
    source = random.Random(7)
    for attempt in range(4):
        worker = start("record", storage.url, "digits", 1000 * attempt, 1000)
        go(worker)
        assert worker.stdout is not None
        told = [int(worker.stdout.readline()) for _ in range(source.randrange(1, 60))]
        worker.send_signal(signal.SIGKILL)
        told += [int(line) for line in worker.communicate()[0].split()]
        table = study.read()
        assert table.numbers.tolist() == list(range(len(table)))
        assert 0 <= len(table) - (max(told) + 1) <= 1
    assert np.isfinite(table.fold_scores).all()
    assert np.isfinite(table.fit_seconds).all()
    assert (table.arms != "").all()
    for row in range(len(table)):
        study.space().check(table.configuration(row))  # type: ignore[union-attr]
    if path := shared_database(storage.url).path:
        assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_of_two_processes_that_claim_a_run_one_wins(storage: StudyStorage, start: Start) -> None:
    study = new_study(storage)
    for _ in range(3):
        run = study.runs.begin(RunSettings("tpe"), Budget("trials", 5))
        workers = [start("claim", storage.url, "digits", run.id) for _ in range(2)]
        go(*workers)
        answers = {worker.stdout.readline().strip(): worker.pid for worker in workers if worker.stdout}
        assert sorted(answers) == ["claimed", "refused"]
        current = study.runs.current()
        assert current is not None
        assert current.owner is not None
        assert current.owner.pid == answers["claimed"]
        for worker in workers:
            worker.kill()
            worker.communicate()
        assert study.runs.bury("killed") is not None


def test_processes_that_open_a_new_storage_at_once_all_succeed(bare_url: str, start: Start) -> None:
    workers = [start("open", bare_url) for _ in range(4)]
    go(*workers)
    for worker in workers:
        output, faults = worker.communicate(timeout=120)
        assert output == "0\n", faults
    new_study(StudyStorage.open(bare_url)).record(finished())
