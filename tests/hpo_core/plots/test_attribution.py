"""Who found the gain, as drawn: bars from the default to the best, luck against them, names as people gave them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.run import Event
from tests.trial_tables import build_table

ATTRIBUTION = PLOTS["attribution"]


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_bars_lead_from_the_default_to_the_best(direction: str) -> None:
    table = build_table(60, direction=direction)
    data = ATTRIBUTION.compute(table)
    bars = [t for t in ATTRIBUTION.draw(data, LIVE)["data"] if t["type"] == "bar" and t.get("name") != "luck"]
    ends = [bar["base"][0] + bar["x"][0] for bar in bars]
    assert bars[0]["base"][0] == table.values[0]
    assert ends[-1] == pytest.approx(table.values[table.best() or 0])
    assert [bar["base"][0] for bar in bars[1:]] == pytest.approx(ends[:-1])


def test_luck_goes_back_from_the_best() -> None:
    table = build_table(60)
    data = ATTRIBUTION.compute(table)
    (luck,) = [t for t in ATTRIBUTION.draw(data, LIVE)["data"] if t.get("name") == "luck"]
    assert luck["base"] == [table.values.max()]
    assert luck["x"][0] == pytest.approx(-data.found.luck)


def test_a_suggestion_run_by_hand_is_named_so() -> None:
    thoughts = np.array(["", json.dumps({"suggested_by": "tpe"})], dtype=object)
    table = build_table(2, arms=("default", "manual"), values=np.array([0.5, 0.9]), thoughts=thoughts)
    data = ATTRIBUTION.compute(replace(table, arms=np.array(["default", "manual"])))
    assert "you, as TPE suggested" in ATTRIBUTION.alt(data)


def test_what_was_done_before_is_shown_and_escaped() -> None:
    event = Event(0.0, "child", {"child": "<b>mine</b>", "ranges": {}})
    table = replace(build_table(30), events=(event,))
    figure = with_options(ATTRIBUTION, {"by": "steering"}).draw(
        with_options(ATTRIBUTION, {"by": "steering"}).compute(table), LIVE
    )
    hovers = [t["hovertemplate"] for t in figure["data"] if t["type"] == "bar" and t.get("name") != "luck"]
    assert all("child study &lt;b&gt;mine&lt;/b&gt; made" in hover for hover in hovers)
    assert not any("<b>mine" in text for text in figure["layout"]["yaxis"]["ticktext"])


def test_nothing_gained_is_said() -> None:
    table = build_table(9, arms=("default", "tpe", "tpe"), values=np.linspace(0.9, 0.1, 9))
    data = ATTRIBUTION.compute(table)
    assert "Nothing has been gained" in ATTRIBUTION.alt(data)
    assert "No trial is better than where the study began" in ATTRIBUTION.caption(data)
