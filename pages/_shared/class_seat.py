"""The page of one person in a class: sliders, score, tries left, and their own trials; nothing of the others."""

from __future__ import annotations

import math
from html import escape
from statistics import fmean

import numpy as np
import streamlit as st

from hpo_core.formats import NOTHING, format_score, format_value
from hpo_core.plots import PLOTS
from hpo_core.search.class_results import ResultRow, is_scored, machine_so_far
from hpo_core.search.classroom import Classroom, Seat, open_class
from hpo_core.search.turnstile import Turnstile
from hpo_core.studies.table import TrialTable
from pages._shared.chart_card import chart_card
from pages._shared.class_bench import seat_bench, seat_view
from pages._shared.class_results import shown_results
from pages._shared.fault import guarded_fragment, plain
from pages._shared.hand_panel import hand_panel
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab
from pages._shared.parameters import is_locked
from pages._shared.score_card import score_card
from pages._shared.tuning import Tuning, best_trial, load, move_sliders

_SCORING_SECONDS = 3.0
_MOST_PARAMETERS = 4
_WAITS = {
    "waiting": "Your teacher has not begun yet. This is the score of the default, the same for everybody.",
    "paused": "Your teacher has paused the class. What you have tried stays.",
}


def class_seat(seat: Seat, room: Classroom) -> None:
    """The page; the score card asks now and then for news, so that it begins, pauses and ends by itself."""
    bench, turnstile = seat_bench(seat)
    st.html(
        f'<div class="lab-problem"><h1>{escape(seat.name)}</h1><p>{escape(seat.plan.name)} · '
        f"{escape(shown_name(bench.problem.title))}</p></div>"
    )
    if seat.state() == "over":
        is_done = is_scored(room.duel)
        every = None if is_done else _SCORING_SECONDS
        guarded_fragment(_end, what="Your result", key="class-end", every=every)(room.code, seat, is_done)
        return
    left, right = st.columns([1, 1.9], gap="medium")
    with left, st.container(key="card-by-hand"):
        guarded_fragment(_by_hand, what="The sliders", key="by-hand")(bench, turnstile)
    with right, st.container(key="class-so-far"):
        guarded_fragment(_so_far, what="Your tries", key="live-charts")(bench, turnstile, room)


def _by_hand(bench: Tuning, turnstile: Turnstile) -> None:
    bench.charted = seat_view(bench, turnstile)
    state = turnstile.seat.state()
    if state == "over":
        st.rerun()
    _tries(turnstile)
    if state == "running" and turnstile.n_left:
        hand_panel(bench)
        return
    score_card(bench, best_trial(bench))
    st.html(
        f'<p class="lab-note" role="status">{_WAITS.get(state, "All your tries are used. Wait for the others.")}</p>'
    )


def _tries(turnstile: Turnstile) -> None:
    n, n_used = turnstile.seat.n_tries, min(turnstile.n_used, turnstile.seat.n_tries)
    st.html(
        f'<div class="lab-progress"><div class="lab-row"><b>{n - n_used} of {n} tries left</b></div>'
        f'<div class="lab-bar" role="progressbar" aria-label="tries used" aria-valuemin="0" aria-valuemax="{n}" '
        f'aria-valuenow="{n_used}"><span style="width:{100 * n_used / n:.1f}%"></span></div></div>'
    )


def _so_far(bench: Tuning, turnstile: Turnstile, room: Classroom) -> None:
    seat = turnstile.seat
    table = the_lab().table_of(seat.study)
    if seat.rules.shows_machine:
        _machine(room, bench.problem.metric_label)
    if seat.rules.shows_chart:
        chart_card(
            PLOTS["history"],
            table,
            key="class-history",
            value_label=bench.problem.metric_label,
            on_trial=lambda number: _go_to(bench, number),
        )
    if seat.rules.shows_tries:
        with st.container(key="card-class-tries", gap="small"):
            st.subheader("What have you tried?", anchor=False)
            st.html(_list(bench, table))


def _go_to(bench: Tuning, number: int) -> None:
    table = the_lab().table_of(bench.turnstile.seat.study) if bench.turnstile else None
    if table is not None and len(rows := np.flatnonzero(table.numbers == number)):
        move_sliders(bench, load, table.configuration(int(rows[0])))


def _machine(room: Classroom, metric: str) -> None:
    """How good the best of each of the machine's arms is, as the mean over its seeds."""
    arms = machine_so_far(room.duel, the_lab().table_of)
    rows = [(escape(one.arm.label), format_score(fmean(one.best.values()) if one.best else None)) for one in arms]
    with st.container(key="card-class-machine", gap="small"):
        st.subheader("How far is the machine?", anchor=False)
        st.html(html_table("The machine", ("Arm", f"Best {metric} so far"), rows))


def _list(bench: Tuning, table: TrialTable) -> str:
    """All trials, the newest first, with what can be moved."""
    names = [p.name for p in bench.problem.space.parameters if not is_locked(p)][:_MOST_PARAMETERS]
    best = table.best()
    rows = []
    for row in range(len(table) - 1, -1, -1):
        value = format_score(float(table.values[row])) if table.is_complete[row] else "failed"
        mark = ' <span class="lab-note">best</span>' if row == best else ""
        tried = table.configuration(row)
        cells = [escape(format_value(tried[name])) if name in tried else NOTHING for name in names]
        rows.append((f"{int(table.numbers[row])}", f"<b>{value}</b>{mark}", *cells))
    titles = [bench.problem.space[name].title for name in names]
    return html_table("Your tries", ("Try", bench.problem.metric_label, *titles), rows)


def _end(code: str, seat: Seat, was_done: bool) -> None:
    """What came of it for this person."""
    duel = open_class(the_lab().storage, code).duel
    if is_scored(duel) != was_done:
        st.rerun()
    with st.container(key="card-class-end", gap="small"):
        st.subheader("The class is over", anchor=False)
        if not was_done:
            st.caption("What everybody has chosen is being scored on rows that had no part in choosing it.")
            return
        results = shown_results(duel)
        people = [row for row in results.rows if row.is_person]
        own = next((row for row in people if row.name == seat.name), None)
        if own is not None:
            st.html(html_table("Your result", ("Your result", ""), _own_rows(own, people.index(own) + 1, len(people))))
        st.markdown(plain(results.sentences[0]))


def _own_rows(own: ResultRow, place: int, n_people: int) -> list[tuple[str, str]]:
    rows = [("Best of your own folds", own.best), ("On fresh folds", own.fresh), ("On the locked rows", own.locked)]
    shown = [(name, f"<b>{format_score(value)}</b>") for name, value in rows if math.isfinite(value)]
    return [("Place", f"{place} of {n_people}" if own.place else "none"), *shown]
