"""A row for each parameter, right for its type, scale and range, with its default marked and an exact entry."""

from __future__ import annotations

import math
import re
from functools import lru_cache, partial
from html import escape
from typing import Any

import streamlit as st

from hpo_core.formats import format_value
from hpo_core.space import AnyParameter, Categorical, Float, Int, is_same
from pages._shared.parameter_row import Move, RowView, last_move, parameter_row
from pages._shared.tuning import BestTrial, Tuning, is_news, move_sliders, set_value

_STEPS_PER_RANGE = 100
_STEPS_PER_DECADE = 20
_MOST_STOPS = 500
_MAX_SEGMENTS = 3
_MAX_LETTERS = 16
_MOST_INACTIVE = 15
_LEGEND = '<p class="lab-legend"><span>default</span><span class="lab-legend-best">best trial</span></p>'
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?$")


def parameter_widgets(tuning: Tuning, best: BestTrial | None) -> None:
    """All parameters of the problem, in the order of the space; inactive ones as a line that says what they need.

    Where these would bury the others, as with many model families, they are only counted.

    Args:
        tuning: The bench.
        best: The trial whose values are marked on the sliders.
    """
    active = tuning.configuration
    n_inactive = len(tuning.problem.space) - len(active)
    has_news = False
    for p in tuning.problem.space.parameters:
        if p.name not in active:
            if n_inactive <= _MOST_INACTIVE:
                _line(p, _needs(p))
        elif is_locked(p):
            _line(p, f"locked at {format_value(p.default)}")
        else:
            key = f"parameter-{p.name}"
            move = parameter_row(row_view(tuning, p, best), key=key, on_move=partial(_take_last, tuning, p, key))
            has_news |= take_move(tuning, p, move)
    if n_inactive > _MOST_INACTIVE:
        st.html(f'<p class="lab-inactive">{n_inactive} more parameters belong to other choices than these.</p>')
    st.html(_LEGEND)
    if has_news:
        st.rerun()  # a move that arrived during the very first run of the page called no callback (Streamlit 1.67)


def is_locked(p: AnyParameter) -> bool:
    """Whether the space leaves one value only."""
    return len(p.choices) == 1 if isinstance(p, Categorical) else p.low == p.high


def _take_last(tuning: Tuning, p: AnyParameter, key: str) -> None:
    move_sliders(tuning, take_move, p, last_move(key))


def take_move(tuning: Tuning, p: AnyParameter, move: Move | None) -> bool:
    """Takes in what a person did in the row of a parameter; whether that was news."""
    if move is None or not is_news(tuning, p.name, move):
        return False
    if move.place is None:
        _take_text(tuning, p, move.text)
    elif move.place < len(places := _places(p)):
        set_value(tuning, p, places[move.place])
    return True


def _take_text(tuning: Tuning, p: AnyParameter, text: str) -> None:
    set_value(tuning, p, parsed_number(text, is_whole=isinstance(p, Int)))
    if not isinstance(p, Categorical) and entry_text(tuning.values[p.name]) != text:
        tuning.turns.pop(p.name, None)  # the field is to show the value as the bench writes it


def row_view(tuning: Tuning, p: AnyParameter, best: BestTrial | None) -> RowView:
    """What the row of a parameter shows."""
    value, places = tuning.values[p.name], _places(p)
    common: dict[str, Any] = {
        "name": p.name,
        "title": p.title,
        "help": _help(p),
        "turn": tuning.turns[p.name],
        "default": next(i for i, place in enumerate(places) if is_same(place, p.default)),
        "default_text": format_value(p.default),
        "fault": tuning.faults.get(p.name, ""),
    }
    if isinstance(p, Categorical):
        return _choice_view(p, p.index(value), common)
    marked = best.configuration.get(p.name) if best else None
    return RowView(
        kind="slider",
        places=[entry_text(stop) for stop in places],
        value=entry_text(value),
        ends=(format_value(places[0]), format_value(places[-1])),
        best=None if marked is None else entry_text(marked),
        **common,
    )


def _choice_view(p: Categorical, place: int, common: dict[str, Any]) -> RowView:
    names = [str(choice) for choice in p.choices]
    if len(names) <= _MAX_SEGMENTS and sum(map(len, names)) <= _MAX_LETTERS:
        return RowView(kind="buttons", places=names, value=place, **common)
    names[common["default"]] += " (default)"
    return RowView(kind="list", places=names, value=place, **common)


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
    return f"{p.explanation}{range_text} Default {format_value(p.default)}. Name in code: {p.name}.".strip()


def _places(p: AnyParameter) -> tuple[Any, ...]:
    return p.choices if isinstance(p, Categorical) else stops(p)


@lru_cache(maxsize=256)
def stops(p: Float | Int) -> tuple[float | int, ...]:
    """Values that a slider stops at, ascending, evenly spaced on the parameter's scale; ends and default included.

    On a log scale they have two significant digits, otherwise they are the parameter's own steps or round numbers.

    >>> stops(Float(name="momentum", low=0.0, high=1.0, default=0.875))[:3]
    (0.0, 0.01, 0.02)
    >>> [s for s in stops(Float(name="C", low=0.1, high=10.0, default=1.0, log=True)) if 1 <= s < 2]
    [1.0, 1.1, 1.3, 1.4, 1.6, 1.8]
    """
    is_stepped = not p.log and bool(p.step)
    if p.log:
        n_steps = min(_STEPS_PER_RANGE, _STEPS_PER_DECADE * math.ceil(math.log10(p.high / p.low)))
        own = [_rounded(p, value) for value in p.levels(n_steps + 1)]
    elif is_stepped:
        own = list(p.levels(_MOST_STOPS))
    else:
        step = _nice_step(p)
        own = [float(f"{p.low + i * step:.10g}") for i in range(math.ceil((p.high - p.low) / step))]
    kept = {p.default, *(p.levels(2) if is_stepped else (p.low, p.high))}
    texts = {entry_text(value) for value in kept}
    fitting = (value for value in own if p.why_invalid(value) is None and entry_text(value) not in texts)
    return tuple(sorted({*kept, *fitting}))


def _rounded(p: Float | Int, value: float) -> float | int:
    return round(value) if isinstance(p, Int) else float(f"{value:.2g}")


def _nice_step(p: Float) -> float:
    """About a hundred steps of 1, 2 or 5 times a power of ten."""
    raw = (p.high - p.low) / _STEPS_PER_RANGE or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
