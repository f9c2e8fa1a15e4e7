"""The luck curve's numbers: the paper's formula, simulation, and what counts as a draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState

from hpo_core.analysis.luck import chance_of_luck, draws_of, luck_curve, random_rows
from tests.trial_tables import build_table, drawn_at_random


def published(scores):
    """Expected validation performance as the authors' own code has it (show-your-work, `compute_variance.py`)."""
    scores = np.sort(scores)
    total, found = len(scores), []
    for n in range(1, total + 1):
        below = [(i / total) ** n for i in range(total + 1)]
        found.append(sum(score * (below[i + 1] - below[i]) for i, score in enumerate(scores)))
    return found


def test_curve_is_that_of_the_authors():
    values = np.random.default_rng(0).normal(0.9, 0.02, size=40)
    curve = luck_curve(np.sort(values)[::-1])
    assert curve.k.tolist()[:3] == [1, 2, 3]
    np.testing.assert_allclose(curve.expected, np.array(published(values))[curve.k - 1])


def test_worked_example_of_three_draws():
    """Best of two draws from 1, 2 and 3 with replacement: 5 of 9 pairs hold a 3, 3 of 9 have 2 as their best."""
    curve = luck_curve(np.array([3.0, 2.0, 1.0]))
    np.testing.assert_allclose(curve.expected[:2], [2.0, (5 * 3 + 3 * 2 + 1) / 9])
    lower = luck_curve(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(lower.expected[:2], [2.0, (5 * 1 + 3 * 2 + 3) / 9])


def test_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    truth = np.sort(rng.normal(size=(20_000, 10)), axis=1)[:, -1].mean()
    hits = 0
    for _ in range(200):
        curve = luck_curve(np.sort(rng.normal(size=60))[::-1])
        place = int(np.searchsorted(curve.k, 10))
        low, high = (np.interp(10, curve.k, end) for end in (curve.low, curve.high))
        assert curve.low[place] <= curve.expected[place] <= curve.high[place]
        hits += low <= truth <= high
    assert 0.85 <= hits / 200 <= 0.99


@pytest.mark.parametrize("name", ["normal", "exponential", "uniform"])
def test_arm_that_draws_at_random_is_seldom_called_beyond_luck(name):
    rng = np.random.default_rng(2)
    chances = []
    for _ in range(1000):
        draws, others = np.sort(getattr(rng, name)(size=40))[::-1], getattr(rng, name)(size=40)
        chances.append(chance_of_luck(draws, others.max(), 40, sign=-1.0))
    assert np.mean(np.array(chances) < 0.05) <= 0.08
    assert 0.4 < np.median(chances) < 0.7


def test_chance_within_the_draws_is_that_of_a_simulation():
    draws = np.sort(np.random.default_rng(2).uniform(size=2000))[::-1]
    for value in (0.5, 0.9, 0.99):
        simulated = (np.random.default_rng(3).uniform(size=(20_000, 12)).max(axis=1) >= value).mean()
        assert chance_of_luck(draws, value, 12, sign=-1.0) == pytest.approx(simulated, abs=0.06)
        assert chance_of_luck(-draws, -value, 12, sign=1.0) == pytest.approx(simulated, abs=0.06)


def test_far_lead_is_no_luck_and_equal_draws_leave_it_open():
    draws = np.sort(np.random.default_rng(4).normal(0.9, 0.01, size=40))[::-1]
    assert chance_of_luck(draws, 0.99, 40, sign=-1.0) < 0.01
    assert chance_of_luck(np.full(9, 0.5), 0.6, 1, sign=-1.0) == pytest.approx(0.1)
    assert chance_of_luck(np.full(9, 0.5), 0.5, 1, sign=-1.0) == 1.0


def test_draws_are_random_trials_alone_and_a_failed_one_is_the_worst():
    table = drawn_at_random(build_table(40))
    rows = random_rows(table)
    assert set(table.arms[rows]) == {"random"}
    states, values = table.states.copy(), table.values.copy()
    states[rows[0]], values[rows[0]] = TrialState.FAIL.value, np.nan
    failed = replace(table, states=states, values=values)
    draws = draws_of(failed, random_rows(failed))
    assert len(draws) == len(rows)
    assert draws[-1] == draws[-2] == values[rows[1:]].min()
    assert (np.diff(draws) <= 0).all()
    assert len(random_rows(replace(table, hidden=frozenset(table.numbers[rows].tolist())))) == 0
    assert not len(draws_of(build_table(10), np.empty(0, dtype=int)))
