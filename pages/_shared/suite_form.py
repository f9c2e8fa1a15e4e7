"""A new suite: several problems, the arms that tune them all, the budget, and what it will cost."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_count, format_seconds
from hpo_core.methods import METHODS
from hpo_core.problem import open_problem
from hpo_core.search.duel import CONTROL
from hpo_core.search.dueling import start_lanes
from hpo_core.search.suite import make_suite
from hpo_core.search.suite_plan import PRESETS, Cost, Preset, cost_of, key_of, known_problems, name_of
from pages._shared.duel_arms import arm_widgets, chosen_arms, chosen_finals, longest_fit, run_settings
from pages._shared.duel_state import LANES
from pages._shared.fault import plain
from pages._shared.lab import the_lab

_KEY = "suite"
_FAULT = "suite-fault"
_PROBLEMS = "suite-problems"
_FINALS = "What is chosen is scored anew at the end of each problem."
_LONGEST_FIT = 60.0  # seconds: nobody watches, and one fit without end would hold up all problems that follow


def suite_form() -> None:
    """The form; nothing is opened before it starts, so that choosing is quick."""
    known = known_problems()
    with st.container(key="card-suite-form", gap="small"):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            for preset in PRESETS:
                st.button(preset.label, key=f"suite-preset-{preset.key}", on_click=_take, args=(preset,))
        chosen = st.multiselect(
            "Problems",
            list(known),
            format_func=lambda name: name_of(known[name]),
            key=_PROBLEMS,
            placeholder="A set from above, or data and model one by one",
            help="bundled data with each model that suits them, and the landscapes",
        )
        arm_widgets(_KEY, [m.key for m in METHODS if m.key != CONTROL and not m.why_not_installed()], has_person=False)
        arms, budget = chosen_arms(_KEY)
        st.caption(_cost_in_words(cost_of([known[n] for n in chosen], arms, budget, chosen_finals(_KEY)), len(chosen)))
        with st.container(horizontal=True, gap="xsmall"):
            st.button("Start the suite", key="suite-start", type="primary", on_click=_start)
            with st.popover("Settings"):
                st.text_input("Name", key="suite-name", placeholder="a free one", max_chars=100)
                run_settings(_KEY, LANES, finals_help=_FINALS, most_seconds=_LONGEST_FIT)
        if fault := st.session_state.pop(_FAULT, ""):
            st.error(plain(fault))


def _cost_in_words(cost: Cost, n_problems: int) -> str:
    """What it will take, beforehand."""
    if not n_problems:
        return "Choose two problems or more: the same arms tune them all, one after the other."
    searches = f"{format_count(n_problems, 'problem')}, {cost.n_searches:,} searches by machine"
    fresh = f"{cost.n_final_fits:,} fits on fresh folds"
    side_by_side = "shared by the searches at the same time"
    if not cost.is_guess:
        after = f", and {fresh}" if cost.n_final_fits else ""
        return f"{searches}: {format_seconds(cost.seconds)} in all, {side_by_side}{after}."
    of_them = f", {fresh} among them" if cost.n_final_fits else ""
    guess = f" At a guess {format_seconds(cost.seconds)} of fitting, {side_by_side}." if cost.seconds >= 1 else ""
    return f"{searches}: at most {cost.n_fits:,} fits{of_them}, fewer where trials are given up early.{guess}"


def _take(preset: Preset) -> None:
    st.session_state[_PROBLEMS] = [key_of(spec) for spec in preset.specs]


def _start() -> None:
    lab, known, state = the_lab(), known_problems(), st.session_state
    try:
        arms, budget = chosen_arms(_KEY)
        problems = [open_problem(known[name]) for name in state[_PROBLEMS]]
        name = str(state.get("suite-name") or "").strip()
        own = {"name": name, "finals": chosen_finals(_KEY), "fit_seconds": longest_fit(_KEY)}
        suite = make_suite(lab.storage, problems, arms, budget, **own)
        lanes = int(state.get(f"{_KEY}-lanes", LANES))
        start_lanes(lab.storage, suite.duels, lab.folder, min(lanes, suite.n_searches))
    except TuningError as fault:
        state[_FAULT] = str(fault)
    else:
        st.query_params.from_dict({"suite": suite.name})
