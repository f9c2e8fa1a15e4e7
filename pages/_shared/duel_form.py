"""A new duel: the problem, who takes part, the budget."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_count
from hpo_core.methods import METHODS
from hpo_core.problem import Problem
from hpo_core.search.duel import CONTROL, MANUAL, make_duel, suited_finals
from hpo_core.search.dueling import start_lanes
from hpo_core.search.suitability import why_not
from pages._shared.duel_arms import arm_widgets, chosen_arms, chosen_finals, is_blind, longest_fit, run_settings
from pages._shared.duel_state import LANES
from pages._shared.fault import plain
from pages._shared.lab import the_lab
from pages._shared.problem_form import chosen_problem, problem_line

_KEY = "duel"
_FAULT = "duel-fault"
_OWN = ("name", "suite", "many")


def duel_form() -> None:
    """The form, on the problem that the address names as it does for Tune."""
    problem = chosen_problem(_OWN)
    if problem is None:
        return
    with st.container(key="card-duel-form", gap="small"):
        problem_line(problem)
        arm_widgets(_KEY, [m.key for m in METHODS if not why_not(m, problem) and m.key != CONTROL], has_person=True)
        arms, _ = chosen_arms(_KEY)
        n_searches = sum(arm.seeds for arm in arms if arm.method != MANUAL)
        st.caption(
            f"{format_count(len(arms), 'arm')}, {n_searches} search{'' if n_searches == 1 else 'es'} by machine."
        )
        with st.container(horizontal=True, gap="xsmall"):
            st.button("Start the duel", key="duel-start", type="primary", on_click=_start, args=(problem,))
            with st.popover("Settings"):
                n = suited_finals(problem.spec)
                run_settings(_KEY, LANES, finals_help=f"What is chosen is scored anew at the end; a verdict takes {n}.")
        if fault := st.session_state.pop(_FAULT, ""):
            st.error(plain(fault))


def _start(problem: Problem) -> None:
    lab = the_lab()
    try:
        arms, budget = chosen_arms(_KEY)
        own = {"is_blind": is_blind(_KEY), "finals": chosen_finals(_KEY), "fit_seconds": longest_fit(_KEY)}
        duel = make_duel(lab.storage, problem, arms, budget, **own)
        if duel.searches:
            lanes = int(st.session_state.get(f"{_KEY}-lanes", LANES))
            start_lanes(lab.storage, [duel], lab.folder, min(lanes, len(duel.searches)))
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)
    else:
        st.query_params.from_dict({"name": duel.plan.name})
