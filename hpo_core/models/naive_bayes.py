"""Gaussian naive Bayes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.naive_bayes import GaussianNB

from hpo_core.models import DataFacts, ModelFamily
from hpo_core.space import Float, SearchSpace


def _space(facts: DataFacts) -> SearchSpace:
    smoothing = Float(
        name="var_smoothing",
        label="smoothing",
        explanation="Share of the largest variance added to every feature's; higher gives softer, blunter classes.",
        low=1e-12,
        high=10.0,
        default=1e-9,
        log=True,
    )
    return SearchSpace((smoothing,))


def _build(configuration: Mapping[str, Any], facts: DataFacts, seed: int) -> BaseEstimator:
    return GaussianNB(**configuration)


naive_bayes = ModelFamily(
    key="naive_bayes",
    label="Naive Bayes",
    purpose="One bell curve for each class and feature, each feature on its own; instant, and good with few rows.",
    source="D. J. Hand and K. Yu, 2001, Idiot's Bayes: Not So Stupid After All?",
    tasks=("classification",),
    space=_space,
    build=_build,
    needs_scaling=True,
    cost=1,
)
