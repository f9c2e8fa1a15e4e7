"""Trials with a part of the resource: recorded, counted, remembered, and the same after a stop as without one."""

import numpy as np
import pytest
from optuna.trial import TrialState

from hpo_core.methods import METHODS
from hpo_core.methods.hyperband import Hyperband
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule
from hpo_core.search import recover
from hpo_core.search.recovery import LOST
from hpo_core.studies.run import Budget, LiveTrial, Owner
from tests.moody_landscape import X, moody, wait_until
from tests.running import rows

RUNGED = ("successive_halving", "hyperband", "asha", "bohb", "halving_grid", "sklearn_halving")
_DEAD = Owner(Owner.of_this_process().host, 2**22 - 1, 1.0)
_SMALL = {"smallest": 0.11}


def _options(method):
    if method == "sklearn_halving":
        return {"n_candidates": 9}
    return {**_SMALL, "resolution": 14} if method == "halving_grid" else _SMALL


@pytest.fixture
def problem():
    return moody(X, noise=0.1, protocol=Protocol(folds=2))


def _resources(table):
    return [Schedule.of_thought(table.thought(row)).resource for row in range(len(table))]


def test_partial_trial_is_pruned_holds_its_score_and_is_never_the_best(bench, problem):
    study = bench.search(problem, "hyperband", trials=20, options=_SMALL)
    table = study.read()
    resources = np.array(_resources(table))
    assert set(resources.tolist()) == {1 / 9, 1 / 3, 1.0}
    assert (table.states[resources < 1] == TrialState.PRUNED.value).all()
    assert (table.states[resources == 1] == TrialState.COMPLETE.value).all()
    assert np.allclose(table.values, table.fold_scores.mean(axis=1))
    assert resources[table.best()] == 1.0
    for row in range(len(table)):
        schedule = Schedule(float(resources[row]))
        fitted = [problem.fit(table.configuration(row), fold, schedule).score for fold in range(2)]
        assert table.fold_scores[row].tolist() == pytest.approx(fitted)


def test_partial_fits_count_as_their_share_of_the_budget(bench, problem):
    study, run = bench.begun(problem, "hyperband", Budget("fits", 12), options=_SMALL)
    ended = bench.runner(study, run, problem).run()
    table = study.read()
    spent = 2 * sum(_resources(table))
    assert ended.spent.fits == pytest.approx(spent)
    assert 10 < spent <= 12
    assert len(table) > 12
    # The count is found again in the study, too.
    study.runs.publish(run.id, spent=type(ended.spent)(trials=1, fits=1.0, seconds=1.0))
    assert bench.runner(study, study.runs.resume_with(None), problem).run().spent.fits == pytest.approx(spent)


@pytest.mark.parametrize("method", RUNGED)
def test_stopped_searches_that_go_on_do_the_same_trials(bench, problem, method):
    whole = bench.search(problem, method, trials=17, options=_options(method))
    study, run = bench.begun(problem, method, Budget("trials", 5), options=_options(method))
    bench.runner(study, run, problem).run()
    bench.go_on(study, problem, Budget("trials", 11))
    bench.go_on(study, problem, Budget("trials", 17))
    assert rows(study.read()) == rows(whole.read())


@pytest.mark.parametrize("method", RUNGED)
def test_killed_search_does_the_same_trials(bench, problem, method):
    whole = bench.search(problem, method, trials=17, options=_options(method)).read()
    # What a runner leaves that is killed when its twelfth trial is in flight: on a higher rung, for most.
    study, run = bench.begun(problem, method, Budget("trials", 11), options=_options(method))
    bench.runner(study, run, problem).run()
    study.runs.resume_with(Budget("trials", 17))
    claimed = study.runs.claim(run.id, _DEAD)
    flying = _flying(whole, 11)
    study.runs.publish(claimed.id, state="running", live=type(claimed.live)(in_flight=(flying,)))
    assert recover(study)
    bench.go_on(study, problem)
    table = study.read()
    assert table.reasons.tolist().count(LOST) == 1
    assert rows(table.take(table.reasons != LOST)) == rows(whole)


def _flying(table, row):
    return LiveTrial(
        configuration=table.configuration(row), arm=str(table.arms[row]), fold_scores=(), started=1.9e9,
        thought=table.thought(row),
    )  # fmt: skip


