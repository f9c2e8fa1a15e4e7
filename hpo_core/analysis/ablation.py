"""Ablation: which of the changes between two configurations gained what, in the order of their gains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpo_core import gaussian_process
from hpo_core.analysis.places import Places
from hpo_core.analysis.surrogate import Surrogate
from hpo_core.formats import format_value
from hpo_core.studies.table import Floats

_DRAWS = 400
_INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the path.

    Attributes:
        name: The parameter that moves.
        others: Parameters that come, go or move with it, as they depend on it.
        before, after: Its values in words; "not used" where it is not.
        value: What the surrogate expects after it.
        gain: By how much it expects that to be better than before it; below 0 it is worse.
        low, high: The 90 % interval of the gain.
    """

    name: str
    others: tuple[str, ...]
    before: str
    after: str
    value: float
    gain: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the surrogate is sure that it makes a difference."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Ablation:
    """The way from one trial to another.

    Attributes:
        start, end: Rows of the two trials.
        start_value, end_value: What the surrogate expects of them.
        start_sd, end_sd: Its doubt about these.
        changes: The steps, in order.
        n_same: Parameters that both use with the same value.
        gain: What all changes together are expected to gain.
        low, high: The 90 % interval of that.
    """

    start: int
    end: int
    start_value: float
    end_value: float
    start_sd: float
    end_sd: float
    changes: tuple[Change, ...]
    n_same: int
    gain: float
    low: float
    high: float


def ablation(surrogate: Surrogate, start: int, end: int, *, seed: int = 0) -> Ablation:
    """Walks from one trial (by its row) to another, each time by the change that the surrogate expects to gain most.

    A parameter that is used under some category only comes and goes with this; where a category brings one with it, it
    takes the value of the trial at the end. What a change gains depends on those before it.

    Sources: Fawcett and Hoos (2016), Analysing Differences Between Algorithm Configurations through Ablation; on a
    surrogate Biedenkapp, Lindauer, Eggensperger, Hutter, Fawcett and Hoos (2017), Efficient Parameter Importance
    Analysis via Ablation with Surrogates. The intervals are those of functions drawn from the surrogate along the path.
    """
    places, process, sign = Places(surrogate), surrogate.process, surrogate.table.sign
    current, goal = _ends(places, start, end)
    with gaussian_process.one_thread():
        path, movers = _walk(places, current, goal)
        points = places.legal(np.array(path))
        mean, sd = process.predict(points)
        drawn = sign * process.draws(points, _DRAWS, np.random.default_rng(seed))
    gains = drawn[:, :-1] - drawn[:, 1:]
    bounds = np.quantile(gains, _INTERVAL, axis=0) if movers else np.empty((2, 0))
    whole = np.quantile(drawn[:, 0] - drawn[:, -1], _INTERVAL)
    changes = tuple(
        _change(places, points[i : i + 2], columns, mean[i : i + 2], bounds[:, i]) for i, columns in enumerate(movers)
    )
    return Ablation(
        start=start,
        end=end,
        start_value=float(mean[0]),
        end_value=float(mean[-1]),
        start_sd=float(sd[0]),
        end_sd=float(sd[-1]),
        changes=changes,
        n_same=int((points[0] == points[-1]).sum()),
        gain=float(sign * (mean[0] - mean[-1])),
        low=float(whole[0]),
        high=float(whole[1]),
    )


def _ends(places: Places, start: int, end: int) -> tuple[Floats, Floats]:
    """Both as full points: what one of them does not use is as in the other, so that it does not count as a change."""
    first, last = (places.of_trial(row) for row in (start, end))
    is_used = ~np.isnan(places.legal(np.array([first, last])))
    return (
        np.where(is_used[0] | ~is_used[1] | places.is_loose, first, last),
        np.where(is_used[1] | ~is_used[0] | places.is_loose, last, first),
    )


def _walk(places: Places, current: Floats, goal: Floats) -> tuple[list[Floats], list[list[int]]]:
    """Full points from the start to the goal, and the columns that change at each step, first the one that pulls."""
    path, movers, sign = [current], [], places.surrogate.table.sign
    reached = places.legal(goal[None])[0]
    is_mover = ~_is_same(current, goal) & (places.is_loose | ~np.isnan(reached))
    left = np.flatnonzero(is_mover).tolist()
    while left:
        candidates = np.repeat(path[-1][None], len(left), axis=0)
        candidates[np.arange(len(left)), left] = goal[left]
        legal, here = places.legal(candidates), places.legal(path[-1][None])[0]
        is_real = np.array([not _is_same(here, point).all() for point in legal])
        expected = np.where(is_real, sign * places.surrogate.process.expected(legal), np.inf)
        chosen = int(np.argmin(expected))
        column = left.pop(chosen)
        path.append(candidates[chosen])
        if is_real[chosen]:
            moved = np.flatnonzero(~_is_same(here, legal[chosen])).tolist()
            movers.append([column, *(i for i in moved if i != column)])
        else:  # it makes no difference before another one has moved; or never
            path.pop(-2)
    return path, movers


def _is_same(a: Floats, b: Floats) -> NDArray[np.bool_]:
    return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))


def _change(places: Places, ends: Floats, columns: list[int], mean: Floats, bounds: Floats) -> Change:
    names, column = places.space.names, columns[0]
    p = places.space.parameters[column]
    before, after = (
        "not used" if np.isnan(u) else format_value(p.from_unit(float(u))) for u in ends[:, column].tolist()
    )
    gain = float(places.surrogate.table.sign * (mean[0] - mean[1]))
    others = tuple(names[i] for i in columns[1:])
    return Change(names[column], others, before, after, float(mean[1]), gain, float(bounds[0]), float(bounds[1]))
