"""Local importance: what moving one parameter away from the best configuration would cost, all others staying."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpo_core import gaussian_process
from hpo_core.analysis.places import Places
from hpo_core.analysis.surrogate import Surrogate
from hpo_core.space import Categorical
from hpo_core.studies.table import Floats

_MOST_PLACES, _FEWEST_PLACES, _AT_ONCE = 24, 8, 720
_DRAWS = 200
_INTERVAL = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class LocalAxis:
    """One parameter's axis through the best configuration.

    Attributes:
        name: The parameter.
        best: Where the best configuration is on it, in [0, 1].
        units: Places along it, ascending, evenly spread; every category.
        low, median, high: Median and 90 % interval of its share in the variance of all axes, 0 to 1.
        loss: How much worse it is expected to be there than at the best, shape (places,); below 0 it is better.
        loss_low, loss_high: The 90 % interval of the loss.
        is_unknown: Where the surrogate knows little, shape (places,).
        safe: Between which places around the best nothing is expected to be lost beyond the noise of one value.
    """

    name: str
    best: float
    units: Floats
    low: float
    median: float
    high: float
    loss: Floats
    loss_low: Floats
    loss_high: Floats
    is_unknown: NDArray[np.bool_]
    safe: tuple[float, float]

    @property
    def worst(self) -> int:
        """The place that costs most."""
        return int(np.argmax(self.loss))

    @property
    def is_clear(self) -> bool:
        """Whether moving it makes a difference somewhere that is beyond the surrogate's doubt."""
        return bool((self.loss_low > 0).any() or (self.loss_high < 0).any())


@dataclass(frozen=True, slots=True, eq=False)
class LocalImportance:
    """What matters around the best configuration.

    Attributes:
        row: The best trial.
        axes: Of the parameters that it uses and that differ between the trials, the largest share first.
        unused: Those that it does not use.
        noise: Standard deviation of one value around the surrogate.
    """

    row: int
    axes: tuple[LocalAxis, ...]
    unused: tuple[str, ...]
    noise: float


def local_importance(surrogate: Surrogate, names: list[str], *, seed: int = 0) -> LocalImportance:
    """Shares and losses along the axes of some parameters through the best trial.

    The share of a parameter is the variance of the surrogate along its axis over the sum of these variances. Both come
    with the interval that functions drawn from the surrogate give them, so that an axis about which little is known
    has a wide one. What a category brings with it when it is moved is as in the best trial that has it.

    Source: Biedenkapp, Marben, Lindauer and Hutter (2018), CAVE: Configuration Assessment, Visualization and
    Evaluation, on local parameter importance.
    """
    row, places, process, sign = surrogate.anchor(), Places(surrogate), surrogate.process, surrogate.table.sign
    used = [name for name in names if not np.isnan(surrogate.table.params[name][row])]
    full = places.of_trial(row)
    grids = [_grid(places, name, len(used)) for name in used]
    points = np.vstack(
        [places.legal(full[None]), *(places.along(full[None], n, g)[:, 0] for n, g in zip(used, grids, strict=True))]
    )
    with gaussian_process.one_thread():
        mean, sd = process.predict(points)
        drawn = sign * process.draws(points, _DRAWS, np.random.default_rng(seed))
    ends = np.cumsum([1, *map(len, grids)])
    parts = [slice(a, b) for a, b in itertools.pairwise(ends.tolist())]
    variances = np.array([drawn[:, part].var(axis=1) for part in parts]).reshape(len(parts), _DRAWS)
    shares = variances / np.maximum(variances.sum(axis=0), 1e-300)
    axes = []
    for name, grid, part, share in zip(used, grids, parts, shares, strict=True):
        low, median, high = np.quantile(share, _INTERVAL).tolist()
        loss_low, _, loss_high = np.quantile(drawn[:, part] - drawn[:, :1], _INTERVAL, axis=0)
        loss = sign * (mean[part] - mean[0])
        best = float(full[places.column(name)])
        is_unknown = process.is_ignorant(sd[part])
        safe = safe_range(grid, loss, best, process.noise)
        axes.append(LocalAxis(name, best, grid, low, median, high, loss, loss_low, loss_high, is_unknown, safe))
    axes.sort(key=lambda axis: -axis.median)
    return LocalImportance(row, tuple(axes), tuple(n for n in names if n not in used), process.noise)


def _grid(places: Places, name: str, n_axes: int) -> Floats:
    p = places.space[name]
    if isinstance(p, Categorical):
        return (np.arange(len(p.choices)) + 0.5) / len(p.choices)
    n = int(np.clip(_AT_ONCE // max(n_axes, 1), _FEWEST_PLACES, _MOST_PLACES))
    return (np.arange(n) + 0.5) / n


def safe_range(units: Floats, loss: Floats, best: float, noise: float) -> tuple[float, float]:
    """The stretch around the best in which every place costs no more than the noise; the best alone where none does."""
    is_free = loss <= noise
    below, above = np.flatnonzero(units < best)[::-1], np.flatnonzero(units > best)
    ends = []
    for side in (below, above):
        stop = np.flatnonzero(~is_free[side])
        free = side[: stop[0]] if len(stop) else side
        ends.append(float(units[free[-1]]) if len(free) else best)
    return ends[0], ends[1]
