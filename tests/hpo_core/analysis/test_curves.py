"""Curves in words: what more rows and other values do, and a forecast that finds a known power law."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

from hpo_core.analysis.curves import Curve, fold_means, fold_spread, forecast, in_words, power_law

SIZES = np.array([50, 100, 200, 400, 800])


def learning(valid: Any, train: Any = None, noise: float = 0.0, folds: int = 5, **changes: Any) -> Curve:
    rng = np.random.default_rng(1)
    means = np.asarray(valid, dtype=float)
    scores = means[:, None] + noise * rng.standard_normal((len(means), folds))
    own = scores + 0.01 if train is None else np.repeat(np.asarray(train, dtype=float)[:, None], folds, axis=1)
    given: dict[str, Any] = {
        "kind": "learning",
        "label": "training rows",
        "places": tuple(SIZES[: len(means)].tolist()),
        "is_log": True,
        "is_ordered": True,
        "chosen": len(means) - 1,
        "train": own,
        "valid": scores,
        "direction": "maximize",
        "overlap": 0.25,
        "ideal": 1.0,
    }
    return Curve(**{**given, **changes})


def validation(means: Any, own: Any, chosen: int = 0, **changes: Any) -> Curve:
    places = tuple(10.0**i for i in range(len(means)))
    along = {"kind": "validation", "label": "C", "places": places, "chosen": chosen}
    return replace(learning(means, own, noise=0.002), **{**along, **changes})


def law(n: Any, a: float = 0.05, b: float = 2.0, c: float = 0.7) -> Any:
    return a + b * np.asarray(n, dtype=float) ** -c


@pytest.mark.parametrize(("a", "b", "c"), [(0.05, 2.0, 0.7), (0.0, 1.0, 0.5), (0.3, 10.0, 1.5)])
def test_power_law_is_found_as_nonlinear_least_squares_finds_it(a: float, b: float, c: float) -> None:
    rng = np.random.default_rng(0)
    losses = law(SIZES, a, b, c) * (1 + 0.01 * rng.standard_normal(len(SIZES)))
    limits = ([-1, 0, 0.05], [1, 100, 2.0])
    found, _ = curve_fit(law, SIZES, losses, p0=(a, b, c), bounds=limits, max_nfev=20_000)
    expected = law(1600, *found)
    assert power_law(SIZES.astype(float), losses[:, None], 1600)[0] == pytest.approx(expected, rel=0.02)


def test_power_law_never_falls_below_its_floor() -> None:
    steep = np.array([[0.5], [0.3], [0.16], [0.06], [0.01]])
    assert power_law(SIZES.astype(float), steep, 1600, floor=0.0)[0] >= 0
    assert power_law(SIZES.astype(float), steep, 1600)[0] < 0


def test_a_curve_that_gets_worse_is_forecast_flat() -> None:
    rising = np.array([[0.1], [0.2], [0.3], [0.4], [0.5]])
    assert power_law(SIZES.astype(float), rising, 1600)[0] == pytest.approx(0.3)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_forecast_of_a_known_law(direction: str) -> None:
    scores = 1 - law(SIZES) if direction == "maximize" else law(SIZES)
    ideal = 1.0 if direction == "maximize" else 0.0
    found = forecast(learning(scores, noise=0.001, direction=direction, ideal=ideal))
    assert found is not None
    assert found.rows == 1600
    truth = 1 - law(1600) if direction == "maximize" else law(1600)
    assert found.score == pytest.approx(truth, abs=0.004)
    assert found.low <= found.score <= found.high


def test_forecast_needs_four_sizes_and_a_whole_fold() -> None:
    assert forecast(learning([0.5, 0.6, 0.7])) is None
    unfinished = learning([0.5, 0.6, 0.7, 0.8, 0.85])
    unfinished.valid[2] = np.nan
    assert forecast(unfinished) is None


def test_rising_beyond_noise_says_more_rows_would_help() -> None:
    head = in_words(learning(1 - law(SIZES), noise=0.001))[0]
    assert head.startswith("More rows would help: from 400 to 800 rows")


def test_flat_says_it_has_levelled_off() -> None:
    head = in_words(learning([0.85, 0.9, 0.9, 0.9, 0.9], noise=0.004))[0]
    assert head.startswith("It has levelled off: from 400 to 800 rows")


def test_falling_says_so() -> None:
    assert in_words(learning([0.9, 0.9, 0.9, 0.9, 0.8], noise=0.001))[0].startswith("More rows made it worse")


def test_one_fold_does_not_say_whether_it_is_noise() -> None:
    assert "one fold alone" in in_words(learning([0.5, 0.6, 0.7, 0.8, 0.85], folds=1))[0]


def test_gap_that_is_most_of_what_is_lost_is_overfitting() -> None:
    words = in_words(learning([0.8, 0.85, 0.88, 0.9, 0.9], train=[1.0] * 5, noise=0.002))[-1]
    assert "100 % of what is lost: it overfits" in words
    words = in_words(learning([0.6, 0.65, 0.66, 0.67, 0.67], train=[0.7] * 5, noise=0.002))[-1]
    assert "it underfits, or the data are noisy" in words


def test_no_gap_does_not_overfit() -> None:
    flat = [0.9] * 5
    assert "no gap beyond noise" in in_words(learning(flat, train=flat, noise=0.005))[-1]


def test_validation_curve_names_both_sides_and_the_tied_span() -> None:
    curve = validation([0.7, 0.9, 0.901, 0.8], [0.71, 0.92, 0.93, 1.0], chosen=0)
    words = in_words(curve)
    assert "the chosen C = 1 (−0.2" in words[0]
    assert words[0].endswith("is worse.")
    assert "From C = 10 to C = 100 the score does not change beyond noise." in words
    assert any(w.startswith("Towards C = 1 ") and w.endswith("it underfits.") for w in words)
    assert any(w.startswith("Towards C = 1,000") and w.endswith("it overfits.") for w in words)


def test_best_at_the_end_says_that_better_ones_may_lie_outside() -> None:
    assert "may lie outside" in in_words(validation([0.5, 0.6, 0.7], [0.5, 0.6, 0.7], chosen=1))[-1]


def test_categories_have_no_sides() -> None:
    curve = validation([0.5, 0.9], [0.5, 0.9], places=("rbf", "poly"), is_ordered=False, is_log=False)
    assert len(in_words(curve)) == 1
    assert "Best is C = poly" in in_words(curve)[0]


def test_landscapes_without_training_scores_have_words() -> None:
    nothing = np.full((4, 5), np.nan)
    words = in_words(validation([0.7, 0.9, 0.9, 0.8], [0.0] * 4, train=nothing))
    assert any(w.startswith("Towards C = 1,000 it loses") for w in words)


def test_nothing_done_and_the_chosen_one_failed_are_said() -> None:
    nothing = np.full((4, 5), np.nan)
    assert in_words(validation([0.0] * 4, [0.0] * 4, valid=nothing)) == ("No fit of this curve gave a score.",)
    part = np.array([[np.nan] * 5, [0.5] * 5, [0.6] * 5, [0.7] * 5])
    assert "chosen configuration gave no score" in in_words(validation([0.0] * 4, [0.0] * 4, valid=part))[0]


def test_means_and_spreads_are_those_of_the_folds_that_are_done() -> None:
    scores = np.array([[1.0, 2.0, np.nan], [4.0, np.nan, np.nan], [np.nan] * 3])
    np.testing.assert_allclose(fold_means(scores), [1.5, 4.0, np.nan])
    np.testing.assert_allclose(fold_spread(scores), [np.std([1, 2], ddof=1), np.nan, np.nan])
