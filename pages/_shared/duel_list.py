"""The duels and suites that there are, the newest first."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

import streamlit as st

from hpo_core.formats import format_count
from hpo_core.search.duel import DuelPlan, duels
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab

_MOST = 50


def duel_list() -> None:
    """A line for each duel and each suite."""
    groups: dict[str, list[DuelPlan]] = {}
    for plan in duels(the_lab().storage).values():
        if plan.code:
            continue  # a class is opened by its code
        groups.setdefault(plan.suite_key or plan.key, []).append(plan)
    if not groups:
        return
    with st.container(key="card-duel-list", gap="small"):
        st.subheader("Duels and suites so far", anchor=False)
        shown = list(groups.values())[::-1]
        heads = ("Duel", "Problems", "Arms", "Budget")
        st.html(html_table("Duels and suites", heads, [_line(plans) for plans in shown[:_MOST]]))
        if len(shown) > _MOST:
            st.caption(f"Showing the newest {_MOST} of {len(shown):,}; all are in the list of studies.")


def _line(plans: list[DuelPlan]) -> tuple[str, ...]:
    plan = plans[0]
    address = f"/duel?suite={quote(plan.suite)}" if plan.suite else f"/duel?name={quote(plan.name)}"
    name = plan.suite or plan.name
    return (
        f'<a class="lab-link" href="{address}" target="_self">{escape(name)}</a>',
        format_count(len(plans), "problem"),
        escape(", ".join(arm.label for arm in plan.arms)),
        f"{plan.budget.amount:g} {plan.budget.kind}",
    )
