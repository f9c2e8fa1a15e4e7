"""The bench of a person in a class: one for each seat on this server, whatever device or reload it is opened from."""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import streamlit as st

from hpo_core.search import problem_of
from hpo_core.search.classroom import Seat
from hpo_core.search.turnstile import Turnstile
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable
from pages._shared.lab import the_lab
from pages._shared.tuning import Tuning, make_known

_BENCHES: WeakValueDictionary[str, Tuning] = WeakValueDictionary()
_LOCK = Lock()


def seat_bench(seat: Seat) -> tuple[Tuning, Turnstile]:
    """The bench of a seat with its turnstile; opened anew, the sliders are where they were last."""
    with _LOCK:
        bench = _BENCHES.get(seat.study.key)
        if bench is None:
            bench = _BENCHES[seat.study.key] = _opened(seat)
            make_known(bench)
    st.session_state["class-bench"] = bench  # holds it for as long as this page is open
    assert bench.turnstile is not None
    return bench, bench.turnstile


def seat_view(tuning: Tuning, turnstile: Turnstile) -> tuple[Any, ...]:
    """All that changes what a person sees without their doing."""
    assert tuning.study is not None
    return the_lab().table_of(tuning.study).revision, turnstile.seat.state()


def is_seat_behind(tuning: Tuning, turnstile: Turnstile) -> bool:
    """Whether something has happened since the page was drawn."""
    return tuning.charted is not None and seat_view(tuning, turnstile) != tuning.charted


def _opened(seat: Seat) -> Tuning:
    """The default is the first trial of everybody, made now if there is none."""
    lab, problem = the_lab(), problem_of(seat.study)
    turnstile = Turnstile(seat, lab.table_of)
    tuning = Tuning({}, problem, seat.study, problem.space.defaults(), turnstile=turnstile)
    table, default = lab.table_of(seat.study), problem.space.default()
    study = None if len(table.rows_of(default)) else seat.study
    tuning.baseline = tuning.nudge = lab.manual.nudge(
        problem, default, who=(tuning.who, "first"), study=study, arm="default"
    )
    if study is not None:
        turnstile.let_through(tuning.baseline)
    tuning.trail, tuning.place, tuning.serial = [tuning.configuration], 0, 1
    last = _last(table)
    if last is not None and last != default:
        tuning.values |= last
        tuning.nudge = lab.manual.nudge(problem, last, who=tuning.who)  # its fits are kept: shown, not done again
        tuning.trail, tuning.place, tuning.serial = [default, last], 1, 2
    return tuning


def _last(table: TrialTable) -> Configuration | None:
    """What was tried last and came to its end."""
    rows = np.flatnonzero(table.is_complete)
    return table.configuration(int(rows[-1])) if len(rows) else None
