"""A duel on the screen: its state, the verdict, the locked rows, the charts; it renews itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import streamlit as st

from hpo_core.analysis.duel import Side
from hpo_core.formats import format_score
from hpo_core.search.duel import MANUAL, Duel, open_duel
from hpo_core.search.judging import sides_of, verdict_on
from hpo_core.search.recovery import recover
from pages._shared.duel_curves import duel_curves
from pages._shared.duel_locked import duel_locked
from pages._shared.duel_paths import duel_paths
from pages._shared.duel_state import duel_state, is_duel_active, is_duel_over, state_of
from pages._shared.duel_verdict import duel_verdict
from pages._shared.fault import guarded_fragment
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab

_RUNNING_SECONDS, _IDLE_SECONDS = 1.5, 5.0


def duel_view(duel: Duel) -> None:
    """The whole page of one duel; it renews itself, often while something runs."""
    plan = duel.plan
    amount = f"{plan.budget.amount:g} {plan.budget.kind}"
    back = f"/duel?suite={quote(plan.suite)}" if plan.suite else "/duel"
    where = escape(plan.suite) if plan.suite else "all duels"
    st.html(
        f'<div class="lab-problem"><h1>{escape(plan.name)}</h1><p>{escape(shown_name(duel.problem.title))} · '
        f'{amount} for each search · <a class="lab-link" href="{back}" target="_self">{where}</a></p></div>'
    )
    is_active = is_duel_active(duel)
    every = _RUNNING_SECONDS if is_active or _is_timed(duel) else _IDLE_SECONDS
    guarded_fragment(_body, what="The duel", key="duel-body", every=every)(plan.key, is_active)


def is_hidden(duel: Duel) -> bool:
    """Whether the machine's progress is kept from the person."""
    return duel.plan.is_blind and not duel.control.get("is_hand_done")


def _is_timed(duel: Duel) -> bool:
    return duel.by_hand is not None and duel.plan.budget.kind == "seconds" and not duel.control.get("is_hand_done")


def _body(key: str, was_active: bool) -> None:
    duel = open_duel(the_lab().storage, key)
    for member in duel.searches:
        recover(member.study)
    sides = sides_of(duel, the_lab().table_of)
    duel_state(duel)
    if is_hidden(duel):
        st.info("The machine's progress is hidden until you are done.")
    else:
        shown = [side for side in sides if any(table.best() is not None for table in side.tables)]
        if shown:
            found = verdict_on(duel, shown)
            duel_verdict(duel, shown, found)
            if is_duel_over(duel):
                duel_locked(duel, sides)
            duel_curves(duel, sides, shown[found.order[0]].label if found.order else "")
            duel_paths(duel, is_live=was_active)
        _searches(duel, sides)
    if is_duel_active(duel) != was_active:
        st.rerun()


def _searches(duel: Duel, sides: Sequence[Side]) -> None:
    """Each search with its study: the way to its own charts."""
    with st.expander("Its studies"):
        rows = []
        for member in duel.members:
            arm = duel.plan.arms[member.arm]
            table = the_lab().table_of(member.study)
            best = table.best()
            name = member.study.name
            link = f'<a class="lab-link" href="/?study={quote(name)}" target="_self">{escape(name)}</a>'
            state = "by hand" if arm.method == MANUAL else state_of(member)
            value = format_score(None if best is None else float(table.values[best]))
            rows.append((link, escape(sides[member.arm].label), str(member.seed), state, f"{len(table):,}", value))
        st.html(html_table("Studies", ("Study", "Arm", "Seed", "State", "Trials", "Best"), rows))
