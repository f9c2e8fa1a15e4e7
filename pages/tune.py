"""Tune: a person's sliders and the machine's search on one problem, live."""

import streamlit as st

from hpo_core.errors import StorageError, TuningError
from pages._shared.adviser import UNFOLDED_KEY, adviser_dialog
from pages._shared.child_form import child_form
from pages._shared.duel_line import duel_line
from pages._shared.fault import guarded_fragment, plain
from pages._shared.live_charts import live_charts
from pages._shared.machine_panel import machine_panel
from pages._shared.parameters import parameter_widgets
from pages._shared.problem_bar import choose_problem, problem_bar
from pages._shared.score_card import score_card
from pages._shared.tuning import (
    BestTrial,
    Tuning,
    best_trial,
    current_tuning,
    load,
    move_sliders,
    put_parameters_in_url,
    score_default,
    step_back,
)


def page() -> None:
    """The page: the problem on top, by hand and by machine on the left, charts on the right."""
    try:
        tuning = current_tuning()
    except StorageError:
        raise  # no other address would open either
    except TuningError as fault:
        choose_problem(str(fault))
        return
    score_default(tuning)
    problem_bar(tuning)
    left, right = st.columns([1, 2.6], gap="medium")
    with left:
        with st.container(key="card-by-hand"):
            guarded_fragment(_by_hand, what="The sliders", key="by-hand")(tuning)
        with st.container(key="card-by-machine"):
            is_open = " open" if st.session_state.get(UNFOLDED_KEY) else ""
            st.html(f'<details class="lab-unfold"{is_open}><summary tabindex="0">By machine</summary></details>')
            machine_panel(tuning)
    with right:
        live_charts(tuning)
    child_form(tuning)
    adviser_dialog(tuning)


def _by_hand(tuning: Tuning) -> None:
    put_parameters_in_url(tuning)
    best = best_trial(tuning)
    st.subheader("By hand", anchor=False)
    duel_line(tuning)
    slot = st.container()
    for notice in tuning.notices:
        st.warning(plain(notice))
    with st.container(key="parameters"):
        parameter_widgets(tuning, best)
    _buttons(tuning, best)
    with slot:
        score_card(tuning, best)


def _buttons(tuning: Tuning, best: BestTrial | None) -> None:
    """Ways to other configurations; the keys of undo and redo are those that boot.js presses for a shortcut."""
    default = tuning.problem.space.default()
    there = None if best is None else best.configuration
    with st.container(key="by-hand-buttons", horizontal=True, gap="xsmall"):
        is_default = tuning.configuration == default
        st.button("Default", key="to-default", on_click=move_sliders, args=(tuning, load, default), disabled=is_default)
        is_best = there is None or there == tuning.configuration
        st.button("Best", key="to-best", on_click=move_sliders, args=(tuning, load, there), disabled=is_best)
        undo = {"on_click": move_sliders, "args": (tuning, step_back, 1), "disabled": not tuning.can_undo}
        st.button("Undo", key="undo", help="Ctrl + Z", **undo)
        redo = {"on_click": move_sliders, "args": (tuning, step_back, -1), "disabled": not tuning.can_redo}
        st.button("Redo", key="redo", help="Ctrl + Shift + Z", **redo)


page()
