"""The cheapest trial that is tied with the best."""

import numpy as np
import pytest

from hpo_core.analysis.frugality import frugality
from tests.trial_tables import build_table

FOLDS = np.array([[0.95, 0.94, 0.96, 0.95], [0.94, 0.95, 0.95, 0.955], [0.955, 0.93, 0.95, 0.95], [0.5, 0.6, 0.5, 0.6]])


def table(**columns):
    return build_table(4, n_folds=4, fold_scores=FOLDS, values=FOLDS.mean(axis=1), **columns)


def test_cheapest_of_those_that_are_tied_is_found_though_a_worse_one_costs_less():
    found = frugality(table(), np.array([8.0, 4.0, 2.0, 0.1]))
    assert found.rows[found.best] == 0
    assert found.is_tied.tolist() == [False, True, True, False]
    assert found.rows[found.cheapest] == 2
    assert found.share == pytest.approx(0.25)
    assert found.is_worth_it


def test_best_that_is_the_cheapest_is_taken():
    found = frugality(table(), np.array([1.0, 4.0, 2.0, 0.1]))
    assert found.cheapest == found.best
    assert not found.is_worth_it


def test_trifle_is_not_worth_a_change():
    assert not frugality(table(), np.array([1.0, 0.97, 2.0, 0.1])).is_worth_it


def test_of_equal_costs_the_better_one_is_taken():
    found = frugality(table(), np.array([8.0, 2.0, 2.0, 0.1]))
    assert found.rows[found.cheapest] == 1


def test_unknown_costs_are_left_out_and_without_that_of_the_best_nothing_is_said():
    assert frugality(table(), np.array([8.0, 4.0, np.nan, 0.1])).rows.tolist() == [0, 1, 3]
    assert frugality(table(), np.array([np.nan, 4.0, 2.0, 0.1])) is None
    assert frugality(build_table(0), np.empty(0)) is None


def test_free_best_divides_by_nothing():
    assert frugality(table(), np.zeros(4)).share == 1.0
