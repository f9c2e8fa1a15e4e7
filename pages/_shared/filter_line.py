"""The line above the views that says which trials they show, and the form that is a brush for the keyboard."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from hpo_core.analysis.filtering import VALUE, Kept, TrialFilter
from hpo_core.formats import format_count
from hpo_core.studies.table import TrialTable
from pages._shared.chart_card import Brushing

Ranges = Mapping[str, tuple[Any, ...]]


def filter_line(
    table: TrialTable,
    passing: NDArray[np.bool_],
    brushing: Brushing,
    *,
    key: str,
    value_label: str,
    on_ranges: Callable[[Ranges], None] | None = None,
) -> None:
    """Draws the line.

    Args:
        table: All trials.
        passing: Those that pass, shape (n,).
        brushing: The filter, which the line changes.
        key: Names it among all runs.
        value_label: What the values are.
        on_ranges: Takes the filter's ranges of parameters, to search there only: (low, high), or chosen categories.
    """
    with st.container(key=f"{key}-line", horizontal=True, vertical_alignment="center", gap="small"):
        with st.popover("Filter", key=f"{key}-popover", help="Show only trials within some ranges, in all views"):
            _form(table, brushing, key, value_label)
        st.html(_words(table, passing, brushing.chosen, value_label), width="content")
        if not brushing.chosen:
            return
        st.button("Clear", key=f"{key}-clear", on_click=brushing.choose, args=(TrialFilter(),))
        ranges = brushing.chosen.ranges(table)
        if on_ranges is not None and ranges:
            where = "Make a study of these ranges, which takes over the trials in them"
            if st.button("Search only here", key=f"{key}-here", help=where):
                on_ranges(ranges)


def _words(table: TrialTable, passing: NDArray[np.bool_], chosen: TrialFilter, value_label: str) -> str:
    shown = ~table.is_hidden
    n_shown = int(shown.sum())
    hidden = f", {len(table) - n_shown:,} hidden" if n_shown < len(table) else ""
    if not chosen:
        return f'<p class="lab-note" role="status">All {format_count(n_shown, "trial")}{hidden}</p>'
    count = f"{int((passing & shown).sum()):,} of {format_count(n_shown, 'trial')}{hidden}"
    return f'<p class="lab-filter" role="status">{escape(chosen.words(value_label))}: <b>{count}</b></p>'


@dataclass(slots=True)
class _Form:
    """Which edition of the form is shown: a new one, with new widgets, whenever the filter is changed elsewhere."""

    edition: int = 0
    turn: int = 0


def _form(table: TrialTable, brushing: Brushing, key: str, value_label: str) -> None:
    form: _Form = st.session_state.setdefault(f"{key}-form", _Form())
    if form.turn != brushing.turn:
        form.turn, form.edition = brushing.turn, form.edition + 1
    base = f"{key}-{form.edition}"
    arguments = (table, brushing, form, base)
    chosen = st.multiselect(
        "Ranges of",
        [*table.params, VALUE],
        default=[n for n in brushing.chosen.kept if n in table.params or n == VALUE],
        format_func=lambda name: name or value_label,
        key=f"{base}-names",
        placeholder="Choose parameters",
        on_change=_take,
        args=arguments,
        width=340,
    )
    for name in chosen:
        _range_widgets(table, name, brushing.chosen.kept.get(name, _all(table, name)), base, arguments, value_label)


def _range_widgets(
    table: TrialTable, name: str, kept: Kept, base: str, arguments: tuple[Any, ...], value_label: str
) -> None:
    distribution = table.distributions.get(name)
    if isinstance(distribution, CategoricalDistribution):
        labels = [str(choice) for choice in distribution.choices]
        st.pills(
            name,
            labels,
            selection_mode="multi",
            default=[label for label in labels if label in (kept.labels or ())],
            key=f"{base}-labels-{name}",
            on_change=_take,
            args=arguments,
        )
        return
    everything = _all(table, name)
    left, right = st.columns(2, width=340)
    for column, end, value in ((left, "low", kept.low), (right, "high", kept.high)):
        shown = min(max(value, everything.low), everything.high)
        is_integer = isinstance(distribution, IntDistribution)
        column.number_input(
            f"{name or value_label}, {'from' if end == 'low' else 'to'}",
            value=int(shown) if is_integer else float(shown),
            step=1 if is_integer else _step(distribution, everything),
            format="%d" if is_integer else "%.4g",
            key=f"{base}-{end}-{name}",
            on_change=_take,
            args=arguments,
        )


def _all(table: TrialTable, name: str) -> Kept:
    """Everything that the study has of a parameter or of the value."""
    distribution = table.distributions.get(name)
    if isinstance(distribution, CategoricalDistribution):
        return Kept(labels=tuple(map(str, distribution.choices)))
    if distribution is not None:
        return Kept(float(distribution.low), float(distribution.high))  # type: ignore[attr-defined]
    finite = table.values[np.isfinite(table.values)]
    return Kept(float(finite.min()), float(finite.max())) if len(finite) else Kept(0.0, 1.0)


def _step(distribution: BaseDistribution | None, everything: Kept) -> float:
    if getattr(distribution, "log", False):
        return everything.low
    width = everything.high - everything.low
    return 10.0 ** math.floor(math.log10(width / 10)) if 0 < width < math.inf else 0.1


def _take(table: TrialTable, brushing: Brushing, form: _Form, base: str) -> None:
    """Takes what the form says; the form itself stays as it is, so that nobody loses their place in it."""
    names = st.session_state.get(f"{base}-names", [])
    brushing.choose(TrialFilter({name: _taken(table, name, brushing.chosen, base) for name in names}))
    form.turn = brushing.turn


def _taken(table: TrialTable, name: str, before: TrialFilter, base: str) -> Kept:
    usual = before.kept.get(name, _all(table, name))
    if usual.labels is not None:
        return Kept(labels=tuple(st.session_state.get(f"{base}-labels-{name}", usual.labels)))
    low, high = (st.session_state.get(f"{base}-{end}-{name}") for end in ("low", "high"))
    ends = usual.low if low is None else low, usual.high if high is None else high
    return Kept(*ends, is_unused_kept=usual.is_unused_kept)
