"""A new duel: the problem, who takes part, the budget; and the duels that there are."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_count
from hpo_core.methods import METHODS
from hpo_core.problem import Problem, open_problem
from hpo_core.search.duel import CONTROL, DEFAULT, MANUAL, DuelArm, duels, make_duel
from hpo_core.search.dueling import start_lanes
from hpo_core.search.suitability import why_not
from hpo_core.studies.run import Budget
from pages._shared.fault import plain
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab
from pages._shared.problem_form import MENU, problem_form
from pages._shared.tuning import spec_of

_FIRST_METHODS = ("auto", "tpe")
_AMOUNTS = {"trials": 30, "fits": 150, "seconds": 60}
_MOST = 100_000
_FAULT = "duel-fault"
_OWN = ("name",)
_LANES = 2


def duel_form() -> None:
    """The form, on the problem that the address names as it does for Tune."""
    address = {key: value for key, value in st.query_params.to_dict().items() if key not in _OWN}
    st.html(
        '<div class="lab-problem"><h1>Duel</h1><p>You and the machine on the same problem: the same folds, the same '
        "budget, and a verdict that may be a tie.</p></div>"
    )
    try:
        problem = open_problem(spec_of(address))
    except TuningError as fault:
        st.error(plain(str(fault)))
        problem_form()
        return
    with st.container(key="card-duel-form", gap="small"):
        _problem_line(problem)
        _widgets(problem)
        arms, _, _ = _chosen()
        n_searches = sum(arm.seeds for arm in arms if arm.method != MANUAL)
        st.caption(
            f"{format_count(len(arms), 'arm')}, {n_searches} search{'' if n_searches == 1 else 'es'} by machine."
        )
        with st.container(horizontal=True, gap="xsmall"):
            st.button("Start the duel", key="duel-start", type="primary", on_click=_start, args=(problem,))
            with st.popover("Settings"):
                st.number_input("Searches at the same time", 1, 16, _LANES, key="duel-lanes")
        if fault := st.session_state.pop(_FAULT, ""):
            st.error(plain(fault))


def duel_list() -> None:
    """All duels, the newest first."""
    plans = list(duels(the_lab().storage).values())[::-1]
    if not plans:
        return
    with st.container(key="card-duel-list", gap="small"):
        st.subheader("Duels so far", anchor=False)
        rows = [
            (
                f'<a class="lab-link" href="/duel?name={quote(plan.name)}" target="_self">{escape(plan.name)}</a>',
                escape(", ".join(arm.label for arm in plan.arms)),
                f"{plan.budget.amount:g} {plan.budget.kind}",
            )
            for plan in plans
        ]
        st.html(html_table("Duels", ("Duel", "Arms", "Budget"), rows))


def _problem_line(problem: Problem) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(shown_name(problem.title), anchor=False, width="content")
        menu = st.popover("Other problem", key=MENU, on_change="rerun", width="content")
    if menu.open:
        with menu, st.container(key="problem-form"):
            problem_form(problem)


def _widgets(problem: Problem) -> None:
    usable = [m.key for m in METHODS if not why_not(m, problem) and m.key != CONTROL]
    st.multiselect(
        "Search methods",
        usable,
        default=[key for key in _FIRST_METHODS if key in usable],
        format_func=lambda key: METHODS[key].label,
        key="duel-methods",
        help="\n\n".join(f"**{METHODS[key].label}**: {METHODS[key].purpose}" for key in usable),
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        seeds_help = "a search depends on luck: several tell how much"
        st.number_input("Seeds each", 1, 20, 3, key="duel-seeds", width=130, help=seeds_help)
        kind = st.selectbox("Budget in", list(_AMOUNTS), key="duel-kind", width=140)
        st.number_input("Amount", 1, _MOST, _AMOUNTS[kind], 10, key=f"duel-amount-{kind}", width=150)
    with st.container(horizontal=True, gap="medium"):
        by_hand = st.checkbox("You, by hand", value=True, key="duel-by-hand", help="on Tune, with the same budget")
        st.checkbox("Default", value=True, key="duel-default", help="does tuning help at all?")
        st.checkbox("Random", value=True, key="duel-random", help="a control with the same budget")
        st.checkbox("Random, 2 × the budget", value=False, key="duel-twice", help="does more trying do as well?")
        blind_help = "hides the machine's progress until you are done"
        st.checkbox("Blind", key="duel-blind", disabled=not by_hand, help=blind_help)


def _chosen() -> tuple[list[DuelArm], Budget, bool]:
    """What the widgets say now: a callback may come before the page was drawn with it."""
    state = st.session_state
    n, kind = int(state["duel-seeds"]), state["duel-kind"]
    controls = {
        "duel-by-hand": DuelArm(MANUAL),
        "duel-default": DuelArm(DEFAULT),
        "duel-random": DuelArm(CONTROL, n),
        "duel-twice": DuelArm(CONTROL, n, 2),
    }
    arms = [*(DuelArm(key, n) for key in state["duel-methods"]), *(arm for key, arm in controls.items() if state[key])]
    amount = float(state.get(f"duel-amount-{kind}", _AMOUNTS[kind]))
    return arms, Budget(kind, amount), bool(state["duel-blind"] and state["duel-by-hand"])


def _start(problem: Problem) -> None:
    lab = the_lab()
    try:
        arms, budget, is_blind = _chosen()
        duel = make_duel(lab.storage, problem, arms, budget, is_blind=is_blind)
        if duel.searches:
            lanes = int(st.session_state.get("duel-lanes", _LANES))
            start_lanes(lab.storage, duel, lab.folder, min(lanes, len(duel.searches)))
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)
    else:
        st.query_params.from_dict({"name": duel.plan.name})
