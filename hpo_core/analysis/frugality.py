"""The cheapest trial that is as good as the best one, as far as the folds can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpo_core.analysis.selection import Rows
from hpo_core.analysis.ties import BEST, TIED, UNTOLD, standings
from hpo_core.studies.table import Floats, TrialTable

_WORTH_IT = 0.9  # a smaller share of the best trial's cost is worth a sentence; timings differ by some per cent anyway


@dataclass(frozen=True, eq=False)
class Frugality:
    """Trials by what they cost and whether they are tied with the best.

    Attributes:
        rows: Complete trials that can be told from the best or not, and whose cost is known.
        costs: Of each of `rows`.
        is_tied: Whether each is tied with the best; not the best itself.
        best: Place of the best in `rows`.
        cheapest: Place of the cheapest among the best and those that are tied with it.
    """

    rows: Rows
    costs: Floats
    is_tied: NDArray[np.bool_]
    best: int
    cheapest: int

    @property
    def share(self) -> float:
        """Cost of the cheapest as a share of that of the best, from 0 to 1."""
        best = float(self.costs[self.best])
        return float(self.costs[self.cheapest]) / best if best > 0 else 1.0

    @property
    def is_worth_it(self) -> bool:
        """Whether the cheapest costs notably less than the best."""
        return self.cheapest != self.best and self.share <= _WORTH_IT


def frugality(table: TrialTable, costs: Floats) -> Frugality | None:
    """The cheapest trial that is statistically tied with the best, see `standings`.

    Args:
        table: The study.
        costs: Of every trial, at least 0, shape (n,); NaN where unknown.

    Returns:
        None where there is no best trial with a cost and with folds enough to hold others against it.

    Source: Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees: the simplest model within
    the noise of the best; here the noise is that of the paired difference, as in Nadeau and Bengio (2003).
    """
    found = standings(table)
    usable = (found != UNTOLD) & np.isfinite(costs) & np.isfinite(table.values)
    rows = np.flatnonzero(usable)
    best = np.flatnonzero(found[rows] == BEST)
    if not len(best):
        return None
    is_tied = found[rows] == TIED
    good = np.flatnonzero(is_tied | (found[rows] == BEST))
    cheapest = good[np.lexsort((table.sign * table.values[rows[good]], costs[rows[good]]))[0]]
    return Frugality(rows=rows, costs=costs[rows], is_tied=is_tied, best=int(best[0]), cheapest=int(cheapest))
