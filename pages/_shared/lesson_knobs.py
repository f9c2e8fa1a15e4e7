"""The knobs of a scene: sliders whose values are part of what was done."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hpo_core.lessons import Knob, Lesson, Scene
from pages._shared.lesson_address import read_address, write_address

_TURNS = "lesson-knob-turns"


def lesson_knobs(lesson: Lesson, scene: Scene) -> None:
    """Draws them; a move goes to the lesson before the next run of the page."""
    with st.container(key="lesson-knobs"):
        for knob in scene.knobs:
            name = f"knob-{lesson.key}-{knob.key}"
            with st.container(key=name):
                _knob(name, knob)


def _knob(name: str, knob: Knob) -> None:
    key, first = _widget(f"{name}-{knob.texts[0]}-{knob.texts[-1]}", knob.texts[knob.at])
    how: dict[str, Any] = {"key": key, "help": knob.explanation, "on_change": _turn, "args": (key, knob)}
    if knob.is_ordered:
        st.select_slider(knob.label, knob.texts, first, **how)
    else:
        st.segmented_control(knob.label, knob.texts, default=first, required=True, **how)


def _widget(name: str, wanted: str) -> tuple[str, str]:
    """Key and default of a widget that shows what is wanted.

    Where it shows something else, as after a new start, another one takes its place: a value that is set from outside
    does not reach the browser when the page is run again at once (Streamlit 1.67).
    """
    turns: dict[str, tuple[int, str]] = st.session_state.setdefault(_TURNS, {})
    turn, first = turns.get(name, (0, wanted))
    shown = st.session_state.get(f"{name}-{turn}")
    if shown != wanted:
        turn, first = turn + (shown is not None), wanted
    turns[name] = turn, first
    return f"{name}-{turn}", first


def _turn(key: str, knob: Knob) -> None:
    lesson, state = read_address()
    write_address(lesson, lesson.turned(state, knob.key, knob.texts.index(st.session_state[key])))
