"""The last step on Tune: what was chosen is scored once on the locked rows, on purpose only."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_score
from hpo_core.problem import ModelProblem
from hpo_core.search.errand import ErrandState
from hpo_core.search.locked import Look, locked_rows, looks_of
from hpo_core.search.opening import ask_to_open, has_seen, opening, start_opening, why_not_opened
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.fault import guarded_fragment, plain
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.locked_rows import looks_line, looks_so_far, seal_button
from pages._shared.machine_panel import current_run
from pages._shared.step import Step
from pages._shared.tuning import Tuning

_POLL_SECONDS = 1.0
_FAULT = "locked-fault"
_HELP = (
    "Rows that were put aside before the first trial and took no part in any choice. What you choose, and the default, "
    "is scored on them once, at the very end."
)


def _is_there(tuning: Tuning, table: TrialTable) -> bool:
    """Not where no rows are locked away or nothing was found yet."""
    problem = tuning.problem
    return isinstance(problem, ModelProblem) and bool(locked_rows(problem)) and table.best() is not None


def _step(tuning: Tuning, table: TrialTable) -> None:
    """What was seen, and the way to open them; renewed each second while they are being opened."""
    problem, study = tuning.problem, tuning.study
    assert study is not None
    assert isinstance(problem, ModelProblem)
    is_active = opening(study).state().is_active
    every = _POLL_SECONDS if is_active else None
    guarded_fragment(_card, what="The locked rows", key="locked", every=every)(tuning, study, problem, is_active)


def _card(tuning: Tuning, study: Study, problem: ModelProblem, was_active: bool) -> None:
    state = opening(study).state()
    if state.is_active != was_active:
        st.rerun()  # only the page can change how often the card is renewed
    table, n_rows = the_lab().table_of(study), len(problem.split.test)
    with st.container(key="locked-step", gap="small"):
        looks_line(looks_so_far(problem), n_rows)
        if own := looks_of(the_lab().storage, study, problem):
            st.html(_table(table, own, problem.metric_label))
        if fault := st.session_state.pop(_FAULT, "") or state.fault:
            st.error(plain(fault))
        if state.is_active:
            _progress(study, state)
        elif why := why_not_opened(the_lab().storage, study):
            st.caption(plain(why))
        else:
            with st.container(key="locked-buttons", horizontal=True, gap="xsmall", vertical_alignment="center"):
                _open(tuning, study, table, n_rows)
                seal_button(study, problem, n_rows, "tune")


def _progress(study: Study, state: ErrandState) -> None:
    progress = state.progress
    words = "Starting."
    if progress.total:
        words = f"{progress.doing}, trained on all other rows: {progress.done + 1} of {progress.total}."
    with st.container(key="locked-foot", horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption(plain(words), width="content")
        st.button("Cancel", key="locked-cancel", on_click=opening(study).call_off)


def _open(tuning: Tuning, study: Study, table: TrialTable, n_rows: int) -> None:
    """The way to open them, for what has not been scored on them yet."""
    current = current_run(study)
    if current is not None and current.is_active:
        st.caption("The search is still on. Open the lock when you have chosen.", width="content")
        return
    choices = _choices(tuning, table)
    open_choices = {words: found for words, found in choices.items() if not has_seen(the_lab().storage, study, found)}
    if not open_choices:
        st.caption("What you chose was scored on them.", width="content")
        return
    with st.popover("Open the lock", key="open-lock"):
        st.markdown(
            f"What you choose, and the default, is trained on all other rows and scored once on the {n_rows:,} locked "
            "ones. Do this last: every look is counted, for all studies that share these rows, and a choice that is "
            "changed afterwards has seen the answer."
        )
        words = st.radio("Chosen", list(open_choices), key="locked-choice")
        arguments = (study, open_choices.get(words, {}), words)
        st.button("Open it", key="open-lock-yes", type="primary", on_click=_start, args=arguments)


def _choices(tuning: Tuning, table: TrialTable) -> dict[str, dict[str, Any]]:
    """The best trial, and where the sliders stand if elsewhere."""
    best = table.best()
    assert best is not None
    choices = {f"trial {int(table.numbers[best])}": table.configuration(best)}
    if tuning.configuration not in choices.values():
        rows = table.rows_of(tuning.configuration)
        done = rows[table.is_complete[rows]]
        choices[f"trial {int(table.numbers[done[0]])}" if len(done) else "your sliders"] = tuning.configuration
    return choices


def _start(study: Study, configuration: dict[str, Any], words: str) -> None:
    lab = the_lab()
    try:
        ask_to_open(lab.storage, study, configuration, words)
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)
        return
    start_opening(lab.storage, study, lab.folder)
    st.rerun("live-charts")


def _table(table: TrialTable, looks: tuple[Look, ...], metric: str) -> str:
    rows = []
    for one in looks:
        found = table.rows_of(one.configuration)
        found = found[table.is_complete[found]]
        value = float(table.values[found[0]]) if len(found) else float(np.nan)
        score = "could not be fitted" if one.score is None else format_score(one.score)
        rows.append((escape(one.what), format_score(value), f"<b>{score}</b>"))
    return html_table("Locked rows", (f"Chosen, {metric}", "Folds", "Locked rows"), rows)


LOCKED = Step("locked", "Locked rows", "Does it hold on rows that nobody has seen?", _HELP, _is_there, _step)
