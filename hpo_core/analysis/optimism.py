"""By how much the score of the best of many trials flatters it."""

from __future__ import annotations

import math

import numpy as np

from hpo_core.studies.table import TrialTable


def optimism_of_best(table: TrialTable) -> float:
    """Estimate of how much better the best trial looks, in the metric's unit, than it would score on new folds.

    The best of n noisy scores is partly the luckiest. Here the best is chosen by all folds but one and looked at on
    the one left out, for each fold in turn; the mean gap, shrunk because k folds are less noisy than k - 1, is what
    the choice gained by luck. How hard a fold is cancels out. It is itself noisy with few folds.

    Source: Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection; here
    within the folds that are there, as in Tibshirani and Tibshirani (2009), A bias correction for the minimum error
    rate in cross-validation.

    Returns:
        0 or above; NaN with fewer than two trials or two folds to go by.
    """
    scores = table.sign * table.fold_scores[table.is_complete]
    scores = scores[np.isfinite(scores).all(axis=1)] if scores.size else scores
    n_trials, n_folds = scores.shape
    if n_trials < 2 or n_folds < 2:
        return math.nan
    others = (scores.sum(axis=1, keepdims=True) - scores) / (n_folds - 1)
    chosen, folds = others.argmin(axis=0), np.arange(n_folds)
    gap = float((scores[chosen, folds] - others[chosen, folds]).mean())
    return max(0.0, gap * math.sqrt((n_folds - 1) / n_folds))
