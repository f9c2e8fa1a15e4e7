"""Tune: a person's sliders and the machine's search on one problem, live."""

import streamlit as st

from hpo_core.errors import StorageError, TuningError
from pages._shared.adviser import adviser_dialog
from pages._shared.child_form import child_form
from pages._shared.duel_line import duel_line
from pages._shared.fault import guarded_fragment
from pages._shared.hand_panel import hand_panel
from pages._shared.live_charts import live_charts
from pages._shared.machine_panel import machine_head, machine_panel
from pages._shared.problem_bar import choose_problem, problem_bar
from pages._shared.tuning import Tuning, current_tuning, put_parameters_in_url, score_default


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
        by_machine = st.container(key="card-by-machine")
    with right:
        live_charts(tuning)
    with by_machine:  # after the charts, as its advice may take half a second
        machine_head()
        machine_panel(tuning)
    child_form(tuning)
    adviser_dialog(tuning)


def _by_hand(tuning: Tuning) -> None:
    put_parameters_in_url(tuning)
    st.subheader("By hand", anchor=False)
    duel_line(tuning)
    hand_panel(tuning)


page()
