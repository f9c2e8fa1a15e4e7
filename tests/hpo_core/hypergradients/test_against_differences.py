"""Every derivative against central differences, and every prediction against scikit-learn's.

Agreement is to a relative error of 1e-4 of the derivative (by the logarithm of parameters on a log scale); where it is
below 1e-6 of the loss, to that absolute size, which is what the differences themselves can tell.
"""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from hpo_core.errors import FitError
from hpo_core.hypergradients import HYPERGRADIENTS, Fold
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol

RELATIVE, ABSOLUTE = 1e-4, 1e-6

RIDGES = [{"alpha": a} for a in (1e-3, 1.0, 30.0, 800.0)]
LOGISTICS = [{"C": c} for c in (1e-3, 0.05, 1.0, 20.0)]
NETS = {"hidden_layer_sizes": (8, 5), "max_iter": 12, "batch_size": 37}
SGD = {"solver": "sgd", "momentum": 0.8, "learning_rate_init": 0.02}


def _problem(data, model):
    return make_problem(data, model, protocol=Protocol(folds=3))


CASES = [
    *[("diabetes", "ridge", c) for c in RIDGES],
    *[("noisy_regression", "ridge", c) for c in RIDGES],
    *[("wide_and_short", "ridge", c) for c in RIDGES],
    *[("iris", "ridge", c) for c in RIDGES],
    *[("breast_cancer", "ridge", c) for c in RIDGES],
    ("imbalanced", "ridge", {"alpha": 3.0, "class_weight": "balanced"}),
    *[("iris", "logistic_regression", c) for c in LOGISTICS],
    *[("breast_cancer", "logistic_regression", c) for c in LOGISTICS],
    *[("wine", "logistic_regression", c) for c in LOGISTICS],
    *[("digits", "logistic_regression", c) for c in LOGISTICS],
    *[
        (data, "logistic_regression", {"solver": "saga", "C": c, "l1_ratio": r})
        for data in ("breast_cancer", "iris", "wine", "imbalanced")
        for c in (0.03, 0.5, 10.0)
        for r in (0.13, 0.6, 0.97)
    ],
    ("imbalanced", "logistic_regression", {"C": 0.3, "class_weight": "balanced"}),
    ("wine", "logistic_regression", {"C": 0.3, "class_weight": "balanced"}),
    *[("diabetes", "lasso", {"alpha": a}) for a in (0.05, 1.3, 9.0)],
    *[("noisy_regression", "lasso", {"alpha": a}) for a in (0.05, 1.3)],
    *[("diabetes", "elastic_net", {"alpha": a, "l1_ratio": r}) for a in (0.02, 0.7) for r in (0.11, 0.5, 0.93)],
    *[("noisy_regression", "elastic_net", {"alpha": 0.31, "l1_ratio": r}) for r in (0.11, 0.5, 0.93)],
    *[("diabetes", "kernel_ridge", {"kernel": "linear", "alpha": a}) for a in (1e-2, 5.0)],
    *[
        (data, "kernel_ridge", {"kernel": k, "alpha": a, "gamma": g})
        for data in ("diabetes", "noisy_regression")
        for k in ("rbf", "laplacian")
        for a in (1e-2, 5.0)
        for g in (3e-3, 0.2)
    ],
    *[
        (data, "neural_network", {"activation": activation, "alpha": 0.05, **solver})
        for data in ("diabetes", "iris", "breast_cancer")
        for activation in ("relu", "tanh", "logistic")
        for solver in ({"solver": "adam", "learning_rate_init": 3e-3}, SGD)
    ],
]
# scikit-learn's solver for L1 takes up to half a minute to come close to the optimum of these.
SLOW = [c for c in CASES if c[2].get("solver") == "saga" and (c[2]["C"] > 1 or c[0] in ("breast_cancer", "imbalanced"))]


def _over(cases):
    names = [f"{data}-{model}-{','.join(map(str, changes.values()))}" for data, model, changes in cases]
    return pytest.mark.parametrize(("data", "model", "changes"), cases, ids=names)


def _prepared(problem, scale=1.0):
    """The first fold, with the target of a regression in other units."""
    train, valid = problem.split.folds[0]
    table, y = problem.data.features, problem.data.target
    preparation = problem.pipeline(problem.space.default())[0]
    y = y * scale if problem.data.task == "regression" else y
    return Fold(
        preparation.fit_transform(table.iloc[train]), y[train], preparation.transform(table.iloc[valid]), y[valid]
    )


def _estimator(problem, changes):
    model = problem.pipeline(problem.space.default())[-1]
    prefix = "regressor__" if hasattr(model, "regressor") else ""
    wanted = {**(NETS if problem.family.key == "neural_network" else {}), **changes}
    return model.set_params(**{prefix + name: value for name, value in wanted.items()})


def _by_differences(rule, problem, changes, name, fold):
    """d loss / d log(parameter)."""
    # Training with relu has a corner at every zero of a neuron: the differences must not reach the next one.
    value, width = changes[name], 1e-7 if changes.get("activation") == "relu" else 1e-4

    def loss(factor):
        return rule.differentiate(_estimator(problem, {**changes, name: value * factor}), fold).value

    return (loss(np.exp(width)) - loss(np.exp(-width))) / (2 * width)


