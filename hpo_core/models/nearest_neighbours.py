"""K nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from hpo_core.models import DataFacts, ModelFamily, beyond_rows
from hpo_core.space import Categorical, Int, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    return SearchSpace(
        (
            Int(
                name="n_neighbors",
                label="neighbours",
                explanation="How many of the nearest rows vote; higher gives a smoother, blunter model.",
                low=1,
                high=max(1, min(100, max(5, facts.n_rows // 2), facts.n_rows)),
                default=max(1, min(5, facts.n_rows)),
                log=True,
            ),
            Categorical(
                name="weights",
                label="votes",
                explanation="uniform counts all neighbours alike; distance gives the nearer ones more say.",
                choices=("uniform", "distance"),
                default="uniform",
            ),
            Int(
                name="p",
                label="power of the distance",
                explanation="1 adds up differences, 2 is the straight line; higher heeds the largest difference more.",
                low=1,
                high=4,
                default=2,
            ),
        )
    )


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    model = KNeighborsClassifier if facts.task == "classification" else KNeighborsRegressor
    n_neighbors = min(configuration["n_neighbors"], facts.n_rows)
    return model(n_jobs=1, **{**configuration, "n_neighbors": n_neighbors})


nearest_neighbours = ModelFamily(
    key="nearest_neighbours",
    label="Nearest neighbours",
    purpose="Asks the most similar rows; strong with few features that all matter, and easy to explain.",
    source="T. Cover and P. Hart, 1967, Nearest Neighbor Pattern Classification",
    tasks=("classification", "regression"),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
    is_slow=beyond_rows(50_000),
)
