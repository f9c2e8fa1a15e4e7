"""Fold scores: the right trials, intervals that are corrected, ties that are called so."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.noise import compare_folds, mean_interval
from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

FOLDS = PLOTS["folds"]


def table_of(folds: list[list[float]], direction: str = "maximize") -> TrialTable:
    scores = np.array(folds)
    return build_table(
        len(scores), direction=direction, arms=("tpe",), fold_scores=scores, values=np.nanmean(scores, axis=1)
    )


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_best_trials_the_default_and_the_newest_of_yours_are_shown(direction: str) -> None:
    table = build_table(80, direction=direction)
    data = with_options(FOLDS, {"top": 5}).compute(table)
    best = np.argsort(table.sign * table.values)[:5].tolist()
    expected = {*best, 0, int(np.flatnonzero(table.arms == "manual")[-1])}
    assert {row.row for row in data.rows} == expected
    signed = [table.sign * table.values[row.row] for row in data.rows]
    assert signed == sorted(signed)


def test_tie_and_difference_are_told_apart() -> None:
    steady = [0.90, 0.91, 0.92, 0.91, 0.90]
    data = FOLDS.compute(table_of([steady, [0.91, 0.89, 0.92, 0.90, 0.90], [s - 0.05 for s in steady]]))
    assert [row.is_tied for row in data.rows] == [False, True, False]
    assert data.rows[2].difference.verdict == "worse"
    assert FOLDS.alt(data).startswith("Trial 0 is best with a mean of 0.9080 ")
    assert "1 of the 2 others here cannot be told from it" in FOLDS.alt(data)


def test_tied_means_are_hollow() -> None:
    data = FOLDS.compute(table_of([[0.9, 0.91, 0.92], [0.91, 0.89, 0.92], [0.5, 0.51, 0.52]]))
    means = next(t for t in FOLDS.draw(data, LIVE)["data"] if "error_x" in t)
    assert [colour == LIVE.surface for colour in means["marker"]["color"]] == [False, True, False]


def test_missing_folds_are_said_and_compared_on_common_folds() -> None:
    data = FOLDS.compute(table_of([[0.9, 0.92, 0.94], [0.8, 0.82, np.nan]]))
    assert data.rows[1].difference.mean == pytest.approx(-0.1)
    assert "1 of them lack folds" in FOLDS.caption(data)
    points = FOLDS.draw(data, LIVE)["data"][0]
    assert len(points["x"]) == 5


def test_interval_is_wider_than_the_plain_one_and_agrees_with_the_comparison() -> None:
    scores = np.array([0.90, 0.92, 0.91, 0.93, 0.89])
    plain = 2.776445 * scores.std(ddof=1) / np.sqrt(5)
    assert mean_interval(scores, overlap=0.25) == pytest.approx(plain * np.sqrt(5 * (1 / 5 + 0.25)), rel=1e-5)
    against_zero = compare_folds(scores, np.zeros(5), is_higher_better=True, overlap=0.25)
    assert mean_interval(scores, overlap=0.25) == pytest.approx(against_zero.half_width)


@pytest.mark.parametrize("scores", [[0.9], [0.9, np.nan], []])
def test_interval_of_less_than_two_folds_is_unknown(scores: list[float]) -> None:
    assert np.isnan(mean_interval(scores, overlap=0.25))


def test_far_trial_does_not_squeeze_the_others() -> None:
    table = build_table(200)
    table.fold_scores[0] = 0.1
    data = FOLDS.compute(build_table(200, fold_scores=table.fold_scores, values=table.fold_scores.mean(axis=1)))
    figure = FOLDS.draw(data, LIVE)
    assert figure["layout"]["xaxis"]["range"][0] > 0.5
    assert any("◂ 0.1000" in note["text"] for note in figure["layout"]["annotations"])


def test_clicked_mark_names_its_trial() -> None:
    data = FOLDS.compute(build_table(30))
    shown = {row[0] for t in FOLDS.draw(data, LIVE)["data"] for row in t["customdata"]}
    assert shown == {int(data.table.numbers[row.row]) for row in data.rows}


@pytest.mark.parametrize(("n_folds", "words"), [(0, "no scores of single folds"), (1, "one fold only")])
def test_why_there_is_nothing_to_compare(n_folds: int, words: str) -> None:
    assert words in (FOLDS.why_unavailable(build_table(9, n_folds=n_folds)) or "")
