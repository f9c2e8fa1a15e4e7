"""What luck alone finds: how good the best of so many random trials would be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpo_core.analysis.selection import Rows
from hpo_core.studies.table import Floats, TrialTable

RANDOM_ARMS = ("random", "sklearn_random", "sobol", "halton", "latin_hypercube")
FEWEST = 5
_STRAPS, _MOST_STEPS = 400, 60
_MOST_CELLS = 4_000_000
_FEWEST_TOP = 4


@dataclass(frozen=True, eq=False)
class LuckCurve:
    """The expected best of k random trials, for k from 1 to n.

    Attributes:
        k: Numbers of trials, rising, shape (m,).
        expected: Expected best of so many, in the metric's unit, shape (m,).
        low, high: 95 % interval of that, shape (m,).
        draws: Values that it was drawn from, the best first, shape (n,).
    """

    k: NDArray[np.int64]
    expected: Floats
    low: Floats
    high: Floats
    draws: Floats


def random_rows(table: TrialTable) -> Rows:
    """Rows of the trials that were drawn at random and came to an end, failed ones included.

    Those that lost a race between their folds count by the estimate that they have.
    """
    is_drawn = np.isin(table.arms, RANDOM_ARMS)
    is_infinite = table.is_complete & ~np.isfinite(table.values)
    return np.flatnonzero(is_drawn & (table.is_learnable | table.is_failed | is_infinite))


def draws_of(table: TrialTable, rows: Rows) -> Floats:
    """Values of random trials, the best first; a trial without a finite one counts as the worst of the others."""
    signed = table.sign * np.where(table.is_learnable, table.values, np.nan)[rows]
    known = np.isfinite(signed)
    if not known.any():
        return np.empty(0)
    draws: Floats = table.sign * np.sort(np.where(known, signed, signed[known].max()))
    return draws


def luck_curve(draws: Floats, seed: int = 0) -> LuckCurve:
    """The curve for these values of random trials, the best first, shape (n,), n at least 1.

    The best of k draws with replacement from the n values: the i-th best is the best of them with probability
    ((n - i + 1) / n)^k - ((n - i) / n)^k. The interval is the bootstrap's, over the draws.

    Source: Dodge, Gururangan, Card, Schwartz and Smith (2019), Show Your Work: Improved Reporting of Experimental
    Results, eq. 5 to 7: expected validation performance. It leans towards the worse at large k (Tang et al. 2020,
    Showing Your Work Doesn't Always Work), so no arm is flattered by it at k close to n more than it says.
    """
    n = len(draws)
    k = np.unique(np.round(np.geomspace(1, n, _MOST_STEPS)).astype(np.int64))
    left = (n - np.arange(n + 1)) / n
    weights = left[:-1, None] ** k - left[1:, None] ** k
    expected = draws @ weights
    rng = np.random.default_rng(seed)
    straps = max(50, min(_STRAPS, _MOST_CELLS // n))
    # Sorted places in sorted draws: a resample whose values stand in their order.
    places = np.sort(rng.integers(0, n, size=(straps, n)), axis=1)
    resampled = draws[places] @ weights
    ends = np.sort(np.quantile(resampled, [0.025, 0.975], axis=0), axis=0)
    return LuckCurve(k, expected, ends[0], ends[1], draws)


def chance_of_luck(draws: Floats, value: float, k: int, sign: float) -> float:
    """How likely the best of k further random trials is at least as good as a value.

    Up to the best draw by the share of the draws. Beyond it by an exponential tail of the best of them, since that the
    best draw was not better is luck, too; how wide the tail is is averaged over what so few leave open. Scores have an
    end that they cannot pass, so their tails are lighter, and the chance is rather too high than too low.

    Args:
        draws: Values of random trials, the best first, shape (n,).
        value: What is compared with them.
        k: Number of trials.
        sign: +1 where lower is better, -1 where higher is.

    Source: Davison and Smith (1990), Models for Exceedances over High Thresholds, with the shape of an exponential.
    """
    n = len(draws)
    n_top = min(n - 1, max(_FEWEST_TOP, math.isqrt(n)))
    beyond = sign * (draws[n_top] - value)
    scale = float((sign * (draws[n_top] - draws[:n_top])).mean())
    if sign * value >= sign * draws[0]:
        share = float((sign * draws <= sign * value).mean())
    elif scale > 0:
        share = n_top / n * (1 + beyond / (n_top * scale)) ** -n_top
    else:
        share = 1 / (n + 1)
    return float(1 - (1 - share) ** k)
