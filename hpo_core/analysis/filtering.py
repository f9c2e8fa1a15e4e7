"""Which trials a person wants to look at: a range of numbers or some categories for each parameter, and for the value.

Ranges are in the units of the parameters, so that a filter means the same on every chart, in a table and in a URL.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from hpo_core.analysis.selection import Limits
from hpo_core.analysis.units import number_at, unit_column
from hpo_core.formats import format_value
from hpo_core.studies.table import Floats, TrialTable

VALUE = ""
_UNUSED_TOP, _UNUSED_LOW = -0.08, -0.15
_JITTER = 0.24
_ALMOST = 1e-6
_LABEL_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one parameter lets pass.

    Attributes:
        low, high: Numbers from here to there, ends included; ignored for categories.
        labels: Categories, as text; None for numbers.
        is_unused_kept: Whether trials pass that do not use the parameter.
    """

    low: float = -math.inf
    high: float = math.inf
    labels: tuple[str, ...] | None = None
    is_unused_kept: bool = False

    @property
    def words(self) -> str:
        """The range as people read it.

        >>> Kept(0.01, 1.0).words, Kept(labels=("rbf", "poly")).words, Kept(low=3).words
        ('0.01 to 1', 'rbf, poly', 'from 3')
        """
        parts = [] if self.labels is None else [", ".join(self.labels)] if self.labels else []
        if self.labels is None and self.low <= self.high:
            parts = [_range_words(self.low, self.high)]
        if self.is_unused_kept:
            parts.append("not used")
        return " or ".join(parts) or "nothing"


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """What each named parameter lets pass; the value of the trials goes by the name `VALUE`. Empty: all trials."""

    kept: Mapping[str, Kept] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.kept)

    def mask(self, table: TrialTable) -> NDArray[np.bool_]:
        """The trials that pass, whatever their state, shape (n,). Parameters that the study lacks are ignored."""
        passing = np.ones(len(table), dtype=bool)
        for name, kept in self.kept.items():
            if name == VALUE:
                passing &= (table.values >= kept.low) & (table.values <= kept.high)
            elif name in table.params:
                passing &= _passing(table, name, kept)
        return passing

    def words(self, value_label: str = "value") -> str:
        """All ranges in one line.

        >>> TrialFilter({"C": Kept(0.1, 10), "": Kept(low=0.9)}).words("accuracy")
        'C 0.1 to 10 · accuracy from 0.9'
        """
        return " · ".join(f"{name or value_label} {kept.words}" for name, kept in self.kept.items())

    def ranges(self, table: TrialTable) -> dict[str, tuple[Any, ...]]:
        """By parameter, (low, high) within its own range, or the chosen categories themselves. Without the value."""
        return {
            name: _range_in(table.distributions[name], kept)
            for name, kept in self.kept.items()
            if name in table.distributions and (kept.labels or kept.low <= kept.high)
        }

    def to_query(self) -> dict[str, str]:
        """By parameter, a text for a URL, read by `filter_of_query`."""
        return {name: _to_text(kept) for name, kept in self.kept.items()}


def filter_of_query(query: Mapping[str, str], table: TrialTable) -> TrialFilter:
    """The filter that texts of a URL describe; what does not fit the study is left out.

    >>> from math import inf
    >>> _of_text("0.1..10", None), _of_text("..5", None).low == -inf
    (Kept(low=0.1, high=10.0, labels=None, is_unused_kept=False), True)
    """
    kept: dict[str, Kept] = {}
    for name, text in query.items():
        distribution = table.distributions.get(name)
        if (name == VALUE or distribution is not None) and (found := _of_text(text, distribution)) is not None:
            kept[name] = found
    return TrialFilter(kept)


def filter_of_brushes(
    table: TrialTable,
    brushes: Mapping[str, tuple[float, float]],
    limits: Limits,
    *,
    axes: Collection[str],
    previous: TrialFilter,
) -> TrialFilter:
    """The filter after brushes were drawn, moved or taken away on parallel axes.

    Args:
        table: The study.
        brushes: All that lie on the axes, by parameter and by `VALUE`: ranges of positions in [0, 1], below 0 where a
            parameter is not used.
        limits: Range of the value axis, whose upper end is the better one.
        axes: What has an axis; the rest of the previous filter stays.
        previous: The filter before. Where a brush lies as before, it stays to the last digit.
    """
    before = brushes_of_filter(table, previous, limits)
    kept = {name: k for name, k in previous.kept.items() if name not in axes or name not in before}
    for name, ends in brushes.items():
        if name in before and np.allclose(ends, before[name], atol=1e-6):
            kept[name] = previous.kept[name]
        elif name == VALUE:
            kept[name] = _kept_of_values(table, ends, limits)
        elif name in table.distributions:
            kept[name] = _kept_of_brush(table.distributions[name], ends)
    return TrialFilter(kept)


def brushes_of_filter(table: TrialTable, chosen: TrialFilter, limits: Limits) -> dict[str, tuple[float, float]]:
    """Where the filter lies on parallel axes. Categories that are not neighbours are joined by those between them."""
    brushes: dict[str, tuple[float, float]] = {}
    for name, kept in chosen.kept.items():
        if name == VALUE:
            brushes[name] = _brush_of_values(table, kept, limits)
        elif name in table.distributions and (ends := _brush_of(table.distributions[name], kept)) is not None:
            brushes[name] = ends
    return brushes


