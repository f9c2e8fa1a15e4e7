"""A lesson in the URL: its settings, and all that was done in it.

`/learn?lesson=KEY&NAME=VALUE&seed=3&did=WORD.WORD&guess=TEXT&step=12&revealed=1`; what is as at the beginning is left
out. What a URL holds may be anything: what cannot be is passed over.
"""

from __future__ import annotations

import math
import re
import time
from typing import Any

import streamlit as st

from hpo_core.lessons import LESSONS, Lesson, LessonState
from hpo_core.options import Option, options_of, with_options

RESERVED = ("lesson", "seed", "did", "guess", "step", "revealed")
MOST_SEED = 9999
_MOST_MOVES = 400
_STATE = "lesson-state"
_LATE_SECONDS = 3.0
_WORD = re.compile(r"[0-9a-z-]{1,24}")


def read_address() -> tuple[Lesson, LessonState]:
    """The lesson that the URL names, with its settings, and its state.

    What a person does brings the URL that the browser has at that moment, which may be one that was just replaced: then
    it says less than the server knows.
    """
    given = st.query_params.to_dict()
    known = st.session_state.get(_STATE)
    if known and given["lesson"] == known["query"]["lesson"]:
        is_late = time.monotonic() - known["replaced"].get(_text(given), -math.inf) < _LATE_SECONDS
        if given == known["query"] or is_late:
            return known["lesson"], known["state"]
    lesson = LESSONS[given["lesson"]]
    values = {o.name: value for o in options_of(type(lesson)) if (value := _parsed(o, given.get(o.name))) is not None}
    words = [word for word in given.get("did", "").split(".") if _WORD.fullmatch(word)]
    state = LessonState(
        seed=min(_whole(given.get("seed"), 1), MOST_SEED),
        step=_whole(given.get("step"), 0),
        moves=tuple(words[:_MOST_MOVES]),
        guess=given.get("guess", "")[:80],
        is_revealed=given.get("revealed") == "1",
    )
    return with_options(lesson, values), state


def write_address(lesson: Lesson, state: LessonState) -> None:
    """Puts the lesson and its state into the URL."""
    first = LESSONS[lesson.key]
    query = {"lesson": lesson.key}
    for option in options_of(type(lesson)):
        if (value := getattr(lesson, option.name)) != getattr(first, option.name):
            query[option.name] = "1" if value is True else "0" if value is False else str(value)
    start = LessonState()
    parts = {
        "seed": str(state.seed) if state.seed != start.seed else "",
        "did": ".".join(state.moves),
        "guess": state.guess,
        "step": str(state.step) if state.step else "",
        "revealed": "1" if state.is_revealed else "",
    }
    query |= {name: part for name, part in parts.items() if part}
    now = time.monotonic()
    before = st.session_state.get(_STATE) or {"query": query, "replaced": {}}
    replaced = {text: moment for text, moment in before["replaced"].items() if now - moment < _LATE_SECONDS}
    if before["query"] != query:
        replaced[_text(before["query"])] = now
    replaced.pop(_text(query), None)
    st.session_state[_STATE] = {"query": query, "lesson": lesson, "state": state, "replaced": replaced}
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)


def forget_address() -> None:
    """Lets the URL alone say what is on screen: when another lesson is opened."""
    st.session_state.pop(_STATE, None)


def _text(query: dict[str, str]) -> str:
    return repr(sorted(query.items()))


def _parsed(option: Option, text: str | None) -> Any:
    """The value of an option as a URL holds it; None where it is not there or cannot be."""
    if text is None:
        return None
    value: Any = text
    try:
        if option.kind == "bool":
            value = {"1": True, "0": False}[text]
        elif option.kind in ("int", "float"):
            value = int(text) if option.kind == "int" else float(text)
    except (ValueError, KeyError):
        return None
    return None if option.why_invalid(value) else value


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else otherwise
