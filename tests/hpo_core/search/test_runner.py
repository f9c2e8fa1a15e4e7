"""Runs on real workers and real storages: budgets, repeatability, control, faults, pruning and ends."""

import math
import sqlite3
import threading
import time

import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.errors import StudyBusyError, TuningError
from hpo_core.methods import METHODS
from hpo_core.options import options_of
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search import make_study, start_run
from hpo_core.search.fits import FitStore
from hpo_core.space import Categorical, Condition, Float, Int
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.trial import FinishedTrial
from tests.moody_landscape import X, fits_done, moody, wait_until
from tests.running import Bench, rows

_SLOW = Float(name="seconds", low=0.02, high=0.02, default=0.02)
_LONG = Float(name="seconds", low=600.0, high=600.0, default=600.0)


def _mood(*choices):
    return Categorical(name="mood", choices=choices, default=choices[0])


@pytest.fixture
def bench(studies, one_worker, fits):
    return Bench(studies, one_worker, fits)


@pytest.fixture
def bench2(studies, two_workers, fits):
    return Bench(studies, two_workers, fits)


@pytest.fixture
def mixed():
    """A small space of every kind of parameter with a condition, seen through two noisy looks."""
    space = (
        X,
        Int(name="k", low=1, high=64, default=8, log=True),
        _mood("calm", "idle"),
        Float(name="extra", low=0.0, high=1.0, default=0.2, when=Condition("mood", ("idle",))),
    )
    return moody(*space, noise=0.1, protocol=Protocol(folds=2))


# What is recorded


def test_optuna_opens_a_finished_study_with_equal_trials(storage, two_workers, fits):
    problem = moody(X, _mood("calm", "angry"), noise=0.1, protocol=Protocol(folds=3))
    study = Bench(storage, two_workers, fits).search(problem, trials=12, pruning="race")
    table = study.read()
    url = storage.url.replace("postgresql://", "postgresql+psycopg://")
    theirs = optuna.storages.RDBStorage(url)
    try:
        opened = optuna.load_study(study_name=study.name, storage=theirs)
        assert opened.direction.name == "MINIMIZE"
        assert [t.number for t in opened.trials] == list(range(12))
        assert {t.state for t in opened.trials} >= {TrialState.COMPLETE, TrialState.FAIL}
        for i, trial in enumerate(opened.trials):
            assert trial.params == table.configuration(i)
            assert trial.state.value == table.states[i]
            assert trial.value is None or trial.value == table.values[i]
            done = [s for s in table.fold_scores[i] if math.isfinite(s)]
            assert list(trial.intermediate_values.values()) == done
        assert opened.best_trial.number == table.numbers[table.best()]
    finally:
        theirs.remove_session()
        theirs.engine.dispose()


def test_values_are_the_mean_of_the_folds_and_figures_are_kept(bench2):
    problem = make_problem("iris", "decision_tree", protocol=Protocol(folds=3))
    table = bench2.search(problem, trials=4).read()
    assert table.is_complete.all()
    assert table.values == pytest.approx(table.fold_scores.mean(axis=1))
    for row in range(4):
        scores = [problem.fit(table.configuration(row), fold).score for fold in range(3)]
        assert table.fold_scores[row].tolist() == scores
    assert (table.fit_seconds > 0).all()
    assert (table.model_bytes > 0).all()


# Budgets


@pytest.mark.parametrize("n_trials", [1, 2, 7])
def test_budget_of_trials_is_kept_exactly(bench2, mixed, n_trials):
    study = bench2.search(mixed, trials=n_trials)
    run = study.runs.current()
    assert len(study.read()) == n_trials
    assert (run.state, run.spent.trials, run.spent.fits) == ("finished", n_trials, 2 * n_trials)


def test_budget_of_fits_is_never_exceeded(bench2, mixed, pool_folder):
    before = len(fits_done(pool_folder))
    study, run = bench2.begun(mixed, "random", Budget("fits", 11))
    ended = bench2.runner(study, run, mixed).run()
    assert (ended.spent.fits, ended.spent.trials, ended.state) == (10, 5, "finished")
    assert len(fits_done(pool_folder)) - before == 10


