"""The row of one parameter: a slider with an exact entry, or a choice, as one component that is never overruled late.

A slider and a text field of Streamlit's own would hold the same value twice, and the browser sends the state of all
widgets with every message (Streamlit 1.67): a quick second step would bring the old text along and undo the first. The
row has no state for the server. It sends each move once, with the turn that it knew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

_HERE = Path(__file__).parent
_MOST_LETTERS = 100
_COMPONENT = st.components.v2.component(
    "tuning_lab.parameter_row",
    html='<div class="parameter-row"></div>',
    css=(_HERE / "parameter_row.css").read_text(encoding="utf-8"),
    js=(_HERE / "parameter_row.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class RowView:
    """What a row shows.

    Attributes:
        name: Name of the parameter.
        kind: A slider, or a choice by buttons or from a list.
        title, help: The label and its explanation.
        places: What can be chosen, or the stops of the slider in ascending order, as a person would type them.
        value: The text of a slider's value, which may lie between two stops; the place of a choice.
        turn: Another text each time that something else than the row sets the value: the row takes `value` only then.
        default: Place of the default.
        default_text: The default in words.
        ends: The words at the ends of a slider.
        best: Value of the best trial, to be marked on a slider.
        fault: Why what was typed last was not taken; "" if it was.
    """

    name: str
    kind: Literal["slider", "buttons", "list"]
    title: str
    help: str
    places: Sequence[str]
    value: str | int
    turn: str
    default: int
    default_text: str
    ends: Sequence[str] = ()
    best: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What a person did in a row: went to a place, or typed a text.

    Attributes:
        id: Another one for each move.
        turn: The turn that the row knew.
        place: Among the places of the row; None for a typed text.
        text: As it was typed.
    """

    id: str
    turn: str
    place: int | None = None
    text: str = ""


def parameter_row(view: RowView, *, key: str, on_move: Callable[[], None]) -> Move | None:
    """Draws a row; returns the move of this run, if any, as `on_move` is not called for one during a page's first run.

    Args:
        view: What it shows.
        key: Names the row among all runs: the same key is the same row, refreshed.
        on_move: Runs before the next run of the page when the person moves; `last_move` says where to.
    """
    return parsed_move(_COMPONENT(key=key, data=json.dumps(row_spec(view)), on_move_change=on_move).move)


def row_spec(view: RowView) -> dict[str, Any]:
    """The view as the script of the row takes it."""
    spec = asdict(view)
    spec["defaultText"] = spec.pop("default_text")
    return spec


def last_move(key: str) -> Move | None:
    """The move that a callback of the row with this key is called for."""
    return parsed_move(st.session_state[key].get("move")) if key in st.session_state else None


def parsed_move(sent: Any) -> Move | None:
    """The move that the browser sent, which may be anything."""
    if not isinstance(sent, Mapping):
        return None
    place = sent.get("place")
    is_place = isinstance(place, int) and not isinstance(place, bool) and place >= 0
    text = str(sent.get("text", ""))[:_MOST_LETTERS]
    return Move(str(sent.get("id")), str(sent.get("turn")), place if is_place else None, text)
