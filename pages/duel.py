"""Duel: you and the machine on the same problem under the same budget, or methods over many problems, and a verdict."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import StorageError, TuningError, UsageError
from hpo_core.search.duel import open_duel
from hpo_core.search.suite import open_suite
from pages._shared.duel_form import duel_form
from pages._shared.duel_list import duel_list
from pages._shared.duel_view import duel_view
from pages._shared.fault import plain
from pages._shared.lab import the_lab
from pages._shared.suite_form import suite_form
from pages._shared.suite_view import suite_view


def page() -> None:
    """The duel or suite that the address names, or the form of a new one with the list of all."""
    if _is_shown():
        return
    st.html(
        '<div class="lab-problem"><h1>Duel</h1><p>You and the machine on the same problem: the same folds, the same '
        "budget, and a verdict that may be a tie.</p></div>"
    )
    is_many = st.segmented_control(
        "Duel or suite",
        [False, True],
        default="many" in st.query_params,
        required=True,
        format_func={False: "One problem", True: "Many problems"}.__getitem__,
        key="duel-many",
        label_visibility="collapsed",
    )
    suite_form() if is_many else duel_form()
    duel_list()


def _is_shown() -> bool:
    """Draws what the address names; False where it names nothing that there is."""
    storage = the_lab().storage
    try:
        if name := st.query_params.get("suite"):
            suite_view(open_suite(storage, name))
            return True
        if name := st.query_params.get("name"):
            duel = open_duel(storage, name)
            if duel.plan.code:
                raise UsageError(f"{name} is a class. Open it on the page Class.")
            duel_view(duel)
            return True
    except StorageError:
        raise
    except TuningError as fault:
        st.warning(plain(str(fault)))
    return False


page()
