"""Racing against the best trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hpo_core.options import option
from hpo_core.pruning._base import PruningRule
from hpo_core.pruning._rivals import Floats, Rivals


@dataclass(frozen=True)
class Race(PruningRule):
    """A race with a pooled estimate of the noise.

    Lost when the mean paired difference to the incumbent exceeds z standard errors. The standard error carries the
    correction for a finite number of folds.
    """

    key: ClassVar[str] = "race"
    label: ClassVar[str] = "Race"
    purpose: ClassVar[str] = "Gives up when the first folds are worse than the best trial's by more than their noise."
    when_to_use: ClassVar[str] = (
        "The first choice with three folds or more: it saved the most fits in replays, and lost no good trial."
    )
    source: ClassVar[str] = (
        "Maron and Moore (1994), Hoeffding Races; López-Ibáñez et al. (2016), The irace Package: Iterated Racing"
    )
    place: ClassVar[int] = 1

    z: float = option(
        1.0, "Standard errors", "How many standard errors behind the best trial a trial must be.", low=0.0, high=10.0
    )

    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        k = len(row)
        error = rivals.noise * np.sqrt(1 / k - 1 / rivals.n_folds)
        return bool((row - rivals.incumbent[:k]).mean() > self.z * error)


RACE = Race()
