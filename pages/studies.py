"""Studies: all studies of this lab, what runs, and the way into each."""

from __future__ import annotations

import time
from html import escape
from urllib.parse import quote

import streamlit as st

from hpo_core.formats import format_age, format_score, format_seconds
from hpo_core.methods import METHODS
from hpo_core.search import recover_all
from hpo_core.studies.summary import StudySummary
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab

_REFRESH_SECONDS = 2.0


def page() -> None:
    """The list; while something runs it renews itself."""
    st.html('<div class="lab-problem"><h1>Studies</h1></div>')
    recover_all(the_lab().storage)
    is_active = any(s.run is not None and s.run.is_active for s in the_lab().storage.summaries())
    every = _REFRESH_SECONDS if is_active else None
    guarded_fragment(_list, what="The list of studies", key="study-list", every=every)()


def _list() -> None:
    studies = the_lab().storage.summaries()
    if not studies:
        st.html(
            '<div class="lab-empty"><h3>No studies yet</h3><p>A study begins with your first move of a slider, or with '
            'a search.</p><p><a href="/" target="_self">Tune</a></p></div>'
        )
        return
    rows = "".join(_row(s) for s in studies)
    heads = "".join(
        f"<th>{h}</th>" for h in ("Study", "State", "Best", "Metric", "Trials", "Failed", "Method", "Changed")
    )
    st.html(f'<div class="lab-table"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>')
    noun = "study" if len(studies) == 1 else "studies"
    st.caption(f"{len(studies):,} {noun} in {the_lab().storage.shown_url}")


def _row(s: StudySummary) -> str:
    name = escape(s.name)
    link = f'<a href="/?study={quote(s.name)}" target="_self">{name}</a>' if s.is_lab else name
    arrow = "↑" if s.direction == "maximize" else "↓"
    cells = [
        link,
        _state(s),
        f'<span class="lab-number">{format_score(s.best_value)}</span>',
        f"{escape(s.metric)} {arrow}",
        f'<span class="lab-number">{s.n_complete + s.n_pruned:,}</span>',
        f'<span class="lab-number">{s.n_failed:,}</span>',
        escape(_method(s)),
        format_age(s.changed or s.created, time.time()),
    ]
    return "<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"


def _method(s: StudySummary) -> str:
    if s.run is None:
        return "by hand" if s.is_lab else "other program"
    key = s.run.settings.method
    return METHODS[key].label if key in METHODS else key


def _state(s: StudySummary) -> str:
    if s.run is None:
        return '<span class="lab-badge">by hand</span>' if s.is_lab else "–"
    left = s.run.live.seconds_left
    more = f" {format_seconds(left)} left" if s.run.is_active and left is not None else ""
    return f'<span class="lab-badge lab-state-{s.run.state}">{s.run.state}</span>{more}'


page()
