"""Class: a teacher opens one, people join by its code, and what they do by hand is seen on the teacher's board."""

from __future__ import annotations

import streamlit as st

from hpo_core.errors import StorageError, TuningError
from hpo_core.search.classroom import open_class
from pages._shared.class_board import class_board
from pages._shared.class_entrance import code_form, name_form
from pages._shared.class_form import class_form
from pages._shared.class_seat import class_seat
from pages._shared.fault import plain
from pages._shared.lab import the_lab


def page() -> None:
    """A class is /class?code=CODE; with &seat=TOKEN it is a person's own page, with &teacher=TOKEN the board."""
    code = st.query_params.get("code", "")
    try:
        if code and _is_shown(code):
            return
    except StorageError:
        raise
    except TuningError as fault:
        st.warning(plain(str(fault)))
    st.html(
        '<div class="lab-problem"><h1>Class</h1><p>Many people tune the same problem by hand, each for themselves, '
        "with the same start and as many tries. Whether the winner was more than lucky is said at the end.</p></div>"
    )
    code_form()
    class_form()


def _is_shown(code: str) -> bool:
    """Draws what the address is a key to; False for a key that is none."""
    room = open_class(the_lab().storage, code)
    teacher, seat = st.query_params.get("teacher", ""), st.query_params.get("seat", "")
    if teacher:
        if room.is_teacher(teacher):
            class_board(room)
            return True
        st.warning("This is not the address that the teacher of this class has.")
    elif seat:
        class_seat(room.seat(seat), room)
        return True
    name_form(room)
    return True


page()
