"""The last step of a duel: what each search chose, scored once on the locked rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from hpo_core.analysis.duel import Side
from hpo_core.formats import format_score
from hpo_core.problem import ModelProblem
from hpo_core.search.duel import Duel
from hpo_core.search.dueling import has_looked, is_held
from hpo_core.search.locked import locked_rows, why_locked
from pages._shared.duel_state import go_on
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.locked_rows import looks_line, looks_so_far, seal_button


def duel_locked(duel: Duel, sides: Sequence[Side]) -> None:
    """How often they were looked at, the way to open them once, what came of it, and the way to lock them for good."""
    problem = duel.problem
    if not isinstance(problem, ModelProblem) or not locked_rows(problem):
        return
    n_rows = len(problem.split.test)
    with st.container(key="card-duel-locked", gap="small"):
        st.subheader("Does it hold on rows that nobody has seen?", anchor=False)
        looks_line(looks_so_far(problem), n_rows)
        if has_looked(duel):
            st.html(_table(duel, sides))
        if why := why_locked(the_lab().storage, problem):
            st.caption(why)
            return
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            if not has_looked(duel):
                _open(duel, n_rows)
            seal_button(duel.members[0].study, problem, n_rows, "duel")


def _open(duel: Duel, n_rows: int) -> None:
    if duel.control.get("opens_lock"):
        n_done = sum(member.look() is not None for member in duel.members)
        st.caption(f"Scoring what was chosen: {n_done} of {len(duel.members)}.")
        if not is_held(duel):  # not yet, or its process died
            st.button("Go on", key="duel-look-on", on_click=go_on, args=(duel,))
        return
    with st.popover("Open the lock"):
        st.markdown(
            f"Each search's choice is trained on all other rows and scored once on the {n_rows:,} locked ones. "
            "Do this last: the looks are counted, and a choice that is changed afterwards has seen the answer."
        )
        st.button("Open it", key="duel-open-lock", type="primary", on_click=_open_lock, args=(duel,))


def _open_lock(duel: Duel) -> None:
    duel.ask(opens_lock=True)
    go_on(duel)


def _table(duel: Duel, sides: Sequence[Side]) -> str:
    rows = []
    for place, side in enumerate(sides):
        looks = [found["score"] for member in duel.of_arm(place) if (found := member.look()) is not None]
        scores = [score for score in looks if score is not None]
        finals = [float(np.mean(final)) for final in side.finals if final]
        rows.append((side.label, _mean(finals), _mean(scores)))
    sign = -1.0 if duel.problem.direction == "maximize" else 1.0
    rows.sort(key=lambda row: sign * row[2] if math.isfinite(row[2]) else math.inf)
    cells = [(escape(label), format_score(final), f"<b>{format_score(score)}</b>") for label, final, score in rows]
    return html_table("Locked rows", ("Arm", "Fresh folds", "Locked rows"), cells)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