def _range_words(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "used"
    if math.isinf(high):
        return f"from {format_value(low)}"
    return f"up to {format_value(high)}" if math.isinf(low) else f"{format_value(low)} to {format_value(high)}"


def _passing(table: TrialTable, name: str, kept: Kept) -> NDArray[np.bool_]:
    column = table.params[name]
    if kept.labels is not None:
        inside = np.isin(table.column(name), kept.labels) & ~np.isnan(column)
    else:
        inside = (column >= kept.low) & (column <= kept.high)
    return inside | np.isnan(column) if kept.is_unused_kept else inside


def _range_in(distribution: BaseDistribution, kept: Kept) -> tuple[Any, ...]:
    if isinstance(distribution, CategoricalDistribution):
        return tuple(c for c in distribution.choices if str(c) in (kept.labels or ()))
    low, high = max(kept.low, distribution.low), min(kept.high, distribution.high)  # type: ignore[attr-defined]
    return (math.ceil(low), math.floor(high)) if isinstance(distribution, IntDistribution) else (low, high)


def _kept_of_brush(distribution: BaseDistribution, ends: tuple[float, float]) -> Kept:
    low, high = ends
    is_unused_kept = low <= _UNUSED_TOP
    if isinstance(distribution, CategoricalDistribution):
        n = len(distribution.choices)
        middles = (np.arange(n) + 0.5) / n
        inside = (middles + _JITTER / n >= low) & (middles - _JITTER / n <= high)
        labels = tuple(str(c) for c, is_in in zip(distribution.choices, inside, strict=True) if is_in)
        return Kept(labels=labels, is_unused_kept=is_unused_kept)
    if high < 0:
        return Kept(math.inf, -math.inf, is_unused_kept=is_unused_kept)
    lowest, highest = (_readable_number(distribution, min(max(end, 0.0), 1.0)) for end in ends)
    if isinstance(distribution, IntDistribution):
        lowest, highest = math.ceil(lowest - _ALMOST), math.floor(highest + _ALMOST)
    return Kept(
        float(distribution.low) if low <= 0 else lowest,  # type: ignore[attr-defined]
        float(distribution.high) if high >= 1 else highest,  # type: ignore[attr-defined]
        is_unused_kept=is_unused_kept,
    )


def _readable_number(distribution: BaseDistribution, place: float) -> float:
    """The number at a place on an axis, with no more digits than a hand can mean."""
    number = number_at(distribution, place)
    if isinstance(distribution, IntDistribution):
        return number
    if getattr(distribution, "log", False):
        return float(f"{number:.3g}")
    width = distribution.high - distribution.low  # type: ignore[attr-defined]
    return round(number, 3 - math.floor(math.log10(width))) if width > 0 else number


def _kept_of_values(table: TrialTable, ends: tuple[float, float], limits: Limits) -> Kept:
    """Beyond the ends of the axis lie the trials that it draws at its ends."""
    worst, best = (limits.low, limits.high) if table.direction == "maximize" else (limits.high, limits.low)
    bottom = table.sign * math.inf if ends[0] <= 0 else worst + ends[0] * (best - worst)
    top = -table.sign * math.inf if ends[1] >= 1 else worst + ends[1] * (best - worst)
    return Kept(min(bottom, top), max(bottom, top))


def _brush_of(distribution: BaseDistribution, kept: Kept) -> tuple[float, float] | None:
    low, high = math.inf, -math.inf
    if isinstance(distribution, CategoricalDistribution):
        n = len(distribution.choices)
        places = [i for i, c in enumerate(distribution.choices) if str(c) in (kept.labels or ())]
        if places:
            low, high = (places[0] + 0.5 - _JITTER) / n, (places[-1] + 0.5 + _JITTER) / n
    elif kept.low <= kept.high:
        ends: Floats = np.array(_range_in(distribution, kept), dtype=float)
        low, high = unit_column(distribution, ends).tolist()
    if kept.is_unused_kept:
        low, high = _UNUSED_LOW, max(high, _UNUSED_TOP)
    return (low, high) if low <= high else None


def _brush_of_values(table: TrialTable, kept: Kept, limits: Limits) -> tuple[float, float]:
    ends = np.clip([kept.low, kept.high], limits.low, limits.high)
    share = (ends - limits.low) / (limits.high - limits.low)
    low, high = share if table.direction == "maximize" else 1 - share[::-1]
    return float(low), float(high)


def _to_text(kept: Kept) -> str:
    unused = "?" if kept.is_unused_kept else ""
    if kept.labels is not None:
        return unused + _LABEL_SEPARATOR.join(kept.labels)
    if kept.low > kept.high:
        return unused
    return unused + "..".join("" if math.isinf(end) else f"{end:.6g}" for end in (kept.low, kept.high))


def _of_text(text: str, distribution: BaseDistribution | None) -> Kept | None:
    is_unused_kept = text.startswith("?")
    text = text.removeprefix("?")
    if isinstance(distribution, CategoricalDistribution):
        known = tuple(str(c) for c in distribution.choices if str(c) in text.split(_LABEL_SEPARATOR))
        return Kept(labels=known, is_unused_kept=is_unused_kept) if known or is_unused_kept else None
    if is_unused_kept and not text:
        return Kept(math.inf, -math.inf, is_unused_kept=True)
    low, dots, high = text.partition("..")
    try:
        ends = float(low or -math.inf), float(high or math.inf)
    except ValueError:
        return None
    return Kept(*ends, is_unused_kept=is_unused_kept) if dots and ends[0] <= ends[1] else None


__all__ = [
    "VALUE",
    "Kept",
    "TrialFilter",
    "brushes_of_filter",
    "filter_of_brushes",
    "filter_of_query",
]
