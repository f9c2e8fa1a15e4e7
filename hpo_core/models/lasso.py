"""Least squares with an L1 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import Lasso

from hpo_core.models import DataFacts, ModelFamily, l1_alpha
from hpo_core.space import SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace((l1_alpha(facts),))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    return Lasso(random_state=seed, **configuration)


lasso = ModelFamily(
    key="lasso",
    label="Lasso",
    purpose="Linear, and keeps only the features that earn their weight; strong when few of many matter.",
    source="R. Tibshirani, 1996, Regression Shrinkage and Selection via the Lasso",
    tasks=("regression",),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
)
