"""A widget for each parameter, right for its type, scale and range."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import streamlit as st

from hpo_core.formats import format_value
from hpo_core.space import AnyParameter, Categorical, Float, Int
from pages._shared.fault import plain
from pages._shared.tuning import Tuning, take_widgets, widget_key, widget_state

_STEPS_PER_RANGE = 100
_MAX_SEGMENTS = 4
_MAX_LETTERS = 18


def parameter_widgets(tuning: Tuning) -> None:
    """All parameters of the problem, in the order of the space; inactive ones as a line that says what they need."""
    active = tuning.configuration
    shown = {}
    for parameter in tuning.problem.space.parameters:
        if parameter.name in active:
            shown[parameter.name] = _widget(tuning, parameter)
        else:
            _inactive(parameter)
    if any(state != widget_state(tuning.problem.space[name], tuning.values[name]) for name, state in shown.items()):
        # A change that arrives during the very first run of a page calls no callback (Streamlit 1.67).
        take_widgets(tuning)
        st.rerun()


def _widget(tuning: Tuning, p: AnyParameter) -> Any:
    """Draws the widget and returns what it holds."""
    value = tuning.values[p.name]
    # Widgets that were inactive have lost their state in the session; the bench still has their value. It is given as
    # the default too: a page that is rerun before the browser has drawn it falls back to defaults (Streamlit 1.67).
    st.session_state.setdefault(widget_key(p), widget_state(p, value))
    common: dict[str, Any] = {
        "label": plain(p.title),
        "key": widget_key(p),
        "help": _help(p),
        "on_change": take_widgets,
        "args": (tuning,),
    }
    if isinstance(p, Categorical):
        return _choice(p, p.index(value), common)
    if p.log:
        return st.select_slider(options=_log_stops(p, value), value=value, format_func=format_value, **common)
    if isinstance(p, Int):
        return st.slider(min_value=p.low, max_value=p.high, value=value, step=p.step, **common)
    step = p.step or _nice_step(p)
    ends = {"min_value": float(p.low), "max_value": float(p.high), "value": float(value)}
    return st.slider(step=step, format=_format(step), **ends, **common)


def _choice(p: Categorical, place: int, common: dict[str, Any]) -> Any:
    common |= {"options": range(len(p.choices)), "format_func": lambda i: str(p.choices[i])}
    if len(p.choices) <= _MAX_SEGMENTS and sum(len(str(c)) for c in p.choices) <= _MAX_LETTERS:
        return st.segmented_control(default=place, required=True, width="stretch", **common)
    return st.selectbox(index=place, **common)


def _inactive(p: AnyParameter) -> None:
    assert p.when is not None
    needs = " or ".join(str(v) for v in p.when.values)
    st.html(f'<p class="lab-inactive"><b>{escape(p.title)}</b> only for {escape(p.when.parent)} = {escape(needs)}</p>')


def _help(p: AnyParameter) -> str:
    scale = ", on a log scale" if not isinstance(p, Categorical) and p.log else ""
    range_text = "" if isinstance(p, Categorical) else f" From {format_value(p.low)} to {format_value(p.high)}{scale}."
    return plain(f"{p.explanation}{range_text} Default {format_value(p.default)}. Name in code: {p.name}.")


def _log_stops(p: Float | Int, value: float) -> list[Any]:
    """Values that a log slider stops at: evenly spaced, two significant digits; ends, default and value included."""
    n_steps = min(_STEPS_PER_RANGE, 20 * math.ceil(math.log10(p.high / p.low)))
    ratio = (p.high / p.low) ** (1 / n_steps)
    stops = {_rounded(p, p.low * ratio**i) for i in range(n_steps + 1)}
    return sorted(s for s in {*stops, p.low, p.high, p.default, value} if p.low <= s <= p.high)


def _rounded(p: Float | Int, value: float) -> float | int:
    return round(value) if isinstance(p, Int) else float(f"{value:.2g}")


def _nice_step(p: Float) -> float:
    """About a hundred steps of 1, 2 or 5 times a power of ten."""
    raw = (p.high - p.low) / _STEPS_PER_RANGE or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)


def _format(step: float) -> str:
    return f"%.{max(0, -math.floor(math.log10(step)))}f"
