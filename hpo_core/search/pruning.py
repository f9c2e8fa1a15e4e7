"""Pruning between folds: giving up a configuration that its first folds already show to be worse.

All configurations share their folds, so fold scores are compared in pairs. Both rules judge the folds in order, so
that the verdict does not depend on which of two parallel fits ends first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_MIN_TRIALS = 4  # fewer complete trials say too little about the noise
_Z = 1.0


@dataclass
class FoldHistory:
    """Fold scores of the complete trials so far, signed so that lower is better. Owned by one runner."""

    n_folds: int
    sign: float
    _rows: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, fold_scores: tuple[float, ...]) -> None:
        """Takes in a complete trial; one with missing folds is ignored."""
        row = self.sign * np.asarray(fold_scores, dtype=float)
        if len(row) == self.n_folds and np.isfinite(row).all():
            self._rows.append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def first(self, n: int) -> FoldHistory:
        """The history as it was when it held n trials."""
        return FoldHistory(self.n_folds, self.sign, self._rows[:n])

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Signed scores, shape (n trials, n folds)."""
        return np.array(self._rows).reshape(-1, self.n_folds)

    def estimate(self, fold_scores: tuple[float, ...]) -> float:
        """Expected value of a trial from its first folds: the incumbent's mean plus the mean paired difference."""
        matrix, k = self.matrix, len(fold_scores)
        incumbent = matrix[np.argmin(matrix.mean(axis=1))]
        gap = self.sign * np.asarray(fold_scores) - incumbent[:k]
        return float(self.sign * (incumbent.mean() + gap.mean()))


def is_hopeless(rule: str, fold_scores: tuple[float, ...], history: FoldHistory) -> bool:
    """Whether a trial with these first folds should be given up.

    Args:
        rule: `race`, `median` or `none`.
        fold_scores: Scores of folds 0..k-1 with k below the number of folds.
        history: Complete trials so far.
    """
    matrix, k = history.matrix, len(fold_scores)
    if rule == "none" or len(matrix) < _MIN_TRIALS or not 0 < k < history.n_folds:
        return False
    row = history.sign * np.asarray(fold_scores)
    if rule == "median":
        return bool(row.mean() > np.median(matrix[:, :k].mean(axis=1)))
    return _has_lost_race(row, matrix)


def _has_lost_race(row: NDArray[np.float64], matrix: NDArray[np.float64]) -> bool:
    """Racing with a pooled noise estimate: lost when the mean paired difference to the incumbent exceeds z standard
    errors.

    The noise is that of paired differences from fold to fold, pooled over the better half of the trials; the standard
    error carries the correction for a finite number of folds. After Maron and Moore (1994), Hoeffding races.
    """
    k, n_folds = len(row), matrix.shape[1]
    means = matrix.mean(axis=1)
    incumbent = matrix[np.argmin(means)]
    rivals = matrix[np.argsort(means, kind="stable")[1 : max(2, (len(matrix) + 1) // 2)]]
    noise = np.sqrt((rivals - incumbent).var(axis=1, ddof=1).mean())
    error = noise * np.sqrt(1 / k - 1 / n_folds)
    return bool((row - incumbent[:k]).mean() > _Z * error)
