"""How much the best of many trials flatters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hpo_core.analysis.optimism import optimism_of_best
from tests.trial_tables import build_table


def table_of(scores, direction="maximize"):
    scores = np.asarray(scores, dtype=float)
    return build_table(len(scores), fold_scores=scores, values=scores.mean(axis=1), direction=direction)


def test_equal_configurations_gain_by_luck_what_the_best_mean_gains():
    rng = np.random.default_rng(0)
    gains, estimates = [], []
    for _ in range(300):
        scores = 0.9 + rng.normal(0, 0.01, size=(40, 5)) + rng.normal(0, 0.03, size=5)
        gains.append(scores.mean(axis=1).max() - scores.mean())
        estimates.append(optimism_of_best(table_of(scores)))
    assert np.mean(estimates) == pytest.approx(np.mean(gains), rel=0.1)


def test_hard_folds_and_direction_do_not_matter():
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.01, size=(30, 5))
    plain = optimism_of_best(table_of(scores))
    assert plain > 0
    assert optimism_of_best(table_of(scores + np.array([0, 5, -3, 1, 2]))) == pytest.approx(plain)
    assert optimism_of_best(table_of(-scores, direction="minimize")) == pytest.approx(plain)


def test_clear_winner_owes_nothing_to_luck():
    scores = np.vstack([np.full((20, 5), 0.8), np.full((1, 5), 0.95)])
    assert optimism_of_best(table_of(scores)) == 0


@pytest.mark.parametrize("shape", [(0, 5), (1, 5), (20, 1), (20, 0)])
def test_too_little_to_go_by_is_unknown(shape):
    n, k = shape
    scores = np.linspace(0, 1, n * k).reshape(shape)
    assert math.isnan(optimism_of_best(build_table(n, n_folds=k, fold_scores=scores)))


def test_trials_without_all_folds_are_left_out():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(20, 5))
    holed = np.vstack([scores, np.full((1, 5), np.nan)])
    assert optimism_of_best(build_table(21, fold_scores=holed)) == optimism_of_best(build_table(20, fold_scores=scores))
