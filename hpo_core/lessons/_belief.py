"""What a Gaussian process makes of a few looks at a terrain, and where it would look next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core import gaussian_process
from hpo_core.acquisition import score
from hpo_core.lessons._terrain import Terrain
from hpo_core.space import SearchSpace
from hpo_core.warping import Prediction

Floats = NDArray[np.float64]
SIDES = {1: 241, 2: 41}  # places along each parameter that the method chooses among
BOUND, IMPROVEMENT = "lcb", "log_ei"


@dataclass(frozen=True, eq=False)
class Belief:
    """The engine's process over one or two parameters of a terrain. Altitudes are in metres, higher being better.

    Attributes:
        terrain: What is looked at; with one parameter the other one is kept at its best.
        looks: Points of the unit cube, shape (n, d).
        rule: BOUND or IMPROVEMENT.
        exploration: Of the bound: standard deviations above the mean. Of the improvement: by how many tenths of the
            standard deviation of the altitudes a place must beat the best.
    """

    terrain: Terrain
    looks: Floats
    rule: str
    exploration: float

    @property
    def n_dimensions(self) -> int:
        return int(self.looks.shape[1])

    @property
    def grid(self) -> Floats:
        """Places that the method chooses among, shape (m, d); with two parameters, the first one runs fastest."""
        return _grid(self.n_dimensions)

    def true(self, points: Floats) -> Floats:
        """Altitudes of points of shape (n, d)."""
        space = self.terrain.space
        return self.terrain.altitude(np.array([self.terrain.loss(space.from_unit(p)) for p in self._whole(points)]))

    @cached_property
    def altitudes(self) -> Floats:
        """Of the looks, shape (n,)."""
        return self.true(self.looks)

    @cached_property
    def process(self) -> gaussian_process.GaussianProcess:
        """Fitted to altitudes upside down, as the engine makes small."""
        space = SearchSpace(self.terrain.space.parameters[: self.n_dimensions])
        return gaussian_process.fit(space, self.looks, -self.altitudes)

    @cached_property
    def prediction(self) -> Prediction:
        """Expected altitude and its standard deviation over the grid, each of shape (m,)."""
        with gaussian_process.one_thread():
            mean, sd = self.process.predict(self.grid)
        return Prediction(-mean, sd)

    @cached_property
    def promise(self) -> Floats:
        """Of the grid, from 0 to 1, shape (m,)."""
        with gaussian_process.one_thread():
            height = score(self.process.predict_target(self.grid), self._incumbent, self.rule, self.exploration)
        spread = float(np.ptp(height))
        return (height - height.min()) / spread if spread > 0 else np.zeros(len(height))

    @cached_property
    def at(self) -> int:
        """Which place of the grid promises most, of those that were not looked at."""
        apart = np.abs(self.grid[:, None, :] - self.looks[None]).max(axis=2).min(axis=1)
        return int(np.argmax(np.where(apart > 0.4 / SIDES[self.n_dimensions], self.promise, -1.0)))

    @property
    def next(self) -> Floats:
        """Where it looks next, shape (d,)."""
        point: Floats = self.grid[self.at]
        return point

    @property
    def doubt_share(self) -> float:
        """Its doubt there, as a share of the largest anywhere."""
        sd = self.prediction.sd
        return float(sd[self.at] / sd.max())

    @property
    def target(self) -> float:
        """The altitude that is to be beaten."""
        return -float(self.process.warp.inverse(np.array([self._incumbent]))[0])

    def place(self, point: Floats) -> str:
        """A point of shape (d,) in words."""
        words = self.terrain.place(*self._whole(point[None])[0].tolist())
        return words if self.n_dimensions == 2 else words.split(", ")[0]

    def looks_table(self) -> pd.DataFrame:
        """The looks in their order."""
        table = self._columns(self.looks)
        table.insert(0, "look", np.arange(1, len(self.looks) + 1))
        return table.assign(**{"altitude, m": self.altitudes})

    def grid_table(self) -> pd.DataFrame:
        """The belief over the grid, without the promise."""
        mean, sd = self.prediction
        return self._columns(self.grid).assign(**{"expected, m": mean, "doubt (sd), m": sd})

    @property
    def _incumbent(self) -> float:
        """On the scale of the process's targets, where lower is better."""
        margin = self.exploration / 10 if self.rule == IMPROVEMENT else 0.0
        return float(self.process.fitted_targets().min()) - margin

    def _columns(self, points: Floats) -> pd.DataFrame:
        rows = [self.terrain.space.from_unit(point) for point in self._whole(points)]
        return pd.DataFrame(rows)[[*self.terrain.space.names[: self.n_dimensions]]]

    def _whole(self, points: Floats) -> Floats:
        if self.n_dimensions == 2:
            return points
        return np.column_stack([points[:, 0], np.full(len(points), self.terrain.tops[0][1])])


@lru_cache(maxsize=2)
def _grid(n_dimensions: int) -> Floats:
    units = np.linspace(0.0, 1.0, SIDES[n_dimensions])
    if n_dimensions == 1:
        return units[:, None]
    return np.column_stack([np.tile(units, len(units)), np.repeat(units, len(units))])
