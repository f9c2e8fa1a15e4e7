"""The bench of a seat: the same from everywhere, and no more tries than there are, however fast somebody clicks."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from hpo_core.errors import UsageError
from hpo_core.search.classroom import join, make_class, open_class
from hpo_core.search.fits import FitStore
from hpo_core.search.manual import ManualArm
from pages._shared.class_bench import is_seat_behind, seat_bench, seat_view
from pages._shared.tuning import bench_of, load, step_back
from tests.direct_executor import DirectExecutor
from tests.hpo_core.search.test_classroom import ARMS, HILLS

PLACES = [{"x": float(x), "y": 1.0} for x in range(8)]


@pytest.fixture
def seat(lab, tmp_path):
    fits = FitStore(tmp_path / "own-fits.db")
    lab.manual = ManualArm(DirectExecutor(), fits)
    room, _ = make_class(lab.storage, HILLS, ARMS, 4)
    token = join(lab.storage, room, "Ada")
    room.play("running")
    yield open_class(lab.storage, room.code).seat(token)
    lab.manual.close()
    fits.close()


def test_budget_is_kept_however_many_clicks_come_at_once(lab, seat):
    bench, turnstile = seat_bench(seat)
    again, _ = seat_bench(seat)
    assert again is bench is bench_of(bench.who)

    def click(place):
        with bench.lock:  # as whoever takes a move in does
            load(bench, place)

    with ThreadPoolExecutor(8) as clicks:
        list(clicks.map(click, PLACES))
    lab.manual.close()
    table = lab.table_of(seat.study)
    assert len(table) == 4
    assert table.arms[0] == "default"
    assert (turnstile.n_used, turnstile.n_left) == (4, 0)
    load(bench, {"x": 9.5, "y": 9.5})
    assert bench.notices == ["All 4 tries are used."]
    assert bench.configuration == bench.nudge.configuration  # the sliders stand where the score is of


def test_bench_opened_anew_goes_on_where_it_was_and_costs_no_try(lab, seat):
    bench, _ = seat_bench(seat)
    load(bench, PLACES[0])
    assert bench.nudge.wait_until_over(10)
    key = bench.who
    del bench
    st.session_state.clear()  # as when nobody has its page open any more
    gc.collect()
    bench, turnstile = seat_bench(seat)
    assert bench.who != key
    assert bench.configuration == PLACES[0]
    assert turnstile.n_used == 2
    step_back(bench, 1)
    assert bench.configuration == HILLS.space.default()
    assert turnstile.n_used == 2


def test_page_is_behind_once_the_teacher_has_done_something(lab, seat):
    bench, turnstile = seat_bench(seat)
    assert bench.nudge.wait_until_over(10)
    bench.charted = seat_view(bench, turnstile)
    assert not is_seat_behind(bench, turnstile)
    lab.storage.study(seat.anchor.name).set_attribute("duel_control:play", "paused")
    assert is_seat_behind(bench, turnstile)
    load(bench, PLACES[1])
    assert bench.notices == ["The class is paused."]


def test_study_of_a_class_is_not_shown_before_its_end(lab, seat):
    with pytest.raises(UsageError, match="not over"):
        lab.study(seat.study.name)
