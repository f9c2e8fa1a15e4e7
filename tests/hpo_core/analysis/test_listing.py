"""Trials in a list: the order that a person asks for, words for a page, all digits for a file."""

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.analysis.listing import (
    ARM,
    NOTE,
    SECONDS,
    STANDING,
    STATE,
    TRIAL,
    VALUE,
    cells,
    columns_of,
    found_rows,
    sorted_rows,
    trial_frame,
)
from hpo_core.studies.notes import Note
from tests.trial_tables import build_table, with_faults

TABLE = with_faults(build_table(120))
ALL = np.arange(len(TABLE))


def test_best_value_comes_first_and_what_has_none_last():
    order = sorted_rows(TABLE, ALL, VALUE)
    assert order[0] == TABLE.best()
    n_complete, n_pruned = TABLE.is_complete.sum(), TABLE.is_pruned.sum()
    assert TABLE.is_complete[order[:n_complete]].all()
    assert TABLE.is_pruned[order[n_complete : n_complete + n_pruned]].all()
    assert TABLE.is_failed[order[n_complete + n_pruned :]].all()
    assert (np.diff(TABLE.values[order[:n_complete]]) <= 0).all()


def test_reversed_order_still_ends_with_what_has_none():
    order = sorted_rows(TABLE, ALL, VALUE, is_reversed=True)
    assert TABLE.is_complete[order[0]]
    assert TABLE.values[order[0]] == TABLE.values[TABLE.is_complete].min()
    assert TABLE.is_failed[order[-1]]


def test_lowest_value_comes_first_where_lower_is_better():
    table = build_table(40, direction="minimize")
    assert sorted_rows(table, np.arange(40), VALUE)[0] == np.argmin(table.values)


@pytest.mark.parametrize("by", [TRIAL, ARM, STANDING, STATE, SECONDS, "p.C", "p.kernel", "p.degree", "p.never", ""])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_every_order_holds_every_row_once(by, is_reversed):
    assert sorted(sorted_rows(TABLE, ALL, by, is_reversed=is_reversed)) == ALL.tolist()


def test_inactive_parameter_sorts_last_both_ways():
    for is_reversed in (False, True):
        order = sorted_rows(TABLE, ALL, "p.degree", is_reversed=is_reversed)
        used = ~np.isnan(TABLE.params["degree"][order])
        assert used[: used.sum()].all()


def test_parameter_called_value_is_a_column_of_its_own():
    table = build_table(10)
    named = replace(table, params={"value": table.params["C"]}, distributions={"value": table.distributions["C"]})
    order = sorted_rows(named, np.arange(10), "p.value")
    assert (np.diff(table.params["C"][order]) >= 0).all()
    assert len(set(trial_frame(named).columns)) == len(trial_frame(named).columns)


def test_cells_say_four_digits_and_the_noise():
    columns = columns_of(TABLE, "accuracy")
    rows = cells(TABLE, sorted_rows(TABLE, ALL, VALUE)[:3], columns, str)
    heads = [c.label for c in columns]
    assert heads[:4] == ["trial", "by", "accuracy ↑", "state"]
    best = dict(zip(heads, rows[0], strict=True))
    assert best["accuracy ↑"].startswith(f"{TABLE.values[TABLE.best()]:.4f} ± 0.00")
    assert best["state"] == "complete"
    assert best["time"] == "0.5 s"


def test_ties_with_the_best_are_a_column_that_sorts_them_first():
    (standing,) = [column for column in columns_of(TABLE) if column.key == STANDING]
    order = sorted_rows(TABLE, ALL, STANDING)
    words = [row[0] for row in cells(TABLE, order, [standing], str)]
    n_tied, n_worse = words.count("tied"), words.count("worse")
    assert n_tied > 0
    assert n_worse > 0
    n_told = 1 + n_tied + n_worse
    assert words == ["best", *["tied"] * n_tied, *["worse"] * n_worse, *[""] * (len(TABLE) - n_told)]
    assert cells(TABLE, order[:3], [standing], str) == [[word] for word in words[:3]]  # as among all, on any page
    assert trial_frame(TABLE)["to the best"].tolist()[int(TABLE.best())] == "best"
    assert not [column for column in columns_of(build_table(9, n_folds=1)) if column.key == STANDING]


def test_hidden_trial_says_so():
    (state,) = [column for column in columns_of(TABLE) if column.key == STATE]
    assert cells(replace(TABLE, hidden=frozenset({4})), np.array([4, 5]), [state], str) == [["hidden"], ["complete"]]


def test_text_finds_numbers_categories_arms_and_reasons():
    assert np.flatnonzero(found_rows(TABLE, " 17 ", str)).tolist() == [17]
    assert (TABLE.column("kernel")[found_rows(TABLE, "POLY", str)] == "poly").all()
    assert found_rows(TABLE, "longer than", str).tolist() == TABLE.is_failed.tolist()
    assert (TABLE.arms[found_rows(TABLE, "you", lambda arm: "you" if arm == "manual" else "")] == "manual").all()
    assert found_rows(TABLE, "", str).all()
    assert not found_rows(TABLE, "<script>", str).any()


def test_notes_on_trials_are_a_column_that_is_sorted_found_and_in_the_file():
    texts = ((None, "on the study"), (5, "b"), (2, "Odd\none"), (5, "c" * 90))
    noted = replace(TABLE, notes=tuple(Note(str(i), text, trial, 0.0, "") for i, (trial, text) in enumerate(texts)))
    assert NOTE not in [column.key for column in columns_of(TABLE)]
    place = [column.key for column in columns_of(noted)].index(NOTE)
    told = [row[place] for row in cells(noted, np.array([2, 3, 5]), columns_of(noted), str)]
    assert told[:2] == ["✎ Odd one", ""]
    assert told[2] == f"✎ b; {'c' * 57}…"
    assert sorted_rows(noted, ALL, NOTE)[:2].tolist() == [2, 5]
    assert np.flatnonzero(found_rows(noted, "odd", str)).tolist() == [2]
    assert trial_frame(noted)["notes"][2] == "Odd\none"


def test_file_holds_all_trials_with_all_digits():
    frame = trial_frame(TABLE)
    assert len(frame) == 120
    assert frame["C"].tolist() == TABLE.params["C"].tolist()
    assert set(frame["state"]) == {"complete", "pruned", "failed"}


def test_empty_study_has_an_empty_list():
    table = build_table(0)
    assert cells(table, np.array([], dtype=int), columns_of(table), str) == []
    assert len(trial_frame(table)) == 0
