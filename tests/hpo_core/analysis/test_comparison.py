"""Trials side by side: which parameters differ, by how much the values do, and whether that is more than noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from optuna.trial import TrialState

from hpo_core.analysis.comparison import Compared, compare_side_by_side, compared_trial, training_overlap
from hpo_core.errors import UsageError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from tests.trial_tables import build_table


def thing(name, scores=(), **configuration):
    value = float(np.mean(scores)) if len(scores) else math.nan
    return Compared(heading=name, value=value, fold_scores=tuple(scores), configuration=configuration)


def compare(*things, direction="maximize", **options):
    return compare_side_by_side(things, direction=direction, overlap=0.25, **options)


def test_parameters_that_differ_are_told_from_those_that_are_the_same():
    found = compare(thing("a", C=1.0, kernel="rbf", gamma=0.1), thing("b", C=2.0, kernel="rbf", gamma=0.1))
    assert [(row.name, row.texts) for row in found.differing] == [("C", ("1", "2"))]
    assert [row.name for row in found.same] == ["kernel", "gamma"]


def test_parameter_that_is_inactive_in_one_differs_also_from_the_choice_none():
    found = compare(thing("a", depth=None, degree=3), thing("b", depth=None), thing("c"))
    assert {row.name: row.texts for row in found.differing} == {
        "depth": ("None", "None", "–"),
        "degree": ("3", "–", "–"),
    }


def test_one_and_true_are_different_values():
    assert [row.name for row in compare(thing("a", x=1), thing("b", x=True)).differing] == ["x"]


def test_unequal_numbers_are_written_so_that_they_can_be_told_apart():
    (row,) = compare(thing("a", C=0.123456781), thing("b", C=0.123456789), thing("c", C=0.5)).differing
    assert row.texts == ("0.12345678", "0.12345679", "0.5")


def test_differences_are_to_the_reference_and_paired_by_fold():
    good, bad = (0.95, 0.96, 0.95, 0.96, 0.95), (0.85, 0.86, 0.85, 0.87, 0.85)
    found = compare(thing("a", good), thing("b", bad), thing("c", good), reference=0)
    assert found.differences[0] is None
    assert [d.verdict for d in found.differences[1:]] == ["worse", "tie"]
    assert found.best == 0
    assert compare(thing("a", good), thing("b", bad), direction="minimize").best == 1


def test_ties_are_with_the_best_whatever_is_the_reference():
    good, bad = (0.95, 0.96, 0.95, 0.96, 0.95), (0.85, 0.86, 0.85, 0.87, 0.85)
    found = compare(thing("a", bad), thing("b", good), thing("c", good[::-1]), thing("d"), reference=0)
    assert (found.best, found.tied) == (1, (2,))
    assert compare(thing("a", good), thing("b", good), values_compare=False).tied == ()


def test_values_that_do_not_compare_have_no_difference_and_no_best():
    found = compare(thing("a", (0.9, 0.9), C=1), thing("b", (0.1, 0.2), C=2), values_compare=False)
    assert found.best is None
    assert found.differences == (None, None)
    assert [row.name for row in found.differing] == ["C"]


def test_values_without_folds_have_a_difference_and_no_verdict():
    a, b = (Compared(heading=name, value=value) for name, value in (("a", 3.0), ("b", 5.0)))
    difference = compare(a, b, direction="minimize").differences[1]
    assert difference is not None
    assert (difference.mean, difference.verdict) == (2.0, "unknown")


@pytest.mark.parametrize("count", [1, 7])
def test_one_or_seven_are_refused_with_the_limits(count):
    with pytest.raises(UsageError, match=f"From 2 to 6 .* got {count}"):
        compare(*[thing(str(i)) for i in range(count)])


def test_trial_of_a_table_brings_its_folds_figures_and_active_parameters():
    table = build_table(20)
    row = int(np.flatnonzero(np.isnan(table.params["degree"]))[0])
    found = compared_trial(table, row)
    assert found.heading == f"trial {table.numbers[row]}"
    assert found.value == pytest.approx(table.values[row])
    assert found.noise == pytest.approx(table.noise[row])
    assert "degree" not in found.configuration
    assert found.figures["seconds of a fit"] == "0.1 s"
    assert found.figures["size of a model"] == "100 kB"


def test_estimate_of_a_pruned_trial_is_not_its_value():
    table = build_table(5, states=np.full(5, TrialState.PRUNED.value, dtype=np.int8))
    assert math.isnan(compared_trial(table, 2).value)


@pytest.mark.parametrize(
    "protocol",
    [Protocol(folds=4), Protocol(kind="holdout", valid_fraction=0.2, repeats=3), Protocol(kind="time", folds=5)],
)
def test_overlap_is_that_of_the_rows(protocol):
    train, valid = make_problem("digits", "nearest_neighbours", protocol=protocol).split.folds[0]
    assert training_overlap(protocol) == pytest.approx(len(valid) / len(train), rel=0.02)
