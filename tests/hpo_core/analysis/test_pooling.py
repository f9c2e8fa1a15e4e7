"""Trials of several studies as one table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.analysis.pooling import pooled
from hpo_core.errors import UsageError
from tests.trial_tables import build_table


def test_trials_of_all_are_there_in_order_and_know_where_they_are_from():
    one, two = build_table(12), replace(build_table(7), hidden=frozenset({3}))
    found = pooled("duel 1", [one, two], ["tpe", "random"])
    assert len(found) == 19
    assert found.members.tolist() == [0] * 12 + [1] * 7
    assert found.own_numbers.tolist() == [*one.numbers.tolist(), *two.numbers.tolist()]
    assert found.numbers.tolist() == list(range(19))
    assert found.arm_names == ("tpe", "random")
    assert np.array_equal(found.values[12:], two.values, equal_nan=True)
    assert found.hidden == {15}
    part = found.take(found.members == 1)
    assert part.own_numbers.tolist() == two.numbers.tolist()


def test_revision_changes_with_any_of_the_tables():
    one, two = build_table(5), build_table(6)
    first = pooled("d", [one, two], ["tpe", "random"]).revision
    assert pooled("d", [one, two], ["tpe", "random"]).revision == first
    assert pooled("d", [one, replace(two, revision="later")], ["tpe", "random"]).revision != first


def test_tables_with_other_numbers_of_folds_are_filled_up():
    one = build_table(4)
    two = replace(one, **{k: v[:, :2] for k, v in one.arrays().items() if v.ndim == 2})
    found = pooled("d", [two, one], ["tpe", "random"])
    assert found.fold_scores.shape == (8, one.fold_scores.shape[1])
    assert np.isnan(found.fold_scores[:4, 2:]).all()


def test_empty_tables_pool_to_an_empty_one():
    assert len(pooled("d", [build_table(0), build_table(0)], ["tpe", "random"])) == 0


def test_other_spaces_and_directions_are_refused():
    one = build_table(4)
    for other in (replace(one, direction="minimize"), replace(one, distributions={})):
        with pytest.raises(UsageError, match="one search space"):
            pooled("d", [one, other], ["tpe", "random"])
