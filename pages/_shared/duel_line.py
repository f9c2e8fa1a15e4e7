"""On Tune: the line that says that a person plays in a duel, and what is left of their budget."""

from __future__ import annotations

import time
from html import escape
from urllib.parse import quote

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.search.duel import MANUAL, open_duel, seat_of
from hpo_core.search.hand import hand_use
from pages._shared.duel_state import use_in_words
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab
from pages._shared.tuning import Tuning

_TICK_SECONDS = 1.0


def duel_line(tuning: Tuning) -> None:
    """The line, for the study of a person who plays; a clock where the budget is in seconds."""
    seat = None if tuning.study is None else seat_of(tuning.study)
    if seat is None or seat[1].method != MANUAL or seat[0].code:
        return
    plan = seat[0]
    every = _TICK_SECONDS if plan.budget.kind == "seconds" else None
    guarded_fragment(_line, what="The line of the duel", key="duel-line", every=every)(plan.key)


def _line(key: str) -> None:
    try:
        duel = open_duel(the_lab().storage, key)
    except TuningError:
        return  # its studies were deleted
    use = hand_use(duel, time.time(), the_lab().table_of)
    if use is None:
        return
    words = "you are done" if use.is_done else use_in_words(use, duel.plan.budget.kind)
    link = f'<a class="lab-link" href="/duel?name={quote(duel.plan.name)}" target="_self">{escape(duel.plan.name)}</a>'
    st.html(f'<p class="lab-note" role="status">{link}: {escape(words)}</p>')
