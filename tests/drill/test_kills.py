"""The drill: processes are killed at random moments, again and again; nothing that was finished is lost or doubled."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from itertools import chain
from pathlib import Path

import optuna
import psutil
import pytest
from optuna.trial import TrialState

from hpo_core.problem import Problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study, recover, resume_run, start_detached, start_run
from hpo_core.search.recovery import LOST, MAX_TRIES
from hpo_core.space import Float
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from tests.moody_landscape import X, fits_done, is_gone, moody, moody_known, wait_until

pytestmark = pytest.mark.drill
_KILLED = "The worker process was killed during this fit"


class Drill:
    """A detached search of one study, killed and started again."""

    def __init__(self, storage: StudyStorage, problem: Problem, folder: Path, n_trials: int) -> None:
        self.study: Study = make_study(storage, problem)
        self.folder, self._storage = folder, storage
        run = start_run(self.study, RunSettings(method="random", workers=2), Budget("trials", n_trials))
        self.pids = [start_detached(storage, self.study, run, folder)]
        self.seen: dict[int, tuple[object, ...]] = {}

    def again(self) -> None:
        """Starts a new runner in place of the dead one."""
        wait_until(lambda: is_gone(self.pids[-1]), "end of the runner")
        recover(self.study)
        self.pids.append(start_detached(self._storage, self.study, resume_run(self.study), self.folder))

    @property
    def family(self) -> dict[str, list[int]]:
        """The process ids of the workers that live, of the nursery that they are from, and of the root it is from."""
        found: dict[str, set[int]] = {"worker": set(), "nursery": set(), "root": set()}
        with contextlib.suppress(psutil.NoSuchProcess):
            found["root"] |= {child.pid for child in psutil.Process(self.pids[-1]).children()}
        for pid in {fit["pid"] for fit in fits_done(self.folder)}:
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(pid).parent()
                if parent is not None and "hpo_core" in " ".join(parent.cmdline()):  # else it is dying
                    found["nursery"].add(parent.pid)
                    found["worker"].add(pid)
        return {kind: sorted(pids) for kind, pids in found.items()}

    def kill(self, victim: str, chance: random.Random) -> bool:
        """Kills the runner and starts another, or one of its family; whether there was one to kill."""
        if victim == "runner":
            _kill(self.pids[-1])
            self.again()
            return True
        pids = self.family[victim]
        if pids:
            _kill(chance.choice(pids))
        return bool(pids)

    def look(self) -> None:
        """What has been seen finished must be there ever after, as it was."""
        table = self.study.read()
        for row in range(len(table)):
            trial = (str(table.configuration(row)), int(table.states[row]), repr(float(table.values[row])))
            assert self.seen.setdefault(int(table.numbers[row]), trial) == trial
        assert set(self.seen) == set(table.numbers.tolist())

    def clear(self) -> None:
        for pid in chain(self.pids, *self.family.values()):
            _kill(pid)


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "customisation"
    folder.mkdir()
    monkeypatch.setenv("MOODY_FITS", str(tmp_path / "fits"))
    with moody_known(folder):
        seconds = Float(name="seconds", low=0.0, high=0.05, default=0.02)
        yield moody(X, seconds, noise=0.1, protocol=Protocol(folds=3))


@pytest.mark.parametrize(("kind", "seed"), [("sqlite", 1), ("postgresql", 2)])
def test_search_survives_kills_of_its_processes(request, problem, tmp_path, kind, seed):
    storage = StudyStorage.open(request.getfixturevalue(f"{kind}_url"))
    chance, n_trials = random.Random(seed), 160
    drill = Drill(storage, problem, tmp_path, n_trials)
    killed: Counter[str] = Counter()
    try:
        for victim in chance.sample(("runner", "root", "nursery", "worker"), 10, counts=(5, 1, 2, 3)):
            n_before = len(drill.study.read())
            wait_until(lambda n=n_before: len(drill.study.read()) > n or _is_over(drill), "progress")
            time.sleep(chance.uniform(0.0, 0.4))  # the moment of the kill is the matter of this test
            drill.look()
            if _is_over(drill):
                break
            killed[victim] += drill.kill(victim, chance)
            drill.look()
        wait_until(lambda: _is_over(drill), "the end of the search", seconds=120)
        drill.look()
    finally:
        drill.clear()
    assert killed["runner"] >= 3
    assert killed["worker"] >= 1
    assert killed["nursery"] >= 1
    assert killed["root"] == 1
    _check(drill, storage, n_trials, killed)


def _is_over(drill: Drill) -> bool:
    run = drill.study.runs.current()
    return run is not None and run.state == "finished"


def _kill(pid: int) -> None:
    if not is_gone(pid):
        os.kill(pid, signal.SIGKILL)


def _check(drill: Drill, storage: StudyStorage, n_trials: int, n_killed: Counter[str]) -> None:
    table = drill.study.read()
    lost, killed = table.reasons == LOST, [str(r).startswith(_KILLED) for r in table.reasons]
    assert table.numbers.tolist() == list(range(len(table)))
    assert set(table.states.tolist()) <= {TrialState.COMPLETE.value, TrialState.FAIL.value}
    # A nursery takes two workers with it, whose fits are tried once more.
    assert sum(killed) <= n_killed["worker"] + 2 * (n_killed["nursery"] - 1)
    assert lost.sum() <= 3 * n_killed["runner"]
    run = drill.study.runs.current()
    assert run is not None
    # The budget is met by trials that the search itself ended; those that died with a runner come on top.
    assert len(table) - lost.sum() == n_trials == run.spent.trials
    done = Counter(str(table.configuration(i)) for i in range(len(table)) if table.is_complete[i])
    assert set(done.values()) == {1}
    again = Counter(str(table.configuration(i)) for i in range(len(table)) if lost[i])
    assert max(again.values(), default=0) <= MAX_TRIES + 1
    wait_until(lambda: all(map(is_gone, drill.pids)), "end of the last runner")
    theirs = optuna.storages.RDBStorage(storage.url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        trials = optuna.load_study(study_name=drill.study.name, storage=theirs).trials
        assert [t.number for t in trials] == list(range(len(table)))
        assert all(t.state.is_finished() for t in trials)
    finally:
        theirs.remove_session()
        theirs.engine.dispose()
