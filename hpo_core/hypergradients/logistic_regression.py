"""Logistic regression, by the implicit function theorem."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.base import clone

from hpo_core.hypergradients import Fold, Hypergradient, SmoothLoss, check_classes, weights_of
from hpo_core.hypergradients._base import Floats
from hpo_core.hypergradients._softmax import Training, probabilities


def _differentiate(model: Any, fold: Fold) -> SmoothLoss:
    """At the optimum C grad l(W) + r sign(W) + (1 - r) W = 0 on the weights that are not zero, with the L1 share r.

    So dW/dC solves H v = (r sign(W) + (1 - r) W) / C, and dW/dr solves H v = W - sign(W).
    """
    classes, ratio = check_classes(fold), float(model.l1_ratio)
    columns = classes[1:] if len(classes) == 2 else classes
    x, x_valid = (np.column_stack([table, np.ones(len(table))]) for table in (fold.x, fold.x_valid))
    y, truth = (np.asarray(rows[:, None] == columns, dtype=float) for rows in (fold.y, fold.y_valid))
    training = Training(x=x, y=y, rows=model.C * weights_of(model, fold.y), ratio=ratio)
    weights = training.optimum() if ratio > 0 else _smooth_optimum(model, fold, training)
    inner, sign = weights * _above_intercepts(weights), np.sign(weights) * _above_intercepts(weights)
    pulls = {"C": (ratio * sign + (1 - ratio) * inner) / model.C}
    if model.solver == "saga":
        pulls["l1_ratio"] = inner - sign
    scores = x_valid @ weights
    predicted = probabilities(scores)
    error = (predicted - truth) / len(truth)
    gradient = {n: float(np.sum(error * (x_valid @ training.solved(weights, pull)))) for n, pull in pulls.items()}
    return SmoothLoss(_log_loss(scores, truth), gradient, predicted)


def _smooth_optimum(model: Any, fold: Fold, training: Training) -> Floats:
    """Weights, shape (d + 1, k), near those of scikit-learn's estimator, and from there to the very optimum."""
    near = clone(model).set_params(solver="newton-cg", tol=1e-5, max_iter=1000).fit(fold.x, fold.y)
    return training.sharpened(np.vstack([near.coef_.T, near.intercept_]))


def _effort(model: Any, fold: Fold) -> float:
    """Measured on one core near the default C: a start, and some hundreds of passes over the rows for each class."""
    n_classes = len(np.unique(fold.y))
    return float(3e6 + 80.0 * len(fold.x) * (fold.x.shape[1] + 1) * (1 if n_classes == 2 else n_classes))


def _above_intercepts(weights: Floats) -> Floats:
    return np.append(np.ones(len(weights) - 1), 0.0)[:, None]


def _log_loss(scores: Floats, truth: Floats) -> float:
    """From the scores, as a probability that is rounded to 0 or 1 has no logarithm."""
    rest = np.zeros_like(scores) if scores.shape[1] == 1 else np.empty((len(scores), 0))
    whole = logsumexp(np.column_stack([scores, rest]), axis=1)
    return float((whole - np.sum(truth * scores, axis=1)).mean())


logistic_regression = Hypergradient(
    key="logistic_regression",
    label="Logistic regression (C; l1_ratio up to 200 weights)",
    purpose="By the implicit function theorem at the optimum of the training loss, with conjugate gradients.",
    source="Bengio (2000), Gradient-Based Optimization of Hyperparameters; Pedregosa (2016), Hyperparameter "
    "Optimization with Approximate Gradient; Lorraine, Vicol and Duvenaud (2020), Optimizing Millions of "
    "Hyperparameters by Implicit Differentiation",
    parameters=("C", "l1_ratio"),
    losses={"classification": "log loss"},
    differentiate=_differentiate,
    effort=_effort,
)
