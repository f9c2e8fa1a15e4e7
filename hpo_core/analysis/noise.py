"""Whether a difference between two configurations is more than the noise of their folds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

Verdict = Literal["better", "worse", "tie", "unknown"]


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean paired difference of two configurations on the same folds.

    Attributes:
        mean: First minus second, in the metric's unit; NaN without common folds.
        half_width: Half the width of the 95 % confidence interval; NaN with fewer than two common folds.
        verdict: For the first against the second; `unknown` with fewer than two common folds.
    """

    mean: float
    half_width: float
    verdict: Verdict


def compare_folds(first: ArrayLike, second: ArrayLike, *, is_higher_better: bool, overlap: float) -> Difference:
    """Compares fold scores in pairs by the corrected resampled t-test.

    Training sets of different folds share rows, so fold scores are not independent and the plain t-test sees
    differences where there are none. The correction adds the ratio of validation to training rows to the 1 / k of its
    variance.

    Args:
        first, second: Scores by fold, shape (k,); NaN where a fold was not done.
        is_higher_better: Direction of the metric.
        overlap: Validation rows over training rows of a fold: 1 / (k - 1) in k-fold cross-validation.

    Source: Nadeau and Bengio (2003), Inference for the generalization error.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    k = min(len(a), len(b))
    done = np.isfinite(a[:k]) & np.isfinite(b[:k])
    gap = a[:k][done] - b[:k][done]
    if len(gap) == 0:
        return Difference(math.nan, math.nan, "unknown")
    mean = float(gap.mean())
    if len(gap) < 2:
        return Difference(mean, math.nan, "unknown")
    error = float(gap.std(ddof=1)) * math.sqrt(1 / len(gap) + overlap)
    half = float(stats.t.ppf(0.975, len(gap) - 1)) * error
    if abs(mean) <= half or mean == 0:
        return Difference(mean, half, "tie")
    return Difference(mean, half, "better" if (mean > 0) == is_higher_better else "worse")


def mean_interval(scores: ArrayLike, *, overlap: float) -> float:
    """Half the width of the 95 % confidence interval of a mean of fold scores; NaN with fewer than two.

    Corrected for training sets that share rows, as in `compare_folds`. Scores have shape (k,), NaN where a fold was not
    done.
    """
    done = np.asarray(scores, dtype=float)
    done = done[np.isfinite(done)]
    if len(done) < 2:
        return math.nan
    error = float(done.std(ddof=1)) * math.sqrt(1 / len(done) + overlap)
    return float(stats.t.ppf(0.975, len(done) - 1)) * error
