"""Support vector machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.svm import SVC, SVR

from hpo_core.models import DataFacts, ModelFamily, beyond_rows, class_weight, power_of_ten, with_scaled_target
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

_CURVED = ("rbf", "poly", "sigmoid")


def _space(facts: DataFacts) -> SearchSpace:
    epsilon = (_epsilon(),) if facts.task == "regression" else ()
    return SearchSpace((_c(), _kernel(), _gamma(facts), _degree(), _coef0(), *epsilon, *class_weight(facts)))


def _c() -> Float:
    return Float(
        name="C",
        label="C",
        explanation="How hard errors are punished; higher fits the training data closer.",
        low=1e-3,
        high=1e3,
        default=1.0,
        log=True,
    )


def _kernel() -> Categorical:
    return Categorical(
        name="kernel",
        label="kernel",
        explanation="How the alikeness of two rows is measured: linear parts by a plane, the others by curved borders.",
        choices=("rbf", "linear", "poly", "sigmoid"),
        default="rbf",
    )


def _gamma(facts: DataFacts) -> Float:
    """The default is what gamma="scale" computes on the prepared data."""
    spread = facts.n_features * facts.feature_variance
    default = float(f"{1 / spread:.4g}") if spread > 0 else 1.0
    return Float(
        name="gamma",
        label="gamma",
        explanation="How near a row must be to count as alike; higher draws a wigglier border around single rows.",
        low=min(1e-5, power_of_ten(default) * 1e-4),
        high=max(10.0, power_of_ten(default) * 100),
        default=default,
        log=True,
        when=Condition("kernel", _CURVED),
    )


def _degree() -> Int:
    return Int(
        name="degree",
        label="degree",
        explanation="Degree of the polynomial; higher bends the border more.",
        low=2,
        high=5,
        default=3,
        when=Condition("kernel", ("poly",)),
    )


def _coef0() -> Float:
    return Float(
        name="coef0",
        label="constant term",
        explanation="What is added inside the kernel; higher gives simple terms more say against high-order ones.",
        low=-1.0,
        high=1.0,
        default=0.0,
        when=Condition("kernel", ("poly", "sigmoid")),
    )


def _epsilon() -> Float:
    return Float(
        name="epsilon",
        label="tolerated error",
        explanation="Errors up to this many standard deviations of the target are free; higher gives a smoother model.",
        low=1e-3,
        high=1.0,
        default=0.1,
        log=True,
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    if facts.task == "classification":
        return SVC(random_state=seed, **configuration)
    return with_scaled_target(SVR(**configuration))


svm = ModelFamily(
    key="svm",
    label="SVM",
    purpose="Draws the border with the widest margin, straight or curved; strong on up to some ten thousand rows.",
    source="C. Cortes and V. Vapnik, 1995, Support-Vector Networks",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
    is_slow=beyond_rows(10_000),
)
