"""Least squares with an L2 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge, RidgeClassifier

from hpo_core.models import DataFacts, ModelFamily, class_weight, power_of_ten
from hpo_core.space import Float, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    # Squares of standardised columns sum to n, so a penalty far above n leaves nothing but the mean.
    alpha = Float(
        name="alpha",
        label="alpha",
        explanation="How hard large weights are punished; higher gives a flatter, steadier model.",
        low=1e-4,
        high=max(1e3, power_of_ten(10 * facts.n_rows)),
        default=1.0,
        log=True,
    )
    return SearchSpace((alpha, *class_weight(facts)))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = RidgeClassifier if facts.task == "classification" else Ridge
    return model(random_state=seed, **configuration)


ridge = ModelFamily(
    key="ridge",
    label="Ridge",
    purpose="Linear with shrunken weights; strong when many features carry a little each or resemble each other.",
    source="A. E. Hoerl and R. W. Kennard, 1970, Ridge Regression: Biased Estimation for Nonorthogonal Problems",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
)
