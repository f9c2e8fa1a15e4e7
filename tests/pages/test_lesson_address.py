"""A lesson in the URL: what is written is read back, and what cannot be is passed over."""

from __future__ import annotations

import time
from typing import Any

import pytest
import streamlit as st

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.options import with_options
from pages._shared.lesson_address import forget_address, read_address, write_address


class _Query(dict[str, str]):
    to_dict = dict.copy

    def from_dict(self, given: dict[str, str]) -> None:
        self.clear()
        self.update(given)


@pytest.fixture
def query(monkeypatch: pytest.MonkeyPatch) -> _Query:
    found = _Query(lesson="landscape")
    monkeypatch.setattr(st, "query_params", found)
    monkeypatch.setattr(st, "session_state", {})
    return found


def test_state_and_settings_come_back(query: _Query) -> None:
    lesson = with_options(LESSONS["landscape"], {"terrain": "Rastrigin", "noise": "some"})
    state = LessonState(seed=7, step=12, moves=("0a1b", "fly"), guess="Random", is_revealed=True)
    write_address(lesson, state)
    assert query["terrain"] == "Rastrigin"
    assert read_address() == (lesson, state)


def test_the_beginning_is_short(query: _Query) -> None:
    write_address(LESSONS["landscape"], LessonState())
    assert query == {"lesson": "landscape"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("terrain", "Atlantis"),
        ("steps", "17"),
        ("seed", "-4"),
        ("seed", "٣"),
        ("step", "1e9"),
        ("did", "<script>.A B.%00"),
        ("revealed", "yes"),
        ("unknown", "x"),
    ],
)
def test_what_cannot_be_is_passed_over(query: _Query, name: str, text: str) -> None:
    query[name] = text
    assert read_address() == (LESSONS["landscape"], LessonState())


def test_long_addresses_are_cut(query: _Query) -> None:
    query |= {"did": ".".join(["aa"] * 5000), "guess": "g" * 5000}
    _, state = read_address()
    assert (len(state.moves), len(state.guess)) == (400, 80)


def test_known_options_are_all_typed(query: _Query) -> None:
    lesson: Any = LESSONS["landscape"]
    query["steps"] = "49"
    assert read_address()[0] == with_options(lesson, {"steps": "49"})


def test_an_address_that_was_just_replaced_loses_nothing(query: _Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click brings the URL of the moment before, as the browser has not heard of the new one yet."""
    lesson = LESSONS["landscape"]
    write_address(lesson, LessonState(moves=("0a0a",)))
    stale = query.to_dict()
    write_address(lesson, LessonState(moves=("0a0a",), guess="Grid"))
    query.from_dict(stale)
    assert read_address()[1].guess == "Grid"
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert read_address()[1].guess == ""  # long after, somebody went back


def test_another_address_is_believed(query: _Query) -> None:
    write_address(LESSONS["landscape"], LessonState(moves=("0a0a",), guess="Grid"))
    query.from_dict({"lesson": "landscape", "did": "1b1b"})
    assert read_address()[1] == LessonState(moves=("1b1b",))
    query.from_dict({"lesson": "landscape"})
    forget_address()
    assert read_address()[1] == LessonState()
