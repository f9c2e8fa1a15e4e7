"""A lesson in the URL: what is written is read back, and what cannot be is passed over."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.options import with_options
from pages._shared.lesson_address import read_address, write_address


class _Query(dict[str, str]):
    to_dict = dict.copy

    def from_dict(self, given: dict[str, str]) -> None:
        self.clear()
        self.update(given)


@pytest.fixture
def query(monkeypatch: pytest.MonkeyPatch) -> _Query:
    found = _Query(lesson="landscape")
    monkeypatch.setattr(st, "query_params", found)
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
