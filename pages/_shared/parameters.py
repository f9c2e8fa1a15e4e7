"""A widget for each parameter, right for its type, scale and range, with its default marked and an exact entry."""

from __future__ import annotations

import math
import re
from html import escape
from typing import Any

import streamlit as st

from hpo_core.formats import format_value
from hpo_core.space import AnyParameter, Categorical, Float, Int, is_same
from pages._shared.fault import plain
from pages._shared.tuning import (
    BestTrial,
    Tuning,
    fill_widgets,
    set_value,
    take_widget,
    widget_key,
    widget_state,
)

_STEPS_PER_RANGE = 100
_MAX_SEGMENTS = 3
_MAX_LETTERS = 16
_ENTRY_WIDTH = 68
_LEGEND = '<p class="lab-legend"><span>default</span><span class="lab-legend-best">best trial</span></p>'
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?$")


def parameter_widgets(tuning: Tuning, best: BestTrial | None) -> None:
    """All parameters of the problem, in the order of the space; inactive ones as a line that says what they need.

    Args:
        tuning: The bench.
        best: The trial whose values are marked on the sliders.
    """
    fill_widgets(tuning)
    active = tuning.configuration
    moved: list[tuple[AnyParameter, Any]] = []
    typed: list[tuple[AnyParameter, str]] = []
    for parameter in tuning.problem.space.parameters:
        if parameter.name not in active:
            _line(parameter, _needs(parameter))
        elif is_locked(parameter):
            _line(parameter, f"locked at {format_value(parameter.default)}")
        else:
            _row(tuning, parameter, best, moved, typed)
    st.html(_LEGEND)
    _take_early(tuning, moved, typed)


def is_locked(p: AnyParameter) -> bool:
    """Whether the space leaves one value only."""
    return len(p.choices) == 1 if isinstance(p, Categorical) else p.low == p.high


def _take_early(tuning: Tuning, moved: list[tuple[AnyParameter, Any]], typed: list[tuple[AnyParameter, str]]) -> None:
    """A change that arrives during the very first run of a page calls no callback (Streamlit 1.67)."""
    for parameter, state in moved:
        take_widget(tuning, parameter, state)
    for parameter, text in typed:
        _take_text(tuning, parameter, text)
    if moved or typed:
        st.rerun()


def _row(
    tuning: Tuning,
    p: AnyParameter,
    best: BestTrial | None,
    moved: list[tuple[AnyParameter, Any]],
    typed: list[tuple[AnyParameter, str]],
) -> None:
    """One parameter; what its widgets hold that the bench does not know yet is added to `moved` and `typed`."""
    value = tuning.values[p.name]
    with st.container(key=f"row-{p.name}", horizontal=True, vertical_alignment="center", gap="xxsmall"):
        state = _widget(tuning, p)
        if state != widget_state(p, value):
            moved.append((p, state))
        if not isinstance(p, Categorical):
            text = _entry(tuning, p)
            if text != tuning.shown[p.name]:
                typed.append((p, text))
        st.button(
            f"Reset {plain(p.title)}",
            key=f"reset-{p.name}",
            type="tertiary",
            help=f"Back to the default, {plain(format_value(p.default))}",
            disabled=is_same(value, p.default),
            on_click=set_value,
            args=(tuning, p, p.default),
        )
    if not isinstance(p, Categorical):
        st.html(_marks(tuning, p, best))
    if fault := tuning.faults.get(p.name):
        st.html(f'<p class="lab-fault" role="alert">{escape(fault)}</p>')


def _widget(tuning: Tuning, p: AnyParameter) -> Any:
    """Draws the slider or the choice and returns what it holds."""
    value = tuning.values[p.name]
    # Widgets that were inactive have lost their state in the session; the bench still has their value. It is given as
    # the default too: a page that is rerun before the browser has drawn it falls back to defaults (Streamlit 1.67).
    st.session_state.setdefault(widget_key(p), widget_state(p, value))
    common: dict[str, Any] = {
        "label": plain(p.title),
        "key": widget_key(p),
        "help": _help(p),
        "on_change": take_widget,
        "args": (tuning, p),
    }
    if isinstance(p, Categorical):
        return _choice(p, p.index(value), common)
    if p.log:
        return st.select_slider(options=_stops(tuning, p), value=value, format_func=format_value, **common)
    if isinstance(p, Int):
        return st.slider(min_value=p.low, max_value=p.high, value=value, step=p.step, **common)
    step = p.step or _nice_step(p)
    ends = {"min_value": float(p.low), "max_value": float(p.high), "value": float(value)}
    return st.slider(step=step, format=_format(step), **ends, **common)


def _choice(p: Categorical, place: int, common: dict[str, Any]) -> Any:
    if len(p.choices) <= _MAX_SEGMENTS and sum(len(str(c)) for c in p.choices) <= _MAX_LETTERS:
        common |= {"options": range(len(p.choices)), "format_func": lambda i: str(p.choices[i])}
        return st.segmented_control(default=place, required=True, width="stretch", **common)
    common |= {"options": range(len(p.choices)), "format_func": lambda i: _choice_label(p, i)}
    return st.selectbox(index=place, **common)


