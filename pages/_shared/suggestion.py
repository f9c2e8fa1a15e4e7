"""The next suggestion of a method: looked at before anything runs, then run, edited with the sliders, or refused."""

from __future__ import annotations

import math
from contextlib import suppress
from html import escape

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_score, format_value
from hpo_core.methods import METHODS
from hpo_core.search import Suggestion, suggest
from hpo_core.studies.run import RunSettings
from pages._shared.tuning import Tuning, best_trial, load, place


def suggestion_button(tuning: Tuning, settings: RunSettings) -> None:
    """Asks the method that is chosen for its next configuration."""
    st.button("Next suggestion", key="suggest", type="tertiary", on_click=_ask, args=(tuning, settings))


def suggestion_card(tuning: Tuning, settings: RunSettings) -> None:
    """The suggestion that is looked at, with what can be done with it."""
    if tuning.sliders_moved:
        tuning.sliders_moved = False
        st.rerun()  # the sliders are in another fragment
    suggestion = tuning.suggestion
    if suggestion is None or suggestion.method != settings.method:
        return
    with st.container(key="suggestion"):
        st.html(_html(tuning, suggestion))
        with st.container(key="suggestion-buttons", horizontal=True, gap="xsmall"):
            st.button("Run it", key="suggestion-run", type="primary", on_click=_run, args=(tuning, suggestion))
            st.button("Edit", key="suggestion-edit", on_click=_edit, args=(tuning, suggestion), help=_EDIT_HELP)
            refuse = {"on_click": _refuse, "args": (tuning, settings, suggestion), "help": _REFUSE_HELP}
            st.button("Refuse", key="suggestion-refuse", **refuse)


_EDIT_HELP = "puts the sliders there without scoring; your next move does"
_REFUSE_HELP = "asks for another one, as if this one had failed; the log of the study says so"


def _ask(tuning: Tuning, settings: RunSettings) -> None:
    tuning.machine_fault, tuning.suggestion = "", None
    try:
        tuning.suggestion = suggest(tuning.problem, settings, tuning.study, tuning.refused)
    except TuningError as fault:
        tuning.machine_fault = str(fault)


def _refuse(tuning: Tuning, settings: RunSettings, suggestion: Suggestion) -> None:
    tuning.refused.append(suggestion)
    _log(tuning, "refused", suggestion)
    _ask(tuning, settings)


def _run(tuning: Tuning, suggestion: Suggestion) -> None:
    load(tuning, suggestion.configuration, suggestion.method)
    tuning.suggestion, tuning.sliders_moved = None, True
    _log(tuning, "suggestion", suggestion)


def _log(tuning: Tuning, what: str, suggestion: Suggestion) -> None:
    if tuning.study is not None:
        with suppress(TuningError):  # then no trial is recorded either, which is said beside the score
            detail = {"method": suggestion.method, "configuration": suggestion.configuration}
            tuning.study.runs.add_steering(what, detail)


def _edit(tuning: Tuning, suggestion: Suggestion) -> None:
    place(tuning, suggestion.configuration)
    label = METHODS[suggestion.method].label
    tuning.notices.append(f"The sliders stand on the suggestion of {label}, not scored yet. Your next move scores it.")
    tuning.sliders_moved = True


def _html(tuning: Tuning, suggestion: Suggestion) -> str:
    head = f'<div class="lab-row"><b>{escape(METHODS[suggestion.method].label)} would try</b>{_badge(tuning)}</div>'
    notes = "".join(f'<p class="lab-note">{escape(text)}</p>' for text in (suggestion.why, suggestion.trust) if text)
    return (
        f'<div class="lab-suggestion" role="status">{head}{_values(tuning, suggestion)}'
        f"{_predicted(tuning, suggestion)}{notes}</div>"
    )


def _badge(tuning: Tuning) -> str:
    return f'<span class="lab-badge">{len(tuning.refused)} refused</span>' if tuning.refused else ""


def _values(tuning: Tuning, suggestion: Suggestion) -> str:
    """One row a parameter: the suggested value, and where the slider stands if elsewhere."""
    now = tuning.configuration
    rows = []
    for name, value in suggestion.configuration.items():
        here = "" if now.get(name, value) == value else f"now {escape(format_value(now[name]))}"
        title = escape(tuning.problem.space[name].title)
        rows.append(f'<tr><th scope="row">{title}</th><td>{escape(format_value(value))}</td><td>{here}</td></tr>')
    return f'<table class="lab-suggested">{"".join(rows)}</table>'


def _predicted(tuning: Tuning, suggestion: Suggestion) -> str:
    if not math.isfinite(suggestion.mean):
        return ""
    best = best_trial(tuning)
    beside = ""
    if best is not None:
        beside = f" · best so far {format_score(tuning.problem.value(best.fold_scores))}"
    text = f"expected {format_score(suggestion.mean)} ± {format_value(float(f'{suggestion.sd:.2g}'))}"
    return f'<p title="mean and standard deviation of the prediction"><b>{text}</b>{beside}</p>'
