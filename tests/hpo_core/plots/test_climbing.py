"""The pictures of brackets and of populations: who went on, who copied whom, and the schedule that came out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from optuna.distributions import FloatDistribution

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

RUNGS, LINEAGE = PLOTS["rungs"], PLOTS["lineage"]
RANGES = {"rate": FloatDistribution(1e-4, 1.0, log=True), "other": FloatDistribution(0.0, 1.0)}


def _table(thoughts: list[dict[str, Any]], values: list[float], direction: str = "maximize") -> TrialTable:
    texts = np.array([json.dumps(thought) for thought in thoughts], dtype=object)
    table = build_table(len(thoughts), distributions=RANGES, arms=("hyperband",), thoughts=texts, direction=direction)
    table.values[:] = values
    return table


def _rung(bracket: int, slot: int, rung: int, scheme: str = "a") -> dict[str, Any]:
    return {"scheme": scheme, "bracket": bracket, "rung": rung, "slot": slot, "resource": 3.0 ** (rung - 2)}


def test_those_went_on_that_are_on_a_higher_rung_of_their_bracket() -> None:
    places = [(0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 0, 1), (0, 1, 1), (0, 1, 2), (1, 0, 1)]
    data = RUNGS.compute(_table([_rung(*place) for place in places], [float(i) for i in range(7)]))
    numbers = RUNGS.numbers(data)
    outcome = dict(zip(numbers["trial"], numbers["outcome"], strict=True))
    dropped = {trial for trial, what in outcome.items() if what == "dropped"}
    assert dropped == {2, 3, 6}
    texts = [note["text"] for note in RUNGS.draw(data, LIVE)["layout"]["annotations"]]
    assert texts[:3] == ["2 of 3 went on", "1 of 3 went on", "1"]


def test_one_bracket_is_shown_on_request_and_one_too_many_is_refused() -> None:
    table = _table([_rung(0, 0, 0), _rung(1, 0, 1), _rung(1, 0, 2)], [0.1, 0.2, 0.3])
    assert RUNGS.numbers(with_options(RUNGS, {"bracket": 2}).compute(table))["trial"].tolist() == [1, 2]
    assert "no bracket 3" in (with_options(RUNGS, {"bracket": 3}).why_unavailable(table) or "")


def test_only_the_newest_scheme_is_shown_and_a_trial_begun_again_stands_for_the_lost_one() -> None:
    thoughts = [_rung(0, 0, 0, "old"), _rung(0, 0, 0), _rung(0, 1, 0), _rung(0, 1, 0)]
    data = RUNGS.compute(_table(thoughts, [0.1, 0.2, np.nan, 0.4]))
    assert RUNGS.numbers(data)["trial"].tolist() == [1, 3]


@pytest.mark.parametrize(("later", "rank"), [([1.0, 2.0, 3.0, 4.0], "+1.00"), ([4.0, 3.0, 2.0, 1.0], "-1.00")])
def test_says_how_well_early_scores_foretold_late_ones(later: list[float], rank: str) -> None:
    thoughts = [_rung(0, slot, rung) for rung in (0, 1) for slot in range(4)]
    caption = RUNGS.caption(RUNGS.compute(_table(thoughts, [1.0, 2.0, 3.0, 4.0, *later])))
    assert f"1/9 and 1/3 {rank} (4)" in caption
    few = RUNGS.compute(_table(thoughts[:3], [1.0, 2.0, 3.0]))
    assert "too few configurations" in RUNGS.caption(few)


def _turn(member: int, turn: int, parent: tuple[int, int] | None, past: list[Any] | None = None) -> dict[str, Any]:
    return {
        "scheme": "p", "round": 0, "member": member, "turn": turn, "parent": parent,
        "resource": (turn + 1) / 2, "past": past or [],
    }  # fmt: skip


def test_line_leads_from_the_first_ancestor_to_the_best_member_of_the_last_turn() -> None:
    past = [[{"rate": 0.01, "other": 0.5}, 0.5]]
    thoughts = [_turn(0, 0, None), _turn(1, 0, None), _turn(0, 1, (1, 0), past), _turn(1, 1, (1, 0))]
    data = LINEAGE.compute(_table(thoughts, [9.0, 1.0, 3.0, 2.0]))
    assert data.line == ((1, 0), (0, 1))
    assert [(step.begin, step.end) for step in data.steps] == [(0.0, 0.5), (0.5, 1.0)]
    assert data.parameter == "rate"
    assert data.steps[0].value == 0.01
    assert data.steps[1].value == data.table.configuration(2)["rate"]
    assert "copied 1 time" in LINEAGE.alt(data)
    named = {trace["name"]: trace for trace in LINEAGE.draw(data, LIVE)["data"] if "name" in trace}
    assert len(named["copies"]["x"]) == len(named["trains on"]["x"]) == 3


def test_schedule_of_a_category_or_of_nothing_is_refused() -> None:
    table = _table([_turn(0, 0, None)], [1.0])
    assert "no number" in (with_options(LINEAGE, {"parameter": "gone"}).why_unavailable(table) or "")
    assert "no number has changed" in LINEAGE.caption(LINEAGE.compute(table))


def test_say_which_method_they_need() -> None:
    table = build_table(20)
    assert "hyperband" in (RUNGS.why_unavailable(table) or "")
    assert "population_based_training" in (LINEAGE.why_unavailable(table) or "")
