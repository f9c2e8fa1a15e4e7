"""Which trials are drawn, and which values are left out of view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.analysis.selection import best_rows, representative_rows, robust_limits
from tests.trial_tables import build_table


def test_few_trials_are_all_drawn() -> None:
    np.testing.assert_array_equal(representative_rows(build_table(20), np.arange(20), 20, 5), np.arange(20))


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_best_and_own_trials_are_always_drawn(direction: str) -> None:
    table = build_table(2000, direction=direction)
    rows = representative_rows(table, np.arange(2000), 600, 100)
    assert len(rows) == 600
    assert (np.diff(rows) > 0).all()
    best = np.argsort(table.sign * table.values)[:100]
    assert set(best) <= set(rows)
    assert set(np.flatnonzero(np.isin(table.arms, ("manual", "default")))) <= set(rows)


def test_sample_hardly_changes_when_a_trial_is_added() -> None:
    before = representative_rows(build_table(3000), np.arange(3000), 500, 50)
    table = build_table(3000)
    grown = replace(table, values=np.append(table.values[:-1], table.values.min() - 1))
    after = representative_rows(grown, np.arange(3000), 500, 50)
    assert len(set(before) ^ set(after)) <= 4


def test_sample_is_spread_over_the_whole_study() -> None:
    rows = representative_rows(build_table(10_000, arms=("tpe",)), np.arange(10_000), 1000, 0)
    counts, _ = np.histogram(rows, bins=10, range=(0, 10_000))
    assert counts.min() >= 80


def test_terrible_value_is_left_out_of_view() -> None:
    values = np.append(np.linspace(0.1, 0.4, 40), 1e9)
    limits = robust_limits(values, sign=1.0)
    assert limits.n_outside == 1
    assert limits.low < 0.1
    assert 0.4 <= limits.high < 1


def test_even_values_are_all_in_view() -> None:
    limits = robust_limits(np.linspace(0, 1, 50), sign=-1.0)
    assert limits.n_outside == 0
    assert limits.low <= 0
    assert limits.high >= 1


@given(st.lists(st.floats(allow_nan=False, width=32), max_size=60), st.sampled_from([1.0, -1.0]))
def test_limits_hold_the_best_value_and_count_the_others(values: list[float], sign: float) -> None:
    limits = robust_limits(np.array(values), sign)
    finite = [v for v in values if np.isfinite(v)]
    assert np.isfinite([limits.low, limits.high]).all()
    assert limits.low < limits.high
    assert limits.n_infinite == len(values) - len(finite)
    if finite:
        best = min(finite, key=lambda v: sign * v)
        assert limits.low <= best <= limits.high
        assert sum(not limits.low <= v <= limits.high for v in finite) <= limits.n_outside


def test_smaller_share_looks_closer_at_the_better_ones() -> None:
    values = np.array([0.98, 0.979, 0.978, 0.975, 0.981, 0.97, 0.1, 0.27, 0.14, 0.98])
    assert robust_limits(values, sign=-1.0).n_outside == 0
    closer = robust_limits(values, sign=-1.0, share=0.5)
    assert closer.n_outside == 3
    assert closer.low > 0.9


def test_best_rows_are_distinct_configurations_in_order():
    table = build_table(30)
    twice = table.take(np.array([*range(30), int(table.best() or 0)]))
    rows = best_rows(twice, 5)
    assert len(rows) == 5
    assert rows[0] == table.best()
    assert twice.values[rows].tolist() == sorted(twice.values[rows].tolist(), reverse=True)