def test_paused_search_goes_on_climbing(bench, problem):
    whole = bench.search(problem, "hyperband", trials=17, options=_SMALL).read()
    with bench.start(problem, "hyperband", trials=17, options=_SMALL) as search:
        wait_until(lambda: search.n_trials >= 3, "three trials")
        search.study.runs.ask_for("paused")
        wait_until(lambda: search.current().state in ("paused", "finished"), "the pause")
        search.study.runs.ask_for("running")
        search.join()
    assert rows(search.study.read()) == rows(whole)


@pytest.mark.parametrize("method", RUNGED)
def test_two_workers_do_the_same_trials_each_time(bench2, problem, method):
    first = bench2.search(problem, method, trials=25, options=_options(method)).read()
    again = bench2.search(problem, method, trials=25, options=_options(method)).read()
    assert rows(first) == rows(again)


def test_halving_grid_waits_for_its_last_trials_with_many_workers(bench2):
    problem = moody(X)  # one fold: a second trial is always in flight
    method = METHODS["halving_grid"]
    study = bench2.search(problem, "halving_grid", trials=100, options={"resolution": 9}, starts_with_default=False)
    table, run = study.read(), study.runs.current()
    n = type(method)(resolution=9).n_configurations(problem.space)
    assert (len(table), run.state) == (n, "finished")
    assert "halving grid is finished" in run.message
    assert _resources(table).count(1.0) == 1


def test_races_between_folds_compare_trials_of_one_resource(bench):
    problem = make_problem("branin", noise=0.3, protocol=Protocol(folds=4))
    raced = bench.search(problem, "hyperband", trials=70, options={"smallest": 0.3}, pruning="race").read()
    n_folds = np.isfinite(raced.fold_scores).sum(axis=1)
    resources = np.array(_resources(raced))
    assert (n_folds[resources < 1] < 4).any()  # raced on the lower rung
    firsts = np.flatnonzero(resources < 1)[:4]
    assert (n_folds[firsts] == 4).all()  # but not against whole fits


def test_brackets_go_on_on_a_real_model(bench):
    problem = make_problem("iris", "random_forest", protocol=Protocol(folds=2))
    n = sum(rung.n for rung in Hyperband(smallest=0.3).brackets()[0])
    study, run = bench.begun(
        problem, "hyperband", Budget("trials", n), options={"smallest": 0.3}, starts_with_default=False
    )
    bench.runner(study, run, problem).run()
    table = study.read()
    assert "of the trees" in table.thought(0)["why"]
    assert _resources(table) == pytest.approx([1 / 3] * 3 + [1.0])


_POPULATION = {"population": 3, "turns": 3, "quantile": 0.34}


def test_population_trains_on_a_real_model_and_goes_on_after_a_stop(bench):
    problem = make_problem("iris", "hist_gradient_boosting", protocol=Protocol(folds=2))
    settings = {"options": _POPULATION, "starts_with_default": False}
    whole = bench.search(problem, "population_based_training", trials=9, **settings)
    table = whole.read()
    schedules = [Schedule.of_thought(table.thought(row)) for row in range(9)]
    assert [s.resource for s in schedules] == pytest.approx([1 / 3] * 3 + [2 / 3] * 3 + [1.0] * 3)
    assert any(s.past for s in schedules)
    assert (table.states == np.where(np.arange(9) < 6, TrialState.PRUNED.value, TrialState.COMPLETE.value)).all()
    # Each turn counts what it trained itself, so that nine turns of three cost three whole trials at most.
    assert whole.runs.current().spent.fits <= 3 * 2 * 2
    for row, schedule in enumerate(schedules):
        fitted = [problem.fit(table.configuration(row), fold, schedule).score for fold in range(2)]
        assert table.fold_scores[row].tolist() == pytest.approx(fitted)
    study, run = bench.begun(problem, "population_based_training", Budget("trials", 5), **settings)
    bench.runner(study, run, problem).run()
    bench.go_on(study, problem, Budget("trials", 9))
    assert rows(study.read()) == rows(table)


def test_population_smaller_than_the_workers_waits_for_its_members(bench2):
    problem = make_problem("iris", "sgd", protocol=Protocol(folds=2))
    options = {"population": 2, "turns": 3, "quantile": 0.5}
    study = bench2.search(problem, "population_based_training", trials=8, options=options)
    assert len(study.read()) == 8
