"""Learn: the list of lessons, or the lesson or the glossary that the address names."""

from __future__ import annotations

import streamlit as st

from hpo_core.lessons import LESSONS
from pages._shared.adviser import adviser_page
from pages._shared.glossary_page import glossary_page
from pages._shared.lesson_list import lesson_list
from pages._shared.lesson_page import lesson_page


def page() -> None:
    """A lesson is /learn?lesson=KEY with its settings and all that was done in it, so that a link restores it;
    /learn?methods= is the adviser with all methods, /learn?glossary=TERM the glossary, from its beginning for all."""
    if "methods" in st.query_params:
        adviser_page()
        return
    key = st.query_params.get("lesson", "")
    if key in LESSONS:
        lesson_page(key)
        return
    if asked := st.query_params.get("glossary", ""):
        glossary_page(asked)
        return
    if key:
        st.warning("There is no such lesson. Here are those that there are.")
    lesson_list()


page()
