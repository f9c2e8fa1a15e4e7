"""AutoML: defaults first, families in the race, and never worse than the best default."""

import math

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.methods._family_race import racers, winner_of
from hpo_core.methods.automl_portfolio import default_of
from hpo_core.models import MODELS
from hpo_core.options import with_options
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.space import Categorical, Condition, Float, Range, SearchSpace

TWO_FOLDS = Protocol(folds=2)


def _searched(problem, n, **options):
    method = with_options(METHODS["automl_portfolio"], options)
    study = optuna.create_study(direction=problem.direction, sampler=method.sampler(problem.space, 0))
    for _ in range(n):
        trial, configuration = propose(study, problem.space)
        study.tell(trial, np.mean([problem.fit(configuration, fold).score for fold in range(problem.n_folds)]))
    return study


@pytest.mark.parametrize("data", ["wine", "diabetes"])
def test_defaults_of_all_families_come_first_and_are_the_families_own(data):
    problem = make_problem(data, "automl", protocol=TWO_FOLDS)
    families = problem.space["family"].choices
    study = _searched(problem, len(families) + 3)
    first = study.trials[: len(families)]
    assert [trial.params["family"] for trial in first] == list(families)
    assert [MODELS[family].cost for family in families] == sorted(MODELS[family].cost for family in families)
    alone = [make_problem(data, family, protocol=TWO_FOLDS) for family in families]
    scores = [np.mean([p.fit(p.space.default(), fold).score for fold in range(p.n_folds)]) for p in alone]
    np.testing.assert_allclose([trial.value for trial in first], scores)
    assert study.best_value >= max(scores)
    assert {thought_of(trial)["stage"] for trial in first} == {"defaults"}
    assert {thought_of(trial)["stage"] for trial in study.trials[len(families) :]} <= {"race", "between families"}


def test_the_race_keeps_several_families_and_tpe_looks_over_all():
    space = SearchSpace(
        (
            Categorical(name="family", choices=("a", "b", "c", "d"), default="a"),
            *(Float(name=f"{f}.x", low=0, high=1, default=0.5, when=Condition("family", (f,))) for f in "abcd"),
        )
    )
    method = with_options(METHODS["automl_portfolio"], {"n_kept": 2, "between": 5})
    study = optuna.create_study(sampler=method.sampler(space, 1))
    level = {"a": 0.0, "b": 0.1, "c": 5.0, "d": 9.0}
    for _ in range(44):
        trial, found = propose(study, space)
        study.tell(trial, level[found["family"]] + (found[f"{found['family']}.x"] - 0.3) ** 2)
    raced = [t.params["family"] for t in study.trials if thought_of(t)["stage"] == "race"]
    assert set(raced) == {"a", "b"}
    assert min(raced.count("a"), raced.count("b")) >= 10
    assert sum(thought_of(t)["stage"] == "between families" for t in study.trials) == 8
    assert thought_of(study.trials[-1])["in_race"] == {"a": True, "b": True, "c": False, "d": False}


def test_parameters_that_have_one_value_are_not_drawn():
    space = SearchSpace(
        (
            Categorical(name="family", choices=("a", "b"), default="a"),
            *(Float(name=f"{f}.x", low=0, high=1, default=0.5, when=Condition("family", (f,))) for f in "ab"),
            *(Float(name=f"{f}.one", low=2, high=2, default=2, when=Condition("family", (f,))) for f in "ab"),
        )
    )
    study = optuna.create_study(sampler=METHODS["automl_portfolio"].sampler(space, 0))
    for _ in range(20):
        trial, found = propose(study, space)
        assert found[f"{found['family']}.one"] == 2.0
        study.tell(trial, found[f"{found['family']}.x"])


def test_rising_family_stays_in_while_it_may_still_win():
    values = {
        "flat": np.array([1.0, 1.0, 1.0]),
        "rising": np.array([4.0, 3.0, 2.0]),
        "stuck": np.array([3.0, 3.0, 3.0]),
    }
    field = racers(values, {}, n_kept=1, horizon=2)
    assert [(r.family, r.best, r.promise, r.is_in) for r in field] == [
        ("flat", 1.0, 1.0, True),
        ("rising", 2.0, 0.0, True),  # one less with each trial: 2 - 2 x 1 is below what the leader has
        ("stuck", 3.0, 3.0, False),
    ]
    assert [r.is_in for r in racers(values, {}, n_kept=1, horizon=1)] == [True, False, False]


def test_turn_goes_to_the_family_with_the_fewest_trials_those_in_flight_counted():
    values = {"a": np.array([1.0, 1.0]), "b": np.array([2.0]), "c": np.array([])}
    assert winner_of(racers(values, {"b": 3}, n_kept=2, horizon=5)).family == "a"
    assert winner_of(racers(values, {}, n_kept=2, horizon=5)).family == "b"
    assert all(r.best == math.inf and r.is_in for r in racers({"a": np.array([])}, {}, n_kept=1, horizon=5))


def test_space_without_families_is_refused_with_what_to_take_instead():
    why = METHODS["automl_portfolio"].why_unavailable(make_problem("wine", "svm").space)
    assert "model AutoML" in why
    assert why.endswith(".")


def test_default_follows_a_narrowed_space():
    space = make_problem("wine", "automl").space
    assert default_of(space, "random_forest")["scaler"] == "none"
    assert default_of(space, "svm")["scaler"] == "standard"
    narrow = space.narrowed({"scaler": Range(choices=("robust",)), "family": Range(choices=("svm", "random_forest"))})
    for family in ("svm", "random_forest"):
        found = default_of(narrow, family)
        assert narrow.check(found) == found


def test_families_of_which_all_fail_leave_the_search_alive():
    problem = make_problem("wine", "automl")
    study = optuna.create_study(sampler=METHODS["automl_portfolio"].sampler(problem.space, 0))
    for _ in range(30):
        trial, configuration = propose(study, problem.space)
        assert problem.space.check(configuration) == configuration
        study.tell(trial, state=TrialState.FAIL)
