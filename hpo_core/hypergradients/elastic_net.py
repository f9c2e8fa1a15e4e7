"""Lasso and elastic net, by implicit differentiation on the weights that are not zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from hpo_core.hypergradients import Fold, Hypergradient, SmoothLoss, squared_loss


def _differentiate(model: Any, fold: Fold) -> SmoothLoss:
    """On the active set H w = X'y/n - alpha r sign(w), H = X'X/n + alpha (1 - r) I: smooth while no weight leaves it.

    With X and y centred, and r the L1 share. Where a weight enters or leaves, the derivative has a jump.
    """
    exact = clone(model).set_params(tol=1e-10, max_iter=20_000).fit(fold.x, fold.y)
    ratio = model.l1_ratio  # 1 for a lasso, which has no such parameter
    active = np.flatnonzero(exact.coef_)
    sign, (x_mean, y_mean) = np.sign(exact.coef_[active]), (fold.x[:, active].mean(axis=0), fold.y.mean())
    x = fold.x[:, active] - x_mean
    hessian = x.T @ x / len(x) + model.alpha * (1 - ratio) * np.eye(len(active))
    right = x.T @ (fold.y - y_mean) / len(x) - model.alpha * ratio * sign
    weights = np.linalg.lstsq(hessian, right, rcond=None)[0]
    pulls = np.column_stack([ratio * sign + (1 - ratio) * weights, model.alpha * (sign - weights)])
    tangents = (fold.x_valid[:, active] - x_mean) @ np.linalg.lstsq(hessian, -pulls, rcond=None)[0]
    predicted = (fold.x_valid[:, active] - x_mean) @ weights + y_mean
    names = [name for name in ("alpha", "l1_ratio") if name in model.get_params()]
    return squared_loss(predicted, dict(zip(names, tangents.T, strict=False)), fold.y_valid)


_SOURCE = (
    "Bertrand, Klopfenstein, Blondel, Vaiter, Gramfort and Salmon (2020), Implicit Differentiation of Lasso-Type "
    "Models for Hyperparameter Optimization"
)
_PURPOSE = "By implicit differentiation on the weights that are not zero."

lasso = Hypergradient(
    key="lasso",
    label="Lasso (alpha)",
    purpose=_PURPOSE,
    source=_SOURCE,
    parameters=("alpha",),
    losses={"regression": "squared error"},
    differentiate=_differentiate,
)
elastic_net = Hypergradient(
    key="elastic_net",
    label="Elastic net (alpha, l1_ratio)",
    purpose=_PURPOSE,
    source=_SOURCE,
    parameters=("alpha", "l1_ratio"),
    losses={"regression": "squared error"},
    differentiate=_differentiate,
)
