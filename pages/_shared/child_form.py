"""The dialog that makes a child study: new ranges for the parameters, and the trials of this study that fit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hpo_core.errors import TuningError, UsageError
from hpo_core.formats import format_count, format_value
from hpo_core.search.child import count_fitting, make_child
from hpo_core.space import AnyParameter, Categorical, Float, Int, Range
from pages._shared.fault import fault_edge, plain
from pages._shared.lab import the_lab
from pages._shared.parameters import entry_text, is_locked, parsed_number
from pages._shared.tuning import Tuning, open_address, study_of

_KEY = "child-form"
_LAYOUT = [1.3, 1.4, 1, 1, 0.8]


@dataclass(frozen=True, slots=True)
class _Wish:
    """With what the dialog opens.

    Attributes:
        id: Begins the keys of its widgets, so that each opening begins anew.
        address: Where it was opened; anywhere else it is gone.
        ranges: What is filled in; other parameters stay as they are.
    """

    id: str
    address: dict[str, str]
    ranges: dict[str, Range]


def open_child_form(tuning: Tuning, ranges: Mapping[str, Range | tuple[Any, ...]] | None = None) -> None:
    """Opens the dialog and reruns the page. Not for callbacks: call it where a button was found pressed.

    Args:
        tuning: The bench; a study is begun if there is none yet.
        ranges: New ranges to begin with: `Range`, or two ends of a number, or the choices to keep of a category.
    """
    space = tuning.problem.space
    wished = {name: _as_range(space[name], r) for name, r in (ranges or {}).items() if name in space.names}
    st.session_state[_KEY] = _Wish(secrets.token_hex(4), tuning.address, wished)
    st.rerun()


def child_form(tuning: Tuning) -> None:
    """The dialog, where it is wanted; to be called once in each run of the page."""
    wish: _Wish | None = st.session_state.get(_KEY)
    if wish is not None and wish.address == tuning.address:
        _dialog(tuning, wish)


def _as_range(p: AnyParameter, given: Range | tuple[Any, ...]) -> Range:
    if isinstance(given, Range):
        return given
    return Range(choices=given) if isinstance(p, Categorical) else Range(*given)


def _close() -> None:
    st.session_state.pop(_KEY, None)


@st.dialog("Change ranges", width="large", on_dismiss=_close)
def _dialog(tuning: Tuning, wish: _Wish) -> None:
    with fault_edge("The form for new ranges"):
        _form(tuning, wish)


def _form(tuning: Tuning, wish: _Wish) -> None:
    st.caption(
        "Ranges of a study stay as they are, so that its trials can be compared. New ranges make a child study: "
        "the trials that fit come along, and the search goes on from there."
    )
    ranges: dict[str, Range] = {}
    faults: list[str] = []
    with st.container(key="child-ranges"):
        for p in tuning.problem.space.parameters:
            try:
                ranges[p.name] = _asked(tuning, wish, p)
            except UsageError as fault:
                faults.append(str(fault))
    changed = {name: limits for name, limits in ranges.items() if limits != Range()}
    is_ready = _preview(tuning, changed, faults)
    name = st.text_input(
        "Name", key=f"{wish.id}-name", placeholder="by itself: the name of this study and a number", max_chars=200
    )
    if st.button("Make child study", type="primary", key="make-child", disabled=not is_ready):
        _make(tuning, changed, name.strip())


def _asked(tuning: Tuning, wish: _Wish, p: AnyParameter) -> Range:
    """What the person wants of one parameter; an empty `Range` where nothing changes."""
    wished = wish.ranges.get(p.name, Range())
    key = f"{wish.id}-{p.name}"
    if isinstance(p, Categorical):
        return _asked_choices(p, wished, key)
    title, now, low, high, lock = st.columns(_LAYOUT, vertical_alignment="center", gap="small")
    title.markdown(f"**{plain(p.title)}**")
    now.caption(_now(p))
    is_to_lock = lock.checkbox("lock", wished.low is not None and wished.low == wished.high, key=f"{key}-lock")
    if is_to_lock:
        at = wished.low if wished.low is not None and wished.low == wished.high else tuning.values[p.name]
        text = low.text_input(
            f"{plain(p.title)}, locked at", entry_text(at), key=f"{key}-at", label_visibility="collapsed"
        )
        return _changes(p, _read(p, text), _read(p, text))
    first, last = (old if new is None else new for new, old in ((wished.low, p.low), (wished.high, p.high)))
    ends = [
        column.text_input(
            f"{plain(p.title)}, {what}", entry_text(end), key=f"{key}-{what}", label_visibility="collapsed"
        )
        for column, what, end in ((low, "from", first), (high, "to", last))
    ]
    return _changes(p, *(_read(p, text) for text in ends))


def _now(p: Float | Int) -> str:
    if is_locked(p):
        return f"locked at {format_value(p.low)}"
    return f"now {format_value(p.low)} to {format_value(p.high)}{', log' if p.log else ''}"


def _read(p: Float | Int, text: str) -> float | int:
    number = parsed_number(text, is_whole=isinstance(p, Int))
    if isinstance(number, str):
        raise UsageError(f"{p.title} needs numbers for its range; got {number!r}.")
    return number


def _changes(p: Float | Int, low: float | int, high: float | int) -> Range:
    """The ends that differ from those that are shown now, which are rounded for reading."""
    return Range(
        None if entry_text(low) == entry_text(p.low) else low, None if entry_text(high) == entry_text(p.high) else high
    )


def _asked_choices(p: Categorical, wished: Range, key: str) -> Range:
    title, rest = st.columns([_LAYOUT[0], sum(_LAYOUT[1:])], vertical_alignment="center", gap="small")
    title.markdown(f"**{plain(p.title)}**")
    begin = [p.index(c) for c in wished.choices or p.choices if p.why_invalid(c) is None]
    kept = rest.pills(
        f"{plain(p.title)}, choices to keep",
        range(len(p.choices)),
        selection_mode="multi",
        default=begin,
        format_func=lambda i: str(p.choices[i]),
        key=f"{key}-choices",
        label_visibility="collapsed",
    )
    return Range() if len(kept) == len(p.choices) else Range(choices=tuple(p.choices[i] for i in sorted(kept)))


def _preview(tuning: Tuning, ranges: Mapping[str, Range], faults: list[str]) -> bool:
    """Says what the child study would begin with, or what is wrong; whether it can be made."""
    try:
        space = tuning.problem.space.narrowed(ranges)
    except UsageError as fault:
        faults.append(str(fault))
    if faults:
        st.error(plain(" ".join(faults)))
        return False
    if not ranges:
        st.info("Nothing is changed yet.")
        return False
    if tuning.study is None:
        st.info("This study has no trials yet: the child begins empty.")
        return True
    table = the_lab().table_of(tuning.study)
    st.info(f"{count_fitting(table, space):,} of {format_count(len(table), 'trial')} fit and are kept.")
    return True


def _make(tuning: Tuning, ranges: Mapping[str, Range], name: str) -> None:
    try:
        child = make_child(the_lab().storage, study_of(tuning), ranges, name)
    except TuningError as fault:
        st.error(plain(str(fault)))
        return
    _close()
    open_address({"study": child.name})
    st.rerun()
