"""Races of trials whose scores on all folds are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from optuna.trial import TrialState

from hpo_core.pruning import PRUNING, FoldHistory, is_hopeless
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

Floats = NDArray[np.float64]


def raced(scores: Floats) -> Floats:
    """The scores, those left out that a race (higher is better) would not have come to."""
    history, done = FoldHistory(scores.shape[1], -1.0), np.full(scores.shape, np.nan)
    for row, seen in zip(scores, done, strict=True):
        for fold in range(len(row)):
            if is_hopeless(PRUNING["race"], tuple(seen[:fold]), history.snapshot()):
                break
            seen[fold] = row[fold]
        history.add(tuple(seen))
    return done


def race_table(scores: Floats) -> TrialTable:
    """A study of these trials; those with missing folds were given up."""
    is_whole = np.isfinite(scores).all(axis=1)
    states = np.where(is_whole, int(TrialState.COMPLETE), int(TrialState.PRUNED))
    return build_table(len(scores), fold_scores=scores, values=np.nanmean(scores, axis=1), states=states)
