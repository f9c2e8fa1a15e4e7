"""Places in the space of a study, as its surrogate sees them: drawn evenly, moved along one parameter, and made legal.

A *full* point gives every parameter a coordinate, also those that are inactive there, so that a category can be moved
and the parameters that depend on it come and go with it. A parameter that only some trials use, in no relation to a
category (see `space_of`), is *loose*: it is NaN in a full point whose configuration does not use it, and stays so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from hpo_core.analysis.surrogate import Surrogate
from hpo_core.analysis.units import units_of
from hpo_core.cube import Cube
from hpo_core.space import Categorical, SearchSpace
from hpo_core.studies.table import Floats


@dataclass(frozen=True, eq=False)
class Places:
    """The space of one surrogate."""

    surrogate: Surrogate

    @property
    def space(self) -> SearchSpace:
        return self.surrogate.process.space

    @cached_property
    def is_loose(self) -> NDArray[np.bool_]:
        """Which parameters are used by some trials in no relation to a category, shape (d,)."""
        return np.array([p.when is not None and not p.when.values for p in self.space.parameters], dtype=bool)

    def column(self, name: str) -> int:
        return self.space.names.index(name)

    def users(self, name: str) -> NDArray[np.bool_]:
        """Which of the trials that the surrogate learned from use a parameter, shape (rows,)."""
        return ~np.isnan(self.surrogate.process.units[:, self.column(name)])

    def of_trial(self, row: int) -> Floats:
        """The full point of a trial, shape (d,); parameters that it does not use as in the best trial that does."""
        table = self.surrogate.table
        point: Floats = units_of(table, np.array([row]))[0]
        for column in np.flatnonzero(np.isnan(point) & ~self.is_loose).tolist():
            p = self.space.parameters[column]
            users = self.surrogate.anchor(p.name)
            found = np.nan if p.when is None else float(units_of(table, np.array([users]))[0, column])
            point[column] = 0.5 if np.isnan(found) else found
        return point

    def drawn(self, n: int, seed: int = 0, using: str = "") -> Floats:
        """Full points spread evenly over the space, shape (n, d), n a power of 2; all of them use the parameter.

        Which loose parameters a point uses is as in a trial drawn at random.

        Source: Sobol sequences scrambled by Owen (1998), Scrambling Sobol' and Niederreiter-Xing points.
        """
        rng = np.random.default_rng(seed)
        points = np.asarray(qmc.Sobol(len(self.space), rng=np.random.default_rng(seed)).random(n))
        units = self.surrogate.process.units
        alike = units[self.users(using)] if using and self.surrogate.uses(using) else units
        pattern = alike[rng.integers(len(alike), size=n)]
        points[np.isnan(pattern) & self.is_loose] = np.nan
        if using:
            self._activate(points, using, rng)
        return points

    def _activate(self, points: Floats, name: str, rng: np.random.Generator) -> None:
        """Gives the categories on which a parameter depends values with which it is active."""
        when = self.space[name].when
        while when is not None and when.values:
            parent = self.space[when.parent]
            assert isinstance(parent, Categorical)
            units = np.array([parent.unit(value) for value in when.values])
            points[:, self.column(parent.name)] = rng.choice(units, size=len(points))
            when = parent.when

    def of_learned(self, using: str, seed: int = 0) -> Floats:
        """Full points of the trials that the surrogate learned from and that use a parameter, shape (n, d).

        What a trial does not use is drawn evenly.
        """
        used = self.surrogate.process.units[self.users(using)]
        n_drawn = 1 << max(len(used) - 1, 0).bit_length()
        return np.where(np.isnan(used) & ~self.is_loose, self.drawn(n_drawn, seed)[: len(used)], used)

    def along(self, full: Floats, name: str, at: Floats) -> Floats:
        """Legal points, shape (len(at), n, d): n full points with one parameter moved to each of some places."""
        points = np.repeat(full[None], len(at), axis=0)
        points[:, :, self.column(name)] = at[:, None]
        return self.legal(points.reshape(-1, full.shape[1])).reshape(points.shape)

    def legal(self, full: Floats) -> Floats:
        """The nearest legal points, shape (n, d), as the surrogate takes them: NaN where a parameter is inactive."""
        snapped = self._cube.snap(np.where(np.isnan(full), 0.5, full))
        return np.where(np.isnan(full) & self.is_loose, np.nan, snapped)

    @cached_property
    def _cube(self) -> Cube:
        """The cube in which loose parameters have no condition."""
        parameters = zip(self.space.parameters, self.is_loose.tolist(), strict=True)
        return Cube(SearchSpace(tuple(replace(p, when=None) if loose else p for p, loose in parameters)))
