"""What more trials would gain over the best so far: by a model of the study, or from its best values alone.

Gains are at least 0 and in the unit of the values, whichever direction is better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from hpo_core import gaussian_process
from hpo_core.analysis.surrogate import Surrogate
from hpo_core.cube import Cube
from hpo_core.studies.table import Floats

_N_ANYWHERE, _N_NEARBY, _N_CENTRES = 250, 250, 6
_WIDTHS = (0.2, 0.1, 0.04, 0.015)
_N_DRAWS = 256
_N_RESAMPLES = 400
_FEWEST_IN_TAIL = 8
_SHAPES = (-0.25, 2.0)  # scores have an end: no tail much heavier than an exponential one
_INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Gain:
    """A forecast: the expected gain, and the ends of its 90 % interval."""

    expected: float
    low: float
    high: float

    @staticmethod
    def of_sample(gains: Floats, room: float) -> Gain:
        """Of gains as they might come out, none above `room`."""
        gains = np.minimum(gains, room)
        low, high = np.quantile(gains, _INTERVAL)
        return Gain(float(gains.mean()), float(low), float(high))


def gain_by_model(surrogate: Surrogate, n_more: int, *, room: float = math.inf, seed: int = 0) -> Gain | None:
    """The gain of a method that learns, from functions drawn from the surrogate.

    A draw says what the function might be at the incumbent and at candidates; the places that the next trials go to are
    where other draws have their best: Thompson sampling. The gain of a draw is by how much the best of these beats the
    incumbent, which is the trial with the best expected value, not the luckiest one. A search learns on its way, so the
    upper end of the interval is that of the best of all candidates, which no search can beat in this model.

    None where the model is not to be believed: it expects more than can be gained at all.

    Args:
        surrogate: The model.
        n_more: How many trials are to come.
        room: How much can be gained at most, as a share of rows cannot be above 1.
        seed: Of the draws.

    Source: Makarova et al. (2022), Automatic Termination for Hyperparameter Optimization, who bound the regret in the
    same model; Ishibashi et al. (2023), A Stopping Criterion for Bayesian Optimization by the Gap of Expected Minimum
    Simple Regrets; Kandasamy et al. (2018), Parallelised Bayesian Optimisation via Thompson Sampling.
    """
    process, rng = surrogate.process, np.random.default_rng(seed)
    with gaussian_process.one_thread():
        order = np.argsort(surrogate.table.sign * process.expected(process.units), kind="stable")
        centres = process.units[order[:_N_CENTRES]]
        points = np.vstack([centres[:1], _candidates(Cube(process.space), centres, rng)])
        drawn = surrogate.table.sign * process.draws(points, _N_DRAWS, rng)
    tried = drawn.argmin(axis=1)[rng.integers(_N_DRAWS, size=(_N_DRAWS, n_more))]
    best = np.take_along_axis(drawn, tried, axis=1).min(axis=1)
    incumbent = drawn[:, 0]
    reached, within_reach = (np.maximum(incumbent - ends, 0.0) for ends in (best, drawn.min(axis=1)))
    if reached.mean() > room:
        return None
    return replace(Gain.of_sample(reached, room), high=Gain.of_sample(within_reach, room).high)


def _candidates(cube: Cube, centres: Floats, rng: np.random.Generator) -> Floats:
    """Legal points: everywhere, and near the best."""
    d = centres.shape[1]
    start = centres[rng.integers(len(centres), size=_N_NEARBY)]
    anywhere = rng.random((_N_NEARBY, d))
    start = np.where(np.isnan(start), anywhere, start)
    is_moved = rng.random((_N_NEARBY, d)) < max(2.0 / max(d, 1), 0.5)
    step = rng.standard_normal((_N_NEARBY, d)) * rng.choice(_WIDTHS, size=(_N_NEARBY, 1))
    nearby = np.where(is_moved, start + step, start)
    return np.vstack([cube.snap(rng.random((_N_ANYWHERE, d))), cube.snap(nearby)])


def gain_by_extremes(signed: Floats, n_more: int, *, room: float = math.inf, seed: int = 0) -> Gain:
    """The gain of a method that does not learn, whose trials are like draws from one distribution of values.

    The tail of the best values is taken for a generalised Pareto distribution without a heavy tail. The best of the n
    values so far and the best of the m to come are then both extremes drawn from it: the chance of any gain is
    m / (n + m), whatever the distribution. The interval holds that luck, and by resampling the uncertainty of the tail.

    Args:
        signed: Values so far, lower being better, shape (n,), n at least 2.
        n_more: How many trials are to come.
        room: How much can be gained at most.
        seed: Of the resampling.

    Source: Pickands (1975), Statistical Inference Using Extreme Order Statistics; Hosking and Wallis (1987), Parameter
    and Quantile Estimation for the Generalized Pareto Distribution; Efron (1979), Bootstrap Methods.
    """
    rng, ordered, n = np.random.default_rng(seed), np.sort(signed), len(signed)
    size = min(n - 1, max(_FEWEST_IN_TAIL, round(2 * np.sqrt(n))))
    excess = ordered[size] - ordered[:size]
    tails = _Tails.fitted(excess[rng.integers(size, size=(_N_RESAMPLES, size))], size / n)
    so_far, to_come = rng.beta(1, n, _N_RESAMPLES), rng.beta(1, n_more, _N_RESAMPLES)
    return Gain.of_sample(np.maximum(tails.excess(to_come) - tails.excess(so_far), 0.0), room)


@dataclass(frozen=True, slots=True)
class _Tails:
    """Generalised Pareto tails, one for each resample; arrays have shape (resamples,).

    Attributes:
        shape: 0 is exponential, 1 even up to an end, below 0 heavier.
        share: Of all values, those in the tail.
    """

    scale: Floats
    shape: Floats
    share: float

    @staticmethod
    def fitted(excesses: Floats, share: float) -> _Tails:
        """One tail for each row, by probability-weighted moments."""
        size = excesses.shape[1]
        weights = 1 - (np.arange(1, size + 1) - 0.35) / size
        first = excesses.mean(axis=1)
        second = (np.sort(excesses, axis=1) * weights).mean(axis=1)
        shape = np.clip(first / np.maximum(first - 2 * second, 1e-300) - 2, *_SHAPES)
        return _Tails(first * (1 + shape), shape, share)

    def excess(self, chances: Floats) -> Floats:
        """By how much the values that are beaten with these chances lie within the tail; 0 outside."""
        inside = np.clip(chances / self.share, 1e-300, 1.0)
        bent = np.abs(self.shape) > 1e-6
        shape = np.where(bent, self.shape, 1.0)
        return self.scale * np.where(bent, (1 - inside**shape) / shape, -np.log(inside))
