"""Schedules as they travel in thoughts."""

import json

import pytest

from hpo_core.schedule import WHOLE, Schedule, Segment

_THIRD = Schedule(0.75, (Segment({"x": 1.0}, 0.25), Segment({"x": 2.0}, 0.5)))


@pytest.mark.parametrize("schedule", [WHOLE, Schedule(1 / 9), _THIRD, Schedule(rows=0.25), Schedule(0.5, rows=0.1)])
def test_comes_back_from_a_thought(schedule):
    assert Schedule.of_thought(json.loads(json.dumps({"stage": "a", **schedule.to_thought()}))) == schedule
    assert Schedule.from_json(schedule.resource, schedule.past_to_json(), schedule.rows) == schedule


@pytest.mark.parametrize("resource", [0, -1, 1.5, "0.5", None, True, [0.5], float("nan"), float("inf")])
def test_what_is_no_share_means_a_whole_fit(resource):
    assert Schedule.of_thought({"resource": resource}) == WHOLE


@pytest.mark.parametrize(
    "past", ["0.2", [0.2], [["x", 0.2]], [[{"x": 1}, 0.9]], [[{"x": 1}, "y"]], {"x": 0.2}, [[{}, 0.0]]]
)
def test_what_is_no_past_is_left_out(past):
    assert Schedule.of_thought({"resource": 0.5, "past": past}) == Schedule(0.5)


def test_only_its_own_segment_counts():
    assert [s.cost for s in (WHOLE, Schedule(0.25), _THIRD)] == [1.0, 0.25, 0.25]


def test_part_of_the_rows_is_part_of_a_fit_and_no_whole_one():
    assert Schedule(0.5, rows=0.5).cost == 0.25
    assert not Schedule(rows=0.5).is_whole
    assert Schedule.of_thought({"resource": 0.5, "rows": "many"}) == Schedule(0.5)