@_over(CASES)
def test_gradient_agrees_with_central_differences(data, model, changes):
    problem, rule = _problem(data, model), HYPERGRADIENTS[model]
    fold = _prepared(problem)
    found = rule.differentiate(_estimator(problem, changes), fold)
    assert set(found.gradient) == set(changes) & set(rule.parameters)
    for name, derivative in found.gradient.items():
        expected = _by_differences(rule, problem, changes, name, fold)
        np.testing.assert_allclose(
            derivative * changes[name], expected, rtol=RELATIVE, atol=ABSOLUTE * found.value, err_msg=name
        )


@pytest.mark.parametrize("scale", [1e-3, 1e4])
@pytest.mark.parametrize(
    ("model", "changes", "unit"),
    [
        ("ridge", {"alpha": 20.0}, 0),
        ("lasso", {"alpha": 1.0}, 1),
        ("elastic_net", {"alpha": 0.2, "l1_ratio": 0.5}, 1),
        ("kernel_ridge", {"kernel": "rbf", "alpha": 0.3, "gamma": 0.05}, 0),
        ("neural_network", {"activation": "tanh", "alpha": 0.05, **SGD}, 0),
    ],
)
def test_gradient_agrees_whatever_the_unit_of_the_target(model, changes, unit, scale):
    problem, rule = _problem("diabetes", model), HYPERGRADIENTS[model]
    fold = _prepared(problem, scale)
    if unit:
        changes = {**changes, "alpha": changes["alpha"] * scale}
    found = rule.differentiate(_estimator(problem, changes), fold)
    for name, derivative in found.gradient.items():
        expected = _by_differences(rule, problem, changes, name, fold)
        np.testing.assert_allclose(derivative * changes[name], expected, rtol=RELATIVE, atol=ABSOLUTE * found.value)


@_over([c for c in CASES if c not in SLOW])
def test_model_predicts_as_the_library_does(data, model, changes):
    problem, rule = _problem(data, model), HYPERGRADIENTS[model]
    fold = _prepared(problem)
    estimator = _estimator(problem, changes)
    ours = rule.differentiate(estimator, fold).predicted
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if model in ("lasso", "elastic_net", "logistic_regression"):
            estimator.set_params(tol=1e-9, max_iter=20_000)  # the default stops short of the optimum
        theirs = estimator.fit(fold.x, fold.y)
    if hasattr(theirs, "predict_proba"):
        expected = theirs.predict_proba(fold.x_valid)
        expected = expected[:, 1:] if expected.shape[1] == 2 else expected
    else:
        expected = getattr(theirs, "decision_function", theirs.predict)(fold.x_valid)
    expected = expected.reshape(len(expected), -1)
    tolerance = 1e-9 if model in ("ridge", "kernel_ridge", "neural_network") else 1e-5
    np.testing.assert_allclose(
        ours.reshape(expected.shape), expected, rtol=tolerance, atol=tolerance * np.ptp(expected)
    )


def test_network_that_stops_by_itself_stops_where_the_library_does():
    problem, rule = _problem("iris", "neural_network"), HYPERGRADIENTS["neural_network"]
    fold = _prepared(problem)
    changes = {"max_iter": 400, "tol": 3e-3, "alpha": 0.05, "activation": "tanh", **SGD}
    theirs = _estimator(problem, changes).fit(fold.x, fold.y)
    assert theirs.n_iter_ < 400
    found = rule.differentiate(_estimator(problem, changes), fold)
    np.testing.assert_allclose(found.predicted, theirs.predict_proba(fold.x_valid), rtol=1e-9)
    for name in found.gradient:
        expected = _by_differences(rule, problem, changes, name, fold)
        np.testing.assert_allclose(found.gradient[name] * changes[name], expected, rtol=RELATIVE)


def test_penalty_with_l1_on_very_many_weights_is_refused():
    problem, rule = _problem("digits", "logistic_regression"), HYPERGRADIENTS["logistic_regression"]
    fold = _prepared(problem)
    with pytest.raises(FitError, match="up to 200 weights"):
        rule.differentiate(_estimator(problem, {"solver": "saga", "C": 1.0, "l1_ratio": 0.5}), fold)


def test_loss_of_a_sure_model_that_errs_stays_finite_and_smooth():
    rule = HYPERGRADIENTS["logistic_regression"]
    x = np.linspace(-1.0, 1.0, 40)[:, None]
    fold = Fold(x, (x[:, 0] > 0).astype(int), np.array([[60.0], [-60.0]]), np.array([0, 0]))
    model = LogisticRegression(C=1e3)
    score = model.set_params(tol=1e-9).fit(fold.x, fold.y).decision_function(fold.x_valid)
    assert score[0] > 800  # one minus its probability is 0 as a number
    assert rule.differentiate(model, fold).value == pytest.approx(np.logaddexp(0, score).mean(), rel=1e-4)
