"""Ties with the best, for all trials at once, held to the comparison of two."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.analysis.noise import compare_folds
from hpo_core.analysis.ties import BEST, TIED, UNTOLD, WORSE, can_tell_ties, overlap_in, standings
from tests.trial_tables import build_table, with_faults


def one_by_one(table):
    """The same by `compare_folds`, trial for trial."""
    best, found = table.best(), []
    for row in range(len(table)):
        scores = (table.fold_scores[row], table.fold_scores[best])
        is_higher = table.direction == "maximize"
        verdict = compare_folds(*scores, is_higher_better=is_higher, overlap=overlap_in(table)).verdict
        is_told = table.is_complete[row] and verdict != "unknown"
        code = WORSE if verdict == "worse" else TIED
        found.append(BEST if row == best else code if is_told else UNTOLD)
    return found


@given(
    seed=st.integers(0, 50),
    direction=st.sampled_from(["maximize", "minimize"]),
    overlap=st.sampled_from([None, 0.0, 0.5]),
    n_missing=st.integers(0, 5),
)
def test_all_at_once_says_what_the_comparison_of_two_says(seed, direction, overlap, n_missing):
    table = replace(with_faults(build_table(80, seed=seed, direction=direction)), overlap=overlap)
    scores = table.fold_scores.copy()
    scores[::3, :n_missing] = np.nan
    table = replace(table, fold_scores=scores)
    assert standings(table).tolist() == one_by_one(table)


def test_builder_has_ties_and_losers():
    found = standings(build_table(80))
    assert {BEST, TIED, WORSE} == set(found.tolist())
    assert (found == BEST).sum() == 1


def test_some_rows_are_told_as_among_all():
    table = build_table(60)
    rows = np.array([40, 3, 17, int(table.best())])
    assert standings(table, rows).tolist() == standings(table)[rows].tolist()


def test_more_overlap_ties_more_trials():
    counts = [(standings(replace(build_table(80), overlap=overlap)) == TIED).sum() for overlap in (0.0, 0.25, 2.0)]
    assert counts[0] < counts[1] < counts[2]


def test_same_scores_tie_and_a_constant_lead_does_not():
    folds = np.array([[0.9, 0.8, 0.7]] * 3) - np.array([[0.0], [0.0], [0.01]])
    table = build_table(3, n_folds=3, fold_scores=folds, values=folds.mean(axis=1))
    assert standings(table).tolist() == [BEST, TIED, WORSE]


def test_hidden_trial_is_neither_best_nor_tied():
    table = build_table(40)
    best = int(table.best())
    found = standings(replace(table, hidden=frozenset({best})))
    assert found[best] == UNTOLD
    assert (found == BEST).sum() == 1


@pytest.mark.parametrize("table", [build_table(0), build_table(10, n_folds=0), build_table(10, n_folds=1)])
def test_without_folds_nothing_is_told(table):
    assert not can_tell_ties(table)
    assert set(standings(table).tolist()) <= {UNTOLD, BEST}


def test_a_hundred_thousand_trials_are_told_like_any():
    table = build_table(100_000)
    part = np.arange(0, 100_000, 997)
    assert standings(table)[part].tolist() == standings(table, part).tolist()
