"""The line that says what is tuned, and the way to something else."""

from __future__ import annotations

from html import escape
from urllib.parse import quote, urlencode

import streamlit as st

from hpo_core.problem import ModelProblem, Problem
from pages._shared.lab import shown_name
from pages._shared.problem_form import MENU, problem_form
from pages._shared.tuning import Tuning, address_of, open_address

COPY_BUTTON = (
    '<button class="lab-button lab-copy" data-lab="copy-link" title="The address holds all that is set"></button>'
)


def problem_bar(tuning: Tuning) -> None:
    """Title, figures of the data, the link to share, and the way to another problem."""
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left:
        st.html(_line(tuning))
    with right, st.container(key="problem-tools", horizontal=True, horizontal_alignment="right", gap="xsmall"):
        if link := _duel_link(tuning.problem):
            st.html(link, width="content")
        st.html(COPY_BUTTON, width="content")
        menu = st.popover("New problem", key=MENU, on_change="rerun", width="content")
    if menu.open:
        with menu, st.container(key="problem-form"):
            problem_form(tuning.problem)


def _duel_link(problem: Problem) -> str:
    if problem.spec.second:
        return ""  # a duel is decided by one score
    address = urlencode(address_of(problem.spec))
    title = "You and the machine on this problem under one budget"
    return f'<a class="lab-button" href="/duel?{address}" target="_self" title="{title}">Duel</a>'


def choose_problem(fault: str) -> None:
    """The page when the address cannot be opened: why, and the way out."""
    st.html(f'<div class="lab-empty"><h3>This address cannot be opened</h3><p>{escape(fault)}</p></div>')
    st.button("Open the first problem", type="primary", on_click=open_address, args=({},))
    with st.container(key="card-problem"):
        problem_form()


def _line(tuning: Tuning) -> str:
    parts = tuning.problem.title.split(" · ")
    n_named = 2 if isinstance(tuning.problem, ModelProblem) else 1
    name = shown_name(" · ".join(parts[:n_named]))
    figures = " · ".join([*parts[n_named:], *_figures(tuning.problem)])
    study = (
        f"study <b>{escape(tuning.study.name)}</b>" if tuning.study else "no study yet: it begins with your first move"
    )
    if tuning.parent:
        link = f'<a class="lab-link" href="/?study={quote(tuning.parent)}" target="_self">{escape(tuning.parent)}</a>'
        study += f", child of {link}"
    notes = "".join(f"<li>{escape(note)}</li>" for note in tuning.problem.notes)
    n_notes = len(tuning.problem.notes)
    summary = f"{n_notes} note{'s' if n_notes > 1 else ''} on the data"
    more = f"<details><summary>{summary}</summary><ul>{notes}</ul></details>"
    return (
        f'<div class="lab-problem"><h1>{escape(name)}</h1>'
        f"<p>{escape(figures)} · {study}</p>{more if notes else ''}</div>"
    )


def _figures(problem: Problem) -> list[str]:
    if not isinstance(problem, ModelProblem):
        return []
    locked = len(problem.split.test)
    return [f"{problem.n_development:,} rows + {locked:,} locked"]
