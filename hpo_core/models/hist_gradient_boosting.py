"""Gradient boosting on binned features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from hpo_core.models import (
    DataFacts,
    ModelFamily,
    Resource,
    beyond_cells,
    boosted_leaf_size,
    class_weight,
    early_stopping,
    feature_share,
    learning_rate,
    n_leaves,
    n_trees,
    shrinkage,
)
from hpo_core.models._growing import grow_iterations, trains_in_one_go
from hpo_core.space import SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    trees = replace(n_trees(), name="max_iter")
    return SearchSpace(
        (
            learning_rate(),
            trees,
            n_leaves("max_leaf_nodes"),
            boosted_leaf_size("min_samples_leaf"),
            shrinkage("l2_regularization", "L2"),
            feature_share(facts),
            *class_weight(facts),
            *early_stopping(facts, "trees", is_on=_stops_by_default(facts)),
        )
    )


def _stops_by_default(facts: DataFacts) -> bool:
    """What early_stopping="auto" means in scikit-learn."""
    return facts.n_rows > 10_000


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = HistGradientBoostingClassifier if facts.task == "classification" else HistGradientBoostingRegressor
    return model(random_state=seed, **{"early_stopping": _stops_by_default(facts), **configuration})


hist_gradient_boosting = ModelFamily(
    key="hist_gradient_boosting",
    label="Histogram gradient boosting",
    purpose="Trees that correct each other, on binned features; the strong choice from a thousand rows on.",
    source="G. Ke et al., 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=Resource(
        parameter="max_iter",
        noun="trees",
        grow=grow_iterations,
        trains_in_one_go=trains_in_one_go,
        changeable=("learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization", "max_features"),
    ),
    is_slow=beyond_cells(3_000_000),
    short="HGB",
)
