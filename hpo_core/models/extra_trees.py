"""Extremely randomised trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from hpo_core.models import WARM_TREES, DataFacts, ModelFamily, forest_parameters, tree_arguments
from hpo_core.space import SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(forest_parameters(facts, bootstrap=False))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = ExtraTreesClassifier if facts.task == "classification" else ExtraTreesRegressor
    return model(random_state=seed, n_jobs=1, **tree_arguments(configuration))


extra_trees = ModelFamily(
    key="extra_trees",
    label="Extra trees",
    purpose="A forest whose splits are drawn at random too; faster and smoother than a random forest, often as good.",
    source="P. Geurts, D. Ernst and L. Wehenkel, 2006, Extremely Randomized Trees",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=WARM_TREES,
)
