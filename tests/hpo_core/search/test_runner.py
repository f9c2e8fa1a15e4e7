"""Runs on real workers and real storages: what is recorded, budgets, repeatability, what is tried."""

import math
import time

import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.methods import METHODS
from hpo_core.options import options_of
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search.fits import FitStore
from hpo_core.space import Categorical, Float, Int
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.trial import FinishedTrial
from tests.moody_landscape import X, fits_done, moody, wait_until
from tests.running import Bench, methods_for_mixed, rows

_SLOW = Float(name="seconds", low=0.02, high=0.02, default=0.02)
_LONG = Float(name="seconds", low=600.0, high=600.0, default=600.0)


def _mood(*choices):
    return Categorical(name="mood", choices=choices, default=choices[0])


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


@pytest.mark.parametrize("method", [m.key for m in methods_for_mixed()])
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
    if not METHODS[method].capabilities.is_finite:
        assert first != _again(studies, executor, fits, mixed, method, **{**settings, "seed": 6})


def test_fits_done_together_prune_as_fits_done_one_by_one(studies, two_workers, tmp_path):
    problem = moody(X, noise=1.0, protocol=Protocol(folds=5))
    found = []
    for i, limit in enumerate((None, 60.0)):  # fits with a limit go to the workers one by one
        store = FitStore(tmp_path / f"{i}.db")
        settings = {"trials": 40, "pruning": "race", "fit_seconds_limit": limit}
        found.append(_again(studies, two_workers, store, problem, "random", **settings))
        store.close()
    assert found[0] == found[1]
    assert TrialState.PRUNED.value in [state for _, state, *_ in found[0]]


@pytest.mark.parametrize("method", [m.key for m in methods_for_mixed() if not m.capabilities.learns])
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
    for method in methods_for_mixed():
        study = bench.search(mixed, method.key, trials=4, options={})
        bench.go_on(study, mixed, Budget("trials", 9))
        table = study.read()
        tried = {f"{table.configuration(i)} {table.thought(i).get('resource', 1.0)}" for i in range(len(table))}
        assert len(tried) == 9, method.key


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
