"""Studies: all studies of this lab, what runs, and what can be done with each."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import TuningError
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab
from pages._shared.study_actions import open_dialog
from pages._shared.study_list import study_list

_RUNNING_SECONDS, _IDLE_SECONDS = 2.0, 5.0


def page() -> None:
    """The list, which renews itself: often while something runs, now and then for what others do."""
    st.html('<div class="lab-problem"><h1>Studies</h1></div>')
    is_active = _is_active()
    every = _RUNNING_SECONDS if is_active else _IDLE_SECONDS
    guarded_fragment(_list, what="The list of studies", key="study-list", every=every)(is_active)
    open_dialog()


def _is_active() -> bool:
    try:
        return bool(the_lab().running())
    except TuningError:
        return False  # the list says why, and tries again


def _list(was_active: bool) -> None:
    if study_list() != was_active:
        st.rerun()


page()
