"""Terrains: a landscape, or the response surface of a model, with altitudes in metres instead of heights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from hpo_core.datasets import DATASETS
from hpo_core.formats import format_value
from hpo_core.landscapes import LANDSCAPES, Landscape
from hpo_core.lessons._response import Response, between
from hpo_core.space import Configuration, SearchSpace, configuration_digest

Floats = NDArray[np.float64]
SIDE = 61
CLIMB = 1000.0  # metres from the middle of a terrain to its summit
_TOPS = 12


@dataclass(frozen=True, eq=False)
class Terrain:
    """Something over two parameters whose summit is sought.

    Altitude is performance: the summit lies 1,000 m above the place that half of the terrain lies below, and that
    place at an altitude that nobody knows, as nobody knows the best possible score when they tune.

    Attributes:
        label: Name on screen.
        purpose: What is hard about it, in a line.
        source: Where it comes from.
        space: Its two parameters.
        loss: What is to be made small, at a configuration.
        tops: Points of the unit square where the summit is reached, shape (n, 2).
        least: The loss there.
        noise: Standard deviation of a look, in standard deviations of the loss over the terrain.
        seed: Of the noise and of the altitude of the middle.
    """

    label: str
    purpose: str
    source: str
    space: SearchSpace
    loss: Callable[[Configuration], float]
    tops: Floats
    least: float
    noise: float = 0.0
    seed: int = 0

    def look(self, configuration: Configuration) -> float:
        """The loss as a look shows it; the same look at the same place shows the same."""
        if not self.noise:
            return self.loss(configuration)
        rng = np.random.default_rng([self.seed, int(configuration_digest(configuration), 16)])
        return self.loss(configuration) + self.noise * float(self.losses.std()) * float(rng.standard_normal())

    def altitude(self, losses: Floats) -> Floats:
        """Losses in metres above the sea, any shape."""
        return np.asarray(self._middle - CLIMB * (losses - self._half) / self._unit)

    @property
    def summit(self) -> float:
        """Metres above the sea."""
        return self._middle + CLIMB

    @property
    def noise_metres(self) -> float:
        """Standard deviation of a look, in metres."""
        return CLIMB * self.noise * float(self.losses.std()) / self._unit

    @cached_property
    def losses(self) -> Floats:
        """On a regular grid of the unit square, shape (61, 61), rows along the second parameter."""
        axis = np.linspace(0.0, 1.0, SIDE)
        return np.array([[self.loss(self.space.from_unit((x, y))) for x in axis] for y in axis])

    @cached_property
    def altitudes(self) -> Floats:
        """Of the same grid, in metres above the sea."""
        return self.altitude(self.losses)

    def place(self, x: float, y: float) -> str:
        """A point of the unit square in words."""
        values = self.space.from_unit((x, y)).items()
        return ", ".join(f"{self.space[name].title} = {format_value(value)}" for name, value in values)

    @cached_property
    def _half(self) -> float:
        return float(np.median(self.losses))

    @property
    def _unit(self) -> float:
        """More than nothing also where half of the terrain is a plateau as high as the summit."""
        gap = self._half - self.least
        return gap if gap > 0 else float(np.ptp(self.losses)) or 1.0

    @property
    def _middle(self) -> float:
        return float(np.random.default_rng([self.seed, 7]).integers(300, 2500))


def analytic() -> dict[str, Landscape]:
    """The landscapes of two real parameters, by label."""
    return {s.label: s for s in LANDSCAPES if len(s.space) == 2 and all(p.kind == "float" for p in s.space.parameters)}


@lru_cache(maxsize=64)
def terrain_of(landscape: str, noise: float, seed: int) -> Terrain:
    """The terrain of a landscape, by its key."""
    shape = LANDSCAPES[landscape]
    tops = shape.space.to_unit(shape.minimisers)
    return Terrain(
        shape.label, shape.purpose, shape.source, shape.space, shape.function, tops, shape.minimum, noise, seed
    )


def terrain_from(response: Response, scores: Floats, noise: float, seed: int) -> Terrain:
    """The terrain of a model whose scores are known on a grid; between the places that were fitted, it is bilinear."""
    space = response.space

    def loss(configuration: Configuration) -> float:
        return -between(scores, *space.to_unit([configuration])[0])

    rows, columns = np.nonzero(scores == scores.max())
    tops = np.column_stack([columns, rows])[:: max(1, len(rows) // _TOPS)] / (len(scores) - 1)
    problem, source = response.problem, DATASETS[response.data].source
    purpose = f"a real one, {problem.title}, fitted at {scores.size:,} places and scored on held-out folds."
    return Terrain(response.label, purpose, source, space, loss, tops, -float(scores.max()), noise, seed)
