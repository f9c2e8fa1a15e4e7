"""What a dead runner leaves behind, put in order once, whoever looks first."""

import os
import signal
import threading
import time

import pytest
from optuna.trial import TrialState

from hpo_core.protocol import Protocol
from hpo_core.search import make_study, recover, recover_all, resume_run, start_detached, start_run
from hpo_core.search.recovery import MAX_TRIES
from hpo_core.space import Float
from hpo_core.studies.run import Budget, Live, LiveTrial, Owner, Pending, RunSettings, Spent
from hpo_core.studies.trial import FinishedTrial
from tests.moody_landscape import X, fits_done, is_gone, moody, wait_until
from tests.running import Bench

_DEAD = Owner(Owner.of_this_process().host, 2**22 - 1, 1.0)


@pytest.fixture
def problem():
    return moody(X, noise=0.1, protocol=Protocol(folds=3))


def _flight(x, *scores, tries=0, arm="random"):
    return LiveTrial(configuration={"x": x}, arm=arm, fold_scores=scores, started=time.time(), tries=tries)


def _finished(flight):
    return FinishedTrial(
        configuration=flight.configuration, state=TrialState.COMPLETE, value=1.0, arm=flight.arm,
        started=flight.started, completed=time.time(), fold_scores=(1.0, 1.0, 1.0),
    )  # fmt: skip


def _died(study, live, spent=Spent(), budget=Budget("trials", 10)):  # noqa: B008 - immutable
    """A run whose owner died after it had published this."""
    run = study.runs.begin(RunSettings(method="random"), budget)
    study.runs.claim(run.id, _DEAD)
    study.runs.publish(run.id, state="running", live=live, spent=spent)
    return run


def test_trials_in_flight_fail_with_the_reason_and_are_queued_again(storage, problem):
    study = make_study(storage, problem)
    live = Live(in_flight=(_flight(0.1, 0.5), _flight(0.2)), pending=(Pending({"x": 0.3}, "random"),))
    _died(study, live)
    assert recover(study)
    table, run = study.read(), study.runs.current()
    assert table.is_failed.tolist() == [True, True]
    assert set(table.reasons) == {"The runner ended unexpectedly while this trial was in flight."}
    assert table.fold_scores[0, 0] == 0.5
    assert run.state == "died"
    assert "Resume to go on" in run.message
    assert [(p.configuration["x"], p.tries) for p in run.live.pending] == [(0.1, 1), (0.2, 1), (0.3, 0)]
    assert run.live.in_flight == ()
    assert not recover(study)


def test_configuration_is_queued_again_a_bounded_number_of_times(studies, problem):
    study = make_study(studies, problem)
    _died(study, Live(in_flight=(_flight(0.1, tries=MAX_TRIES),)))
    recover(study)
    assert study.runs.current().live.pending == ()
    assert study.read().is_failed.tolist() == [True]


def test_trial_recorded_after_the_last_sign_of_life_is_neither_doubled_nor_forgotten_in_the_budget(studies, problem):
    study = make_study(studies, problem)
    run = _died(study, Live())
    recorded, lost = _flight(0.1, 1.0, 1.0), _flight(0.2)
    study.record(*(_finished(_flight(0.3 + i / 100)) for i in range(4)))
    study.runs.publish(run.id, live=Live(in_flight=(recorded, lost)), spent=Spent(trials=4, fits=12, seconds=3.0))
    study.record(_finished(recorded))
    assert recover(study)
    table, run = study.read(), study.runs.current()
    assert table.is_complete.tolist() == [True] * 5 + [False]
    assert [p.configuration["x"] for p in run.live.pending] == [0.2]
    assert run.spent == Spent(trials=5, fits=15, seconds=3.0)


def test_living_runner_is_left_alone(studies, one_worker, fits, problem):
    with Bench(studies, one_worker, fits).start(
        moody(X, Float(name="seconds", low=0.02, high=0.02, default=0.02))
    ) as s:
        wait_until(lambda: s.n_trials >= 1, "a trial")
        assert not recover(s.study)
        assert s.current().state == "running"


def test_of_many_who_recover_one_does(storage, problem):
    study = make_study(storage, problem)
    _died(study, Live(in_flight=(_flight(0.1), _flight(0.2))))
    outcomes, gate = [], threading.Barrier(6)

    def work():
        gate.wait()
        outcomes.append(recover(storage.study(study.name)))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 5 + [True]
    assert len(study.read()) == 2


