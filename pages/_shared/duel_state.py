"""The state of a duel on the screen and what steers it: pause, resume, stop, and the person who plays."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

from hpo_core.formats import format_seconds
from hpo_core.search.duel import Duel, Member
from hpo_core.search.dueling import (
    ask_all,
    has_finals,
    has_looked,
    is_held,
    is_ready_for_finals,
    is_searched,
    is_starting,
    start_lanes,
    why_no_finals,
)
from hpo_core.search.hand import HandUse, counted, hand_use
from hpo_core.studies.run import Run
from pages._shared.fault import plain
from pages._shared.lab import the_lab

LANES = 2


def current(member: Member) -> Run | None:
    """The newest run of a search."""
    return member.study.runs.current()


def state_of(member: Member) -> str:
    """What a search does, in a word."""
    run = current(member)
    return "waits" if run is None else run.state


def is_duel_active(duel: Duel) -> bool:
    """Whether anything of it runs: a search, or what comes after."""
    if any((run := current(member)) is not None and run.is_active for member in duel.searches):
        return True
    return is_starting(duel) or is_held(duel) or (bool(duel.control.get("opens_lock")) and not has_looked(duel))


def is_duel_over(duel: Duel) -> bool:
    """Whether all is searched, and scored on fresh folds where there are any."""
    return has_finals(duel) or (all(map(is_searched, duel.searches)) and bool(why_no_finals(duel)))


def duel_state(duel: Duel) -> None:
    """The card of the state, with its buttons."""
    n_done, n = sum(map(is_searched, duel.searches)), len(duel.searches)
    runs = [run for member in duel.searches if (run := current(member)) is not None and run.is_active]
    finals = sum(member.final() is not None for member in duel.members)
    share = (n_done + sum(share_of(run) for run in runs)) / n if n else 1.0
    with st.container(key="card-duel-state", gap="small"):
        words = f"{n_done} of {n} searches done"
        if n_done == n and not why_no_finals(duel):
            words += f" · {finals} of {len(duel.members)} scored on fresh folds"
        st.html(
            f'<div class="lab-progress"><div class="lab-row"><b>{words}</b>{_badge(duel, runs)}</div>'
            '<div class="lab-bar" role="progressbar" aria-label="searches done" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{100 * share:.0f}"><span style="width:{100 * share:.1f}%"></span></div></div>'
        )
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            _buttons(duel, runs, is_all=n_done == n)
            _by_hand(duel)
        if fault := duel.control.get("fault"):
            st.error(plain(fault))


def share_of(run: Run) -> float:
    """How much of its budget a run has spent, from 0 to 1."""
    return min(1.0, float(getattr(run.spent, run.budget.kind)) / run.budget.amount)


def _badge(duel: Duel, runs: Sequence[Run]) -> str:
    if runs:
        state = "paused" if all(run.wanted == "paused" for run in runs) else "running"
    elif is_duel_over(duel):
        state = "finished"
    elif duel.control.get("is_stopped"):
        state = "stopped"
    elif is_starting(duel):
        state = "starting"
    else:
        state = "waiting"
    return f'<span class="lab-badge lab-state-{state}">{state}</span>'


def _buttons(duel: Duel, runs: Sequence[Run], *, is_all: bool) -> None:
    if runs and all(run.wanted == "paused" for run in runs):
        st.button("Resume", key="duel-resume", type="primary", on_click=ask_all, args=([duel], "running"))
        st.button("Stop", key="duel-stop", on_click=ask_all, args=([duel], "stopped"))
    elif runs:
        st.button("Pause", key="duel-pause", on_click=ask_all, args=([duel], "paused"))
        st.button("Stop", key="duel-stop", on_click=ask_all, args=([duel], "stopped"))
    elif not is_all and not is_starting(duel):
        st.button("Go on", key="duel-go-on", type="primary", on_click=go_on, args=(duel,))
    elif is_ready_for_finals(duel):
        st.button("Score on fresh folds", key="duel-finals", type="primary", on_click=go_on, args=(duel,))


def go_on(duel: Duel) -> None:
    """As many lanes as there are searches left to do, one for what comes after."""
    lab, n_left = the_lab(), sum(not is_searched(member) for member in duel.searches)
    start_lanes(lab.storage, [duel], lab.folder, min(LANES, max(1, n_left)))


def _by_hand(duel: Duel) -> None:
    """Where the person plays, how far they are, and the end of it."""
    member, use = duel.by_hand, hand_use(duel, time.time(), the_lab().table_of)
    if member is None or use is None:
        return
    if use.is_done:
        st.caption(f"You took {_used(use, duel)}{_minutes(use, duel)}.", width="content")
        return
    href = f"/?study={quote(member.study.name)}"
    st.html(f'<a class="lab-button" href="{href}" target="_self">Play by hand</a>', width="content")
    st.caption(use_in_words(use, duel.plan.budget.kind), width="content")
    has_none = counted(duel, member, the_lab().table_of).best() is None
    st.button("I am done", key="duel-hand-done", on_click=_hand_is_done, args=(duel,), disabled=has_none)


def use_in_words(use: HandUse, kind: str) -> str:
    """How much of the budget a person has used, and how much is left."""
    if kind == "seconds":
        if use.left <= 0:
            return f"Your {format_seconds(use.amount)} are over: what you try from now on does not count."
        if not use.used:
            return f"{format_seconds(use.amount)} from your first move on"
        return f"{format_seconds(use.left)} left"
    over = ": what you try from now on does not count" if use.left <= 0 else ""
    return f"{use.used:g} of {use.amount:g} {kind} used{over}"


def _used(use: HandUse, duel: Duel) -> str:
    kind = duel.plan.budget.kind
    return format_seconds(use.used) if kind == "seconds" else f"{use.used:g} {kind}"


def _minutes(use: HandUse, duel: Duel) -> str:
    return "" if duel.plan.budget.kind == "seconds" else f" and {format_seconds(use.seconds)}"


def _hand_is_done(duel: Duel) -> None:
    use = hand_use(duel, time.time(), the_lab().table_of)
    duel.ask(is_hand_done=True, hand_seconds=use.seconds if use else 0.0)
    if is_ready_for_finals(duel):
        go_on(duel)
