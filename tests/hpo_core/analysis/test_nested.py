"""What a nested cross-validation says: means, intervals, and folds that gave nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hpo_core.analysis.nested import Nested, OuterFold


def nested_of(scores, defaults, own=0.99, direction="maximize", n_outer=None):
    folds = tuple(
        OuterFold(fold=i, own_best=own, score=score, default=default, n_trials=10, configuration={})
        for i, (score, default) in enumerate(zip(scores, defaults, strict=True))
    )
    return Nested(folds, n_outer or len(folds), direction, "tpe", "10 trials", 0.99, 10)


def test_mean_and_interval_are_those_of_the_outer_folds():
    """By hand: Nadeau and Bengio's variance of a mean over 5 folds is s^2 (1/5 + 1/4)."""
    scores = np.array([0.95, 0.98, 0.97, 0.96, 0.99])
    found = nested_of(scores, scores - 0.01)
    assert found.score == pytest.approx(scores.mean())
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 4) * scores.std(ddof=1) * math.sqrt(1 / 5 + 1 / 4))
    assert found.own_best == pytest.approx(0.99)
    assert found.is_complete


@pytest.mark.parametrize(("direction", "verdict"), [("maximize", "better"), ("minimize", "worse")])
def test_gain_over_the_default_is_judged_in_pairs(direction, verdict):
    base = np.array([0.90, 0.95, 0.93, 0.97, 0.91])
    found = nested_of(base + np.array([0.02, 0.021, 0.019, 0.02, 0.02]), base, direction=direction)
    assert found.to_default.mean == pytest.approx(0.02)
    assert found.to_default.verdict == verdict


def test_fold_without_a_score_is_left_out_and_few_folds_have_no_interval():
    found = nested_of([0.9, math.nan, 0.8], [0.7, 0.7, math.nan], n_outer=5)
    assert found.score == pytest.approx(0.85)
    assert found.default == pytest.approx(0.7)
    assert not found.is_complete
    assert math.isnan(nested_of([0.9], [0.8], n_outer=5).half_width)
    assert math.isnan(nested_of([math.nan], [math.nan], n_outer=2).score)