def test_all_dead_runs_of_a_storage_are_recovered(studies, problem):
    dead = [make_study(studies, problem) for _ in range(3)]
    for study in dead[:2]:
        _died(study, Live(in_flight=(_flight(0.1),)))
    assert recover_all(studies) == 2
    assert recover_all(studies) == 0
    assert [len(s.read()) for s in dead] == [1, 1, 0]


def test_next_start_recovers_first(studies, problem):
    study = make_study(studies, problem)
    _died(study, Live(in_flight=(_flight(0.1),)))
    start_run(study, RunSettings(method="random"), Budget("trials", 3))
    assert study.read().is_failed.tolist() == [True]


def test_resumed_run_meets_its_budget_beginning_with_what_was_lost(studies, one_worker, fits, problem):
    bench = Bench(studies, one_worker, fits)
    study = make_study(studies, problem)
    _died(study, Live(in_flight=(_flight(0.125, 0.3),)), budget=Budget("trials", 4))
    resume = resume_run(study)
    bench.runner(study, resume, problem).run()
    table = study.read()
    assert len(table) == 5
    assert table.is_complete.tolist() == [False, True, True, True, True]
    again = [table.configuration(i)["x"] for i in range(5)]
    assert again[0] == 0.125
    assert 0.125 in again[1:3]
    assert len(set(again)) == 4


def test_recovery_cut_short_loses_no_configuration(studies, one_worker, fits, problem):
    """Whoever recovered died after the run was marked, before its trials were queued again."""
    study = make_study(studies, problem)
    run = _died(study, Live(), budget=Budget("trials", 3))
    done, lost = _flight(0.1, 1.0), _flight(0.2)
    study.runs.publish(run.id, live=Live(in_flight=(done, lost)))
    study.record(_finished(done))
    study.runs.bury("cut short")
    Bench(studies, one_worker, fits).go_on(study, problem)
    tried = [study.read().configuration(i)["x"] for i in range(len(study.read()))]
    assert tried.count(0.1) == 1
    assert tried.count(0.2) == 1


def test_queued_configuration_that_was_tried_after_the_last_sign_of_life_is_not_tried_again(
    studies, one_worker, fits, problem
):
    study = make_study(studies, problem)
    queued = Pending({"x": 0.1}, "random", tries=1)
    run = _died(study, Live(), budget=Budget("trials", 3))
    study.runs.publish(run.id, live=Live(in_flight=(_flight(0.2),), pending=(queued,)))
    study.record(_finished(_flight(0.1)))
    recover(study)
    Bench(studies, one_worker, fits).go_on(study, problem)
    table = study.read()
    done = [table.configuration(i)["x"] for i in range(len(table)) if table.is_complete[i]]
    assert done.count(0.1) == 1
    assert done.count(0.2) == 1
    assert len(done) == 3


@pytest.mark.parametrize("victim", ["runner", "worker"])
def test_killed_process_of_a_detached_search_costs_no_finished_trial(tmp_path, monkeypatch, storage, victim):
    monkeypatch.setenv("MOODY_FITS", str(tmp_path / "fits"))
    problem = moody(X, Float(name="seconds", low=0.15, high=0.15, default=0.15), noise=0.1, protocol=Protocol(folds=3))
    study = make_study(storage, problem)
    run = start_run(study, RunSettings(method="random"), Budget("trials", 6))
    runner = start_detached(storage, study, run, tmp_path)
    pids = {runner}
    try:
        wait_until(lambda: len(study.read()) >= 2, "two trials")
        worker = fits_done(tmp_path)[-1]["pid"]
        pids.add(worker)
        os.kill(runner if victim == "runner" else worker, signal.SIGKILL)
        if victim == "runner":
            wait_until(lambda: is_gone(runner) and is_gone(worker), "end of the runner and its worker")
            before = study.read()
            assert recover(study)
            assert len(study.read()) - len(before) <= 1
            runner = start_detached(storage, study, resume_run(study), tmp_path)
            pids.add(runner)
        wait_until(lambda: (r := study.runs.current()) and r.state == "finished", "the end of the search")
        wait_until(lambda: is_gone(runner), "the end of the runner")
    finally:
        for pid in filter(lambda p: not is_gone(p), pids):
            os.kill(pid, signal.SIGKILL)
    table = study.read()
    assert table.is_failed.sum() <= 1
    assert table.is_complete.sum() == (6 if victim == "runner" else 5)
    assert table.numbers.tolist() == list(range(len(table)))
    assert study.runs.current().spent.trials == 6
