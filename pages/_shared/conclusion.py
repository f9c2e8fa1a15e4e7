"""The last tab of Tune: the steps from many trials to a winner that deserves the name, one at a time."""

from __future__ import annotations

from functools import partial

import streamlit as st

from hpo_core.glossary import linked_markdown
from hpo_core.studies.table import TrialTable
from pages._shared.curves_step import CURVES
from pages._shared.ensemble_step import ENSEMBLE
from pages._shared.finals_step import FINALS
from pages._shared.locked_step import LOCKED
from pages._shared.nested_step import NESTED
from pages._shared.step import Step
from pages._shared.study_views import ViewTab, open_tab
from pages._shared.tuning import Tuning

_STEPS = (FINALS, ENSEMBLE, CURVES, NESTED, LOCKED)
_LABEL = "Conclude"
_CHOSEN = "conclude-step"


def conclusion_tab(tuning: Tuning, table: TrialTable) -> ViewTab:
    """The tab, with the steps that this problem allows."""
    steps = {step.key: step for step in _STEPS if step.is_there(tuning, table)}
    return ViewTab(_LABEL, tuple(steps), partial(_draw, tuning, table, steps))


def open_conclusion(step: Step) -> None:
    """Opens the tab at a step, from a button's callback."""
    open_tab(_LABEL)
    st.session_state[_CHOSEN] = step.key


def _draw(tuning: Tuning, table: TrialTable, steps: dict[str, Step], asked: str) -> str:
    if st.session_state.get(_CHOSEN) not in steps:
        st.session_state[_CHOSEN] = asked if asked in steps else next(iter(steps))
    with st.container(key="card-conclude", gap="small"):
        st.segmented_control(
            "Step",
            list(steps),
            required=True,
            format_func=lambda key: steps[key].label,
            key=_CHOSEN,
            label_visibility="collapsed",
        )
        step = steps[st.session_state[_CHOSEN]]
        st.subheader(step.question, anchor=False)
        st.caption(linked_markdown(step.help))
        step.draw(tuning, table)
    return step.key
