"""Early stopping inside a fit: in every family that trains in rounds, by a tenth of the training rows."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from hpo_core.errors import FitError
from hpo_core.models import MODELS, DataFacts, StoppedEarly
from hpo_core.problem import ModelProblem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule, Segment

PATIENCE = {
    "neural_network": "n_iter_no_change",
    "architecture": "n_iter_no_change",
    "sgd": "n_iter_no_change",
    "gradient_boosting": "n_iter_no_change",
    "hist_gradient_boosting": "n_iter_no_change",
    "xgboost": "early_stopping_rounds",
    "lightgbm": "early_stopping_round",
}
GOING_ON = [key for key in PATIENCE if MODELS[key].resource.grow]
WATCHED = ["xgboost", "lightgbm"]
_DATA = {"classification": "imbalanced", "regression": "diabetes"}
_N_ROWS = 300

every_case = pytest.mark.parametrize("task", ["classification", "regression"])
every_family = pytest.mark.parametrize("key", PATIENCE)


def _facts(task, n_rows=_N_ROWS):
    return DataFacts(task=task, n_rows=n_rows, n_features=5, n_classes=2 if task == "classification" else 0)


def _noise(task):
    """Rows that tell nothing of the target: what is learnt from them does not hold for others."""
    rng = np.random.default_rng(0)
    y = rng.random(_N_ROWS)
    return rng.random((_N_ROWS, 5)), (y > 0.5).astype(int) if task == "classification" else y


def _fitted(key, task, **chosen):
    family, facts = MODELS[key], _facts(task)
    configuration = family.space(facts).completed({family.resource.parameter: 200, **chosen})
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return family.build(configuration, facts, 0).fit(*_noise(task))


def _n_rounds(model):
    """Epochs, or trees that predict."""
    if isinstance(model, TransformedTargetRegressor):
        return model.regressor_.n_iter_
    if isinstance(model, StoppedEarly):
        best = getattr(model.estimator_, "best_iteration_", None)
        return model.estimator_.best_iteration + 1 if best is None else best
    return next(getattr(model, name) for name in ("n_iter_", "n_estimators_", "n_estimators") if hasattr(model, name))


def _problem(key, task):
    """A problem of its own, which knows no state yet."""
    return ModelProblem(make_problem(_DATA[task], key, protocol=Protocol(folds=3)).spec)


def _stopping(problem):
    n_rounds, patience = problem.family.resource.parameter, PATIENCE[problem.family.key]
    return problem.space.completed({"early_stopping": True, patience: 2, n_rounds: 40})


def test_every_family_that_trains_in_rounds_one_upon_another_has_it():
    facts = _facts("classification")
    assert {family.key for family in MODELS if "early_stopping" in family.space(facts).names} == set(PATIENCE)


@every_family
@every_case
def test_is_off_where_nothing_is_said_and_offered_where_a_tenth_holds_every_class(key, task):
    space = MODELS[key].space(_facts(task))
    assert space["early_stopping"].default is False
    assert PATIENCE[key] not in space.default()
    assert PATIENCE[key] in space.completed({"early_stopping": True})
    assert "early_stopping" not in MODELS[key].space(_facts(task, n_rows=10)).names


@pytest.mark.parametrize(("n_rows", "is_on"), [(10_000, False), (10_001, True)])
def test_histogram_boosting_stops_early_by_default_on_as_many_rows_as_in_scikit_learn(n_rows, is_on):
    family, facts = MODELS["hist_gradient_boosting"], _facts("regression", n_rows)
    assert family.space(facts).default()["early_stopping"] is is_on
    assert family.build({}, facts, 0).early_stopping is is_on


@every_family
@every_case
def test_stops_before_the_end_where_nothing_is_gained(key, task):
    on, off = _fitted(key, task, early_stopping=True), _fitted(key, task)
    assert _n_rounds(on) < _n_rounds(off)
    if key != "sgd":  # which stops by its loss on the training rows, too
        assert _n_rounds(off) == 200


@every_family
@every_case
def test_more_patience_waits_longer(key, task):
    rounds = [_n_rounds(_fitted(key, task, early_stopping=True, **{PATIENCE[key]: n})) for n in (2, 50)]
    assert rounds[0] <= rounds[1]


@every_family
@every_case
def test_same_seed_gives_the_same_score_with_gaps_and_categories(key, task):
    fits = [problem.fit(_stopping(problem), 1).score for problem in (_problem(key, task), _problem(key, task))]
    assert np.isfinite(fits[0])
    assert fits[0] == fits[1]


@pytest.mark.parametrize("key", GOING_ON)
@every_case
def test_promoted_fit_gives_the_score_of_one_from_the_start(key, task):
    climbing = _problem(key, task)
    configuration = _stopping(climbing)
    for share in (0.25, 1.0):
        scratch = _problem(key, task).fit(configuration, 0, Schedule(share)).score
        assert climbing.fit(configuration, 0, Schedule(share)).score == scratch


@pytest.mark.parametrize("key", [key for key in GOING_ON if key != "gradient_boosting"])
@every_case
def test_schedule_that_goes_on_gives_the_score_of_one_replayed(key, task):
    going_on = _problem(key, task)
    first = _stopping(going_on)
    name = next(n for n in going_on.family.resource.changeable if n in first)
    second = {**first, name: going_on.space[name].from_unit(0.4)}
    schedule = Schedule(1.0, (Segment(first, 0.5),))
    going_on.fit(first, 0, Schedule(0.5))
    assert going_on.fit(second, 0, schedule).score == _problem(key, task).fit(second, 0, schedule).score


def test_gradient_boosting_refuses_to_go_on_with_other_hyperparameters():
    problem = _problem("gradient_boosting", "regression")
    first = _stopping(problem)
    with pytest.raises(FitError, match="while early stopping is on; turn it off"):
        problem.fit({**first, "learning_rate": 0.05}, 0, Schedule(1.0, (Segment(first, 0.5),)))


@pytest.mark.parametrize("key", WATCHED)
def test_best_round_predicts_not_the_last(key):
    x, y = _noise("classification")
    model = _fitted(key, "classification", early_stopping=True, **{PATIENCE[key]: 20})
    kept, _, kept_y, _ = train_test_split(x, y, test_size=0.1, random_state=0, stratify=y)
    short = clone(model.estimator).set_params(**{PATIENCE[key]: None, "n_estimators": _n_rounds(model)})
    np.testing.assert_array_equal(model.predict_proba(x), short.fit(kept, kept_y).predict_proba(x))
    assert list(model.classes_) == [0, 1]


@pytest.mark.parametrize("key", WATCHED)
@every_case
def test_watched_model_can_be_copied_and_written_out(key, task, capsys):
    x, _ = _noise(task)
    model = _fitted(key, task, early_stopping=True)
    assert hasattr(model, "predict_proba") == (task == "classification")
    for copy in (pickle.loads(pickle.dumps(model)), clone(model).fit(*_noise(task))):
        np.testing.assert_array_equal(copy.predict(x), model.predict(x))
    assert capsys.readouterr().out == ""
