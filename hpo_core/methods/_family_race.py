"""Who is in the race between model families, and whose turn it is: a rising bandit over best-so-far curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MEMORY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Racer:
    """One family; lower values are better.

    Attributes:
        family: Its key.
        n_trials: Trials with a value, and those in flight.
        best: Its best value; infinite without any.
        promise: What its best may come to within the horizon if it goes on gaining as lately.
        is_in: Whether it still gets trials.
        rank: Place by best value, from 1.
    """

    family: Any
    n_trials: int
    best: float
    promise: float
    is_in: bool = True
    rank: int = 0

    def reason(self, label: str) -> str:
        """Why it is its turn."""
        return f"{label} is number {self.rank} by its best trial, and of those in the race it has had the fewest."


def racers(values: Mapping[Any, Floats], in_flight: Mapping[Any, int], *, n_kept: int, horizon: int) -> list[Racer]:
    """The families by best value, those first in `values` first of equals.

    A family is out when what it may still come to is worse than what the best one has, and `n_kept` others are ahead.
    Without any trial that has a value all are in.

    Args:
        values: Of each family's trials in order.
        in_flight: Trials of each family that have no value yet.
        n_kept: Families that stay in whatever happens.
        horizon: Trials for which the gain of the last ones is carried on.
    """
    field = [_racer(family, own, in_flight.get(family, 0), horizon) for family, own in values.items()]
    field = sorted(field, key=lambda racer: racer.best)
    leader = field[0].best
    return [replace(r, rank=i + 1, is_in=i < n_kept or r.promise < leader) for i, r in enumerate(field)]


def winner_of(field: list[Racer]) -> Racer:
    """Whose turn it is: of those in the race the one with the fewest trials, of equals the better."""
    return min((racer for racer in field if racer.is_in), key=lambda racer: (racer.n_trials, racer.rank))


def _racer(family: Any, values: Floats, n_in_flight: int, horizon: int) -> Racer:
    n_trials = len(values) + n_in_flight
    if not len(values):
        return Racer(family=family, n_trials=n_trials, best=math.inf, promise=math.inf)
    curve = np.minimum.accumulate(values)
    best = float(curve[-1])
    window = min(_MEMORY, len(curve) - 1)
    slope = float(curve[-1 - window] - curve[-1]) / window if window else 0.0
    return Racer(family=family, n_trials=n_trials, best=best, promise=best - slope * horizon)
