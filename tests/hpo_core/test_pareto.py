"""Fronts, crowding and hypervolume against examples worked out by hand, and against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hpo_core.pareto import crowding_distances, hypervolume, is_on_front, non_dominated_ranks

FIVE = np.array([[1.0, 5.0], [2.0, 3.0], [4.0, 1.0], [3.0, 4.0], [5.0, 5.0]])
values_of_two = arrays(float, st.tuples(st.integers(0, 25), st.just(2)), elements=st.integers(0, 6).map(float))


def test_fronts_of_five_points() -> None:
    assert non_dominated_ranks(FIVE).tolist() == [0, 0, 0, 1, 2]
    assert is_on_front(FIVE).tolist() == [True, True, True, False, False]


def test_fronts_of_three_objectives() -> None:
    values = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 4.0], [3.0, 2.0, 1.0], [3.0, 3.0, 3.0]])
    assert non_dominated_ranks(values).tolist() == [0, 1, 0, 1]


def test_one_objective_ranks_by_value() -> None:
    assert non_dominated_ranks(np.array([[3.0], [1.0], [2.0], [1.0]])).tolist() == [2, 0, 1, 0]


@given(values_of_two)
def test_front_is_what_no_other_dominates(values: np.ndarray) -> None:
    expected = [not any((b <= a).all() and (b < a).any() for b in values) for a in values]
    assert is_on_front(values).tolist() == expected
    assert (non_dominated_ranks(values) == 0).tolist() == expected


@given(values_of_two, st.integers(1, 10))
def test_first_fronts_are_right_where_only_enough_are_told_apart(values: np.ndarray, enough: int) -> None:
    whole, part = non_dominated_ranks(values), non_dominated_ranks(values, enough)
    last = part.max(initial=0)
    assert (part == np.minimum(whole, last)).all()
    assert (whole < last).sum() >= min(enough, len(values)) or last == whole.max(initial=0)


@given(values_of_two)
def test_two_objectives_rank_as_by_the_definition(values: np.ndarray) -> None:
    with_third = np.column_stack([values, np.zeros(len(values))])
    assert non_dominated_ranks(values).tolist() == non_dominated_ranks(with_third).tolist()


def test_crowding_is_the_gap_between_the_neighbours() -> None:
    front = np.array([[0.0, 10.0], [2.0, 6.0], [4.0, 5.0], [10.0, 0.0]])
    # By hand: the second has (4 - 0) / 10 + (10 - 5) / 10, the third (10 - 2) / 10 + (6 - 0) / 10.
    np.testing.assert_allclose(crowding_distances(front), [np.inf, 0.9, 1.4, np.inf])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_ends_of_a_front_are_never_crowded(n: int) -> None:
    assert crowding_distances(np.ones((n, 2))).tolist() == [np.inf] * n


def test_hypervolume_of_three_steps() -> None:
    # Up to (6, 6): columns 1 to 2, 2 to 4 and 4 to 6 are 1, 3 and 5 high.
    assert hypervolume(FIVE, np.array([6.0, 6.0])) == 1 * 1 + 2 * 3 + 2 * 5


def test_points_beyond_the_reference_add_nothing() -> None:
    reference = np.array([4.0, 4.0])
    assert hypervolume(FIVE, reference) == 2.0
    assert hypervolume(FIVE[[0, 2]], reference) == hypervolume(np.empty((0, 2)), reference) == 0.0


@given(values_of_two)
def test_hypervolume_counts_the_dominated_cells(values: np.ndarray) -> None:
    cells = [(x, y) for x in range(7) for y in range(7) if any(v[0] <= x and v[1] <= y for v in values)]
    assert hypervolume(values, np.array([7.0, 7.0])) == len(cells)