def test_budget_of_seconds_ends_a_run_within_a_long_fit_and_keeps_it_for_later(bench):
    problem = moody(X, _LONG)
    study, run = bench.begun(problem, "random", Budget("seconds", 0.5), starts_with_default=False)
    ended = bench.runner(study, run, problem).run()
    assert ended.state == "finished"
    assert 0.5 <= ended.spent.seconds < 30
    assert len(study.read()) == 0
    assert len(ended.live.pending) == 1


def test_more_budget_afterwards_goes_on_without_trying_anything_twice(bench, mixed):
    study = bench.search(mixed, trials=5, method="random")
    ended = bench.go_on(study, mixed, Budget("trials", 12))
    table = study.read()
    assert (len(table), ended.spent.trials, ended.state) == (12, 12, "finished")
    assert len({str(table.configuration(i)) for i in range(12)}) == 12
    assert bench.go_on(study, mixed, Budget("fits", 30)).spent.fits == 30


def test_budget_is_changed_while_it_runs(bench):
    problem = moody(X, _SLOW)
    with bench.start(problem, trials=100_000) as search:
        wait_until(lambda: search.n_trials >= 3, "three trials")
        search.study.runs.set_budget(Budget("trials", 8))
        search.join()
    assert search.run.state == "finished"
    assert search.n_trials == search.run.spent.trials
    # Trials recorded until the change was seen are kept: the budget can only be met from then on.
    assert search.n_trials >= 8


def test_budget_raised_while_it_runs_is_met(bench):
    problem = moody(X, _SLOW)
    with bench.start(problem, trials=20) as search:
        wait_until(lambda: search.n_trials >= 3, "three trials")
        search.study.runs.set_budget(Budget("trials", 30))
        search.join()
    assert search.n_trials == 30


# The same again


def _again(storage, executor, store, problem, method, **settings):
    return rows(Bench(storage, executor, store).search(problem, method, **settings).read())


@pytest.mark.parametrize("method", METHODS.keys)
@pytest.mark.parametrize("pool", ["one_worker", "two_workers"])
def test_same_seed_gives_the_same_trials_also_from_kept_fits(request, studies, fits, tmp_path, mixed, method, pool):
    executor = request.getfixturevalue(pool)
    settings = {"trials": 14, "seed": 5, "pruning": "race"}
    if any(o.name == "n_startup" for o in options_of(type(METHODS[method]))):
        settings["options"] = {"n_startup": 4}
    first = _again(studies, executor, fits, mixed, method, **settings)
    kept = _again(studies, executor, fits, mixed, method, **settings)
    cold = FitStore(tmp_path / "other.db")
    anew = _again(studies, executor, cold, mixed, method, **settings)
    cold.close()
    assert first == kept
    assert first == anew
    if method != "grid":
        assert first != _again(studies, executor, fits, mixed, method, **{**settings, "seed": 6})


@pytest.mark.parametrize("method", [m.key for m in METHODS if not m.capabilities.learns])
def test_methods_that_do_not_learn_propose_the_same_with_one_and_two_workers(
    studies, fits, one_worker, two_workers, mixed, method
):
    with_one = _again(studies, one_worker, fits, mixed, method, trials=12)
    assert with_one == _again(studies, two_workers, fits, mixed, method, trials=12)


def test_fits_that_end_out_of_order_change_nothing(studies, two_workers, tmp_path):
    problem = moody(X, Float(name="seconds", low=0.0, high=0.05, default=0.01))
    found = []
    for i in range(2):
        store = FitStore(tmp_path / f"{i}.db")
        found.append(_again(studies, two_workers, store, problem, "tpe", trials=25, options={"n_startup": 5}))
        store.close()
    assert found[0] == found[1]


def test_repeated_proposals_change_nothing(studies, two_workers, tmp_path):
    """In a small space the second proposal of a configuration comes while the first is in flight, or after it."""
    space = (Int(name="x", low=0, high=1, default=0), Int(name="k", low=0, high=9, default=0))
    problem = moody(*space, Float(name="seconds", low=0.0, high=0.02, default=0.0, step=0.01))
    found = []
    for i in range(2):
        store = FitStore(tmp_path / f"{i}.db")
        found.append(_again(studies, two_workers, store, problem, "tpe", trials=45, options={"n_startup": 5}))
        store.close()
    assert found[0] == found[1]
    assert len({str(row[0]) for row in found[0]}) == len(found[0])


