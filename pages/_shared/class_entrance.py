"""The way into a class: by its code, and under a name."""

from __future__ import annotations

from html import escape

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.search.class_names import MOST_LETTERS, parsed_code
from hpo_core.search.classroom import Classroom, join
from pages._shared.fault import plain
from pages._shared.lab import shown_name, the_lab

_FAULT = "class-join-fault"


def code_form() -> None:
    """Takes the code that the teacher shows."""
    with st.container(key="card-class-code", gap="small"):
        st.subheader("Join a class", anchor=False)
        with st.form("class-code", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input("Code", key="class-code-text", max_chars=12, width=160, placeholder="K7QX2")
            if st.form_submit_button("Go there", type="primary") and parsed_code(text):
                st.query_params.from_dict({"code": parsed_code(text)})
                st.rerun()


def name_form(room: Classroom) -> None:
    """Takes a name; who has one goes to a page of their own, whose address is their key."""
    plan = room.duel.plan
    st.html(
        f'<div class="lab-problem"><h1>{escape(plan.name)}</h1>'
        f"<p>{escape(shown_name(room.duel.title))} · {plan.budget.amount:g} tries for each person</p></div>"
    )
    with st.container(key="card-class-name", gap="small"):
        st.subheader("Your name in this class", anchor=False)
        if room.state == "over":
            st.caption("This class is over: nobody can join any more.")
            return
        with st.form("class-name", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Name", key="class-name-text", max_chars=2 * MOST_LETTERS, width=260)
            st.form_submit_button("Join", type="primary", on_click=_join, args=(room,))
        if fault := st.session_state.pop(_FAULT, ""):
            st.error(plain(fault))
        st.caption(
            "The teacher sees it, with all that you try. There is no account: the address of the page that comes next "
            "is your key, to come back to it from here or from another device."
        )


def _join(room: Classroom) -> None:
    try:
        token = join(the_lab().storage, room, st.session_state["class-name-text"])
    except TuningError as fault:
        st.session_state[_FAULT] = str(fault)
    else:
        st.query_params.from_dict({"code": room.code, "seat": token})
