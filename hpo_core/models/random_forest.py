"""Random forests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from hpo_core.models import WARM_TREES, DataFacts, ModelFamily, forest_parameters, tree_arguments
from hpo_core.space import SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(forest_parameters(facts, bootstrap=True))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = RandomForestClassifier if facts.task == "classification" else RandomForestRegressor
    return model(random_state=seed, n_jobs=1, **tree_arguments(configuration))


random_forest = ModelFamily(
    key="random_forest",
    label="Random forest",
    purpose="Averages many trees, each grown on a sample of rows and features; good at once, little to gain by tuning.",
    source="L. Breiman, 2001, Random Forests",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=WARM_TREES,
)
