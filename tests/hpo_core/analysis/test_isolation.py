"""Isolation: the best that was found, and the best that can be expected, with one parameter fixed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hpo_core.analysis.isolation import best_found, profile
from hpo_core.analysis.surrogate import fit_surrogate
from tests.known_functions import crowded, table_of
from tests.trial_tables import build_table

AT = np.linspace(0, 1, 21)
CENTRES = (np.arange(10) + 0.5) / 10


def valley(units: np.ndarray) -> np.ndarray:
    """The best over x1 lies at x1 = x0, and is (x0 - 0.3)² there."""
    return 0.5 * (units[:, 0] - units[:, 1]) ** 2 + (units[:, 0] - 0.3) ** 2


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_best_of_each_stretch_is_found(direction: str) -> None:
    table = build_table(100, direction=direction)
    found = best_found(table, "C", CENTRES)
    stretch = np.floor((np.log10(table.params["C"]) + 3) / 6 * 10).astype(int)
    by_hand = pd.Series(table.sign * table.values).groupby(stretch).agg(["idxmin", "size"])
    np.testing.assert_array_equal(found.places, by_hand.index)
    np.testing.assert_array_equal(found.rows, by_hand["idxmin"])
    np.testing.assert_array_equal(found.counts, by_hand["size"])


def test_failed_and_unused_do_not_count() -> None:
    table = build_table(60)
    found = best_found(table, "degree", (np.arange(4) + 0.5) / 4)
    assert (table.params["kernel"][found.rows] == 1).all()
    assert found.counts.sum() == (table.params["kernel"] == 1).sum()


def test_expected_best_is_the_minimum_over_the_others() -> None:
    found = profile(fit_surrogate(table_of(valley, 150, 2)), "x0", AT)
    np.testing.assert_allclose(found.mean, (AT - 0.3) ** 2, atol=0.01)
    np.testing.assert_allclose(found.points[:, 1], AT, atol=0.08)
    np.testing.assert_allclose(found.points[:, 0], AT)


def test_expected_best_is_no_worse_than_a_fine_grid() -> None:
    surrogate = fit_surrogate(table_of(lambda u: np.sin(7 * u[:, 0] * u[:, 1]) + np.cos(9 * u[:, 1] * u[:, 2]), 120, 3))
    found = profile(surrogate, "x1", AT[::4])
    axis = np.linspace(0, 1, 41)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    for unit, mean in zip(AT[::4], found.mean, strict=True):
        points = np.column_stack([grid[:, 0], np.full(len(grid), unit), grid[:, 1]])
        assert mean <= surrogate.process.expected(points).min() + 1e-3


def test_expected_best_says_where_little_is_known() -> None:
    found = profile(fit_surrogate(crowded(60)), "x1", np.array([0.05, 0.5, 0.9]))
    assert found.is_unknown.tolist() == [False, True, True]


def test_dependent_parameter_brings_its_category() -> None:
    table = build_table(120)
    found = profile(fit_surrogate(table), "degree", np.array([0.1, 0.9]))
    assert np.isfinite(found.points).all()
    np.testing.assert_allclose(found.points[:, 2], 0.5)


def test_same_trials_give_the_same_profile() -> None:
    surrogate = fit_surrogate(build_table(60))
    first, second = (profile(surrogate, "C", AT) for _ in range(2))
    np.testing.assert_array_equal(first.points, second.points)
