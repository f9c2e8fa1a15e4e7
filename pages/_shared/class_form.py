"""A new class: the problem, the tries of each person, what may be moved, what is shown, the machine's arms."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.methods import METHODS
from hpo_core.problem import Problem
from hpo_core.search.classroom import MOST_TRIES, make_class
from hpo_core.search.duel import CONTROL, DEFAULT, DuelArm
from hpo_core.search.dueling import start_lanes
from hpo_core.search.suitability import why_not
from pages._shared.fault import plain
from pages._shared.lab import the_lab
from pages._shared.parameters import is_locked
from pages._shared.problem_form import chosen_problem, problem_line

_FAULT = "class-fault"
_FIRST_METHOD = "tpe"


def class_form() -> None:
    """The form, on the problem that the address names as it does for Tune."""
    problem = chosen_problem(("code", "seat", "teacher"))
    if problem is None:
        return
    with st.container(key="card-class-form", gap="small"):
        st.subheader("Open a class", anchor=False)
        problem_line(problem)
        _people(problem)
        _machine(problem)
        st.button("Open the class", key="class-open", type="primary", on_click=_open, args=(problem,))
        if fault := st.session_state.pop(_FAULT, ""):
            st.error(plain(fault))


def _people(problem: Problem) -> None:
    with st.container(horizontal=True, gap="small"):
        st.number_input(
            "Tries of each person", 2, MOST_TRIES, 15, key="class-tries", width=180, help="that of the default included"
        )
        st.text_input("Name of the class", key="class-title", max_chars=60, width=260, placeholder="class 1")
    names = [p.name for p in problem.space.parameters if not is_locked(p)]
    st.multiselect(
        "Parameters that may be moved",
        names,
        default=names,
        format_func=lambda name: problem.space[name].title,
        key=f"class-movable-{problem.spec.data}-{problem.spec.model}",
        help="The others are locked at their defaults, for the machine too.",
    )
    with st.container(horizontal=True, gap="medium"):
        st.caption("While they play, people see", width="content")
        st.checkbox("a chart of their own tries", value=True, key="class-chart")
        st.checkbox("a list of their own tries", value=True, key="class-list")
        st.checkbox("how far the machine is", value=False, key="class-machine")


def _machine(problem: Problem) -> None:
    usable = [m.key for m in METHODS if not why_not(m, problem) and m.key != CONTROL]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.multiselect(
            "The machine plays",
            usable,
            default=[_FIRST_METHOD] if _FIRST_METHOD in usable else [],
            format_func=lambda method: METHODS[method].label,
            key="class-methods",
            help="Beside random search and the default, with as many trials as a person has tries.",
        )
        st.number_input("Seeds each", 1, 20, 3, key="class-seeds", width=130)


def _open(problem: Problem) -> None:
    lab, state = the_lab(), st.session_state
    n_seeds = int(state["class-seeds"])
    methods = [*state["class-methods"], CONTROL]
    try:
        room, token = make_class(
            lab.storage,
            problem,
            [*(DuelArm(method, n_seeds) for method in methods), DuelArm(DEFAULT)],
            int(state["class-tries"]),
            name=state["class-title"].strip(),
            movable=state[f"class-movable-{problem.spec.data}-{problem.spec.model}"],
            shows_chart=state["class-chart"],
            shows_tries=state["class-list"],
            shows_machine=state["class-machine"],
        )
        start_lanes(lab.storage, [room.duel], lab.folder, 1)  # done before people have begun, and out of their way
    except TuningError as fault:
        state[_FAULT] = str(fault)
    else:
        st.query_params.from_dict({"code": room.code, "teacher": token})
