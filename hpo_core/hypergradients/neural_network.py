"""Multi-layer perceptrons, by unrolling their training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpo_core.hypergradients import Fold, Hypergradient, SmoothLoss, check_classes, squared_loss
from hpo_core.hypergradients._base import Floats
from hpo_core.hypergradients._unrolling import Network


def _differentiate(model: Any, fold: Fold) -> SmoothLoss:
    return _of_numbers(model.regressor, fold) if hasattr(model, "regressor") else _of_classes(model, fold)


def _of_numbers(model: Any, fold: Fold) -> SmoothLoss:
    mean, spread = fold.y.mean(), fold.y.std() or 1.0
    network = Network(model, _names(model), "identity")
    layers = network.trained(fold.x, ((fold.y - mean) / spread)[:, None])
    said = network.predicted(layers, fold.x_valid)
    tangents = {name: spread * said.tangent[i, :, 0] for i, name in enumerate(network.names)}
    return squared_loss(spread * said.value[:, 0] + mean, tangents, fold.y_valid)


def _of_classes(model: Any, fold: Fold) -> SmoothLoss:
    classes = check_classes(fold)
    columns = classes[1:] if len(classes) == 2 else classes
    y, truth = (np.asarray(rows[:, None] == columns, dtype=float) for rows in (fold.y, fold.y_valid))
    network = Network(model, _names(model), "logistic" if len(classes) == 2 else "softmax")
    said = network.predicted(network.trained(fold.x, y), fold.x_valid)
    p = np.clip(said.value, 1e-15, 1 - 1e-15)
    loss, slope = -truth * np.log(p), -truth / p
    if len(classes) == 2:
        loss, slope = loss - (1 - truth) * np.log(1 - p), slope + (1 - truth) / (1 - p)
    return SmoothLoss(_mean(loss), {n: _mean(slope * t) for n, t in zip(network.names, said.tangent, strict=True)}, p)


def _mean(table: Floats) -> float:
    """The sum over columns, averaged over the rows."""
    return float(table.sum() / len(table))


def _names(model: Any) -> tuple[str, ...]:
    return ("learning_rate_init", "alpha", *(("momentum",) if model.solver == "sgd" else ()))


def _effort(model: Any, fold: Fold) -> float:
    """Measured on one core: per step and layer, per weight and activation with their tangents, per multiplication."""
    inner = getattr(model, "regressor", model)
    sizes = [fold.x.shape[1], *inner.hidden_layer_sizes, len(np.unique(fold.y)) if inner is model else 1]
    n_weights, n_tangents = sum(a * b for a, b in itertools.pairwise(sizes)), len(_names(inner))
    batch, n_activations = min(inner.batch_size, len(fold.x)), sum(sizes[1:])
    overhead = 8e4 + 6e4 * len(sizes)
    updates = (10 * n_weights + 8 * batch * n_activations) * (1 + n_tangents)
    products = 0.12 * batch * n_weights * (1 + 2 * n_tangents)
    return float((overhead + updates + products) * math.ceil(len(fold.x) / batch))


def _why_not(configuration: Mapping[str, Any]) -> str | None:
    if not configuration.get("early_stopping", False):
        return None
    return "With early stopping the epoch is picked by a score that has no gradient: set early_stopping to False."


neural_network = Hypergradient(
    key="neural_network",
    label="Neural network (learning_rate_init, alpha, momentum, without early stopping)",
    purpose="By unrolling the training: every step carries the derivatives of the weights on.",
    source="Maclaurin, Duvenaud and Adams (2015), Gradient-Based Hyperparameter Optimization through Reversible "
    "Learning; Franceschi, Donini, Frasconi and Pontil (2017), Forward and Reverse Gradient-Based Hyperparameter "
    "Optimization",
    parameters=("learning_rate_init", "alpha", "momentum"),
    losses={"regression": "squared error", "classification": "log loss"},
    differentiate=_differentiate,
    why_not=_why_not,
    demand={"early_stopping": False},
    effort=_effort,
)
