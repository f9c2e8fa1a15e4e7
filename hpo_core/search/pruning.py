"""Pruning between folds: giving up a configuration that its first folds already show to be worse.

All configurations share their folds, so fold scores are compared in pairs. Both rules judge the folds in order, so
that the verdict does not depend on which of two parallel fits ends first.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_MIN_TRIALS = 4  # fewer complete trials say too little about the noise
_Z = 1.0

Floats = NDArray[np.float64]


class FoldHistory:
    """Fold scores of the complete trials so far. Owned by one runner.

    Args:
        n_folds: Folds of a whole trial.
        sign: 1 where lower scores are better, -1 where higher ones are.
    """

    def __init__(self, n_folds: int, sign: float) -> None:
        self.n_folds, self.sign = n_folds, sign
        self._rows = np.empty((64, n_folds))
        self._n = 0

    def add(self, fold_scores: tuple[float, ...]) -> None:
        """Takes in a complete trial; one with missing folds is ignored."""
        row = self.sign * np.asarray(fold_scores, dtype=float)
        if len(row) != self.n_folds or not np.isfinite(row).all():
            return
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[self._n] = row
        self._n += 1

    def snapshot(self) -> Rivals:
        """The history as it is now; later trials do not change it."""
        return Rivals(self._rows[: self._n], self.sign)


class Rivals:
    """The complete trials that a new one is compared with.

    Args:
        matrix: Scores, signed so that lower is better, shape (n trials, n folds).
        sign: As above.
    """

    def __init__(self, matrix: Floats, sign: float) -> None:
        self.matrix, self.sign = matrix, sign

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def n_folds(self) -> int:
        return int(self.matrix.shape[1])

    @cached_property
    def incumbent(self) -> Floats:
        """Signed scores of the best, shape (n folds,)."""
        return np.asarray(self.matrix[np.argmin(self.matrix.mean(axis=1))])

    @cached_property
    def noise(self) -> float:
        """Standard deviation from fold to fold of the difference to the incumbent, pooled over the better half."""
        better = np.argsort(self.matrix.mean(axis=1), kind="stable")[1 : max(2, (len(self) + 1) // 2)]
        return float(np.sqrt((self.matrix[better] - self.incumbent).var(axis=1, ddof=1).mean()))

    def estimate(self, fold_scores: tuple[float, ...]) -> float:
        """Expected value of a trial from its first folds: the incumbent's mean plus the mean paired difference."""
        gap = self.sign * np.asarray(fold_scores) - self.incumbent[: len(fold_scores)]
        return float(self.sign * (self.incumbent.mean() + gap.mean()))


def is_hopeless(rule: str, fold_scores: tuple[float, ...], rivals: Rivals) -> bool:
    """Whether a trial with these first folds should be given up.

    Args:
        rule: `race`, `median` or `none`.
        fold_scores: Scores of folds 0..k-1 with k below the number of folds.
        rivals: Complete trials so far.
    """
    k = len(fold_scores)
    if rule == "none" or len(rivals) < _MIN_TRIALS or not 0 < k < rivals.n_folds:
        return False
    row = rivals.sign * np.asarray(fold_scores)
    if rule == "median":
        return bool(row.mean() > np.median(rivals.matrix[:, :k].mean(axis=1)))
    return _has_lost_race(row, rivals)


def _has_lost_race(row: Floats, rivals: Rivals) -> bool:
    """Racing with a pooled noise estimate: lost when the mean paired difference to the incumbent exceeds z standard
    errors.

    The standard error carries the correction for a finite number of folds. After Maron and Moore (1994), Hoeffding
    races.
    """
    k = len(row)
    error = rivals.noise * np.sqrt(1 / k - 1 / rivals.n_folds)
    return bool((row - rivals.incumbent[:k]).mean() > _Z * error)
