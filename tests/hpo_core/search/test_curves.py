"""Curves on demand: which fits they take, that none is done twice, cancelled, failed, and found again by key."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hpo_core import Protocol, make_problem
from hpo_core.analysis.curves import in_words
from hpo_core.errors import ConfigurationError, FitError, UsageError
from hpo_core.fit_result import FitResult
from hpo_core.schedule import Schedule
from hpo_core.search.curves import (
    CurveRun,
    Curves,
    cost_of,
    draw_curve,
    plan_learning_curve,
    plan_validation_curve,
)
from hpo_core.space import Categorical, Float
from tests.moody_landscape import X, fits_done, moody, wait_until

_FOLDS = Protocol(folds=3)
SLOW = Float(name="seconds", low=0.0, high=600.0, default=0.0)


@pytest.fixture(scope="module")
def iris():
    return make_problem("iris", "svm", protocol=_FOLDS)


def test_learning_curve_has_half_of_the_rows_and_all(iris):
    plan = plan_learning_curve(iris, iris.space.default(), 5)
    places = [point.place for point in plan.points]
    assert places == sorted(places)
    assert places[-2:] == [40, 80]
    assert plan.points[-1].schedule == Schedule()
    assert [point.schedule.rows for point in plan.points[:-1]] == [place / 80 for place in places[:-1]]
    assert plan.n_fits == 15


@pytest.mark.parametrize(("data", "words"), [("branin", "no training rows"), ("iris", "from 2 to 25 points")])
def test_learning_curve_that_cannot_be_is_a_sentence(data, words):
    problem = make_problem(data, "" if data == "branin" else "svm")
    with pytest.raises(UsageError, match=words):
        plan_learning_curve(problem, problem.space.default(), 5 if data == "branin" else 99)


def test_validation_curve_goes_through_the_chosen_value_and_keeps_the_others(iris):
    plan = plan_validation_curve(iris, {**iris.space.defaults(), "C": 3.3, "gamma": 0.02}, "C", 5)
    places = [point.place for point in plan.points]
    assert len(places) == 6
    assert places == sorted(places)
    assert places[plan.chosen] == 3.3
    assert {point.configuration["gamma"] for point in plan.points} == {0.02}


def test_validation_curve_over_a_parent_fills_in_its_children(iris):
    plan = plan_validation_curve(iris, {**iris.space.defaults(), "degree": 4}, "kernel")
    by_kernel = {point.place: point.configuration for point in plan.points}
    assert by_kernel["poly"]["degree"] == 4
    assert "gamma" not in by_kernel["linear"]
    assert not plan.is_ordered
    assert plan.points[plan.chosen].place == "rbf"


@pytest.mark.parametrize(("parameter", "words"), [("degree", "has no effect"), ("nothing", "no parameter 'nothing'")])
def test_validation_curve_that_cannot_be_is_a_sentence(iris, parameter, words):
    with pytest.raises(UsageError, match=words):
        plan_validation_curve(iris, iris.space.default(), parameter)


def test_locked_parameter_has_no_curve():
    problem = moody(X, Categorical(name="mood", choices=("calm",), default="calm"))
    with pytest.raises(UsageError, match="one value only"):
        plan_validation_curve(problem, problem.space.default(), "mood")


def test_configuration_out_of_the_space_is_refused(iris):
    with pytest.raises(ConfigurationError, match="C must lie"):
        plan_learning_curve(iris, {**iris.space.default(), "C": 1e9})


@pytest.mark.parametrize("model", ["svm", "random_forest"])
def test_scores_are_those_of_the_problem_on_so_many_rows(one_worker, fits, model):
    """With a model whose resource is its rows, and with one whose resource is trees."""
    problem = make_problem("iris", model, protocol=Protocol(folds=2))
    default = problem.space.default()
    curve = draw_curve(plan_learning_curve(problem, default, 4), one_worker, fits)
    place = curve.places[1]
    expected = problem.fit(default, 1, Schedule(rows=place / 60))
    assert (curve.valid[1, 1], curve.train[1, 1]) == (expected.score, expected.train_score)
    assert curve.valid[-1, 0] == problem.fit(default, 0).score
    assert np.isfinite(curve.valid).all()
    assert in_words(curve)


def test_no_fit_is_done_twice_and_the_cost_says_so(one_worker, fits, pool_folder):
    problem = moody(X, noise=0.1, protocol=_FOLDS)
    before = len(fits_done(pool_folder))
    plan = plan_validation_curve(problem, {"x": 0.125}, "x", 5)
    assert cost_of(plan, fits).n_known == 0
    assert math.isnan(cost_of(plan, fits).seconds)
    assert cost_of(plan, fits, typical_seconds=2.0).seconds == pytest.approx(2.0 * plan.n_fits)
    first = draw_curve(plan, one_worker, fits)
    done = len(fits_done(pool_folder)) - before
    assert done == plan.n_fits == 18
    assert cost_of(plan, fits).n_known == 18
    assert cost_of(plan, fits).seconds == 0.0
    again = draw_curve(plan, one_worker, fits)
    assert len(fits_done(pool_folder)) - before == done
    np.testing.assert_array_equal(again.valid, first.valid)


def test_the_cost_of_part_of_the_rows_is_part_of_a_fit(iris, fits):
    plan = plan_learning_curve(iris, iris.space.default(), 4)
    for key in plan.keys[-1]:
        fits.put(key, FitResult(score=0.9, train_score=1.0, fit_seconds=3.0, predict_seconds=0.5, model_bytes=1))
    shares = sum(point.schedule.rows for point in plan.points[:-1])
    assert cost_of(plan, fits).n_known == 3
    assert cost_of(plan, fits).seconds == pytest.approx(4.0 * 3 * shares)


def test_cancelled_curve_keeps_what_is_done_and_frees_the_worker(one_worker, fits, pool_folder):
    problem = moody(X, SLOW, noise=0.1, protocol=_FOLDS)
    plan = plan_validation_curve(problem, {"x": 0.7003, "seconds": 0.0}, "seconds", 3)
    run = CurveRun(plan, one_worker, fits, n_at_once=2)
    run.start()
    n_before = len(fits_done(pool_folder))
    wait_until(lambda: run.n_done >= 1, "the quick fit")
    wait_until(lambda: [f for f in fits_done(pool_folder)[n_before:] if f.get("seconds", 0) > 0], "a slow fit to begin")
    run.cancel()
    assert run.is_over
    assert run.n_done >= 1
    assert np.isfinite(run.curve().valid).any()
    quick = plan_validation_curve(moody(X, noise=0.1, protocol=_FOLDS), {"x": 0.31}, "x", 2)
    assert np.isfinite(draw_curve(quick, one_worker, fits).valid).all()


def test_failed_fits_are_gaps_with_a_reason(one_worker, fits):
    problem = moody(Categorical(name="mood", choices=("calm", "angry"), default="calm"), X, protocol=_FOLDS)
    run = CurveRun(plan_validation_curve(problem, {"x": 0.5, "mood": "calm"}, "mood"), one_worker, fits, 1)
    run.start()
    assert run.wait(60)
    assert {place for place, _ in run.faults} == {1}
    assert np.isnan(run.curve().valid[1]).all()
    assert np.isfinite(run.curve().valid[0]).all()


def test_curve_of_which_every_fit_fails_is_a_sentence(one_worker, fits):
    problem = moody(Categorical(name="mood", choices=("angry",), default="angry"), X, protocol=_FOLDS)
    with pytest.raises(FitError):
        draw_curve(plan_validation_curve(problem, {"x": 0.5, "mood": "angry"}, "x", 3), one_worker, fits)


def test_curves_of_a_server_are_kept_by_key_and_replaced(one_worker, fits):
    problem = moody(X, SLOW, noise=0.1, protocol=_FOLDS)
    curves = Curves(one_worker, fits)
    slow = curves.start("ada", plan_validation_curve(problem, {"x": 0.71, "seconds": 300.0}, "x", 3))
    assert curves.of("ada") is slow
    assert curves.of("bob") is None
    assert curves.start("ada", plan_validation_curve(problem, {"x": 0.71, "seconds": 300.0}, "x", 3)) is slow
    quick = curves.start("ada", plan_validation_curve(problem, {"x": 0.72, "seconds": 0.0}, "x", 3))
    assert slow.is_cancelled
    assert quick.wait(60)
    assert quick.n_done == quick.plan.n_fits
    curves.forget("ada")
    assert curves.of("ada") is None
