"""Runs: begun once, owned by one, controlled by rows, found again by whoever looks."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import optuna
import psutil
import pytest
from optuna.storages import RDBStorage

from hpo_core.errors import StudyBusyError, UsageError
from hpo_core.studies.owner import SILENCE_SECONDS
from hpo_core.studies.run import Budget, Live, LiveTrial, Owner, Pending, RunSettings, Spent
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from tests.finished_trials import new_study

SETTINGS = RunSettings("tpe", {"startup": 10}, seed=3, workers=2, pruning="race", fit_seconds_limit=2.5)
BUDGET = Budget("trials", 60)
ME = Owner.of_this_process()
DEAD = replace(ME, create_time=ME.create_time - 1000)
ELSEWHERE = Owner("another-host", 1, 1.0)


@pytest.fixture
def study(storage: StudyStorage) -> Study:
    return new_study(storage)


def test_a_new_run_waits_for_its_runner_with_all_that_it_was_given(study: Study) -> None:
    assert study.runs.current() is None
    run = study.runs.begin(SETTINGS, BUDGET)
    assert (run.settings, run.budget, run.spent, run.live) == (SETTINGS, BUDGET, Spent(), Live())
    assert (run.state, run.wanted, run.owner, run.message) == ("starting", "running", None, "")
    assert run.is_active
    assert study.runs.current() == run


def test_a_second_run_is_refused_while_one_is_active(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    with pytest.raises(StudyBusyError, match="being run already"):
        study.runs.begin(SETTINGS, BUDGET)
    study.runs.claim(run.id, ME)
    with pytest.raises(StudyBusyError, match=f"by process {ME.pid}"):
        study.runs.begin(SETTINGS, BUDGET)


def test_a_run_can_be_begun_after_one_that_is_over(study: Study) -> None:
    first = study.runs.begin(SETTINGS, BUDGET)
    study.runs.publish(first.id, state="finished")
    second = study.runs.begin(SETTINGS, BUDGET)
    assert second.id > first.id
    assert study.runs.current() == second


def test_a_run_that_no_runner_claimed_in_time_is_no_longer_active(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    assert not replace(run, heartbeat=time.time() - SILENCE_SECONDS - 1).is_active


def test_only_a_dead_owner_is_replaced(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    study.runs.claim(run.id, DEAD)
    assert study.runs.claim(run.id, ME).owner == ME
    assert study.runs.claim(run.id, ME).owner == ME
    with pytest.raises(StudyBusyError, match="Stop that run first"):
        study.runs.claim(run.id, ELSEWHERE)


def test_a_run_that_is_over_cannot_be_claimed(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    study.runs.publish(run.id, state="stopped")
    with pytest.raises(UsageError, match="is over"):
        study.runs.claim(run.id, ME)


def test_what_is_published_is_read_back(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    live = Live(
        in_flight=(LiveTrial({"C": np.float64(0.5), "depth": np.int64(3)}, "tpe", (0.5, float("nan")), 12.5, 1),),
        pending=(Pending({"kernel": None}, "manual", 2),),
        seconds_left=3.5,
        message='quoted "ü" \x00',
    )
    study.runs.publish(run.id, state="running", spent=Spent(3, 14, 2.5), live=live, message="half way \x00")
    seen = study.runs.current()
    assert seen is not None
    assert (seen.state, seen.spent, seen.message) == ("running", Spent(3, 14, 2.5), "half way \x00")
    assert seen.live.pending == live.pending
    assert seen.live.message == live.message
    assert seen.live.in_flight[0].configuration == {"C": 0.5, "depth": 3}
    assert np.isnan(seen.live.in_flight[0].fold_scores[1])
    assert seen.heartbeat > run.heartbeat


def test_publishing_nothing_is_a_sign_of_life(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    study.runs.publish(run.id)
    assert study.runs.current() == replace(run, heartbeat=study.runs.current().heartbeat)  # type: ignore[union-attr]


def test_control_is_read_by_the_runner_and_logged(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    study.runs.claim(run.id, ME)
    study.runs.ask_for("paused")
    study.runs.set_budget(Budget("seconds", 90))
    study.runs.add_event("narrowed", {"C": [0.1, 1]})
    seen = study.runs.current()
    assert seen is not None
    assert (seen.wanted, seen.budget) == ("paused", Budget("seconds", 90))
    events = study.runs.events()
    assert [e.what for e in events] == ["begun", "claimed", "asked", "budget", "narrowed"]
    assert events[2].detail == {"wanted": "paused"}
    assert [e.time for e in events] == sorted(e.time for e in events)


def test_a_run_that_is_over_is_resumed_with_what_it_spent_and_left_pending(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    study.runs.claim(run.id, ME)
    left = Live(pending=(Pending({"C": 1.0}, "tpe", 1),))
    study.runs.publish(run.id, state="stopped", spent=Spent(4, 20, 1.5), live=left, message="stopped by hand")
    study.runs.ask_for("stopped")
    resumed = study.runs.resume_with(Budget("fits", 100))
    assert (resumed.id, resumed.settings) == (run.id, SETTINGS)
    assert (resumed.state, resumed.wanted, resumed.owner, resumed.message) == ("starting", "running", None, "")
    assert (resumed.spent, resumed.live, resumed.budget) == (Spent(4, 20, 1.5), left, Budget("fits", 100))


def test_an_active_run_cannot_be_resumed(study: Study) -> None:
    study.runs.begin(SETTINGS, BUDGET)
    with pytest.raises(StudyBusyError):
        study.runs.resume_with()


def test_a_run_whose_owner_died_is_buried_once_and_can_be_resumed(study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    assert study.runs.bury("It ended unexpectedly.") is None
    study.runs.claim(run.id, DEAD)
    study.runs.publish(run.id, state="running", live=Live(pending=(Pending({"C": 1.0}, "tpe"),)))
    buried = study.runs.bury("It ended unexpectedly.")
    assert buried is not None
    assert (buried.state, buried.message) == ("died", "It ended unexpectedly.")
    assert study.runs.bury("again") is None
    assert study.runs.resume_with().live.pending == buried.live.pending


def test_control_without_a_run_says_so(study: Study) -> None:
    for act in (lambda: study.runs.ask_for("paused"), lambda: study.runs.set_budget(BUDGET), study.runs.resume_with):
        with pytest.raises(UsageError, match="has no run yet"):
            act()
    with pytest.raises(UsageError, match="running, paused or stopped"):
        study.runs.ask_for("faster")  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf")])
def test_a_budget_without_sense_is_refused(amount: float) -> None:
    with pytest.raises(UsageError, match="above 0"):
        Budget("trials", amount)
    with pytest.raises(UsageError, match="trials, fits or seconds"):
        Budget("euros", 5)  # type: ignore[arg-type]


def test_a_study_of_another_program_has_no_runs(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    optuna.create_study(study_name="foreign", storage=optuna_storage)
    runs = storage.study("foreign").runs
    assert runs.current() is None
    assert runs.events() == ()
    with pytest.raises(UsageError, match="made by another program"):
        runs.begin(SETTINGS, BUDGET)


def test_a_runner_learns_that_its_study_was_deleted(storage: StudyStorage, study: Study) -> None:
    run = study.runs.begin(SETTINGS, BUDGET)
    study.runs.claim(run.id, DEAD)
    storage.delete(study.name)
    with pytest.raises(UsageError, match="has been deleted"):
        study.runs.publish(run.id, spent=Spent(1, 1, 1.0))
    assert study.runs.current() is None


def test_a_copy_of_a_study_has_a_key_and_runs_of_its_own(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    study = new_study(storage, "original")
    study.runs.begin(SETTINGS, BUDGET)
    optuna.copy_study(
        from_study_name="original", from_storage=optuna_storage, to_storage=optuna_storage, to_study_name="copy"
    )
    by_name = {summary.name: summary for summary in storage.summaries()}
    assert by_name["copy"].run is None
    copy = storage.study("copy")
    assert copy.key not in ("", study.key)
    assert copy.runs.current() is None
    storage.delete("copy")
    assert study.runs.current() is not None
    assert storage.study("original").key == study.key


def test_owners_are_told_from_later_processes_with_the_same_number() -> None:
    assert ME.is_alive()
    assert not DEAD.is_alive()


def test_an_owner_that_ended_or_is_a_zombie_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        owner = Owner(ME.host, process.pid, psutil.Process(process.pid).create_time())
        assert owner.is_alive()
        process.kill()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert not owner.is_alive()
    finally:
        process.communicate()
    assert not owner.is_alive()


def test_an_owner_on_another_host_is_judged_by_its_heartbeat() -> None:
    assert ELSEWHERE.is_alive(time.time())
    assert not ELSEWHERE.is_alive(time.time() - SILENCE_SECONDS - 1)
