"""AdaBoost on small trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from hpo_core.models import TREES, DataFacts, ModelFamily, boosted_depth, learning_rate, n_trees
from hpo_core.space import Categorical, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    rate = replace(learning_rate(1.0), low=0.01, high=2.0)
    if facts.task == "classification":
        return SearchSpace((rate, n_trees(50), boosted_depth(default=1)))
    loss = Categorical(
        name="loss",
        label="loss",
        explanation="How the weight of a row grows with its error: square and exponential chase the worst rows harder.",
        choices=("linear", "square", "exponential"),
        default="linear",
    )
    return SearchSpace((rate, n_trees(50), boosted_depth(default=3), loss))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    arguments = dict(configuration)
    depth = arguments.pop("max_depth")
    if facts.task == "classification":
        return AdaBoostClassifier(DecisionTreeClassifier(max_depth=depth), random_state=seed, **arguments)
    return AdaBoostRegressor(DecisionTreeRegressor(max_depth=depth), random_state=seed, **arguments)


ada_boost = ModelFamily(
    key="ada_boost",
    label="AdaBoost",
    purpose="Weighs up the rows that earlier trees got wrong; the first boosting, simple and sensitive to noise.",
    source="Y. Freund and R. Schapire, 1997, A Decision-Theoretic Generalization of On-Line Learning and an "
    "Application to Boosting; H. Drucker, 1997, Improving Regressors Using Boosting Techniques",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    resource=TREES,
    short="Ada",
)
