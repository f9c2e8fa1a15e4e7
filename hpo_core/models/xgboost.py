"""XGBoost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator

from hpo_core.discovery import why_not_installed
from hpo_core.models import (
    TREES,
    DataFacts,
    ModelFamily,
    StoppedEarly,
    boosted_depth,
    column_share,
    early_stopping,
    learning_rate,
    n_trees,
    row_share,
    shrinkage,
)
from hpo_core.space import Float, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    weight = Float(
        name="min_child_weight",
        label="weight in a leaf",
        explanation="How much weight of rows every leaf must keep; higher gives smaller, smoother trees.",
        low=0.1,
        high=100.0,
        default=1.0,
        log=True,
    )
    gain = Float(
        name="gamma",
        label="least gain",
        explanation="How much a split must gain to be kept; higher gives smaller trees.",
        low=0.0,
        high=2.0,
        default=0.0,
    )
    ridge = replace(shrinkage("reg_lambda", "L2"), low=1e-3, high=100.0, default=1.0, log=True)
    return SearchSpace(
        (
            learning_rate(0.3),
            n_trees(),
            boosted_depth(default=6),
            weight,
            row_share(),
            column_share(facts),
            gain,
            shrinkage("reg_alpha", "L1", high=1.0),
            ridge,
            *early_stopping(facts, "trees", name="early_stopping_rounds"),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    from xgboost import XGBClassifier, XGBRegressor

    model = XGBClassifier if facts.task == "classification" else XGBRegressor
    arguments = dict(configuration)
    stops_early = arguments.pop("early_stopping", False)
    estimator = model(random_state=seed, n_jobs=1, verbosity=0, **arguments)
    return StoppedEarly(estimator, {"verbose": False}) if stops_early else estimator


xgboost = ModelFamily(
    key="xgboost",
    label="XGBoost",
    purpose="Regularised gradient boosting; a strong choice for tables of any size, with many parameters to tune.",
    source="T. Chen and C. Guestrin, 2016, XGBoost: A Scalable Tree Boosting System",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=TREES,
    why_unavailable=why_not_installed("xgboost", package="xgboost"),
    short="XGB",
)
