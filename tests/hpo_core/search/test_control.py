"""Steering a run, faults that must stay small, pruning: on real workers and real storages."""

import math
import sqlite3
import threading
import time

import optuna
import pytest

from hpo_core.errors import StudyBusyError, TuningError
from hpo_core.methods import METHODS
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study, start_run
from hpo_core.space import Categorical, Float
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from tests.moody_landscape import X, fits_done, moody, wait_until
from tests.running import Bench

_SLOW = Float(name="seconds", low=0.02, high=0.02, default=0.02)
_LONG = Float(name="seconds", low=600.0, high=600.0, default=600.0)


def _mood(*choices):
    return Categorical(name="mood", choices=choices, default=choices[0])


def test_pause_lets_fits_end_and_resume_goes_on(bench2):
    problem = moody(X, _SLOW)
    with bench2.start(problem) as search:
        wait_until(lambda: search.n_trials >= 3, "three trials")
        search.study.runs.ask_for("paused")
        wait_until(lambda: search.current().state == "paused", "the pause")
        paused_at, spent = search.n_trials, search.current().spent
        beat = search.current().heartbeat
        wait_until(lambda: search.current().heartbeat > beat + 0.5, "signs of life while paused")
        assert search.n_trials == paused_at
        assert search.current().spent == spent
        search.study.runs.ask_for("running")
        wait_until(lambda: search.n_trials >= paused_at + 3, "three more trials")


def test_stop_takes_effect_in_a_long_fit_and_loses_nothing(bench, pool_folder):
    problem = moody(Float(name="x", low=0.81, high=0.82, default=0.81), _LONG)
    with bench.start(problem) as search:
        wait_until(lambda: [f for f in fits_done(pool_folder) if 0.81 <= f["x"] <= 0.82], "a long fit")
        asked = time.monotonic()
        search.study.runs.ask_for("stopped")
        wait_until(lambda: search.current().state == "stopped", "the stop", seconds=10)
        assert time.monotonic() - asked < 2
        search.join()
    assert search.n_trials == 0
    assert [p.arm for p in search.run.live.pending] == ["default"]


def test_stopped_search_goes_on_with_the_folds_that_were_done(bench, pool_folder):
    problem = moody(X, Float(name="seconds", low=0.2, high=0.2, default=0.2), noise=0.1, protocol=Protocol(folds=8))
    with bench.start(problem, trials=2) as search:
        wait_until(lambda: [t for t in search.current().live.in_flight if len(t.fold_scores) >= 3], "three folds")
        search.study.runs.ask_for("stopped")
        search.join()
    n_kept = len(fits_done(pool_folder))
    ended = bench.go_on(search.study, problem)
    assert (ended.state, search.n_trials) == ("finished", 2)
    assert len(fits_done(pool_folder)) - n_kept <= 2 * 8 - 3
    assert search.study.read().arms.tolist() == ["default", "random"]


def test_stop_of_a_paused_search(bench):
    with bench.start(moody(X, _SLOW)) as search:
        wait_until(lambda: search.n_trials >= 1, "a trial")
        search.study.runs.ask_for("paused")
        wait_until(lambda: search.current().state == "paused", "the pause")
        search.study.runs.ask_for("stopped")
        search.join()
    assert search.run.state == "stopped"


def test_live_record_shows_what_is_in_flight_and_the_time_left(bench2):
    problem = moody(X, Float(name="seconds", low=0.1, high=0.1, default=0.1), noise=0.1, protocol=Protocol(folds=3))
    with bench2.start(problem, trials=50) as search:
        run = wait_until(
            lambda: (r := search.current()).spent.trials >= 1 and r.live.in_flight and r, "a trial in flight"
        )
        assert {t.arm for t in run.live.in_flight} <= {"default", "random"}
        assert run.live.seconds_left > 0
        assert run.state == "running"


def test_second_runner_is_refused(bench):
    problem = moody(X, _SLOW)
    with bench.start(problem) as search:
        with pytest.raises(StudyBusyError, match="is being run already"):
            start_run(search.study, RunSettings(method="random"), Budget("trials", 5))
        with pytest.raises(StudyBusyError, match="is being run already"):
            search.study.runs.resume_with(None)
        with pytest.raises(StudyBusyError, match="Stop the run first"):
            bench.storage.delete(search.study.name)
    assert search.fault is None


def test_deleted_study_ends_its_runner_and_frees_the_workers(bench, sqlite_url):
    problem = moody(X, _SLOW)
    with bench.start(problem) as search:
        wait_until(lambda: search.n_trials >= 2, "two trials")
        storage = optuna.storages.RDBStorage(sqlite_url)
        optuna.delete_study(study_name=search.study.name, storage=storage)
        storage.remove_session()
        storage.engine.dispose()
        search.join()
    assert isinstance(search.fault, TuningError)
    assert "deleted" in str(search.fault)
    assert len(bench.search(problem, trials=2).read()) == 2


# Faults


