"""Points that a model-based method weighs before it proposes one, and the values that its model learns from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hpo_core.cube import Cube
from hpo_core.space import Categorical, SearchSpace

Floats = NDArray[np.float64]

_MOST_ENUMERATED = 2000
_REFINEMENTS = (0.15, 0.07, 0.03, 0.015)


class Candidates:
    """Legal points to weigh: all of a small finite space; else random ones and neighbours of good ones, refined."""

    def __init__(self, space: SearchSpace) -> None:
        self._cube = Cube(space)
        self._all = self._cube.all_points(_MOST_ENUMERATED)
        self._is_categorical = np.array([isinstance(p, Categorical) for p in space.parameters], dtype=bool)

    def anywhere(self, n: int, rng: np.random.Generator) -> Floats:
        """Random legal points, shape (n, d)."""
        return self._cube.snap(rng.random((n, len(self._cube.space))))

    def ranked(
        self, promise: Callable[[Floats], Floats], good: Floats, rng: np.random.Generator, share: float = 1.0
    ) -> Floats:
        """Candidates by falling promise; `good` are the best known points, best first.

        `share` below 1 weighs fewer, for a promise whose cost grows faster than their number.
        """
        if self._all is not None:
            points = self._all if share == 1 else rng.permutation(self._all)[: round(1300 * share)]
            return points[np.argsort(-promise(points), kind="stable")]
        points = np.vstack(
            [
                self.anywhere(round(700 * share), rng),
                self.nearby(good, round(400 * share), 0.2, rng),
                self.nearby(good[:1], round(200 * share), 0.08, rng),
            ]
        )
        scores = promise(points)
        for width in _REFINEMENTS:
            top = np.argsort(-scores)[:6]
            closer = self.nearby(points[top], round(150 * share), width, rng)
            points, scores = np.vstack([points[top], closer]), np.concatenate([scores[top], promise(closer)])
        return points[np.argsort(-scores, kind="stable")]

    def nearby(self, centres: Floats, n: int, width: float, rng: np.random.Generator) -> Floats:
        """Centres with a few coordinates moved: numbers by a normal step, half of them a short one; categories anew."""
        d = centres.shape[1]
        anywhere = rng.random((n, d))
        start = centres[rng.integers(len(centres), size=n)]
        start = np.where(np.isnan(start), anywhere, start)
        is_moved = rng.random((n, d)) < max(1.5 / d, 0.25)
        is_moved[np.arange(n), rng.integers(d, size=n)] = True
        step = rng.standard_normal((n, d)) * width * np.where(rng.random((n, 1)) < 0.5, 1.0, 0.25)
        moved = np.where(self._is_categorical, anywhere, _reflected(start + step))
        return self._cube.snap(np.where(is_moved, moved, start))


def _reflected(units: Floats) -> Floats:
    """Points beyond a face of the cube, mirrored back into it."""
    return np.asarray(1 - np.abs(1 - np.abs(units) % 2))


def without_disasters(values: Floats, n_first: int) -> Floats:
    """Values with the very bad ones cut: a model that diverged must not set the scale for all others.

    The limit lies ten times as far above the median of the first trials as that lies above the best. The first trials
    are spread out; later ones crowd around the best, and would draw the limit down with them.
    """
    best = values.min()
    for middle in (np.median(values[:n_first]), np.quantile(values, 0.9)):
        if middle > best:
            return np.asarray(np.minimum(values, middle + 10 * (middle - best)))
    return values
