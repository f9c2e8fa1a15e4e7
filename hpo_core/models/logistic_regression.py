"""Logistic regression with an L2 or elastic-net penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from hpo_core.models import DataFacts, ModelFamily, class_weight
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(
        (
            Float(
                name="C",
                label="C",
                explanation="How little large weights are punished; higher fits the training data closer.",
                low=1e-4,
                high=1e4,
                default=1.0,
                log=True,
            ),
            Categorical(
                name="solver",
                label="solver",
                explanation="lbfgs is fast and shrinks all weights (L2); saga is slower and can drop some (L1).",
                choices=("lbfgs", "saga"),
                default="lbfgs",
            ),
            Float(
                name="l1_ratio",
                label="L1 share",
                explanation="Share of the penalty that is L1; higher sets more weights to exactly zero.",
                low=0.0,
                high=1.0,
                default=0.0,
                when=Condition("solver", ("saga",)),
            ),
            Int(
                name="max_iter",
                label="iterations",
                explanation="How many steps the solver may take; higher comes closer to its optimum and takes longer.",
                low=20,
                high=1000,
                default=100,
                log=True,
            ),
            *class_weight(facts),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    return LogisticRegression(random_state=seed, **configuration)


logistic_regression = ModelFamily(
    key="logistic_regression",
    label="Logistic regression",
    purpose="Weighs the features linearly into class probabilities; fast, and hard to beat when classes part linearly.",
    source="D. R. Cox, 1958, The Regression Analysis of Binary Sequences; H. Zou and T. Hastie, 2005, Regularization "
    "and Variable Selection via the Elastic Net",
    tasks=("classification",),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
)
