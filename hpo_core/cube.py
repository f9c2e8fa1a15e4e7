"""The legal points of a search space's unit cube, by the thousand.

`SearchSpace.to_unit` and `from_unit` go through configurations one by one. Search methods and response surfaces weigh
thousands of candidates at a time; this does the same in columns.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hpo_core.space import AnyParameter, Categorical, Float, Int, SearchSpace

Floats = NDArray[np.float64]

# A parameter with more values than this is as good as continuous: its points are left where they are.
_MOST_LEVELS = 1000


class Cube:
    """The unit cube of one search space."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self._levels = [_level_units(p) for p in space.parameters]
        self._column = {name: column for column, name in enumerate(space.names)}

    def snap(self, points: Floats) -> Floats:
        """The nearest legal points, shape (n, d), as `to_unit` gives them: NaN where a parameter is inactive."""
        snapped = np.clip(points, 0.0, 1.0)
        for column, levels in enumerate(self._levels):
            if levels is not None:
                snapped[:, column] = levels[_nearest(levels, snapped[:, column])]
        for column, p in enumerate(self.space.parameters):
            if p.when is not None:
                snapped[~self._is_active(p, snapped), column] = np.nan
        return snapped

    def all_points(self, limit: int) -> Floats | None:
        """Every legal point once, shape (n, d); None when there may be more than `limit`, or infinitely many."""
        levels = [units for units in self._levels if units is not None]
        if len(levels) < len(self.space) or math.prod(map(len, levels)) > limit:
            return None
        if not levels:
            return np.empty((1, 0))
        mesh = np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1).reshape(-1, len(self.space))
        unique = np.unique(np.nan_to_num(self.snap(mesh), nan=-1.0), axis=0)
        return np.where(unique < 0, np.nan, unique)

    def _is_active(self, p: AnyParameter, snapped: Floats) -> NDArray[np.bool_]:
        """Where the condition of `p` holds; columns before its own already hold NaN where inactive."""
        assert p.when is not None
        column = self._column[p.when.parent]
        parent, units = self.space.parameters[column], snapped[:, column]
        kinds, where = np.unique(units, return_inverse=True)
        holds = [not math.isnan(u) and p.when.holds({parent.name: parent.from_unit(float(u))}) for u in kinds]
        return np.array(holds, dtype=bool)[where]


def _nearest(levels: Floats, units: Floats) -> NDArray[np.intp]:
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, units, side="right")


def _level_units(p: AnyParameter) -> Floats | None:
    """Positions of all values of a parameter, ascending; None for a continuous one."""
    if isinstance(p, Categorical):
        return np.array([p.unit(choice) for choice in p.choices])
    if p.low == p.high:
        return np.array([p.unit(p.low)])
    if p.step is None:
        return None
    n_levels = math.floor((p.high - p.low) / p.step + 1e-9) + 1
    return np.array([_unit_of_step(p, i) for i in range(n_levels)]) if n_levels <= _MOST_LEVELS else None


def _unit_of_step(p: Float | Int, i: int) -> float:
    assert p.step is not None
    return p.unit(p.low + i * p.step)
