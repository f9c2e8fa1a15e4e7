"""Least squares with a mixed L1 and L2 penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import ElasticNet

from hpo_core.models import DataFacts, ModelFamily, l1_alpha
from hpo_core.space import Float, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    # Coordinate descent does not converge without any L1, so the range ends above 0; ridge is the family for that.
    ratio = Float(
        name="l1_ratio",
        label="L1 share",
        explanation="Share of the penalty that is L1; higher drops more features, lower shrinks them all together.",
        low=0.01,
        high=1.0,
        default=0.5,
    )
    return SearchSpace((l1_alpha(facts), ratio))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    return ElasticNet(random_state=seed, **configuration)


elastic_net = ModelFamily(
    key="elastic_net",
    label="Elastic net",
    purpose="Between lasso and ridge: drops features, but keeps groups that resemble each other together.",
    source="H. Zou and T. Hastie, 2005, Regularization and Variable Selection via the Elastic Net",
    tasks=("regression",),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
)
