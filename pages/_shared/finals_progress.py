"""A finalists round while it is held, on one line above the charts: how far it is, or why it broke off."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import streamlit as st

from hpo_core.formats import format_count, format_seconds
from hpo_core.search.finals_process import start_finals
from hpo_core.search.finals_round import FinalsRound, ask_to_go_on, finals_of, stop_finals
from pages._shared.fault import done_or_said, guarded_fragment, plain
from pages._shared.lab import the_lab
from pages._shared.progress_bar import progress_bar
from pages._shared.tuning import Tuning

_POLL_SECONDS = 0.7
_FAULT = "finals-fault"
_BROKEN = {
    "stopped": "Cancelled. What was fitted is kept.",
    "died": "Its process ended before it was done. What was fitted is kept.",
}


def last_finals(tuning: Tuning) -> FinalsRound | None:
    """The last finalists round of the study; None before the first."""
    return None if tuning.study is None or not tuning.study.key else finals_of(tuning.study)


def finals_state(now: FinalsRound | None) -> tuple[str, str]:
    """Which round there is, and how it stands: charts that show another are behind."""
    return ("", "") if now is None else (now.plan.key, now.state)


def finals_action(action: Callable[..., None], tuning: Tuning, *arguments: Any) -> None:
    """Runs a button's action; a fault is shown on the line until the next one."""
    done_or_said("finals", lambda: action(tuning, *arguments))
    st.rerun("live-charts")


def finals_progress(tuning: Tuning, now: FinalsRound | None) -> None:
    """The line, renewed while the round is held; nothing before there is one, nor once it is over."""
    if fault := st.session_state.get(_FAULT, ""):
        st.error(plain(fault))
    if now is None or not (now.is_active or now.can_go_on):
        return
    every = _POLL_SECONDS if now.is_active else None
    guarded_fragment(_line, what="The finalists round", key="finals-progress", every=every)(tuning, now.is_active)


def _line(tuning: Tuning, was_active: bool) -> None:
    now = last_finals(tuning)
    if now is None or now.is_active != was_active:
        st.rerun()  # what stands around it must know too
    with st.container(key="finals-line", horizontal=True, gap="small", vertical_alignment="center"):
        if now.is_active:
            st.html(_under_way(now))
            st.button("Cancel", key="finals-cancel", on_click=finals_action, args=(_cancel, tuning))
        else:
            why = _BROKEN.get(now.state, now.fault)
            st.html(f'<div role="status"><b>Finalists round</b> <span class="lab-fault">{escape(why)}</span></div>')
            st.button("Go on", key="finals-go-on", on_click=finals_action, args=(_go_on, tuning))


def _under_way(now: FinalsRound) -> str:
    pace = now.pace
    doing = "opening the problem" if not pace.total else f"{pace.done:,} of {pace.total:,} fits"
    left = "" if pace.seconds_left is None else f" · {format_seconds(pace.seconds_left)} left"
    who = format_count(len(now.plan.finalists), "configuration")
    bar = progress_bar("fits on fresh folds", pace.done / pace.total if pace.total else 0.0)
    return (
        f'<div class="lab-finals-progress" role="status"><b>Finalists round</b> '
        f'<span class="lab-note">Scoring {who} on fresh folds: {doing}{left}</span>{bar}</div>'
    )


def _go_on(tuning: Tuning) -> None:
    lab, study = the_lab(), tuning.study
    if study is not None and (now := finals_of(study)) is not None and now.can_go_on:
        start_finals(lab.storage, study, ask_to_go_on(study), lab.folder)


def _cancel(tuning: Tuning) -> None:
    if tuning.study is not None:
        stop_finals(tuning.study)
