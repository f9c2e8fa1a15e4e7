"""Which method when: five questions, the problem at hand, and what is best suited to it, with reasons and doubts."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from urllib.parse import quote

import numpy as np
import streamlit as st

from hpo_core.lessons import lesson_on
from hpo_core.methods import METHODS, SearchMethod
from hpo_core.search.adviser import Advice, Answers, Facts, advise
from pages._shared.fault import fault_edge, plain
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.option_widgets import option_widgets
from pages._shared.tuning import Tuning, last_tuning

METHOD_KEY, UNFOLDED_KEY = "machine-method", "machine-unfolded"
_OPEN = "adviser-open"
_SHOWN = 3
_INTRO = (
    '<div class="lab-problem"><h1>Which method when?</h1><p>Five questions and the problem at hand. The advice rests '
    "on rules of thumb, each of which gives its reason; a duel on your own problem is the proof.</p></div>"
)


def adviser_page() -> None:
    """The section of Learn: the adviser for the problem that was last open on Tune, and all methods in a table."""
    st.html(_INTRO)
    tuning = last_tuning()
    with st.container(key="card-adviser", gap="small"):
        _panel(tuning, _take_to_tune)
    with st.container(key="card-methods", gap="small"):
        st.subheader("All methods", anchor=False)
        st.html(_methods_table())


def adviser_button() -> None:
    """Opens the adviser beside the choice of a method on Tune."""
    if st.button("Which one?", key="advise", type="tertiary", help="five questions, and what suits them here"):
        st.session_state[_OPEN] = True
        st.rerun()


def adviser_dialog(tuning: Tuning) -> None:
    """The dialog, where it is wanted; to be called once in each run of the page."""
    if st.session_state.get(_OPEN):
        _dialog(tuning)


def _close() -> None:
    st.session_state.pop(_OPEN, None)


@st.dialog("Which method when?", width="large", on_dismiss=_close)
def _dialog(tuning: Tuning) -> None:
    with fault_edge("The adviser"):
        _panel(tuning, _take_here)


def _take_here(method: SearchMethod, _tuning: Tuning) -> None:
    _close()
    _choose(method)
    st.rerun()


def _choose(method: SearchMethod) -> None:
    st.session_state[METHOD_KEY] = method.key
    st.session_state[UNFOLDED_KEY] = True  # the panel is folded up on a phone


def _take_to_tune(method: SearchMethod, tuning: Tuning) -> None:
    _choose(method)
    st.switch_page("tune.py", query_params=tuning.address)


def _panel(tuning: Tuning, take: Callable[[SearchMethod, Tuning], None]) -> None:
    with st.container(key="adviser-questions", horizontal=True, gap="medium"):
        answers = option_widgets(Answers(), key="adviser")
    seconds = _fit_seconds(tuning)
    st.caption(
        f"The problem at hand, {plain(tuning.problem.title)}: {plain(Facts.of(tuning.problem, seconds).in_words)}"
    )
    for place, advice in enumerate(advise(tuning.problem, answers, seconds)[:_SHOWN], start=1):
        with st.container(key=f"advice-{place}", horizontal=True, vertical_alignment="center", gap="small"):
            st.html(_advice(place, advice))
            if st.button("Take it", key=f"advice-take-{place}", type="primary" if place == 1 else "secondary"):
                take(advice.method, tuning)


def _advice(place: int, advice: Advice) -> str:
    method = advice.method
    reasons = "".join(f"<li>{escape(sentence)}</li>" for sentence in advice.reasons)
    doubts = "".join(f'<li class="lab-doubt">{escape(sentence)}</li>' for sentence in advice.doubts)
    return (
        f'<div class="lab-advice"><p><b>{place}. {escape(method.label)}</b>{_lesson_link(method)}</p>'
        f'<p class="lab-note">{escape(method.purpose)}</p><ul>{reasons}{doubts}</ul></div>'
    )


def _lesson_link(method: SearchMethod) -> str:
    lesson = lesson_on(method.key)
    if lesson is None:
        return ""
    return f' <a class="lab-link" href="/learn?lesson={quote(lesson.key)}" target="_self">lesson</a>'


def _fit_seconds(tuning: Tuning) -> float:
    """Of one whole fit, from what was tried; NaN before."""
    if tuning.study is None:
        return math.nan
    table = the_lab().table_of(tuning.study)
    seconds = table.mean_of("fit_seconds")[table.is_complete]
    seconds = seconds[np.isfinite(seconds)]
    return float(np.median(seconds)) if len(seconds) else math.nan


def _methods_table() -> str:
    heads = ("Method", "What it is", "Best for, and not for", "Can handle", "Cost beside the fits", "Source")
    return html_table("All methods", heads, [_row(method) for method in METHODS])


def _row(method: SearchMethod) -> tuple[str, ...]:
    words = (method.purpose, method.when_to_use, _handles(method), method.cost, method.source)
    return (
        escape(method.label) + _lesson_link(method),
        *(f'<span class="lab-words">{escape(text)}</span>' for text in words),
    )


def _handles(method: SearchMethod) -> str:
    can, strengths = method.capabilities, method.strengths
    parts = [
        "categories too" if "categorical" in can.kinds else "numbers only",
        "conditions" if can.is_conditional else "",
        "several objectives" if can.is_multi_objective else "",
        "partial fits" if strengths.is_partial else "",
        "ends by itself" if can.is_finite else "",
        "" if can.learns else "learns nothing",
        f"up to {strengths.most_parameters} parameters" if strengths.most_parameters else "",
        f"from {strengths.fewest} trials" if strengths.fewest > 1 else "",
    ]
    return ", ".join(part for part in parts if part)
