"""The manual of hypergradients: how the validation loss of a model changes with its own hyperparameters.

A file in this folder says it for one model family (two that are one model at most). It trains the model on the prepared
training rows of a fold to the solution that scikit-learn's estimator has, and returns the loss on the validation rows
together with its derivative by each continuous hyperparameter. Metrics such as accuracy have no useful derivative, so
what is differentiated is a smooth loss: squared error, or log loss where the model gives probabilities.

Tests compare every derivative with central differences, and every prediction with scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.class_weight import compute_sample_weight

from hpo_core.errors import FitError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One division of prepared rows.

    Attributes:
        x, x_valid: Training and validation rows after preparation, shape (n, d) and (m, d).
        y, y_valid: Their targets: numbers, or classes counted from 0.
    """

    x: Floats
    y: NDArray[Any]
    x_valid: Floats
    y_valid: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class SmoothLoss:
    """A validation loss and its derivatives.

    Attributes:
        value: The loss; infinite where training diverged.
        gradient: Its derivative by each continuous hyperparameter, in the hyperparameter's own unit.
        predicted: What the model says of the validation rows: numbers, decision values or probabilities.
    """

    value: float
    gradient: Mapping[str, float]
    predicted: Floats


def _always(configuration: Mapping[str, Any]) -> str | None:
    return None


def _nothing(model: BaseEstimator, fold: Fold) -> float:
    return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypergradient:
    """How one model family is differentiated. A file in this folder binds one to a module-level name.

    Attributes:
        key: Key of the model family.
        label: Its name on screen, with what sets it apart where only a part of it can be differentiated.
        purpose: One line: by which rule.
        source: Paper (author, year, title).
        parameters: What may have a derivative; the others stay as they are.
        losses: What is differentiated, in a few words, by task.
        differentiate: From an untrained estimator of the family and a fold.
        why_not: One sentence why a configuration cannot be differentiated and which can, or None.
        demand: The values that a configuration needs to be differentiable.
        effort: About how many nanoseconds a fold takes, or an epoch of it for families that are trained in epochs.
    """

    key: str
    label: str
    purpose: str
    source: str
    parameters: tuple[str, ...]
    losses: Mapping[str, str]
    differentiate: Callable[[BaseEstimator, Fold], SmoothLoss]
    why_not: Callable[[Mapping[str, Any]], str | None] = _always
    demand: Mapping[str, Any] = field(default_factory=dict)
    effort: Callable[[BaseEstimator, Fold], float] = _nothing


def squared_loss(predicted: Floats, tangents: Mapping[str, Floats], target: Floats) -> SmoothLoss:
    """Mean squared error; `tangents` are the derivatives of the predictions."""
    residual = predicted - target
    gradient = {name: float(2 * np.mean(residual * tangent)) for name, tangent in tangents.items()}
    return SmoothLoss(float(np.mean(residual**2)), gradient, predicted)


def weights_of(model: Any, y: NDArray[Any]) -> Floats:
    """The weight of each row that the estimator's `class_weight` stands for, shape (n,)."""
    return np.asarray(compute_sample_weight(getattr(model, "class_weight", None), y), dtype=np.float64)


def check_classes(fold: Fold) -> NDArray[Any]:
    """The classes of the training rows, of which there must be two.

    Raises:
        FitError: There is one only, or a validation row has a class that no training row has.
    """
    classes = np.unique(fold.y)
    if len(classes) < 2 or not np.isin(fold.y_valid, classes).all():
        raise FitError("Every class needs rows among those that are trained on; take more rows or fewer folds.")
    return classes
