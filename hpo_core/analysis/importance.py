"""Which parameters matter: shares of the values' ups and downs, with intervals from resampled trials.

The shares are those of `variance_forest`, over twenty resamples of the trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpo_core.analysis.selection import Rows, moving_parameters, representative_rows, robust_limits
from hpo_core.analysis.units import units_of
from hpo_core.analysis.variance_forest import forest_shares
from hpo_core.formats import format_count
from hpo_core.studies.table import Floats, TrialTable

WEAK = 0.1
_TINY = 0.01
_FEWEST, _PER_PARAMETER = 20, 4
_MOST, _MOST_IN_PART = 1000, 300
_RESAMPLES = 20
_INTERVAL = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the values' variance that one parameter, or two together beyond each alone, accounts for.

    Attributes:
        names: The parameter, or the two.
        low, median, high: Median and 90 % interval over the resamples, 0 to 1.
        n_trials: Trials that it was learned from.
        is_partial: Whether it holds among the trials that use the parameter only.
    """

    names: tuple[str, ...]
    low: float
    median: float
    high: float
    n_trials: int
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Importance:
    """What matters in a study.

    Attributes:
        shares: Of single parameters, the largest median first.
        pairs: The strongest interactions of two parameters, the largest first.
        too_few: Parameters that too few trials use to say anything.
        r2: Share of the variance of trials left out of a resample that its forest explains; at most 1.
        n_trials, n_usable: Trials that were learned from, and finished trials.
        chance: Upper end of the interval of a made-up parameter that has nothing to do with the values.
    """

    shares: tuple[Share, ...]
    pairs: tuple[Share, ...]
    too_few: tuple[str, ...]
    r2: float
    n_trials: int
    n_usable: int
    chance: float

    def is_clear(self, share: Share) -> bool:
        """Whether it is more than chance gives a made-up parameter, and more than a hundredth."""
        return not self.is_weak and share.median > self.threshold

    @property
    def threshold(self) -> float:
        """Shares up to here say nothing."""
        return max(self.chance, _TINY)

    @property
    def is_weak(self) -> bool:
        """Whether the trials say next to nothing about what matters."""
        return self.r2 < WEAK


def why_no_importance(table: TrialTable) -> str | None:
    """The sentence why nothing can be said, or None."""
    usable = _usable(table)
    moving = moving_parameters(table)
    if not moving:
        return "No parameter differs between the finished trials, so none can matter more than another."
    need = max(_FEWEST, _PER_PARAMETER * len(moving))
    if len(usable) < need:
        return (
            f"Too few trials to tell what matters: {format_count(len(moving), 'parameter')} need at least {need} "
            f"finished trials; so far there are {len(usable)}."
        )
    if np.ptp(table.values[usable]) == 0:
        return "All finished trials have the same value, so nothing matters yet."
    return None


def importance(table: TrialTable, *, top_only: bool = False, seed: int = 0) -> Importance:
    """Shares of all parameters, for a table for which `why_no_importance` is None.

    A parameter that only some trials use is judged among these alone; in the forest of all trials it is drawn at random
    where it is not used, so that it tells nothing there.

    Args:
        table: The study.
        top_only: Whether values worse than the median count as the median: what matters among the better half.
        seed: For resamples, trees and probes.
    """
    usable, rows, names, units, values = learned_trials(table, top_only=top_only)
    is_used = ~np.isnan(units)
    whole = forest_shares(units, values, _RESAMPLES, seed)
    steady = [name for i, name in enumerate(names) if is_used[:, i].all()]
    shares = [share_of((name,), whole.single[:, names.index(name)], len(rows)) for name in steady]
    too_few = []
    for part, columns in _parts(is_used):
        mine, own = part & np.isfinite(values), [names[i] for i in columns]
        if mine.sum() < _FEWEST or np.ptp(values[mine]) == 0:
            too_few += own
            continue
        chosen = np.flatnonzero(mine)[:: int(np.ceil(mine.sum() / _MOST_IN_PART))]
        among = forest_shares(units[chosen], values[chosen], _RESAMPLES // 2, seed)
        shares += [share_of((names[i],), among.single[:, i], len(chosen), is_partial=True) for i in columns]
    pairs = [share_of((names[i], names[j]), column, len(rows)) for (i, j), column in whole.pairs.items()]
    return Importance(
        shares=tuple(sorted(shares, key=lambda share: -share.median)),
        pairs=tuple(sorted(pairs, key=lambda share: -share.median)[:3]),
        too_few=tuple(too_few),
        r2=whole.r2,
        n_trials=len(rows),
        n_usable=len(usable),
        chance=float(np.quantile(whole.chance, _INTERVAL[-1])),
    )


class LearnedTrials(NamedTuple):
    """Trials that shares are learned from: all that can be, the rows chosen, their moving parameters, units, values.

    Units have the shape (rows, names), NaN where a parameter is not used; values are to be minimised.
    """

    usable: Rows
    rows: Rows
    names: list[str]
    units: Floats
    values: Floats


def learned_trials(table: TrialTable, *, top_only: bool = False) -> LearnedTrials:
    """The trials of a table for which `why_no_importance` is None, terrible values pulled in; see `importance`."""
    usable = _usable(table)
    rows = representative_rows(table, usable, _MOST, 0)
    names = moving_parameters(table)
    units = units_of(table, rows)[:, [list(table.params).index(name) for name in names]]
    return LearnedTrials(usable, rows, names, units, _clipped(table, usable, rows, top_only))


def _usable(table: TrialTable) -> Rows:
    return np.flatnonzero(table.is_learnable)


def _clipped(table: TrialTable, usable: Rows, rows: Rows, top_only: bool) -> Floats:
    """Values to minimise, terrible ones pulled in; with `top_only` no worse than the median of all."""
    limits = robust_limits(table.values[usable], table.sign)
    values = table.sign * np.clip(table.values[rows], limits.low, limits.high)
    return np.minimum(values, np.median(table.sign * table.values[usable])) if top_only else values


def _parts(is_used: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], list[int]]]:
    """Trials that use the same parameters among those not always used, with these parameters' columns."""
    found: dict[bytes, list[int]] = {}
    for column in np.flatnonzero(~is_used.all(axis=0)).tolist():
        found.setdefault(is_used[:, column].tobytes(), []).append(column)
    return [(is_used[:, columns[0]], columns) for columns in found.values()]


def share_of(names: tuple[str, ...], column: Floats, n_trials: int, *, is_partial: bool = False) -> Share:
    """Median and interval of a share over its resamples, shape (resamples,)."""
    low, median, high = np.quantile(column, _INTERVAL).tolist()
    return Share(names, low, median, high, n_trials, is_partial)
