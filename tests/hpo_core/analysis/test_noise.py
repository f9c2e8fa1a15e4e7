"""Comparison of fold scores in pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hpo_core.analysis.noise import compare_folds


def compare(first, second, *, higher=True, overlap=0.25):
    return compare_folds(first, second, is_higher_better=higher, overlap=overlap)


def test_without_overlap_it_is_the_paired_t_test():
    a, b = [0.91, 0.94, 0.90, 0.95, 0.93], [0.90, 0.92, 0.90, 0.92, 0.92]
    interval = stats.ttest_rel(a, b).confidence_interval(0.95)
    difference = compare(a, b, overlap=0.0)
    assert difference.mean == pytest.approx((interval.low + interval.high) / 2)
    assert difference.half_width == pytest.approx((interval.high - interval.low) / 2)


def test_overlap_widens_the_interval_as_nadeau_and_bengio_say():
    a, b = [0.91, 0.94, 0.90, 0.95, 0.93], [0.90, 0.92, 0.90, 0.92, 0.92]
    plain, corrected = compare(a, b, overlap=0.0), compare(a, b, overlap=0.25)
    assert corrected.half_width / plain.half_width == pytest.approx(math.sqrt((1 / 5 + 0.25) / (1 / 5)))


@pytest.mark.parametrize(("higher", "verdict"), [(True, "better"), (False, "worse")])
def test_clear_difference_follows_the_direction(higher, verdict):
    assert compare([0.95, 0.96, 0.95, 0.96], [0.85, 0.86, 0.85, 0.87], higher=higher).verdict == verdict


def test_difference_within_the_noise_is_a_tie():
    assert compare([0.95, 0.91, 0.97], [0.93, 0.94, 0.95]).verdict == "tie"


def test_identical_scores_tie_without_noise():
    assert compare([0.9, 0.8, 0.9], [0.9, 0.8, 0.9]).verdict == "tie"


def test_one_common_fold_says_no_more_than_the_difference():
    difference = compare([0.9, math.nan], [0.8, 0.7])
    assert difference.verdict == "unknown"
    assert difference.mean == pytest.approx(0.1)


def test_no_common_fold_says_nothing():
    assert math.isnan(compare([math.nan, 0.5], [0.5, math.nan]).mean)


def test_equal_configurations_are_rarely_told_apart():
    """Folds share training rows, so their scores correlate: 1 / k of the variance is common to all folds of a trial."""
    rng, n, k = np.random.default_rng(0), 2000, 5
    scores = rng.normal(size=(2, n, k)) * math.sqrt(1 - 1 / k) + rng.normal(size=(2, n, 1)) * math.sqrt(1 / k)
    verdicts = [compare(scores[0, i], scores[1, i], overlap=1 / (k - 1)).verdict for i in range(n)]
    naive = [compare(scores[0, i], scores[1, i], overlap=0.0).verdict for i in range(n)]
    assert sum(v != "tie" for v in verdicts) / n <= 0.06  # 0.05 by construction, and sampling error
    assert sum(v != "tie" for v in naive) / n > 0.08
