"""What a person tunes by hand with: the score, a row for each parameter, and ways to other configurations."""

from __future__ import annotations

import streamlit as st

from pages._shared.fault import plain
from pages._shared.parameters import parameter_widgets
from pages._shared.score_card import score_card
from pages._shared.tuning import BestTrial, Tuning, best_trial, load, move_sliders, step_back


def hand_panel(tuning: Tuning) -> None:
    """Draws it, the score on top."""
    best = best_trial(tuning)
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
