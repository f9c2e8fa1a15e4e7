"""Kernel ridge, whose predictions are the mean of a Gaussian process, in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist

from hpo_core.hypergradients import Fold, Hypergradient, SmoothLoss, squared_loss
from hpo_core.hypergradients._base import Floats

_METRICS = {"rbf": "sqeuclidean", "laplacian": "cityblock"}


def _differentiate(model: Any, fold: Fold) -> SmoothLoss:
    """a = (K + alpha I)⁻¹ y for a standardised target; the length scale of the kernel is (2 gamma)^-1/2 for rbf."""
    inner, mean, spread = model.regressor, fold.y.mean(), fold.y.std() or 1.0
    target = (fold.y - mean) / spread
    kernel, by_gamma = _kernel(inner, fold.x, fold.x)
    kernel_valid, by_gamma_valid = _kernel(inner, fold.x_valid, fold.x)
    factor = cho_factor(kernel + inner.alpha * np.eye(len(kernel)), lower=True)
    dual = cho_solve(factor, target)
    tangents = {"alpha": -kernel_valid @ cho_solve(factor, dual)}
    if by_gamma is not None and by_gamma_valid is not None:
        tangents["gamma"] = by_gamma_valid @ dual - kernel_valid @ cho_solve(factor, by_gamma @ dual)
    tangents = {name: spread * tangent for name, tangent in tangents.items()}
    return squared_loss(spread * (kernel_valid @ dual) + mean, tangents, fold.y_valid)


def _kernel(model: Any, first: Floats, second: Floats) -> tuple[Floats, Floats | None]:
    """The kernel and its derivative by gamma, shape (n, m) each."""
    if model.kernel == "linear":
        return first @ second.T, None
    metric: Any = _METRICS[model.kernel]
    distance = cdist(first, second, metric)
    gamma = 1.0 / first.shape[1] if model.gamma is None else model.gamma
    kernel = np.exp(-gamma * distance)
    return kernel, -distance * kernel


kernel_ridge = Hypergradient(
    key="kernel_ridge",
    label="Kernel ridge (alpha, gamma)",
    purpose="In closed form, through the kernel matrix; gamma is the length scale of a Gaussian process.",
    source="Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, chapters 2 and 5; Chapelle, "
    "Vapnik, Bousquet and Mukherjee (2002), Choosing Multiple Parameters for Support Vector Machines",
    parameters=("alpha", "gamma"),
    losses={"regression": "squared error"},
    differentiate=_differentiate,
)
