"""The automated search on the screen: start, progress, pause, resume, stop, more budget."""

from __future__ import annotations

import os
from html import escape
from typing import Literal

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_seconds
from hpo_core.methods import METHODS
from hpo_core.options import options_of, with_options
from hpo_core.search import recover, resume_run, start_detached, start_run
from hpo_core.studies.run import Budget, Run, RunSettings
from hpo_core.studies.study import Study
from pages._shared.fault import guarded_fragment, plain
from pages._shared.lab import the_lab
from pages._shared.option_widgets import option_widgets
from pages._shared.tuning import Tuning, study_of

POLL_SECONDS = 0.5
_MORE = 20
_AMOUNTS = {"trials": 40, "fits": 200, "seconds": 60}
_PRUNING = {
    "none": "none: all folds of every trial",
    "race": "race: stop when the first folds are clearly worse than the best",
    "median": "median: stop when the first folds are worse than half of the trials",
}
_FAULT = "machine-fault"


def machine_panel(tuning: Tuning) -> None:
    """The panel; while a search runs it renews itself twice a second."""
    run = current_run(tuning.study)
    is_active = run is not None and run.is_active
    every = POLL_SECONDS if is_active else None
    guarded_fragment(_panel, what="The search panel", key="machine-panel", every=every)(tuning, is_active)


def current_run(study: Study | None) -> Run | None:
    """The newest run of a study, with what a dead runner left brought in order."""
    if study is None:
        return None
    run = study.runs.current()
    if run is not None and run.state in ("starting", "running", "paused") and not run.is_active and recover(study):
        return study.runs.current()
    return run


def _panel(tuning: Tuning, was_active: bool) -> None:
    run = current_run(tuning.study)
    is_active = run is not None and run.is_active
    if is_active != was_active:
        st.rerun()
    if run is not None:
        _progress(run)
    if fault := st.session_state.pop(_FAULT, ""):
        st.error(plain(fault))
    if run is not None and is_active:
        _controls(tuning, run)
    else:
        if run is not None and run.state != "finished":
            _go_on_button(tuning, run)
        _form(tuning, run)


def _go_on_button(tuning: Tuning, last: Run) -> None:
    is_finished = last.state == "finished"
    text = f"Go on, +{_MORE}" if is_finished else "Resume"
    kind: Literal["primary", "secondary"] = "secondary" if is_finished else "primary"
    st.button(text, key="go-on", type=kind, on_click=_guarded, args=(_go_on, tuning, last))


def _progress(run: Run) -> None:
    done = float(getattr(run.spent, run.budget.kind))
    share = min(1.0, done / run.budget.amount)
    unit = "s" if run.budget.kind == "seconds" else run.budget.kind
    parts = [f"{done:.0f} of {run.budget.amount:g} {unit}"]
    if run.is_active and run.live.seconds_left is not None and run.state != "paused":
        parts.append(f"{format_seconds(run.live.seconds_left)} left")
    elif not run.is_active:
        parts.append(f"took {format_seconds(run.spent.seconds)}")
    label = METHODS[run.settings.method].label if run.settings.method in METHODS else run.settings.method
    state = "stopping" if run.is_active and run.wanted == "stopped" else run.state
    message = f'<p class="lab-note">{escape(run.message)}</p>' if run.message else ""
    st.html(
        f'<div class="lab-progress"><div class="lab-row"><b>{escape(label)}</b>'
        f'<span class="lab-badge lab-state-{state}">{state}</span></div>'
        f'<div class="lab-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share * 100:.0f}"><span style="width:{share * 100:.1f}%"></span></div>'
        f'<p class="lab-note">{" · ".join(parts)}</p>{message}</div>'
    )


