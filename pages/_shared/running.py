"""The running searches, at the right end of the header on every page."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_score, format_seconds
from hpo_core.studies.summary import StudySummary
from pages._shared.fault import plain
from pages._shared.lab import the_lab


def running_searches() -> None:
    """How many searches run; a click lists them with pause and stop. Nothing while none does."""
    place = st.container(key="running", horizontal=True)  # also for nothing: the page below must not change its place
    try:
        running = the_lab().running()
    except TuningError:
        return  # the page itself says why the storage cannot be read
    running = tuple(s for s in running if not (s.duel and s.duel.code and s.duel.is_blind))  # its teacher steers it
    if not running:
        return
    with place, st.popover(f"{len(running)} running"):
        for summary in running:
            _row(summary)


def _row(s: StudySummary) -> None:
    assert s.run is not None
    left = s.run.live.seconds_left
    more = f" · {format_seconds(left)} left" if left is not None and s.run.state == "running" else ""
    best = "hidden" if s.duel is not None and s.duel.is_blind else format_score(s.best_value)
    st.html(
        f'<p><a class="lab-link" href="/?study={quote(s.name)}" target="_self">{escape(s.name)}</a> '
        f'<span class="lab-badge lab-state-{s.run.state}">{s.run.state}</span></p>'
        f'<p class="lab-note">best {best} · {s.n_trials:,} trials{more}</p>'
    )
    with st.container(horizontal=True):
        is_paused = s.run.wanted == "paused"
        other = ("Resume", "running") if is_paused else ("Pause", "paused")
        for label, wanted in (other, ("Stop", "stopped")):
            st.button(label, key=f"running-{wanted}-{s.name}", on_click=_ask, args=(s.name, wanted))


def _ask(name: str, wanted: str) -> None:
    try:
        the_lab().storage.study(name).runs.ask_for(wanted)  # type: ignore[arg-type]
    except TuningError as fault:
        st.toast(plain(str(fault)))