def test_configurations_that_fail_fail_alone_with_their_reason(bench2):
    problem = moody(X, _mood("calm", "angry", "lost", "gone", "broken", "greedy"))
    study = bench2.search(problem, "grid", trials=50, options={"resolution": 1})
    table = study.read()
    reasons = {table.configuration(i)["mood"]: str(table.reasons[i]) for i in range(len(table))}
    assert study.runs.current().state == "finished"
    assert len(table) == 6
    assert reasons.pop("calm") == ""
    assert "out of temper" in reasons["angry"]
    assert "no height" in reasons["lost"]
    assert "killed during this fit" in reasons["gone"]
    assert "SIGSEGV" in reasons["broken"]
    assert "Memory" in reasons["greedy"]
    assert table.is_failed.sum() == 5


def test_limit_of_a_fit_fails_its_trial_alone(bench):
    problem = moody(X, Categorical(name="seconds", choices=(0.0, 600.0), default=0.0))
    study = bench.search(problem, "grid", trials=5, options={"resolution": 1}, fit_seconds_limit=0.5)
    table = study.read()
    assert table.is_failed.tolist() == [False, True]
    assert table.reasons[1] == "The fit ran past its limit of 0.5 s and was stopped."


def test_search_goes_on_after_very_many_failed_trials(bench):
    problem = moody(X, _mood("angry"))
    study = bench.search(problem, trials=130)
    ended = bench.go_on(study, problem, Budget("trials", 140))
    assert (len(study.read()), ended.message) == (140, "")
    assert study.read().is_failed.all()


def test_locked_storage_loses_nothing(sqlite_url, one_worker, fits):
    storage = StudyStorage.open(f"{sqlite_url}?timeout=0.2")
    bench = Bench(storage, one_worker, fits)
    with bench.start(moody(X, _SLOW), trials=30) as search:
        wait_until(lambda: search.n_trials >= 3, "three trials")
        locker = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        threading.Event().wait(1.5)
        n_held = search.n_trials
        locker.execute("COMMIT")
        locker.close()
        search.join()
    assert n_held < 30
    assert (search.n_trials, search.run.state) == (30, "finished")
    assert search.study.read().numbers.tolist() == list(range(30))


def test_method_that_breaks_keeps_what_is_done_and_goes_on_later(bench, monkeypatch):
    """A fault of a sampler is no fault of the study: finished trials stay, and the run can be resumed."""
    problem = moody(X)
    sampler = type(METHODS["random"].sampler(problem.space, 0))
    proposal = sampler.proposal

    def breaks(self, study, trial):
        if trial.number == 5:
            raise ZeroDivisionError("a fault of the method")
        return proposal(self, study, trial)

    monkeypatch.setattr(sampler, "proposal", breaks)
    study, run = bench.begun(problem, "random", Budget("trials", 9))
    runner = bench.runner(study, run, problem)
    with pytest.raises(ZeroDivisionError):
        runner.run()
    assert len(study.read()) == 5
    assert study.runs.current().spent.trials == 5
    study.runs.publish(run.id, state="failed")
    monkeypatch.setattr(sampler, "proposal", proposal)
    assert bench.go_on(study, problem).spent.trials == 9
    assert len(study.read()) == 9


# Pruning


@pytest.mark.parametrize(
    ("rule", "options"),
    [("race", {}), ("median", {}), ("percentile", {"percent": 40.0}), ("threshold", {"limit": 60.0})],
)
def test_pruning_saves_fits_and_keeps_the_best(bench2, rule, options):
    problem = make_problem("branin", noise=0.02, protocol=Protocol(folds=5))
    whole = bench2.search(problem, trials=60, seed=1)
    pruned = bench2.search(problem, trials=60, seed=1, pruning=rule, pruning_options=options)
    full, cut = whole.read(), pruned.read()
    assert pruned.runs.current().spent.fits < 0.8 * whole.runs.current().spent.fits
    assert cut.values[cut.best()] == full.values[full.best()]
    assert cut.is_pruned.any()
    for row in cut.is_pruned.nonzero()[0]:
        n_done = int(sum(map(math.isfinite, cut.fold_scores[row])))
        assert 1 <= n_done < 5
        assert math.isfinite(cut.values[row])
        assert cut.values[row] > cut.values[cut.best()]


def test_default_goes_through_all_folds_whatever_the_rule(bench):
    problem = make_problem("branin", noise=0.02, protocol=Protocol(folds=4))
    study = make_study(bench.storage, problem)
    for settings in (
        RunSettings(method="random", starts_with_default=False),
        RunSettings(method="random", pruning="median"),
    ):
        bench.runner(study, study.runs.begin(settings, Budget("trials", 12)), problem).run()
    table = study.read()
    assert table.is_complete[table.arms == "default"].all()
    assert table.is_pruned.any()


def test_runner_rests_while_only_the_oldest_trial_is_awaited(studies, two_workers, fits, pool_folder):
    """A later trial that is known already must not make the runner spin."""
    problem = moody(X, Float(name="seconds", low=1.5, high=1.5, default=1.5))
    bench = Bench(studies, two_workers, fits)
    known = bench.search(problem, trials=2, starts_with_default=False).read().configuration(0)
    assert known
    study, run = bench.begun(problem, "random", Budget("trials", 2))
    runner = bench.runner(study, run, problem)
    wall, cpu = time.monotonic(), time.thread_time()
    runner.run()
    assert time.thread_time() - cpu < 0.5 * (time.monotonic() - wall)
