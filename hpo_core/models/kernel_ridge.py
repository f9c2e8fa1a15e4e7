"""Least squares with an L2 penalty in the space that a kernel spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.kernel_ridge import KernelRidge

from hpo_core.models import DataFacts, ModelFamily, beyond_rows, power_of_ten, with_scaled_target
from hpo_core.space import Categorical, Condition, Float, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace((_alpha(), _kernel(), _gamma(facts)))


def _alpha() -> Float:
    return Float(
        name="alpha",
        label="alpha",
        explanation="How hard large weights are punished, or how noisy the target is taken for; higher is smoother.",
        low=1e-6,
        high=1e3,
        default=1.0,
        log=True,
    )


def _kernel() -> Categorical:
    return Categorical(
        name="kernel",
        label="kernel",
        explanation="How the alikeness of two rows is measured: linear is a plane, rbf smooth, laplacian rough.",
        choices=("linear", "rbf", "laplacian"),
        default="linear",
    )


def _gamma(facts: DataFacts) -> Float:
    """The default is what the library takes when nothing is said."""
    default = float(f"{1 / max(facts.n_features, 1):.4g}")
    return Float(
        name="gamma",
        label="gamma",
        explanation="How near a row must be to count as alike; higher gives a wigglier function.",
        low=min(1e-4, power_of_ten(default) * 1e-3),
        high=10.0,
        default=default,
        log=True,
        when=Condition("kernel", ("rbf", "laplacian")),
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    # The estimator has no intercept of its own.
    return with_scaled_target(KernelRidge(**configuration))


kernel_ridge = ModelFamily(
    key="kernel_ridge",
    label="Kernel ridge",
    purpose="Smooth curves through all rows at once, the mean of a Gaussian process; up to a few thousand rows.",
    source="C. Saunders, A. Gammerman and V. Vovk, 1998, Ridge Regression Learning Algorithm in Dual Variables",
    tasks=("regression",),
    space=_space,
    build=_build,
    needs_scaling=True,
    is_slow=beyond_rows(5_000),
)
