"""Nested cross-validation on Tune: what it would cost, how far it is, and what the search is worth by it."""

from __future__ import annotations

import math
from html import escape

import streamlit as st

from hpo_core.analysis.nested import Nested
from hpo_core.errors import TuningError
from hpo_core.formats import format_count, format_score, format_seconds, format_signed, format_within
from hpo_core.methods import METHODS
from hpo_core.problem import ModelProblem
from hpo_core.search.errand import ErrandState
from hpo_core.search.nesting import OUTER, ask_to_nest, nested_cost, nested_of, nesting, start_nesting, why_not_nested
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.fault import guarded_fragment, plain
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.machine_panel import current_run
from pages._shared.progress_bar import progress_bar
from pages._shared.step import Step
from pages._shared.tuning import Tuning

_POLL_SECONDS = 1.0
_FAULT, _OUTER = "nested-fault", "nested-outer"
_MOST_OUTER = 20
_HELP = (
    "In each outer fold the same method with the same budget searches the other rows anew, and the outer fold scores "
    "what it chose: rows that had no part in the choice (Varma and Simon 2006; Cawley and Talbot 2010). The locked "
    "rows stay locked."
)
_VERDICTS = {
    "better": "better than the default beyond noise",
    "worse": "worse than the default beyond noise",
    "tie": "a tie with the default",
    "unknown": "with no noise to judge it by",
}


def _is_there(tuning: Tuning, table: TrialTable) -> bool:
    """Not before there is a search on data."""
    return isinstance(tuning.problem, ModelProblem) and current_run(tuning.study) is not None


def _step(tuning: Tuning, table: TrialTable) -> None:
    """What there is, renewed each second while it is being done."""
    study = tuning.study
    assert study is not None
    is_active = nesting(study).state().is_active
    every = _POLL_SECONDS if is_active else None
    guarded_fragment(_card, what="Nested cross-validation", key="nested", every=every)(tuning, study, is_active)


def _card(tuning: Tuning, study: Study, was_active: bool) -> None:
    state, found = nesting(study).state(), nested_of(study)
    if state.is_active != was_active:
        st.rerun()  # only the page can change how often the card is renewed
    with st.container(key="nested-step", gap="small"):
        if found is not None:
            _result(study, found)
        if fault := st.session_state.pop(_FAULT, "") or state.fault:
            st.error(plain(fault))
        if state.is_active:
            _progress(study, state)
        elif why := why_not_nested(study):
            st.caption(plain(why))
        else:
            _start_form(tuning, study, found, state)


def _result(study: Study, found: Nested) -> None:
    st.html(f'<div class="lab-outcome" role="status">{_sentences(found)}</div>')
    n_now = int(the_lab().table_of(study).is_complete.sum())
    if n_now != found.n_study_trials:
        before = format_count(found.n_study_trials, "finished trial")
        st.caption(f"Begun when the study had {before}; it has {n_now:,} now.")
    with st.expander("By outer fold"):
        rows = [
            (str(fold.fold + 1), *(format_score(value) for value in (fold.own_best, fold.score, fold.default)))
            for fold in found.folds
        ]
        st.html(html_table("Outer folds", ("Outer fold", "Its search said", "Outer fold says", "Default"), rows))


def _sentences(found: Nested) -> str:
    width = "" if math.isnan(found.half_width) else f" ± {found.half_width:.2g}"
    title = "mean over the outer folds with half its 95 % interval"
    score, own = format_within(found.score, found.half_width), format_score(found.study_best)
    head = f'<p><b title="{title}">nested: {score}{width}</b>; the search\'s own best said {own}.</p>'
    label = METHODS[found.method].label if found.method in METHODS else found.method
    n = f"{len(found.folds)} of {found.n_outer}" if not found.is_complete else str(found.n_outer)
    gain = found.to_default
    against = f"{format_signed(gain.mean)}, {_VERDICTS[gain.verdict]}" if math.isfinite(gain.mean) else "no comparison"
    text = (
        f"{n} searches by {label} of {found.budget} each, which said {format_score(found.own_best)} of themselves. On "
        f"the same rows the default has {format_score(found.default)}: tuning is {against}."
    )
    return f'{head}<p class="lab-note">{escape(text)}</p>'


def _progress(study: Study, state: ErrandState) -> None:
    progress = state.progress
    left = "" if progress.seconds_left is None else f" · {format_seconds(progress.seconds_left)} left"
    st.html(
        f'<div class="lab-progress" role="status">{progress_bar("nested cross-validation", progress.share)}'
        f'<p class="lab-note">{escape((progress.doing or "starting") + left)}</p></div>'
    )
    st.button("Cancel", key="nested-cancel", on_click=nesting(study).call_off)


def _start_form(tuning: Tuning, study: Study, found: Nested | None, state: ErrandState) -> None:
    is_broken_off = bool(state.order) and (found is None or not found.is_complete)
    if is_broken_off and not state.fault:
        n_done = 0 if found is None else len(found.folds)
        how = "Called off" if state.is_called_off else "Its process ended unexpectedly"
        st.caption(f"{how} after {n_done} of {format_count(state.order['plan']['outer'], 'outer fold')}.")
    with st.container(key="nested-form", horizontal=True, gap="xsmall", vertical_alignment="bottom"):
        first = int(state.order["plan"]["outer"]) if state.order else OUTER
        outer = int(st.number_input("Outer folds", 2, _MOST_OUTER, first, key=_OUTER, width=140))
        text = "Go on" if is_broken_off and outer == first else "Run it" if found is None else "Run it anew"
        st.button(text, key="nested-start", on_click=_start, args=(study, outer))
    st.caption(_cost(tuning, study, outer))


def _cost(tuning: Tuning, study: Study, outer: int) -> str:
    run = current_run(study)
    assert run is not None
    cost = nested_cost(the_lab().table_of(study), run, tuning.problem, outer)
    fits = "" if math.isnan(cost.fits) else f", about {cost.fits:,.0f} fits"
    about = "" if math.isnan(cost.seconds) else f" and {format_seconds(cost.seconds)} by the fit times of this study"
    workers = format_count(run.settings.workers, "worker")
    return f"{outer} searches of {run.budget.amount:g} {run.budget.kind} each{fits}{about}, with {workers}."


def _start(study: Study, outer: int) -> None:
    lab = the_lab()
    try:
        ask_to_nest(study, outer)
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)
        return
    start_nesting(lab.storage, study, lab.folder)
    st.rerun("live-charts")


NESTED = Step("nested", "Nested search", "What is the search worth on new rows?", _HELP, _is_there, _step)
