"""Comparing with all trials so far: the median, or another percentile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hpo_core.options import option
from hpo_core.pruning._base import PruningRule
from hpo_core.pruning._rivals import Floats, Rivals


@dataclass(frozen=True)
class MedianPruning(PruningRule):
    """The worse half of the trials is given up."""

    key: ClassVar[str] = "median"
    label: ClassVar[str] = "Median"
    purpose: ClassVar[str] = "Gives up when the first folds are worse than those of half of the trials so far."
    when_to_use: ClassVar[str] = (
        "Random and grid search. A method that learns soon proposes good trials only, and the better half of these "
        "is still halved."
    )
    source: ClassVar[str] = "Golovin et al. (2017), Google Vizier: A Service for Black-Box Optimization"
    place: ClassVar[int] = 2

    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        return _is_behind(row, rivals, 50.0)


@dataclass(frozen=True)
class PercentilePruning(PruningRule):
    """All but the best share of the trials is given up."""

    key: ClassVar[str] = "percentile"
    label: ClassVar[str] = "Percentile"
    purpose: ClassVar[str] = "Gives up when the first folds are not among the best share of the trials so far."
    when_to_use: ClassVar[str] = (
        "As the median, harder or softer by choice: a low percentage saves the most fits and loses more good trials."
    )
    source: ClassVar[str] = "Golovin et al. (2017), Google Vizier: A Service for Black-Box Optimization"
    place: ClassVar[int] = 3

    percent: float = option(
        25.0, "Best share, %", "Share of the trials so far that a trial must be among to go on.", low=1.0, high=99.0
    )

    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        return _is_behind(row, rivals, self.percent)


def _is_behind(row: Floats, rivals: Rivals, percent: float) -> bool:
    """Whether the mean of the first folds is worse than this percentile of the same folds of all trials."""
    return bool(row.mean() > np.percentile(rivals.matrix[:, : len(row)].mean(axis=1), percent))


MEDIAN = MedianPruning()
PERCENTILE = PercentilePruning()