def test_identical_fits_are_never_done_twice(bench2, pool_folder, mixed):
    first = bench2.search(mixed, trials=8, seed=3)
    n_done = len(fits_done(pool_folder))
    second = bench2.search(mixed, trials=8, seed=3)
    assert len(fits_done(pool_folder)) == n_done
    assert rows(first.read()) == rows(second.read())
    assert second.runs.current().spent.fits == 16


def test_interrupted_search_goes_on_with_new_configurations(bench, mixed):
    for method in METHODS:
        study = bench.search(mixed, method.key, trials=4, options={})
        bench.go_on(study, mixed, Budget("trials", 9))
        table = study.read()
        assert len({str(table.configuration(i)) for i in range(len(table))}) == 9, method.key


# What is tried


def test_default_is_tried_first_and_only_once(bench, mixed):
    study = bench.search(mixed, trials=3)
    table = study.read()
    assert table.arms.tolist() == ["default", "random", "random"]
    assert table.configuration(0) == mixed.space.default()
    start = study.runs.begin(RunSettings(method="sobol"), Budget("trials", 2))
    bench.runner(study, start, mixed).run()
    assert study.read().arms.tolist() == ["default", "random", "random", "sobol", "sobol"]


def test_default_can_be_left_out(bench, mixed):
    assert set(bench.search(mixed, trials=3, starts_with_default=False).read().arms) == {"random"}


def test_grid_is_finished_exactly_and_says_so(bench2):
    problem = moody(X, _mood("calm", "idle"))
    study = bench2.search(problem, "grid", trials=500, options={"resolution": 3})
    run, table = study.runs.current(), study.read()
    assert run.state == "finished"
    assert "grid is finished" in run.message
    tried = sorted((c["x"], c["mood"]) for c in map(table.configuration, range(len(table))))
    assert tried == [(x, mood) for x in (0.0, 0.5, 1.0) for mood in ("calm", "idle")]


@pytest.mark.parametrize("method", ["random", "tpe", "gaussian_process", "sobol"])
def test_small_space_is_tried_out_and_the_run_says_so(bench2, method):
    problem = moody(Int(name="x", low=0, high=2, default=0), _mood("calm", "idle"))
    study = bench2.search(problem, method, trials=200)
    run, table = study.runs.current(), study.read()
    assert (run.state, len(table)) == ("finished", 6)
    assert "tried" in run.message
    assert len({str(table.configuration(i)) for i in range(6)}) == 6


def test_manual_trials_are_learnt_from_while_it_runs(bench):
    table = _grid_beside_a_person(bench, learns_from_manual=True)
    assert len(table) == 6
    assert table.arms.tolist().count("manual") == 1


def test_manual_trials_are_not_learnt_from_where_the_person_says_so(bench):
    table = _grid_beside_a_person(bench, learns_from_manual=False)
    assert len(table) == 7


def _grid_beside_a_person(bench, **settings):
    """A grid of six; while its first trials run, the person tries one that it has not come to."""
    problem = moody(X, Float(name="seconds", low=0.4, high=0.4, default=0.4))
    with bench.start(problem, "grid", options={"resolution": 6}, starts_with_default=False, **settings) as search:
        wait_until(lambda: search.n_trials >= 1, "the first trial")
        run = search.current()
        taken = {search.study.read().configuration(0)["x"], *(t.configuration["x"] for t in run.live.in_flight)}
        x = next(x for x in (1.0, 0.0) if x not in taken)
        search.study.record(_by_hand({"x": x, "seconds": 0.4}, 0.5))
        search.join()
    return search.study.read()


def _by_hand(configuration, value, state=TrialState.COMPLETE):
    now = time.time()
    return FinishedTrial(
        configuration=configuration, state=state, value=value, arm="manual", started=now, completed=now,
        fold_scores=() if value is None else (value,),
    )  # fmt: skip


# Control


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


@pytest.mark.parametrize("rule", ["race", "median"])
def test_pruning_saves_fits_and_keeps_the_best(bench2, rule):
    problem = make_problem("branin", noise=0.02, protocol=Protocol(folds=5))
    whole = bench2.search(problem, trials=60, seed=1)
    pruned = bench2.search(problem, trials=60, seed=1, pruning=rule)
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
