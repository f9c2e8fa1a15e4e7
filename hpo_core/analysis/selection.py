"""Which trials to draw when there are too many, and which values to leave out of view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpo_core.formats import format_count
from hpo_core.studies.table import Floats, TrialTable

Rows = NDArray[np.int64]

_KNUTH = 2654435761


def representative_rows(table: TrialTable, candidates: Rows, limit: int, n_best: int) -> Rows:
    """At most `limit` of the candidate rows: the best, the person's own, and an even sample of the others, in order.

    The sample depends on the trials' numbers alone, so that it hardly changes while a search adds trials.
    """
    if len(candidates) <= limit:
        return candidates
    order = np.argsort(np.where(table.is_complete, table.sign * table.values, np.inf)[candidates], kind="stable")
    rank = np.empty(len(candidates), dtype=np.int64)
    rank[order] = np.arange(len(candidates))
    is_own = np.isin(table.arms[candidates], ("manual", "default"))
    shuffled = (table.numbers[candidates].astype(np.uint64) * np.uint64(_KNUTH)) % np.uint64(2**32)
    tier = np.where(rank < n_best, 0, np.where(is_own, 1, 2))
    chosen = np.lexsort((shuffled, tier))[:limit]
    return np.sort(candidates[chosen])


def best_rows(table: TrialTable, top: int) -> list[int]:
    """Rows of the best complete trials with a finite value, a configuration once, at most `top`, best first."""
    finite = np.flatnonzero(table.is_complete & np.isfinite(table.values))
    seen: set[tuple[tuple[str, object], ...]] = set()
    chosen: list[int] = []
    for row in finite[np.argsort(table.sign * table.values[finite], kind="stable")].tolist():
        if len(chosen) >= top:
            break
        configuration = tuple(table.configuration(row).items())
        if configuration not in seen:
            seen.add(configuration)
            chosen.append(row)
    return chosen


def estimates_in_words(table: TrialTable) -> str:
    """How many trials count by an estimate, as the end of a sentence, or ""."""
    count = int(table.is_estimated.sum())
    return f", {format_count(count)} of them by an estimate from their first folds" if count else ""


def moving_parameters(table: TrialTable) -> list[str]:
    """Parameters with at least two different values among the trials that a model can learn from."""
    usable = table.is_learnable
    columns = {name: column[usable & ~np.isnan(column)] for name, column in table.params.items()}
    return [name for name, column in columns.items() if len(column) and column.min() < column.max()]


@dataclass(frozen=True, slots=True)
class Limits:
    """A range of values in which the good trials can be told apart.

    Attributes:
        low, high: Ends of the range, padded, at the better end more.
        n_outside: Finite values that lie outside, all on the worse side.
        n_infinite: Values that are infinite.
    """

    low: float
    high: float
    n_outside: int
    n_infinite: int


def robust_limits(values: Floats, sign: float, share: float = 0.75) -> Limits:
    """Limits that hold the best value and leave out terrible ones. Shape (n,), no NaN.

    Values are left out when they are further from the better share than twice the width of these.
    """
    finite = sign * values[np.isfinite(values)]
    n_infinite = len(values) - len(finite)
    if not len(finite):
        return Limits(0.0, 1.0, 0, n_infinite)
    best, worst = float(finite.min()), float(finite.max())
    middling = float(np.quantile(finite, share))
    fence = middling + 2 * (middling - best)
    if len(finite) >= 8 and middling > best and worst > fence:
        worst = float(finite[finite <= fence].max())
    pad = 0.06 * (worst - best) or max(abs(best) * 0.02, 1e-3)
    ends = sorted((sign * (best - 2 * pad), sign * (worst + pad)))
    return Limits(ends[0], ends[1], int((finite > worst).sum()), n_infinite)
