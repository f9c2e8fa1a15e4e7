"""The process of a finalists round is killed in the middle: it is missed, goes on from what it fitted, and ends."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest

from hpo_core.protocol import Protocol
from hpo_core.search import make_study
from hpo_core.search.finalists import Finalist
from hpo_core.search.finals_process import start_finals
from hpo_core.search.finals_round import ask_for_finals, ask_to_go_on, finals_of
from hpo_core.studies.storage import StudyStorage
from tests.moody_landscape import LOG_VARIABLE, is_gone, moody, moody_known, wait_until

pytestmark = pytest.mark.drill
N_FINALISTS, N_FOLDS, N_DRAWS = 3, 2, 4


def finalists():
    for i in range(N_FINALISTS):
        configuration = {"x": 0.1 * i, "mood": "calm", "seconds": 0.15}
        yield Finalist(configuration=configuration, trial=i, arm="tpe", value=1.0)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_round_goes_on_where_its_process_was_killed(request, tmp_path, monkeypatch, kind):
    folder, log = tmp_path / "customisation", tmp_path / "fits"
    folder.mkdir()
    monkeypatch.setenv(LOG_VARIABLE, str(log))
    with moody_known(folder):
        problem = moody(noise=0.1, protocol=Protocol(folds=N_FOLDS))
        storage = StudyStorage.open(request.getfixturevalue(f"{kind}_url"))
        study = make_study(storage, problem)
        now = ask_for_finals(study, tuple(finalists()), N_DRAWS, workers=2)
        start_finals(storage, study, now, tmp_path)
        for n_kept in (4, 12):
            wait_until(lambda n=n_kept: finals_of(study).pace.done >= n, f"{n_kept} fits")
            pid = study.attributes["finals_holder"]["pid"]
            workers = [child.pid for child in psutil.Process(pid).children(recursive=True)]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda p=pid: is_gone(p), "the end of the process")
            wait_until(lambda w=workers: all(map(is_gone, w)), "the end of its workers")
            assert finals_of(study).state == "died"
            start_finals(storage, study, ask_to_go_on(study), tmp_path)
        wait_until(lambda: finals_of(study).state == "finished", "the end of the round")
        found = finals_of(study).found
        assert [len(fresh.scores) for fresh in found.scores] == [N_FOLDS * N_DRAWS] * N_FINALISTS
        fits = [json.loads(line) for line in log.read_text().splitlines()]
        total = N_FINALISTS * N_FOLDS * N_DRAWS
        # Two workers, and what the store of fits had not written yet when each of two processes was killed.
        assert total <= len(fits) <= total + 2 * 2 * 2
