"""The surprise: intervals as predicted, counted right, judged in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.problem import make_problem
from hpo_core.search import search
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

SURPRISE = PLOTS["surprise"]


def _table(values: list[float], thoughts: list[object]) -> TrialTable:
    texts = np.array([t if isinstance(t, str) else json.dumps(t) for t in thoughts], dtype=object)
    return build_table(len(values), values=np.array(values), thoughts=texts)


def test_count_of_values_within_their_interval_is_right() -> None:
    """By hand: 1.96 standard deviations of 0.1 are 0.196, and of 0.1 with noise of 0.1 0.277."""
    sure, noisy = {"mean": 0.5, "sd": 0.1}, {"mean": 0.5, "sd": 0.1, "noise": 0.1}
    data = SURPRISE.compute(_table([0.5, 0.69, 0.31, 0.70, 0.75, 0.2], [sure, sure, sure, sure, noisy, noisy]))
    assert data.is_within.tolist() == [True, True, True, False, True, False]
    assert data.verdict.startswith("4 of 6 predictions (67 %)")
    assert "too few to judge" in data.verdict


@pytest.mark.parametrize(
    ("n_outside", "n", "words"),
    [
        (1, 30, "as many as there should be"),
        (6, 30, "too sure of itself"),
        (0, 90, "too cautious"),
        (0, 30, "as many as there should be"),
    ],
)
def test_verdict_follows_the_count(n_outside: int, n: int, words: str) -> None:
    values = [9.0] * n_outside + [0.5] * (n - n_outside)
    assert words in SURPRISE.compute(_table(values, [{"mean": 0.5, "sd": 0.1}] * n)).verdict


@pytest.mark.parametrize(
    "thought",
    ["", "{", "[]", "null", {"mean": 1}, {"mean": "x", "sd": 1}, {"mean": 1, "sd": None}, {"mean": 1, "sd": 0}],
)
def test_thoughts_without_a_prediction_are_left_out(thought: object) -> None:
    table = _table([0.5, 0.5], [thought, {"mean": 0.5, "sd": 0.1}])
    assert SURPRISE.compute(table).rows.tolist() == [1]
    assert "No finished trial holds a prediction" in str(SURPRISE.why_unavailable(_table([0.5], [thought])))


def test_marks_are_the_trials_on_either_scale() -> None:
    table = _table([0.5, 0.8, 0.4], [{"mean": 0.5, "sd": 0.1}] * 3)
    for unit, expected in (("value", [0.5, 0.8, 0.4]), ("standard deviations", [0.0, 3.0, -1.0])):
        plot = with_options(SURPRISE, {"unit": unit})
        marks = [t for t in plot.draw(plot.compute(table), LIVE)["data"] if "customdata" in t]
        found = {row[0]: y for t in marks for row, y in zip(t["customdata"], t["y"], strict=True)}
        assert [found[number] for number in range(3)] == pytest.approx(expected)


def test_only_the_newest_of_many_are_drawn_and_all_are_counted() -> None:
    table = _table([0.5] * 1000, [{"mean": 0.5, "sd": 0.1}] * 1000)
    data = SURPRISE.compute(table)
    assert "the newest 300 of 1,000" in SURPRISE.caption(data)
    drawn = [row[0] for t in SURPRISE.draw(data, LIVE)["data"] for row in t.get("customdata", [])]
    assert sorted(drawn) == list(range(700, 1000))
    assert len(SURPRISE.numbers(data)) == 1000


@pytest.mark.parametrize("method", ["gaussian_process", "random_forest_search", "auto"])
def test_methods_with_a_model_record_what_they_expect(method: str, tmp_path: Path) -> None:
    table = search(make_problem("branin"), method, trials=16, folder=tmp_path).read()
    data = SURPRISE.compute(table)
    assert 3 <= len(data.rows) <= 8
    assert np.abs(data.mean - table.values[data.rows]).max() < np.ptp(table.values)
    assert all(table.thought(int(row))["why"].endswith(".") for row in data.rows)