def _controls(tuning: Tuning, run: Run) -> None:
    is_paused = run.wanted == "paused"
    with st.container(horizontal=True, gap="small"):
        if is_paused:
            st.button("Resume", key="resume", type="primary", on_click=_guarded, args=(_ask, tuning, "running"))
        else:
            st.button("Pause", key="pause", on_click=_guarded, args=(_ask, tuning, "paused"))
        st.button("Stop", key="stop", on_click=_guarded, args=(_ask, tuning, "stopped"))
        st.button(f"+{_MORE}", key="more", help="more budget", on_click=_guarded, args=(_add_budget, tuning, run))


def _form(tuning: Tuning, last: Run | None) -> None:
    space = tuning.problem.space
    usable = [m.key for m in METHODS if not m.why_unavailable(space)]
    with st.container(key="method"):
        key = st.selectbox(
            "Method",
            usable,
            index=usable.index("gaussian_process") if "gaussian_process" in usable else 0,
            format_func=lambda k: METHODS[k].label,
            key="machine-method",
            help="\n\n".join(f"**{METHODS[k].label}**: {METHODS[k].purpose}" for k in usable),
        )
    budget = _budget()
    with st.container(horizontal=True, gap="small"):
        settings = _settings(key)
        text, kind = ("Start", "primary") if last is None else ("Start anew", "secondary")
        st.button(text, key="start", type=kind, on_click=_guarded, args=(_start, tuning, settings, budget))  # type: ignore[arg-type]
        if last is not None and last.state == "finished":
            _go_on_button(tuning, last)
    size = with_options(METHODS[key], settings.options).n_configurations(space)
    if size is not None:
        st.caption(f"{METHODS[key].label}: {size:,} configurations in all, coarse first.")


def _budget() -> Budget:
    left, right = st.columns(2)
    kind = left.selectbox("Budget in", list(_AMOUNTS), key="machine-kind", label_visibility="collapsed")
    amount = right.number_input(
        "Amount", 1, 1_000_000, _AMOUNTS[kind], 10, key=f"machine-amount-{kind}", label_visibility="collapsed"
    )
    return Budget(kind, float(amount))  # type: ignore[arg-type]


def _settings(method: str) -> RunSettings:
    n_cores = os.cpu_count() or 1
    with st.popover("Settings"):
        workers = st.number_input(
            "Workers", 1, max(2, 2 * n_cores), min(2, n_cores), key="machine-workers", help="fits done at the same time"
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="machine-seed", help="the same seed gives the same trials")
        pruning = st.selectbox(
            "Pruning between folds", list(_PRUNING), format_func=_PRUNING.__getitem__, key="machine-pruning"
        )
        learns = st.toggle("Learn from my trials", value=True, key="machine-learns")
        chosen = option_widgets(METHODS[method], key=f"machine-{method}")
    return RunSettings(
        method=method,
        options={o.name: getattr(chosen, o.name) for o in options_of(type(chosen))},
        seed=int(seed),
        workers=int(workers),
        pruning=pruning,
        learns_from_manual=learns,
    )


def _guarded(action: object, *arguments: object) -> None:
    """Runs a button's action; a fault is shown in the panel, where the button is."""
    try:
        action(*arguments)  # type: ignore[operator]
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)


def _start(tuning: Tuning, settings: RunSettings, budget: Budget) -> None:
    lab, study = the_lab(), study_of(tuning)
    start_detached(lab.storage, study, start_run(study, settings, budget), lab.folder)


def _go_on(tuning: Tuning, last: Run) -> None:
    lab, study = the_lab(), study_of(tuning)
    budget = Budget(last.budget.kind, last.budget.amount + _MORE) if last.state == "finished" else None
    start_detached(lab.storage, study, resume_run(study, budget), lab.folder)


def _ask(tuning: Tuning, wanted: str) -> None:
    study_of(tuning).runs.ask_for(wanted)  # type: ignore[arg-type]


def _add_budget(tuning: Tuning, run: Run) -> None:
    study_of(tuning).runs.set_budget(Budget(run.budget.kind, run.budget.amount + _MORE))
