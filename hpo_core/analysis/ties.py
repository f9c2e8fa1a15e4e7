"""Which trials are statistically tied with the best one: its lead over them is within the noise of the folds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hpo_core.studies.table import Floats, TrialTable

UNTOLD, BEST, TIED, WORSE = 0, 1, 2, 3
STANDING_WORDS = {UNTOLD: "", BEST: "best", TIED: "tied", WORSE: "worse"}

_LEVEL = 0.975


def overlap_in(table: TrialTable) -> float:
    """Validation rows over training rows of a fold, see `compare_folds`; where it is unknown, as of k-fold division."""
    return 1 / max(table.fold_scores.shape[1] - 1, 1) if table.overlap is None else table.overlap


def standings(table: TrialTable, rows: NDArray[np.int64] | None = None) -> NDArray[np.int8]:
    """How trials stand to the best one, by the corrected resampled t-test on the folds that both have.

    Each is held against the best by itself, at 5 %, two-sided, as `compare_folds` does; without a correction for their
    number, which would call ever more trials tied as a search goes on.

    Args:
        table: The study.
        rows: Of these trials; of all by default.

    Returns:
        UNTOLD for trials that are not complete or have fewer than two folds in common with the best, else BEST, TIED or
        WORSE, shape (len(rows),).

    Source: Nadeau and Bengio (2003), Inference for the generalization error.
    """
    chosen = np.arange(len(table)) if rows is None else rows
    found = np.full(len(chosen), UNTOLD, dtype=np.int8)
    best = table.best()
    if best is None:
        return found
    found[chosen == best] = BEST
    rivals = np.flatnonzero(table.is_complete[chosen] & (chosen != best))
    mean, half, n_common = _lead(table, best, chosen[rivals])
    told = n_common > 1
    found[rivals[told]] = np.where(mean[told] > half[told], WORSE, TIED)
    return found


def can_tell_ties(table: TrialTable) -> bool:
    """Whether there is a best trial with folds enough to hold others against it."""
    best = table.best()
    return best is not None and bool(np.isfinite(table.fold_scores[best]).sum() > 1)


def _lead(table: TrialTable, best: int, rows: NDArray[np.int64]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """By how much the best is ahead of each of these trials, half the interval of that, and how many folds tell it."""
    scores, other = table.fold_scores[rows], table.fold_scores[best]
    common = np.isfinite(scores) & np.isfinite(other)
    gaps = table.sign * np.where(common, np.where(common, scores, 0.0) - np.where(common, other, 0.0), 0.0)
    n = common.sum(axis=1)
    freedom = np.maximum(n - 1, 1)
    with np.errstate(over="ignore"):  # scores near the end of all numbers are never tied
        mean = gaps.sum(axis=1) / np.maximum(n, 1)
        squares = np.where(common, (gaps - mean[:, None]) ** 2, 0.0).sum(axis=1)
    error = np.sqrt(squares / freedom * (1 / np.maximum(n, 1) + overlap_in(table)))
    return mean, special.stdtrit(freedom, _LEVEL) * error, n
