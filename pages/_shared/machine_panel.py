"""The automated search on the screen: start, progress, pause, resume, stop, more budget."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from html import escape
from typing import Any, Literal

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_count, format_seconds
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.problem import Problem
from hpo_core.search import recover, resume_run, start_detached, start_run
from hpo_core.search.finals_process import fits_after
from hpo_core.search.suitability import why_not
from hpo_core.studies.run import Budget, Run, RunSettings
from hpo_core.studies.study import Study
from pages._shared.address import METHOD
from pages._shared.adviser import METHOD_KEY, UNFOLDED_KEY, adviser_button
from pages._shared.child_form import open_child_form
from pages._shared.early_stopping import pruning_widgets, stopping_widgets
from pages._shared.fault import guarded_fragment, plain
from pages._shared.lab import the_lab
from pages._shared.option_widgets import chosen_options, option_widgets
from pages._shared.stop_advice import advice_on_stopping
from pages._shared.suggestion import suggestion_button, suggestion_card
from pages._shared.tuning import Tuning, study_of

POLL_SECONDS = 1.0
_MORE = 20
_AMOUNTS = {"trials": 40, "fits": 200, "seconds": 60}
_SEEN = "machine-budget-seen"
_MOST = 1_000_000
_FIRST_METHOD = "auto"


def machine_head() -> None:
    """Its heading, by which it is folded up and down on a phone."""
    is_open = " open" if st.session_state.get(UNFOLDED_KEY) else ""
    st.html(f'<details class="lab-unfold"{is_open}><summary tabindex="0">By machine</summary></details>')


def machine_panel(tuning: Tuning) -> None:
    """The panel; while a search runs it renews itself each second."""
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
        advice_on_stopping(tuning, run)
    if tuning.machine_fault:
        st.error(plain(tuning.machine_fault))
    if run is not None and is_active:
        _controls(tuning, run)
    else:
        with st.container(key="machine-form"):
            _form(tuning, run)


def _go_on_button(tuning: Tuning, last: Run, more: Budget) -> None:
    """Resumes what was broken off, or goes on with more where the budget was spent."""
    if last.state == "finished":
        spent = float(getattr(last.spent, more.kind))
        total = Budget(more.kind, (spent if more.kind == "seconds" else math.ceil(spent)) + more.amount)
        text = f"Go on, +{more.amount:,.0f} {more.kind}"
        st.button(text, key="go-on", on_click=_guarded, args=(_go_on, tuning, total))
    else:
        st.button("Resume", key="go-on", type="primary", on_click=_guarded, args=(_go_on, tuning, None))


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
        f'<div class="lab-bar" role="progressbar" aria-label="budget spent" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share * 100:.0f}"><span style="width:{share * 100:.1f}%"></span></div>'
        f'<p class="lab-note">{" · ".join(parts)}</p><p class="lab-note">{escape(_summary(run))}</p>{message}</div>'
    )


def _summary(run: Run) -> str:
    settings = run.settings
    parts = [format_count(settings.workers, "worker"), f"seed {settings.seed}"]
    parts.append("all folds of every trial" if settings.pruning == "none" else f"pruning by {settings.pruning}")
    if settings.stops_when is not None:
        parts.append("ends by itself")
    return " · ".join(parts)


def _controls(tuning: Tuning, run: Run) -> None:
    is_paused = run.wanted == "paused"
    with st.container(key="controls", horizontal=True, gap="xsmall", vertical_alignment="center"):
        if is_paused:
            st.button("Resume", key="resume", type="primary", on_click=_guarded, args=(_ask, tuning, "running"))
        else:
            st.button("Pause", key="pause", on_click=_guarded, args=(_ask, tuning, "paused"))
        st.button("Stop", key="stop", on_click=_guarded, args=(_ask, tuning, "stopped"))
        more = Budget(run.budget.kind, run.budget.amount + _MORE)
        st.button(f"+{_MORE}", key="more", help="more budget", on_click=_guarded, args=(_set_budget, tuning, more))
        _running_budget(tuning, run)


def _running_budget(tuning: Tuning, run: Run) -> None:
    """The budget of a run as a number that can be changed to any other; another tab may change it as well.

    In a form, as the browser sends an old number along with whatever it asks next (Streamlit 1.67): it must count only
    when a person says so.
    """
    key, kind, amount = "running-budget", run.budget.kind, round(run.budget.amount)
    if st.session_state.get(_SEEN) != (run.id, run.budget) or key not in st.session_state:
        st.session_state[_SEEN] = (run.id, run.budget)
        st.session_state[key] = amount
    with st.form("budget-form", border=False), st.container(horizontal=True, gap="xsmall"):
        st.number_input(f"Budget in {kind}", 1, _MOST, amount, 10, key=key, width=128, label_visibility="collapsed")
        st.form_submit_button("Set", on_click=_guarded, args=(_take_budget, tuning, kind))


def _form(tuning: Tuning, last: Run | None) -> None:
    usable = [m.key for m in METHODS if not why_not(m, tuning.problem)]
    with st.container(key="method"):
        key = st.selectbox(
            "Method",
            usable,
            index=usable.index(_asked_for(usable)),
            format_func=lambda k: METHODS[k].label,
            key=METHOD_KEY,
            help=_methods_help(usable),
        )
        _put_method_in_url(key, usable)
        st.caption(METHODS[key].purpose)
        adviser_button()
    budget = _budget()
    with st.container(key="machine-buttons", horizontal=True, gap="xsmall"):
        settings = _settings(tuning, key)
        text, kind = ("Start", "primary") if last is None else ("Start anew", "secondary")
        st.button(text, key="start", type=kind, on_click=_guarded, args=(_start, tuning, settings, budget))  # type: ignore[arg-type]
        if last is not None:
            _go_on_button(tuning, last, budget)
        suggestion_button(tuning, settings)
        if st.button("Change ranges", key="change-ranges", type="tertiary"):
            open_child_form(tuning)
    _size_note(settings, tuning.problem)
    suggestion_card(tuning, settings)


def _size_note(settings: RunSettings, problem: Problem) -> None:
    """How much a method has to do beside its budget or less than it, or what is wrong with its options."""
    try:
        method = with_options(METHODS[settings.method], settings.options)
    except TuningError as fault:
        st.warning(plain(str(fault)))
        return
    size = method.n_configurations(problem.space)
    if why := method.why_unavailable(problem.space):
        st.warning(plain(why))
    elif size is not None:
        st.caption(f"{method.label}: {size:,} configurations in all, coarse first.")
    if n_after := fits_after(settings, problem):
        st.caption(
            f"When the budget is spent, the best {method.n_finalists} are scored again on fresh folds: up to "
            f"{n_after:,} fits more."
        )


def _methods_help(usable: list[str]) -> str:
    """What each method does; below, what a package would add."""
    lines = [f"**{METHODS[key].label}**: {METHODS[key].purpose}" for key in usable]
    lines += [f"{m.label} is {why}." for m in METHODS if (why := m.why_not_installed())]
    return "\n\n".join(lines)


def _asked_for(usable: list[str]) -> str:
    """The method that the address names, so that a link can bring somebody to it."""
    asked = st.query_params.get(METHOD, "")
    return asked if asked in usable else _first_choice(usable)


def _put_method_in_url(key: str, usable: list[str]) -> None:
    if key != _first_choice(usable):
        if st.query_params.get(METHOD) != key:
            st.query_params[METHOD] = key
    elif METHOD in st.query_params:
        del st.query_params[METHOD]


def _first_choice(usable: list[str]) -> str:
    """Auto, which chooses by the space and by what is known."""
    return _FIRST_METHOD if _FIRST_METHOD in usable else usable[0]


def _budget() -> Budget:
    left, right = st.columns(2)
    kind = left.selectbox("Budget in", list(_AMOUNTS), key="machine-kind", label_visibility="collapsed")
    amount = right.number_input(
        "Amount", 1, _MOST, _AMOUNTS[kind], 10, key=f"machine-amount-{kind}", label_visibility="collapsed"
    )
    return Budget(kind, float(amount))  # type: ignore[arg-type]


def _settings(tuning: Tuning, method: str) -> RunSettings:
    n_cores = os.cpu_count() or 1
    with st.popover("Settings"):
        workers = st.number_input(
            "Workers", 1, max(2, 2 * n_cores), min(2, n_cores), key="machine-workers", help="fits done at the same time"
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="machine-seed", help="the same seed gives the same trials")
        rule = pruning_widgets(tuning, METHODS[method])
        stops_when = stopping_widgets()
        learns = st.toggle("Learn from my trials", value=True, key="machine-learns")
        chosen = option_widgets(METHODS[method], key=f"machine-{method}")
    return RunSettings(
        method=method,
        options=chosen_options(chosen),
        seed=int(seed),
        workers=int(workers),
        pruning=rule.key,
        pruning_options=chosen_options(rule),
        stops_when=stops_when,
        learns_from_manual=learns,
    )


def _guarded(action: Callable[..., None], tuning: Tuning, *arguments: Any) -> None:
    """Runs a button's action; a fault is shown in the panel, where the button is, until the next one."""
    tuning.machine_fault = ""
    try:
        action(tuning, *arguments)
    except TuningError as fault:
        tuning.machine_fault = str(fault)


def _start(tuning: Tuning, settings: RunSettings, budget: Budget) -> None:
    lab, study = the_lab(), study_of(tuning)
    tuning.suggestion = None
    if not _is_running(study):
        start_detached(lab.storage, study, start_run(study, settings, budget), lab.folder)


def _go_on(tuning: Tuning, total: Budget | None) -> None:
    lab, study = the_lab(), study_of(tuning)
    tuning.suggestion = None
    if not _is_running(study):
        start_detached(lab.storage, study, resume_run(study, total), lab.folder)


def _is_running(study: Study) -> bool:
    """Whether a search is on already: by another tab, or by the first of two clicks."""
    run = study.runs.current()
    return run is not None and run.is_active


def _ask(tuning: Tuning, wanted: str) -> None:
    study_of(tuning).runs.ask_for(wanted)  # type: ignore[arg-type]


def _take_budget(tuning: Tuning, kind: Literal["trials", "fits", "seconds"]) -> None:
    _set_budget(tuning, Budget(kind, float(st.session_state["running-budget"])))


def _set_budget(tuning: Tuning, budget: Budget) -> None:
    study_of(tuning).runs.set_budget(budget)
