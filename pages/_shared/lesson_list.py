"""The list of lessons: a card each, with its goal, its minutes, and whether it is done."""

from __future__ import annotations

from html import escape

import streamlit as st

from hpo_core.lessons import LESSONS, Lesson
from pages._shared.lesson_address import forget_address
from pages._shared.lesson_progress import keep_progress, lessons_done

_INTRO = (
    '<div class="lab-problem"><h1>Learn</h1><p>Short lessons in which you do things. Each runs the search methods, '
    "landscapes and models of this lab, and its address restores exactly what is on screen, to hand out. The "
    '<a class="lab-link" href="/learn?glossary=all" target="_self">glossary</a> has the words.</p>'
    '<p>With many people: open a <a class="lab-link" href="/class" target="_self">class</a>, in which all tune one '
    "problem by hand.</p></div>"
)
_METHODS = (
    '<div class="lab-lesson-card"><span class="lab-eyebrow">Adviser</span><h3>Which method when?</h3><p>Five '
    "questions, what suits your problem with reasons and doubts, and a table of all methods.</p></div>"
)


def lesson_list() -> None:
    """All lessons in their order."""
    st.html(_INTRO)
    done = lessons_done()
    keep_progress()
    with st.container(key="lesson-cards"):
        for number, lesson in enumerate(LESSONS, start=1):
            with st.container(key=f"card-lesson-{lesson.key}"):
                st.html(_card(number, lesson, lesson.key in done))
                label = f"Open lesson {number}"
                st.button(label, key=f"open-{lesson.key}", on_click=open_lesson, args=(lesson.key,))
        with st.container(key="card-lesson-methods"):
            st.html(_METHODS)
            st.button("Which method when?", key="open-methods", on_click=_open_methods)


def open_lesson(key: str) -> None:
    """Goes to a lesson at its beginning; to the list for ""."""
    forget_address()
    st.query_params.from_dict({"lesson": key} if key else {})


def _open_methods() -> None:
    forget_address()
    st.query_params.from_dict({"methods": "all"})


def _card(number: int, lesson: Lesson, is_done: bool) -> str:
    tick = '<span class="lab-badge lab-lesson-done">✓ done</span>' if is_done else ""
    return (
        f'<div class="lab-lesson-card"><div class="lab-row"><span class="lab-eyebrow">Lesson {number} · '
        f"{lesson.minutes} min</span>{tick}</div><h3>{escape(lesson.label)}</h3><p>{escape(lesson.purpose)}</p></div>"
    )
