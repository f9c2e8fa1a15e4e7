"""The ways of the arms over the surface of all their trials."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.pooling import pooled
from hpo_core.plots import LIVE, ArmPaths, Walker, figure_json
from tests.trial_tables import build_table

WALKERS = (Walker("tpe", "TPE", 0), Walker("manual", "<b>You</b>", 1), Walker("default", "Default", 2))


@pytest.fixture(scope="module")
def table():
    tables = [build_table(n, seed=n) for n in (30, 20, 1)]
    return pooled("duel 1", tables, ["tpe", "manual", "default"])


def test_a_way_goes_through_each_new_best_of_its_own_study_alone(table):
    data = ArmPaths(walkers=WALKERS, x="C", y="gamma").compute(table)
    for way in data.ways:
        values = table.values[way.rows]
        assert (np.diff(values) > 0).all()
        assert set(table.members[way.rows]) == {way.walker.member}
        own = np.flatnonzero((table.members == way.walker.member) & table.is_complete)
        assert values[-1] == np.nanmax(table.values[own])


def test_start_is_a_ring_and_end_the_largest_mark_in_the_colour_of_the_arm(table):
    plot = ArmPaths(walkers=WALKERS, x="C", y="gamma")
    data = plot.compute(table)
    figure = plot.draw(data, LIVE)
    lines = {trace["name"]: trace for trace in figure["data"] if trace.get("mode") == "lines+markers"}
    assert set(lines) == {"TPE", "&lt;b&gt;You&lt;/b&gt;", "Default"}
    you = lines["&lt;b&gt;You&lt;/b&gt;"]
    assert you["line"]["color"] == "var(--lab-you)"
    assert you["marker"]["color"][0] == "var(--lab-surface)"
    assert you["marker"]["color"][-1] == "var(--lab-you)"
    assert you["marker"]["size"][-1] == max(you["marker"]["size"])
    assert len(figure_json(figure)) < 400_000


def test_ways_over_categories_stand_on_their_labels(table):
    plot = ArmPaths(walkers=WALKERS, x="kernel", y="C")
    figure = plot.draw(plot.compute(table), LIVE)
    line = next(trace for trace in figure["data"] if trace.get("mode") == "lines+markers")
    assert set(line["x"]) <= {"rbf", "poly", "sigmoid"}


def test_words_and_numbers_say_where_each_arm_ended(table):
    plot = ArmPaths(walkers=WALKERS, x="C", y="gamma")
    data = plot.compute(table)
    frame = plot.numbers(data)
    assert list(frame.columns) == ["arm", "trial", "best so far", "C", "gamma"]
    assert frame["arm"].nunique() == 3
    assert "TPE came in" in plot.alt(data)
    assert "over a surface of all 51 trials" in plot.caption(data)


def test_too_few_trials_get_their_sentence():
    few = pooled("d", [build_table(2), build_table(1)], ["tpe", "random"])
    assert ArmPaths(walkers=WALKERS[:1]).why_unavailable(few)
