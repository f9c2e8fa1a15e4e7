"""The fold scores of the trials so far, signed so that lower is better: what a new trial is compared with."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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
        """Expected value of a trial from its first folds: the incumbent's mean plus the mean paired difference.

        Without any rival it is the mean of its own folds.
        """
        if not len(self):
            return float(np.mean(fold_scores))
        gap = self.sign * np.asarray(fold_scores) - self.incumbent[: len(fold_scores)]
        return float(self.sign * (self.incumbent.mean() + gap.mean()))
