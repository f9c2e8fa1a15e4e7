"""History: the right best so far, the right places, robust against terrible values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState

from hpo_core.analysis.ties import TIED, standings
from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import build_table, with_faults

HISTORY = PLOTS["history"]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_best_so_far_of_each_arm_is_that_of_a_plain_loop(direction: str) -> None:
    table = with_faults(build_table(80, direction=direction))
    for step in HISTORY.compute(table).steps:
        best, expected = np.inf, []
        for row in np.flatnonzero(table.is_complete & (table.arms == step.arm)):
            if table.sign * table.values[row] < best:
                best = table.sign * table.values[row]
                expected.append(row)
        assert step.rows.tolist() == expected
        np.testing.assert_array_equal(step.values, table.values[expected])


def test_fits_are_counted_over_all_trials() -> None:
    table = build_table(4, n_folds=3)
    table.fold_scores[1, 1:] = np.nan
    data = with_options(HISTORY, {"x": "fit"}).compute(table)
    assert data.x.tolist() == [3, 4, 7, 10]


def test_seconds_begin_with_the_first_trial() -> None:
    table = build_table(5)
    data = with_options(HISTORY, {"x": "second"}).compute(table)
    np.testing.assert_allclose(data.x, table.completed - table.started[0])


def test_late_finish_comes_later_on_the_axis_of_seconds() -> None:
    table = build_table(6, arms=("tpe",), values=np.array([0.1, 0.9, 0.2, 0.3, 0.4, 0.5]))
    table.completed[1] = table.completed[-1] + 10
    step = with_options(HISTORY, {"x": "second"}).compute(table).steps[0]
    assert step.rows[-1] == 1
    assert (np.diff(step.x) > 0).all()


def test_terrible_values_are_counted_on_the_chart() -> None:
    table = build_table(60, values=np.where(np.arange(60) % 20 == 3, -1e9, np.linspace(0.5, 0.9, 60)))
    figure = HISTORY.draw(HISTORY.compute(table), LIVE)
    assert figure["layout"]["yaxis"]["range"][0] > 0
    assert any("3 values below this view" in note["text"] for note in figure["layout"]["annotations"])


def test_default_stays_in_view_when_a_race_leaves_only_the_best() -> None:
    values = np.concatenate([[0.980], np.linspace(0.9845, 0.9847, 12), np.linspace(0.95, 0.983, 30)])
    table = build_table(43, arms=("auto",), values=values, n_folds=5, direction="maximize")
    lost = np.arange(43) > 12
    folds = np.where(lost[:, None] & (np.arange(5) > 1), np.nan, table.fold_scores)
    states = np.where(lost, TrialState.PRUNED, TrialState.COMPLETE).astype(np.int8)
    limits = HISTORY.compute(replace(table, states=states, fold_scores=folds)).limits
    assert limits.low < 0.980
    assert limits.high > 0.9847


def test_all_failed_says_the_most_frequent_reason() -> None:
    states = np.full(9, TrialState.FAIL.value, dtype=np.int8)
    reasons = np.array(["Out of memory."] * 6 + ["Too slow."] * 3)
    table = build_table(9, states=states, reasons=reasons, values=np.full(9, np.nan))
    assert HISTORY.why_unavailable(table) == (
        "All 9 trials failed, so there is no value to show. 6 of them: Out of memory."
    )


def test_failed_and_pruned_can_be_hidden() -> None:
    data = with_options(HISTORY, {"unscored": False}).compute(with_faults(build_table(60)))
    names = {trace["name"] for trace in HISTORY.draw(data, LIVE)["data"] if "name" in trace}
    assert not names & {"failed", "pruned"}


def test_default_is_a_line_across() -> None:
    table = build_table(30)
    figure = HISTORY.draw(HISTORY.compute(table), LIVE)
    assert figure["layout"]["shapes"][0]["y0"] == table.values[0]


def test_long_study_shows_its_best_and_a_sample_and_says_so() -> None:
    table = build_table(5000)
    data = HISTORY.compute(table)
    assert len(data.shown) == 1000
    assert "1,000 of 5,000 finished trials (best 300 and a sample)" in HISTORY.caption(data)


def test_study_without_times_asks_for_another_axis() -> None:
    table = replace(build_table(10), completed=np.full(10, np.nan))
    assert "trials or in fits" in (with_options(HISTORY, {"x": "second"}).why_unavailable(table) or "")


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_trials_have_whole_numbers_along_the_axis(n: int) -> None:
    assert HISTORY.draw(HISTORY.compute(build_table(n)), LIVE)["layout"]["xaxis"]["dtick"] == 1


def test_hidden_trials_leave_the_picture_and_the_numbers() -> None:
    table = with_faults(build_table(60))
    best = int(table.best() or 0)
    hidden = {best, 3, 9}  # the best one, a pruned and a failed one
    data = HISTORY.compute(replace(table, hidden=frozenset(hidden)))
    figure = HISTORY.draw(data, LIVE)
    drawn = {row[0] for trace in figure["data"] for row in trace.get("customdata", [])}
    assert drawn == set(range(60)) - hidden
    assert not hidden & set(HISTORY.numbers(data)["trial"])
    assert f"trial {best}" not in HISTORY.alt(data)


def test_all_hidden_says_so() -> None:
    table = replace(build_table(5), hidden=frozenset(range(5)))
    assert "are hidden" in (HISTORY.why_unavailable(table) or "")


def test_trials_that_are_tied_with_the_best_have_a_ring_that_can_be_left_out() -> None:
    table = build_table(60)
    history = PLOTS["history"]
    traces = {trace.get("name"): trace for trace in history.draw(history.compute(table), LIVE)["data"]}
    tied = np.flatnonzero(standings(table) == TIED)
    assert traces["tied with the best"]["y"].tolist() == table.values[tied].tolist()
    plain = with_options(history, {"ties": False})
    assert "tied with the best" not in [trace.get("name") for trace in plain.draw(plain.compute(table), LIVE)["data"]]
