"""How much the best of many trials flatters, and what is left of it on new rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hpo_core.analysis.noise import mean_interval
from hpo_core.analysis.optimism import corrected_best
from tests.benchmarks.optimism_studies import Known, compare
from tests.races import race_table, raced
from tests.trial_tables import build_table


def table_of(scores, direction="maximize"):
    scores = np.asarray(scores, dtype=float)
    return build_table(len(scores), fold_scores=scores, values=scores.mean(axis=1), direction=direction)


def test_equal_configurations_gain_by_luck_what_the_best_mean_gains():
    rng = np.random.default_rng(0)
    gains, estimates = [], []
    for _ in range(200):
        scores = 0.9 + rng.normal(0, 0.01, size=(40, 5)) + rng.normal(0, 0.03, size=5)
        gains.append(scores.mean(axis=1).max() - scores.mean())
        estimates.append(corrected_best(table_of(scores)).optimism)
    assert np.mean(estimates) == pytest.approx(np.mean(gains), rel=0.15)


def resampled_by_hand(scores, n=4000):
    """Optimism of the best (lower is better) by a plain loop over resamples of folds and of trials."""
    rng, (n_trials, n_folds), gaps = np.random.default_rng(5), scores.shape, []
    centred = scores - np.median(scores, axis=0)
    while len(gaps) < n:
        folds = rng.integers(0, n_folds, size=n_folds)
        left = [fold for fold in range(n_folds) if fold not in folds]
        if left:
            trials = rng.integers(0, n_trials, size=n_trials)
            picked = trials[centred[trials][:, folds].mean(axis=1).argmin()]
            gaps.append(centred[picked, left].mean() - centred[picked, folds].mean())
    return max(0.0, np.mean(gaps) * math.sqrt(n_folds / (2 * n_folds - 1)))


@pytest.mark.parametrize("n_folds", [2, 3, 5, 10])
def test_estimate_is_that_of_a_plain_loop(n_folds):
    scores = np.random.default_rng(n_folds).normal(size=(25, n_folds))
    scores += np.linspace(0, 1, 25)[:, None]
    found = corrected_best(table_of(scores, direction="minimize"))
    assert found.optimism == pytest.approx(resampled_by_hand(scores), abs=0.06)
    assert found.value > found.raw == scores.mean(axis=1).min()


def test_hard_folds_and_direction_do_not_matter():
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.01, size=(30, 5))
    plain = corrected_best(table_of(scores))
    assert plain.value < plain.raw
    harder = corrected_best(table_of(scores + np.array([0, 5, -3, 1, 2])))
    assert harder.optimism == pytest.approx(plain.optimism)
    mirrored = corrected_best(table_of(-scores, direction="minimize"))
    assert mirrored.value == pytest.approx(-plain.value)


def test_clear_winner_owes_nothing_to_luck():
    scores = np.vstack([np.full((20, 5), 0.8), np.full((20, 5), 0.95)])
    found = corrected_best(table_of(scores))
    assert found.value == found.raw == pytest.approx(0.95)


def test_interval_is_that_of_the_folds_around_the_corrected_value():
    scores = np.random.default_rng(3).normal(0.9, 0.02, size=(30, 5))
    found = corrected_best(table_of(scores))
    best = scores[scores.mean(axis=1).argmax()]
    assert found.half_width == pytest.approx(mean_interval(best, overlap=1 / 4))
    assert found.interval == pytest.approx((found.value - found.half_width, found.value + found.half_width))
    wider = corrected_best(table_of(scores), overlap=1.0)
    assert wider.half_width > found.half_width
    assert found.words.startswith("about 0.")
    assert found.words.endswith(" on new rows")


def test_interval_ends_where_no_score_can_be():
    scores = np.clip(np.random.default_rng(3).normal(0.985, 0.02, size=(30, 5)), 0, 1)
    high = corrected_best(table_of(scores), ideal=1.0).interval
    assert high[0] < high[1] == 1.0 < corrected_best(table_of(scores)).interval[1]
    low = corrected_best(table_of(1 - scores, direction="minimize"), ideal=0.0).interval
    assert low == pytest.approx((0.0, 1 - high[0]))


@pytest.mark.parametrize(("spread", "low", "high"), [(0.0, 0.65, 1.1), (0.003, 0.7, 1.1), (0.01, 0.7, 1.4)])
def test_trials_that_lost_a_race_count_as_those_that_the_best_was_picked_from(spread, low, high):
    """By how much the best of a race of configurations of known worth is too good, most of which have few folds."""
    rng = np.random.default_rng(0)
    gains, estimates, of_whole = [], [], []
    for _ in range(150):
        worth = spread * rng.normal(size=40)
        scores = raced(worth[:, None] + rng.normal(0, 0.01, size=(40, 5)))
        is_whole = np.isfinite(scores).all(axis=1)
        found = corrected_best(race_table(scores))
        best = np.flatnonzero(is_whole)[scores[is_whole].mean(axis=1).argmax()]
        gains.append(found.raw - worth[best])
        assert (found.n_trials, found.n_lost) == (40, (~is_whole).sum())
        estimates.append(found.optimism)
        of_whole.append(corrected_best(table_of(scores[is_whole])).optimism)
    assert low * np.mean(gains) < np.mean(estimates) < high * np.mean(gains)
    assert np.mean(of_whole) < 0.65 * np.mean(gains)


def test_clear_winner_of_a_race_owes_nothing_to_luck():
    rng = np.random.default_rng(1)
    scores = np.vstack([0.95 + rng.normal(0, 1e-4, size=(4, 5)), np.full((30, 5), np.nan)])
    scores[4:, 0] = 0.7 + rng.normal(0, 1e-4, size=30)
    found = corrected_best(race_table(scores))
    assert found.n_lost == 30
    assert found.optimism < 2e-4


def test_easy_later_folds_are_not_taken_for_good_trials():
    """Trials that lost after one hard fold are as good as the others: the folds are told apart from the trials."""
    rng = np.random.default_rng(2)
    easy = rng.normal(0, 0.01, size=(40, 5))
    hard = easy - np.array([3.0, 0, 0, 0, 0])
    for scores in (easy, hard):
        scores[10:, 1:] = np.nan
    assert corrected_best(race_table(hard)).optimism == pytest.approx(corrected_best(race_table(easy)).optimism)


def test_race_with_one_whole_trial_is_too_little():
    scores = np.full((5, 5), np.nan)
    scores[0], scores[1:, 0] = 0.9, 0.8
    assert corrected_best(race_table(scores)) is None


@pytest.mark.parametrize("shape", [(0, 5), (1, 5), (20, 1), (20, 0)])
def test_too_little_to_go_by_is_nothing(shape):
    n, k = shape
    scores = np.linspace(0, 1, n * k).reshape(shape)
    assert corrected_best(build_table(n, n_folds=k, fold_scores=scores)) is None


def test_trials_without_all_folds_and_other_rows_are_left_out():
    scores = np.random.default_rng(2).normal(size=(20, 5))
    holed = np.vstack([scores, np.full((1, 5), np.nan)])
    whole = corrected_best(build_table(20, fold_scores=scores))
    assert corrected_best(build_table(21, fold_scores=holed)) == whole
    table = build_table(20, fold_scores=scores)
    part = corrected_best(table, np.arange(10))
    assert (part.n_trials, part.raw) == (10, scores[:10].mean(axis=1).max())
    assert corrected_best(table, np.arange(1)) is None


def test_corrected_values_of_simulated_studies_are_closer_to_the_truth():
    """Forty studies of near-equal configurations whose worth is known: the benchmark's own figures, in small."""
    rng, studies = np.random.default_rng(4), []
    for _ in range(40):
        worth = 0.8 + rng.normal(0, 0.01, size=(30, 1))
        scores = worth + rng.normal(0, 0.03, size=(30, 5)) + rng.normal(0, 0.02, size=5)
        best = scores.mean(axis=1).argmax()
        studies.append(Known(scores, -1.0, float(worth[best, 0]), float(worth[best, 0])))
    found = compare(studies, lambda known: known.truth)
    assert found.raw.bias.mean > 0.01
    assert abs(found.corrected.bias.mean) < 0.4 * found.raw.bias.mean
    assert found.corrected.error.mean < found.raw.error.mean
    assert found.p_value < 0.01
    assert 0.8 <= found.coverage <= 1
