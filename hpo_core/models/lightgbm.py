"""LightGBM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

from hpo_core.discovery import why_not_installed
from hpo_core.models import (
    TREES,
    DataFacts,
    ModelFamily,
    StoppedEarly,
    boosted_leaf_size,
    class_weight,
    column_share,
    early_stopping,
    learning_rate,
    n_leaves,
    n_trees,
    row_share,
    shrinkage,
)
from hpo_core.space import SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(
        (
            learning_rate(),
            n_trees(),
            n_leaves("num_leaves"),
            boosted_leaf_size("min_child_samples"),
            row_share(),
            column_share(facts),
            shrinkage("reg_alpha", "L1", high=1.0),
            shrinkage("reg_lambda", "L2"),
            *class_weight(facts),
            *early_stopping(facts, "trees", name="early_stopping_round"),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    from lightgbm import LGBMClassifier, LGBMRegressor

    model = LGBMClassifier if facts.task == "classification" else LGBMRegressor
    # LightGBM draws rows only where a frequency is given; at a share of 1 there is nothing to draw.
    arguments = {**configuration, "subsample_freq": 1 if configuration["subsample"] < 1.0 else 0}
    stops_early = arguments.pop("early_stopping", False)
    estimator = model(random_state=seed, n_jobs=1, verbosity=-1, **arguments)
    return StoppedEarly(estimator) if stops_early else estimator


lightgbm = ModelFamily(
    key="lightgbm",
    label="LightGBM",
    purpose="Gradient boosting that grows the best leaf first; fast on many rows, and quick to overfit few.",
    source="G. Ke et al., 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=TREES,
    why_unavailable=why_not_installed("lightgbm", package="lightgbm"),
    short="LGBM",
)
