"""Who takes part in a duel or a suite, and with which budget: the same widgets for both."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hpo_core.methods import METHODS
from hpo_core.search.duel import CONTROL, DEFAULT, MANUAL, DuelArm
from hpo_core.studies.run import Budget

AMOUNTS = {"trials": 30, "fits": 150, "seconds": 60}
_FIRST_METHODS = ("auto", "tpe")
_MOST = 100_000


def arm_widgets(key: str, usable: Sequence[str], *, has_person: bool) -> None:
    """Methods, seeds, budget and controls, under keys that begin with `key`; read by `chosen_arms`."""
    st.multiselect(
        "Search methods",
        usable,
        default=[method for method in _FIRST_METHODS if method in usable],
        format_func=lambda method: METHODS[method].label,
        key=f"{key}-methods",
        help="\n\n".join(f"**{METHODS[method].label}**: {METHODS[method].purpose}" for method in usable),
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        seeds_help = "a search depends on luck: several tell how much"
        st.number_input("Seeds each", 1, 20, 3, key=f"{key}-seeds", width=130, help=seeds_help)
        kind = st.selectbox("Budget in", list(AMOUNTS), key=f"{key}-kind", width=140)
        st.number_input("Amount", 1, _MOST, AMOUNTS[kind], 10, key=f"{key}-amount-{kind}", width=150)
    with st.container(horizontal=True, gap="medium"):
        if has_person:
            st.checkbox("You, by hand", value=True, key=f"{key}-by-hand", help="on Tune, with the same budget")
        st.checkbox("Default", value=True, key=f"{key}-default", help="does tuning help at all?")
        st.checkbox("Random", value=True, key=f"{key}-random", help="a control with the same budget")
        st.checkbox("Random, 2 × the budget", value=False, key=f"{key}-twice", help="does more trying do as well?")
        if has_person:
            is_out = not st.session_state.get(f"{key}-by-hand", True)
            blind_help = "hides the machine's progress until you are done"
            st.checkbox("Blind", key=f"{key}-blind", disabled=is_out, help=blind_help)


def chosen_arms(key: str) -> tuple[list[DuelArm], Budget]:
    """What the widgets say now: a callback may come before the page was drawn with it."""
    state = st.session_state
    n, kind = int(state[f"{key}-seeds"]), state[f"{key}-kind"]
    controls = {
        f"{key}-by-hand": DuelArm(MANUAL),
        f"{key}-default": DuelArm(DEFAULT),
        f"{key}-random": DuelArm(CONTROL, n),
        f"{key}-twice": DuelArm(CONTROL, n, 2),
    }
    arms = [DuelArm(method, n) for method in state[f"{key}-methods"]]
    arms += [arm for name, arm in controls.items() if state.get(name)]
    return arms, Budget(kind, float(state.get(f"{key}-amount-{kind}", AMOUNTS[kind])))


def is_blind(key: str) -> bool:
    """Whether the person plays blind; nobody does who does not play."""
    return bool(st.session_state.get(f"{key}-blind") and st.session_state.get(f"{key}-by-hand"))


def run_settings(key: str, n_lanes: int, *, finals_help: str, most_seconds: float | None = None) -> None:
    """How many searches go on at the same time, how often fresh folds are drawn at the end, how long a fit may take."""
    st.number_input("Searches at the same time", 1, 16, n_lanes, key=f"{key}-lanes")
    st.number_input(
        "Draws of fresh folds",
        0,
        20,
        None,
        key=f"{key}-finals",
        placeholder="as many as a verdict takes",
        help=finals_help,
    )
    st.number_input(
        "Longest fit, seconds",
        1.0,
        None,
        most_seconds,
        key=f"{key}-longest-fit",
        placeholder="no limit",
        help="a fit that takes longer fails, of whichever arm, and the search goes on",
    )


def longest_fit(key: str) -> float | None:
    """Seconds that a fit may take; None for no limit."""
    value = st.session_state.get(f"{key}-longest-fit")
    return None if value is None else float(value)


def chosen_finals(key: str) -> int | None:
    """Draws of fresh folds; None where nobody said a number."""
    value = st.session_state.get(f"{key}-finals")
    return None if value is None else int(value)
