"""Duel: you and the machine on the same problem under the same budget, and an honest verdict."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import StorageError, TuningError
from hpo_core.search.duel import open_duel
from pages._shared.duel_form import duel_form, duel_list
from pages._shared.duel_view import duel_view
from pages._shared.fault import plain
from pages._shared.lab import the_lab


def page() -> None:
    """The duel that the address names, or the form of a new one with the list of all."""
    name = st.query_params.get("name")
    if name:
        try:
            duel = open_duel(the_lab().storage, name)
        except StorageError:
            raise
        except TuningError as fault:
            st.warning(plain(str(fault)))
        else:
            duel_view(duel)
            return
    duel_form()
    duel_list()


page()