def _choice_label(p: Categorical, place: int) -> str:
    return f"{p.choices[place]}{' (default)' if is_same(p.choices[place], p.default) else ''}"


def _entry(tuning: Tuning, p: Float | Int) -> str:
    """The field of exact entry, which also takes values between the slider's stops; returns what it holds."""
    key, text = f"exact-{p.name}", entry_text(tuning.values[p.name])
    if tuning.shown.get(p.name) != text or key not in st.session_state:
        tuning.shown[p.name] = st.session_state[key] = text
    return st.text_input(
        f"{plain(p.title)}, exact value",
        text,
        key=key,
        width=_ENTRY_WIDTH,
        label_visibility="collapsed",
        autocomplete="off",
        on_change=_take_entry,
        args=(tuning, p),
    )


def _take_entry(tuning: Tuning, p: Float | Int) -> None:
    _take_text(tuning, p, st.session_state.get(f"exact-{p.name}", ""))


def _take_text(tuning: Tuning, p: Float | Int, text: str) -> None:
    tuning.shown.pop(p.name, None)  # the field shows the value that counts, also after a text that was not taken
    set_value(tuning, p, parsed_number(text, is_whole=isinstance(p, Int)))


def parsed_number(text: str, *, is_whole: bool = False) -> float | int | str:
    """The number that a person typed, with a decimal point or comma; the text itself if it is none.

    >>> [parsed_number(t) for t in ("0,5", "1,000", " 1e-3 ", "1_000", "a lot")]
    [0.5, 1000.0, 0.001, '1_000', 'a lot']
    >>> parsed_number("12", is_whole=True), parsed_number("12.5", is_whole=True)
    (12, 12.5)
    """
    clean = text.strip().replace("−", "-")
    clean = clean.replace(",", "") if _THOUSANDS.match(clean) else clean.replace(",", ".")
    try:
        number = float(clean) if "_" not in clean else math.nan
    except ValueError:
        return text
    if math.isnan(number):
        return text
    return int(number) if is_whole and number.is_integer() else number


def entry_text(value: float | int) -> str:
    """Six significant digits without thousands separators, as a person would type it.

    >>> entry_text(0.016666666), entry_text(1000.0), entry_text(1437), entry_text(1e-05)
    ('0.0166667', '1000', '1437', '1e-05')
    """
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _needs(p: AnyParameter) -> str:
    assert p.when is not None
    return f"only for {p.when.parent} = {' or '.join(str(v) for v in p.when.values)}"


def _line(p: AnyParameter, text: str) -> None:
    st.html(f'<p class="lab-inactive"><b>{escape(p.title)}</b> {escape(text)}</p>')


def _help(p: AnyParameter) -> str:
    scale = ", on a log scale" if not isinstance(p, Categorical) and p.log else ""
    range_text = "" if isinstance(p, Categorical) else f" From {format_value(p.low)} to {format_value(p.high)}{scale}."
    return plain(f"{p.explanation}{range_text} Default {format_value(p.default)}. Name in code: {p.name}.")


def _marks(tuning: Tuning, p: Float | Int, best: BestTrial | None) -> str:
    """Where the default and the best trial stand on the slider, as variables of the style sheet."""
    name = re.sub(r"[^\w-]", "-", f"st-key-row-{p.name}", flags=re.ASCII)
    places = {"--lab-default-at": _share(tuning, p, p.default)}
    if best is not None and p.name in best.configuration:
        places["--lab-best-at"] = _share(tuning, p, best.configuration[p.name])
    rules = "".join(f"{variable}:{share:.2%};" for variable, share in places.items())
    has_best = "--lab-best-shown:1;" if len(places) > 1 else ""
    return f"<style>.{name}{{{rules}{has_best}}}</style>"


def _share(tuning: Tuning, p: Float | Int, value: float) -> float:
    """How far along its slider a value stands, 0 to 1. Stops of log sliders are a place each."""
    if not p.log:
        return min(max((value - p.low) / (p.high - p.low), 0.0), 1.0)
    stops = _stops(tuning, p)
    return sum(stop < value for stop in stops) / (len(stops) - 1)


def _stops(tuning: Tuning, p: Float | Int) -> list[Any]:
    """Values that a log slider stops at: evenly spaced, two significant digits; ends and default included.

    A value between them becomes a stop for good: a slider whose stops change would lose its place.
    """
    own = tuning.stops.setdefault(p.name, set())
    if not own:
        n_steps = min(_STEPS_PER_RANGE, 20 * math.ceil(math.log10(p.high / p.low)))
        ratio = (p.high / p.low) ** (1 / n_steps)
        own |= {_rounded(p, p.low * ratio**i) for i in range(n_steps + 1)} | {p.low, p.high, p.default}
    own.add(tuning.values[p.name])
    return sorted(s for s in own if p.low <= s <= p.high)


def _rounded(p: Float | Int, value: float) -> float | int:
    return round(value) if isinstance(p, Int) else float(f"{value:.2g}")


def _nice_step(p: Float) -> float:
    """About a hundred steps of 1, 2 or 5 times a power of ten."""
    raw = (p.high - p.low) / _STEPS_PER_RANGE or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)


def _format(step: float) -> str:
    return f"%.{max(0, -math.floor(math.log10(step)))}f"
