"""Gradient boosting, exact splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from hpo_core.models import (
    WARM_TREES,
    DataFacts,
    ModelFamily,
    beyond_cells,
    boosted_depth,
    early_stopping,
    feature_share,
    leaf_size,
    learning_rate,
    n_trees,
    row_share,
    split_size,
)
from hpo_core.models._growing import trains_in_one_go
from hpo_core.space import SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(
        (
            learning_rate(),
            replace(n_trees(), high=300),
            boosted_depth(default=3),
            row_share(),
            split_size(facts),
            leaf_size(facts),
            feature_share(facts),
            *early_stopping(facts, "trees"),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = GradientBoostingClassifier if facts.task == "classification" else GradientBoostingRegressor
    # There is no switch in the library: it stops early where it is told how long to wait.
    arguments = {name: value for name, value in configuration.items() if name != "early_stopping"}
    return model(random_state=seed, **arguments)


gradient_boosting = ModelFamily(
    key="gradient_boosting",
    label="Gradient boosting",
    purpose="Small trees that correct each other one by one; accurate on small tables, slow on large ones.",
    source="J. H. Friedman, 2001, Greedy Function Approximation: A Gradient Boosting Machine",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=replace(
        WARM_TREES,
        trains_in_one_go=trains_in_one_go,
        changeable=(
            "learning_rate",
            "subsample",
            "max_depth",
            "min_samples_split",
            "min_samples_leaf",
            "max_features",
        ),
    ),
    cost=3,
    is_slow=beyond_cells(300_000),
)
