"""A single decision tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from hpo_core.models import (
    DataFacts,
    ModelFamily,
    class_weight,
    depth_switch,
    feature_share,
    impurity,
    leaf_size,
    split_size,
    tree_arguments,
)
from hpo_core.space import Float, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    # Impurity is at most 1 in classification, and the variance of the target in regression.
    largest = 0.03 * facts.target_scale**2 if facts.task == "regression" else 0.01
    pruning = Float(
        name="ccp_alpha",
        label="pruning",
        explanation="What a branch must gain for each leaf to be kept; higher cuts more of the tree away.",
        low=0.0,
        high=float(f"{largest or 1.0:.2g}"),
        default=0.0,
    )
    return SearchSpace(
        (
            *impurity(facts),
            *depth_switch(),
            split_size(facts),
            leaf_size(facts),
            feature_share(facts),
            pruning,
            *class_weight(facts),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = DecisionTreeClassifier if facts.task == "classification" else DecisionTreeRegressor
    return model(random_state=seed, **tree_arguments(configuration))


decision_tree = ModelFamily(
    key="decision_tree",
    label="Decision tree",
    purpose="Asks one question after the other; easy to read, quick to overfit, so its limits matter.",
    source="L. Breiman, J. Friedman, R. Olshen and C. Stone, 1984, Classification and Regression Trees",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    cost=1,
)
