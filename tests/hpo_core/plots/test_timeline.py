"""The timeline: as many lanes as ran at once, pauses, and events in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.run import Event
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table, with_faults

TIMELINE = PLOTS["timeline"]
BEGIN = 1.7e9


def table_of(spans: list[tuple[float, float]], *events: Event) -> TrialTable:
    starts, ends = BEGIN + np.array(spans, dtype=float).T
    return build_table(len(spans), started=starts, completed=ends, events=events)


def event(second: float, what: str, **detail: object) -> Event:
    return Event(BEGIN + second, what, detail)


def test_lanes_are_as_many_as_ran_at_once() -> None:
    data = TIMELINE.compute(table_of([(0, 4), (1, 2), (2, 3), (3.5, 6), (5, 7)]))
    assert data.lanes.tolist() == [0, 1, 1, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), min_size=1, max_size=40))
def test_bars_of_one_lane_never_overlap_and_no_lane_is_wasted(spans: list[tuple[int, int]]) -> None:
    data = TIMELINE.compute(table_of([(start, start + length) for start, length in spans]))
    for lane in range(data.n_lanes):
        mine = data.lanes == lane
        assert (data.starts[mine][1:] >= data.ends[mine][:-1] - 1e-5).all()
    at_once = max(int(((data.starts <= s + 1e-5) & (data.ends > s + 1e-3)).sum()) for s in data.starts)
    assert data.n_lanes == at_once


def test_events_are_told_in_words() -> None:
    events = (
        event(0, "begun", kind="trials", amount=60),
        event(1, "claimed", pid=7),
        event(20, "asked", wanted="paused"),
        event(30, "asked", wanted="running"),
        event(50, "budget", kind="trials", amount=80),
        event(70, "died", message="The machine went away."),
        event(80, "resumed", kind="trials", amount=80),
        event(99, "asked", wanted="stopped"),
    )
    data = TIMELINE.compute(table_of([(0, 100)], *events))
    assert [moment.words for moment in data.moments] == [
        "search started: 60 trials",
        "paused",
        "resumed",
        "budget changed to 80 trials",
        "search died: The machine went away.",
        "search taken up again: 80 trials",
        "stopped",
    ]
    marks = next(t for t in TIMELINE.draw(data, LIVE)["data"] if t["name"] == "what was done")
    assert "budget changed to 80 trials" in marks["text"][3]


def test_pause_is_shaded_from_its_begin_to_its_end() -> None:
    paused = event(10, "asked", wanted="paused")
    data = TIMELINE.compute(table_of([(0, 10), (40, 60)], paused, event(40, "asked", wanted="running")))
    assert data.pauses == (pytest.approx((10, 40)),)
    assert "1 pause took 30 s" in TIMELINE.alt(data)
    assert TIMELINE.draw(data, LIVE)["layout"]["shapes"][0]["x0"] == pytest.approx(10, abs=1e-5)


def test_pause_that_goes_on_ends_with_the_picture() -> None:
    data = TIMELINE.compute(table_of([(0, 10), (5, 30)], event(10, "asked", wanted="paused")))
    assert data.pauses == (pytest.approx((10, 30)),)


def test_events_close_together_are_one_mark() -> None:
    events = [event(10 + 0.01 * i, "budget", kind="trials", amount=10 + i) for i in range(3)]
    data = TIMELINE.compute(table_of([(0, 100)], *events))
    assert [moment.words.count("budget") for moment in data.moments] == [3]


def test_picture_begins_with_the_start_of_the_search() -> None:
    table = table_of([(0, 10), (5, 30)], event(-3, "begun", kind="trials", amount=9))
    assert TIMELINE.draw(TIMELINE.compute(table), LIVE)["layout"]["xaxis"]["range"][0] < -3


def test_event_long_before_the_first_trial_shown_does_not_squeeze_the_bars() -> None:
    table = table_of([(0, 10), (5, 30)], event(-3000, "begun", kind="trials", amount=9))
    assert TIMELINE.draw(TIMELINE.compute(table), LIVE)["layout"]["xaxis"]["range"][0] > -1


def test_events_can_be_left_out() -> None:
    data = with_options(TIMELINE, {"marks": False}).compute(table_of([(0, 9)], event(2, "asked", wanted="paused")))
    assert data.moments == data.pauses == ()


def test_one_trace_an_arm_however_many_trials() -> None:
    few, many = (TIMELINE.draw(TIMELINE.compute(with_faults(build_table(n))), LIVE) for n in (60, 3000))
    assert len(many["data"]) <= len(few["data"]) + 1


def test_newest_two_thousand_are_shown_and_said() -> None:
    data = TIMELINE.compute(build_table(5000))
    assert data.rows.tolist() == list(range(3000, 5000))
    assert "newest 2,000 of 5,000 trials" in TIMELINE.caption(data)


def test_running_trial_reaches_to_the_newest_sign_of_life() -> None:
    table = table_of([(0, 10), (2, 4), (5, 8)])
    states = np.array([1, 1, 0], dtype=np.int8)
    table = replace(
        table, states=states, completed=np.where(states == TrialState.RUNNING.value, np.nan, table.completed)
    )
    data = TIMELINE.compute(table)
    assert data.ends[-1] == pytest.approx(10)


def test_trials_without_times_are_counted() -> None:
    table = build_table(10)
    table.completed[3:5] = np.nan
    assert "2 trials without times left out" in TIMELINE.caption(TIMELINE.compute(table))


def test_share_of_time_in_which_something_ran() -> None:
    assert "something ran 50% of the time" in TIMELINE.alt(TIMELINE.compute(table_of([(0, 4), (1, 5), (15, 20)])))


@pytest.mark.parametrize(("seconds", "unit"), [(100, "seconds"), (1000, "minutes"), (20_000, "hours"), (1e6, "days")])
def test_axis_has_the_unit_of_its_length(seconds: float, unit: str) -> None:
    figure = TIMELINE.draw(TIMELINE.compute(table_of([(0, seconds)])), LIVE)
    assert figure["layout"]["xaxis"]["title"]["text"] == f"{unit} since the start"
