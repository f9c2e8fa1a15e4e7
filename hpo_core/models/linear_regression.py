"""Ordinary least squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression

from hpo_core.models import DataFacts, ModelFamily
from hpo_core.space import Categorical, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(
        (
            Categorical(
                name="fit_intercept",
                label="intercept",
                explanation="Whether a constant is added; without it an average row is predicted as zero.",
                choices=(True, False),
                default=True,
            ),
            Categorical(
                name="positive",
                label="positive weights",
                explanation="Whether every weight must be zero or more; on, a feature can only raise the prediction.",
                choices=(False, True),
                default=False,
            ),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    return LinearRegression(n_jobs=1, **configuration)


linear_regression = ModelFamily(
    key="linear_regression",
    label="Linear regression",
    purpose="The plane with the least squared error; the plain yardstick, with next to nothing to tune.",
    source="C. F. Gauss, 1809, Theoria motus corporum coelestium",
    tasks=("regression",),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
)
