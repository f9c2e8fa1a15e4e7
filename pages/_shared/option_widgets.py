"""One widget for each typed option, as it is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from hpo_core.options import Option, options_of, with_options
from pages._shared.fault import plain

T = TypeVar("T")
_MOST_BUTTONS = 3


def option_widgets(
    item: T, *, key: str, parameters: Sequence[str] = (), kinds: Sequence[str] = (), compact: bool = False
) -> T:
    """The item with what the person set. A text that cannot be is named below its field and not taken over silently:
    the item holds it, and `with_options` refuses it wherever the item is used.

    Args:
        item: A frozen dataclass with options, such as a search method or a plot.
        key: Begins the keys of the widgets.
        parameters: What an option of the kind "parameter" can be.
        kinds: Only options of these kinds; all when empty.
        compact: Whether labels are for screen readers only.
    """
    chosen = {
        option.name: _widget(option, getattr(item, option.name), f"{key}-{option.name}", parameters, compact)
        for option in options_of(type(item))
        if not kinds or option.kind in kinds
    }
    texts = {option.name for option in options_of(type(item)) if option.kind == "text"}
    sound = with_options(item, {name: value for name, value in chosen.items() if name not in texts})
    return replace(sound, **{name: value for name, value in chosen.items() if name in texts})  # type: ignore[type-var]


def chosen_options(item: object) -> dict[str, Any]:
    """The values of all options of an item, as runs keep them."""
    return {option.name: getattr(item, option.name) for option in options_of(type(item))}


def _widget(option: Option, value: Any, key: str, parameters: Sequence[str], compact: bool) -> Any:
    shared: dict[str, Any] = {"key": key, "help": None if compact else option.explanation}
    shared["label_visibility"] = "collapsed" if compact else "visible"
    if option.kind == "bool":
        return st.toggle(option.label, value=value, **shared)
    if option.kind == "choice" and len(option.choices) <= _MOST_BUTTONS:
        return st.segmented_control(option.label, option.choices, default=value, required=True, **shared)
    if option.kind == "choice":
        return st.selectbox(option.label, option.choices, index=option.choices.index(value), **shared)
    if option.kind == "parameter":
        names = ["", *parameters]
        automatic = f"{option.label}: automatic" if compact else "automatic"
        place = names.index(value) if value in names else 0
        width = 165 if compact else "stretch"
        return st.selectbox(
            option.label, names, index=place, format_func=lambda n: n or automatic, width=width, **shared
        )
    if option.kind == "text":
        return _text(option, value, shared)
    return _number(option, value, shared)


def _text(option: Option, value: str, shared: dict[str, Any]) -> str:
    typed = st.text_input(option.label, value, placeholder=option.example, **shared).strip()
    if why := option.why_invalid(typed):
        st.error(plain(why))
    return typed


def _number(option: Option, value: Any, shared: dict[str, Any]) -> Any:
    cast = int if option.kind == "int" else float
    low, high = (None if end is None else cast(end) for end in (option.low, option.high))
    if low is not None and high is not None and option.kind == "int":
        return st.slider(option.label, low, high, value, **shared)
    if option.kind == "float":
        shared["format"] = "%g"  # else two digits are shown, whatever the value has
    return st.number_input(option.label, low, high, value, **shared)
