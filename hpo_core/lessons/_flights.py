"""Flights over a terrain: what a search method, or a hiker, looked at, and how high it got."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.lessons._asking import asked_trials
from hpo_core.lessons._terrain import Terrain
from hpo_core.methods import METHODS, SearchMethod
from hpo_core.options import with_options
from hpo_core.space import Configuration, SearchSpace

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Drone:
    """A search method as an explorer.

    Attributes:
        label: Name on screen.
        method: Key of the search method.
        way: How it goes about it, in a sentence.
        options: Of the method, for a number of steps.
        has_path: Whether each look follows from the one before, so that a line between them says something.
    """

    label: str
    method: str
    way: str
    options: Callable[[int], dict[str, Any]]
    has_path: bool = False


@dataclass(frozen=True, eq=False)
class Flight:
    """Looks in their order.

    Attributes:
        terrain: What was looked at.
        points: Of the unit square, shape (n, 2).
    """

    terrain: Terrain
    points: Floats

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def seen(self) -> Floats:
        """Altitudes as the looks showed them, shape (n,)."""
        looks = [self.terrain.look(self.terrain.space.from_unit(point)) for point in self.points]
        return self.terrain.altitude(np.array(looks, dtype=np.float64))

    @cached_property
    def true(self) -> Floats:
        """Altitudes without noise, shape (n,)."""
        losses = [self.terrain.loss(self.terrain.space.from_unit(point)) for point in self.points]
        return self.terrain.altitude(np.array(losses, dtype=np.float64))

    @cached_property
    def best(self) -> NDArray[np.intp]:
        """After each look, which of them showed the highest altitude so far, shape (n,)."""
        order = np.arange(len(self))
        is_higher = self.seen >= np.maximum.accumulate(self.seen)
        return np.maximum.accumulate(np.where(is_higher, order, 0))

    @cached_property
    def regret(self) -> Floats:
        """After each look, how far the place that looked highest lies below the summit, in metres, shape (n,)."""
        return np.maximum(self.terrain.summit - self.true[self.best], 0.0)

    def reached(self, metres: float) -> int | None:
        """The number of the look after which regret stayed within so many metres, counted from 1; None for never."""
        far = np.flatnonzero(self.regret > metres)
        last = int(far[-1]) + 1 if len(far) else 0
        return last + 1 if last < len(self) else None


def fly(drone: Drone, terrain: Terrain, n_steps: int, seed: int) -> Flight:
    """The looks of a search method, asked and told in memory as a runner would."""
    method = with_options(METHODS[drone.method], drone.options(n_steps))
    return Flight(terrain, asked(method, terrain.space, terrain.look, n_steps, seed))


def asked(
    method: SearchMethod, space: SearchSpace, look: Callable[[Configuration], float], n_steps: int, seed: int
) -> Floats:
    """The points of the unit cube that a method asks for, shape (n, d), told what a look shows, lower being better.

    A method that runs out of configurations ends before it has taken all of its steps.
    """
    trials = asked_trials(method.sampler(space, seed), space, lambda configuration, _: look(configuration), n_steps)
    return np.reshape([trial.point for trial in trials], (-1, len(space)))


def ranked(flights: Sequence[tuple[str, Flight]]) -> list[tuple[str, float]]:
    """Names with their last regret, the nearest to the summit first."""
    ends = [(name, float(flight.regret[-1]) if len(flight) else math.inf) for name, flight in flights]
    return sorted(ends, key=lambda end: end[1])


def ends_table(flights: Sequence[tuple[str, Flight]]) -> pd.DataFrame:
    """Where everyone ended, the nearest to the summit first. It tells true altitudes."""
    by_name = dict(flights)
    rows = [
        {
            "who": name,
            "looks": len(by_name[name]),
            "best altitude seen, m": float(by_name[name].seen[by_name[name].best[-1]]),
            "true altitude there, m": float(by_name[name].true[by_name[name].best[-1]]),
            "below the summit, m": regret,
            "found at look": int(by_name[name].best[-1]) + 1,
        }
        for name, regret in ranked(flights)
    ]
    return pd.DataFrame(rows)


def looks_table(flights: Sequence[tuple[str, Flight]], is_revealed: bool) -> pd.DataFrame:
    """Every look of everyone; true altitudes only where they are revealed."""
    parts = []
    for name, flight in flights:
        space = flight.terrain.space
        columns = pd.DataFrame([space.from_unit(point) for point in flight.points], columns=list(space.names))
        columns.insert(0, "look", np.arange(1, len(flight) + 1))
        columns.insert(0, "who", name)
        columns["altitude seen, m"] = flight.seen
        if is_revealed:
            columns["true altitude, m"] = flight.true
        parts.append(columns)
    return pd.concat(parts, ignore_index=True)
