"""Ridge by its singular values."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from hpo_core.hypergradients import Fold, Hypergradient, SmoothLoss, check_classes, squared_loss, weights_of
from hpo_core.hypergradients._base import Floats


def _differentiate(model: Any, fold: Fold) -> SmoothLoss:
    """w = V s / (s² + alpha) U'y on centred rows, so every prediction is an explicit function of alpha."""
    is_classifier = hasattr(model, "class_weight")
    y, y_valid = _codes(fold) if is_classifier else (fold.y[:, None], fold.y_valid[:, None])
    weights = weights_of(model, fold.y)
    x_mean, y_mean = (np.average(table, axis=0, weights=weights) for table in (fold.x, y))
    root = np.sqrt(weights)[:, None]
    u, s, vt = np.linalg.svd((fold.x - x_mean) * root, full_matrices=False)
    loads, seen = u.T @ ((y - y_mean) * root), (fold.x_valid - x_mean) @ vt.T
    shrunk = s / (s**2 + model.alpha)
    predicted = seen @ (shrunk[:, None] * loads) + y_mean
    tangent = seen @ ((-shrunk / (s**2 + model.alpha))[:, None] * loads)
    return squared_loss(predicted, {"alpha": tangent}, y_valid)


def _codes(fold: Fold) -> tuple[Floats, Floats]:
    """Classes as RidgeClassifier trains on them: -1 and 1, one column for two classes, else one for each."""
    binarizer = LabelBinarizer(neg_label=-1, pos_label=1).fit(check_classes(fold))
    return binarizer.transform(fold.y).astype(float), binarizer.transform(fold.y_valid).astype(float)


ridge = Hypergradient(
    key="ridge",
    label="Ridge (alpha)",
    purpose="In closed form, by the singular values of the training rows.",
    source="Bengio (2000), Gradient-Based Optimization of Hyperparameters",
    parameters=("alpha",),
    losses={"regression": "squared error", "classification": "squared error of the codes -1 and 1"},
    differentiate=_differentiate,
)
