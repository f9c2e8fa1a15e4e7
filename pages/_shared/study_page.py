"""A study of whoever: what it is, how it stands, and its views; also for studies that cannot be opened on Tune."""

from __future__ import annotations

import time
from html import escape
from urllib.parse import quote

import streamlit as st
from optuna.trial import TrialState

from hpo_core.analysis.study_comparison import overlap_of_study
from hpo_core.formats import format_age, format_count, format_score
from hpo_core.studies.run import Run
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab
from pages._shared.machine_panel import current_run
from pages._shared.study_views import study_views

_LIVE_SECONDS, _IDLE_SECONDS = 1.0, 3.0
_NO_STUDY = (
    '<div class="lab-empty"><h3>Which study?</h3><p>The address of this page names one, as in /study?name=mine.</p>'
    '<p><a href="studies" target="_self">All studies</a></p></div>'
)
_NO_TRIALS = (
    '<div class="lab-empty"><h3>No trials yet</h3><p>They appear here by themselves, as soon as whoever runs the study '
    "has made the first.</p></div>"
)


def study_page(name: str) -> None:
    """The page of a study; it looks for news by itself, often while the study runs, seldom else."""
    if not name:
        st.html(_NO_STUDY)
        return
    is_live = st.session_state.get("study-is-live", False)
    every = _LIVE_SECONDS if is_live else _IDLE_SECONDS
    guarded_fragment(_area, what="The study", key="study-area", every=every)(name, is_live)


def _area(name: str, was_live: bool) -> None:
    lab = the_lab()
    study = lab.study(name)
    run = current_run(study) if study.key else None
    slot = st.container()
    objective = _objective(study)
    table = lab.table_of(study, objective)
    is_live = _is_live(table, run)
    with slot:
        _head(study, table, run, objective)
    if is_live != was_live:
        st.session_state["study-is-live"] = is_live
        st.rerun()
    if not len(table):
        st.html(_NO_TRIALS)
        return
    label = _objective_label(study, objective)
    study_views(study, table, value_label=label, overlap=overlap_of_study(study), is_live=is_live)


def _is_live(table: TrialTable, run: Run | None) -> bool:
    return (run is not None and run.is_active) or bool((table.states == TrialState.RUNNING.value).any())


def _objective(study: Study) -> int:
    """Which objective is looked at; a choice only where there are several."""
    if len(study.objectives) == 1:
        return 0
    return int(
        st.segmented_control(
            "Objective",
            range(len(study.objectives)),
            default=0,
            required=True,
            format_func=lambda i: _objective_name(study, i),
            key="study-objective",
            label_visibility="collapsed",
        )
    )


def _objective_label(study: Study, place: int) -> str:
    return study.objectives[place].name or ("value" if len(study.objectives) == 1 else f"objective {place}")


def _objective_name(study: Study, place: int) -> str:
    return f"{_objective_label(study, place)} {'↑' if study.objectives[place].direction == 'maximize' else '↓'}"


def _head(study: Study, table: TrialTable, run: Run | None, objective: int) -> None:
    facts = [_objective_name(study, objective), _best(table), _counts(table), _age(table)]
    facts.append("made in this lab" if study.key else "made by another program")
    badge = _badge(table, run)
    link = (
        f' · <a class="lab-link" href="/?study={quote(study.name)}" target="_self">open on Tune</a>'
        if study.key
        else ""
    )
    st.html(
        f'<div class="lab-problem"><h1>{escape(study.name)} {badge}</h1>'
        f"<p>{escape(' · '.join(fact for fact in facts if fact))}{link}</p></div>"
    )


def _badge(table: TrialTable, run: Run | None) -> str:
    state = run.state if run is not None else "running" if _is_live(table, run) else ""
    return f'<span class="lab-badge lab-state-{escape(state)}">{escape(state)}</span>' if state else ""


def _best(table: TrialTable) -> str:
    best = table.best()
    return "" if best is None else f"best {format_score(float(table.values[best]))} in trial {int(table.numbers[best])}"


def _counts(table: TrialTable) -> str:
    pairs = ((table.is_pruned, "pruned"), (table.is_failed, "failed"), (table.is_hidden, "hidden"))
    others = [f"{int(mask.sum()):,} {word}" for mask, word in pairs if mask.any()]
    return ", ".join([format_count(len(table), "trial"), *others])


def _age(table: TrialTable) -> str:
    moments = [m for m in (*table.completed[-50:].tolist(), *table.started[-50:].tolist()) if m == m]
    return f"last change {format_age(max(moments), time.time())}" if moments else ""
