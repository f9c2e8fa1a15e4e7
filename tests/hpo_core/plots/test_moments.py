"""Marks of what was done: where they lie among the trials on each axis, and that near ones are told together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.run import Event
from tests.trial_tables import build_table

HISTORY = PLOTS["history"]
TIMES = {"started": np.arange(0.0, 200.0, 10.0), "completed": np.arange(8.0, 208.0, 10.0)}


def history(axis: str, *events: Event, **columns: object) -> list[tuple[float, str]]:
    table = replace(build_table(20, n_folds=3), events=events, **{**TIMES, **columns})  # type: ignore[arg-type]
    data = with_options(HISTORY, {"x": axis}).compute(table)
    return [(moment.place, moment.words) for moment in data.moments]


def budget(second: float, amount: int, by: str = "") -> Event:
    return Event(second, "budget", {"kind": "trials", "amount": amount, "by": by})


@pytest.mark.parametrize(("axis", "place"), [("trial", 4.5), ("fit", 16.5), ("second", 53.0)])
def test_a_mark_lies_between_the_trials_around_it(axis: str, place: float) -> None:
    ((at, words),) = history(axis, budget(53.0, 40, "a person in the lab"))
    assert at == pytest.approx(place)
    assert words == "budget changed to 40 trials by a person in the lab, after 53 s"


def test_trials_that_ended_out_of_order_leave_marks_in_the_order_of_time() -> None:
    shuffled = np.random.default_rng(0).permutation(TIMES["completed"])
    found = history("trial", *(budget(3.0 + 10 * i, i) for i in range(20)), completed=shuffled)
    places = [place for place, _ in found]
    assert places == sorted(places)
    assert all(-1 <= place <= 20 for place in places)


def test_before_the_first_and_after_the_last_trial_marks_stay_in_view() -> None:
    table = replace(build_table(20), events=(budget(-1e6, 1), budget(1e6, 2)), **TIMES)
    figure = HISTORY.draw(HISTORY.compute(table), LIVE)
    low, high = figure["layout"]["xaxis"]["range"]
    (marks,) = [t for t in figure["data"] if t.get("name") == "what was done"]
    assert all(low <= x <= high for x in marks["x"])
    assert len(marks["x"]) == 2


def test_near_ones_are_told_together_and_not_without_end() -> None:
    ((_, words),) = history("trial", *(budget(53.0 + i / 1000, i + 1) for i in range(9)))
    assert words.count("<br>") == 6
    assert words.endswith("and 3 more")


def test_many_marks_are_the_newest_and_the_caption_says_so() -> None:
    n = 400
    times = {"started": np.arange(0.0, 10.0 * n, 10.0), "completed": np.arange(8.0, 10.0 * n + 8, 10.0)}
    events = tuple(budget(9.0 + 40 * i, i + 1) for i in range(100))
    data = HISTORY.compute(replace(build_table(n), events=events, **times))
    assert len(data.moments) == 60
    assert "budget changed to 100 trials" in data.moments[-1].words
    assert "only the last 60 moments" in HISTORY.caption(data)


def test_marks_stay_on_top_of_a_zoomed_chart() -> None:
    table = replace(build_table(20), events=(budget(53.0, 40),), **TIMES)
    figure = HISTORY.draw(HISTORY.compute(table), LIVE)
    assert figure["layout"]["yaxis2"]["fixedrange"]
    assert {t.get("yaxis") for t in figure["data"] if t.get("name") in ("what was done", "event lines")} == {"y2"}


def test_marks_can_be_left_out() -> None:
    table = replace(build_table(20), events=(budget(53.0, 40),), **TIMES)
    plot = with_options(HISTORY, {"marks": False})
    assert not [t for t in plot.draw(plot.compute(table), LIVE)["data"] if t.get("name") == "what was done"]


def test_a_study_without_times_has_no_marks() -> None:
    unknown = np.full(20, np.nan)
    assert history("trial", budget(53.0, 40), started=unknown, completed=unknown) == []
