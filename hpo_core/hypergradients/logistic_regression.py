"""Logistic regression with an L2 penalty, by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg
from sklearn.base import clone

from hpo_core.hypergradients import Fold, Hypergradient, SmoothLoss, check_classes, weights_of
from hpo_core.hypergradients._base import Floats

_MOST_DENSE = 400  # weights up to which Newton's method with a dense Hessian is the faster way to the optimum


def _differentiate(model: Any, fold: Fold) -> SmoothLoss:
    """C grad l(w) + w = 0 at the optimum, so dw/dC solves H v = w / C with the Hessian H of C l(w) + |w|²/2."""
    check_classes(fold)
    weights, bias = _optimum(model, fold)
    x, x_valid = (np.column_stack([table, np.ones(len(table))]) for table in (fold.x, fold.x_valid))
    rows = model.C * weights_of(model, fold.y)
    penalised = np.vstack([weights.T, np.zeros(len(bias))])
    probabilities = _probabilities(x @ np.vstack([weights.T, bias]))
    tangent = _solved(x, probabilities, rows, penalised / model.C)
    predicted = _probabilities(x_valid @ np.vstack([weights.T, bias]))
    truth = _one_hot(fold, predicted.shape[1])
    slope = np.sum((predicted - truth) * (x_valid @ tangent))
    clipped = np.clip(predicted, np.finfo(float).tiny, 1.0)
    likelihood = np.sum(truth * np.log(clipped))
    if predicted.shape[1] == 1:
        likelihood += np.sum((1 - truth) * np.log(np.clip(1 - predicted, np.finfo(float).tiny, 1.0)))
    n = len(x_valid)
    return SmoothLoss(float(-likelihood / n), {"C": float(slope / n)}, predicted)


def _optimum(model: Any, fold: Fold) -> tuple[Floats, Floats]:
    """Weights, shape (k, d), and intercepts, shape (k,), of the estimator trained to its very optimum."""
    n_weights = len(np.unique(fold.y)) * (fold.x.shape[1] + 1)
    solver = "newton-cholesky" if n_weights <= _MOST_DENSE else "lbfgs"
    exact = clone(model).set_params(solver=solver, tol=1e-9, max_iter=5000, l1_ratio=0.0).fit(fold.x, fold.y)
    return exact.coef_, exact.intercept_


def _probabilities(scores: Floats) -> Floats:
    """Of the second class for one column, else of each class."""
    if scores.shape[1] == 1:
        return np.asarray(0.5 * (1 + np.tanh(scores / 2)))
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


def _one_hot(fold: Fold, n_columns: int) -> Floats:
    classes = np.unique(fold.y)
    return np.asarray(fold.y_valid[:, None] == (classes[1:] if n_columns == 1 else classes), dtype=float)


def _solved(x: Floats, probabilities: Floats, rows: Floats, right: Floats) -> Floats:
    """H v = right by conjugate gradients; H is the Hessian with the rows' weights and a penalty on all but the last."""
    shape = right.shape
    penalty = np.ones(shape)
    penalty[-1] = 0.0
    spread = probabilities * (1 - probabilities)

    def product(flat: Floats) -> Floats:
        v = flat.reshape(shape)
        scores = x @ v
        if shape[1] == 1:
            curved = spread * scores
        else:
            curved = probabilities * (scores - np.sum(probabilities * scores, axis=1, keepdims=True))
        return np.asarray((x.T @ (rows[:, None] * curved) + penalty * v).ravel())

    diagonal = ((x**2).T @ (rows[:, None] * spread) + penalty).ravel() + 1e-300
    size = right.size
    hessian = LinearOperator((size, size), matvec=product, dtype=np.float64)
    scaling = LinearOperator((size, size), matvec=lambda v: v / diagonal, dtype=np.float64)
    solution, _ = cg(hessian, right.ravel(), rtol=1e-9, maxiter=10 * size + 200, M=scaling)
    return np.asarray(solution).reshape(shape)


def _why_not(configuration: Mapping[str, Any]) -> str | None:
    if configuration.get("solver", "lbfgs") == "lbfgs":
        return None
    return "Logistic regression is differentiated with an L2 penalty alone: set solver to lbfgs."


logistic_regression = Hypergradient(
    key="logistic_regression",
    label="Logistic regression (C, with the L2 penalty of solver lbfgs)",
    purpose="By the implicit function theorem at the optimum of the training loss, with conjugate gradients.",
    source="Bengio (2000), Gradient-Based Optimization of Hyperparameters; Pedregosa (2016), Hyperparameter "
    "Optimization with Approximate Gradient; Lorraine, Vicol and Duvenaud (2020), Optimizing Millions of "
    "Hyperparameters by Implicit Differentiation",
    parameters=("C",),
    losses={"classification": "log loss"},
    differentiate=_differentiate,
    why_not=_why_not,
    demand={"solver": "lbfgs"},
)
