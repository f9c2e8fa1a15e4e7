"""Tune: a person's sliders and the machine's search on one problem, live."""

import streamlit as st

from hpo_core.errors import StorageError, TuningError
from pages._shared.fault import guarded_fragment, plain
from pages._shared.live_charts import live_charts
from pages._shared.machine_panel import machine_panel
from pages._shared.parameters import parameter_widgets
from pages._shared.problem_bar import choose_problem, problem_bar
from pages._shared.score_card import score_card
from pages._shared.tuning import Tuning, best_trial, current_tuning, load, score_default, step_back


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
    for notice in tuning.notices:
        st.warning(plain(notice))
    left, right = st.columns([1, 2.6], gap="medium")
    with left:
        with st.container(key="card-by-hand"):
            guarded_fragment(_by_hand, what="The sliders", key="by-hand")(tuning)
        with st.container(key="card-by-machine"):
            st.subheader("By machine", anchor=False)
            machine_panel(tuning)
    with right:
        live_charts(tuning)


def _by_hand(tuning: Tuning) -> None:
    st.subheader("By hand", anchor=False)
    slot = st.container()
    with st.container(key="parameters"):
        parameter_widgets(tuning)
    _buttons(tuning)
    with slot:
        score_card(tuning)


def _buttons(tuning: Tuning) -> None:
    best = best_trial(tuning)
    with st.container(horizontal=True, gap="small"):
        default = tuning.problem.space.default()
        st.button("Default", on_click=load, args=(tuning, default), disabled=tuning.configuration == default)
        st.button("Best", on_click=load, args=(tuning, best), disabled=best is None or best == tuning.configuration)
        st.button("Undo", on_click=step_back, args=(tuning, 1), disabled=not tuning.can_undo)
        st.button("Redo", on_click=step_back, args=(tuning, -1), disabled=not tuning.can_redo)


page()
