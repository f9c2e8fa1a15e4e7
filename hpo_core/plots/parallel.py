"""Parallel coordinates: all trials as density, the best as lines above it, with brushes on every axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution

from hpo_core.analysis.filtering import TrialFilter, brushes_of_filter, filter_of_brushes
from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.analysis.units import unit_column, value_at
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import DEFAULT, MANUAL, Figure, Look, Plot, arm_label, faint, glow, layout, plain
from hpo_core.plots._ticks import round_ticks, unit_ticks
from hpo_core.studies.table import Floats, TrialTable

UNUSED = -0.11
_CELLS, _COLUMNS = 64, 20
_OWN_LINES = 12
_Y_LOW = -0.17
# With more axes, every second title stands higher.
_CALM = 8


@dataclass(frozen=True, eq=False)
class ParallelData:
    """What parallel coordinates draw.

    Attributes:
        table: The study.
        names: Parameters with an axis, left to right; the value has the last axis.
        rows: All trials with a finite value.
        places: Where these cross the axes, shape (len(rows), len(names) + 1); below 0 where a parameter is not used.
        lines: Which of `rows` are drawn as lines, worst first.
        density: Share of all rows in each cell, 0 to 255, shape (cells, columns); None when all are drawn as lines.
        limits: Range of the value axis.
    """

    table: TrialTable
    names: tuple[str, ...]
    rows: Rows
    places: Floats
    lines: Rows
    density: NDArray[np.uint8] | None
    limits: Limits

    def is_within(self, brushes: Mapping[str, tuple[float, float]]) -> NDArray[np.bool_]:
        """Which of `rows` pass all brushes: ranges of positions by axis name, the value's axis is named ""."""
        inside = np.ones(len(self.rows), dtype=bool)
        for column, name in enumerate((*self.names, "")):
            if name in brushes:
                low, high = brushes[name]
                inside &= (self.places[:, column] >= low) & (self.places[:, column] <= high)
        return inside

    def ranges(self, brushes: Mapping[str, tuple[float, float]]) -> dict[str, str]:
        """What the brushes select, in words by axis name: "0.01 to 1", "rbf, poly"."""
        return {name: self._range(name, *ends) for name, ends in brushes.items() if name in (*self.names, "")}

    def filter_after(self, brushes: Mapping[str, tuple[float, float]], previous: TrialFilter) -> TrialFilter:
        """The filter once these are the brushes on the axes."""
        axes = (*self.names, "")
        return filter_of_brushes(self.table, brushes, self.limits, axes=axes, previous=previous)

    def brushes_of(self, chosen: TrialFilter) -> dict[str, tuple[float, float]]:
        """Where a filter lies on the axes that are drawn."""
        brushes = brushes_of_filter(self.table, chosen, self.limits)
        return {name: ends for name, ends in brushes.items() if name in (*self.names, "")}

    def _range(self, name: str, low: float, high: float) -> str:
        if not name:
            worst_first = self.limits.low, self.limits.high
            bottom, top = worst_first if self.table.direction == "maximize" else worst_first[::-1]
            ends = sorted(bottom + share * (top - bottom) for share in (low, high))
            return " to ".join(map(format_score, ends))
        distribution = self.table.distributions[name]
        if isinstance(distribution, CategoricalDistribution):
            places, labels = unit_ticks(distribution)
            half = 0.3 / len(labels)
            return ", ".join(t for p, t in zip(places, labels, strict=True) if low <= p + half and high >= p - half)
        return " to ".join(format_value(value_at(distribution, share)) for share in (low, high))


@dataclass(frozen=True)
class Parallel(Plot[ParallelData]):
    """One axis a parameter, one line a trial."""

    key: ClassVar[str] = "parallel"
    label: ClassVar[str] = "Parallel"
    place: ClassVar[int] = 20
    purpose: ClassVar[str] = "All parameters side by side, one line a trial, better values stronger."
    question: ClassVar[str] = "Which settings did well together?"
    how_to_read: ClassVar[str] = (
        "Follow a strong line from left to right; better values end higher. "
        "Drag along an axis to keep only the trials that pass there, click the axis to let go. "
        "Click a line where it meets an axis to put the sliders on its trial."
    )

    is_brushable: ClassVar[bool] = True

    top: int = option(
        150, "Lines", "The best trials, drawn as lines; all others are a shade behind them.", low=10, high=500
    )
    axes: int = option(
        8, "Axes", "At most so many parameters: those that go along most with the value.", low=2, high=12
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        if not table.params:
            return "The trials have no parameters, so there are no axes to draw."
        if not (table.is_complete & np.isfinite(table.values)).any():
            return "No trial has a value yet. The first line appears with the first finished trial."
        return None

    def compute(self, table: TrialTable) -> ParallelData:
        rows = np.flatnonzero(table.is_complete & np.isfinite(table.values))
        limits = robust_limits(table.values[rows], table.sign)
        names = _strongest(table, rows, self.axes)
        columns = [_jittered(table, name, rows) for name in names]
        places = np.column_stack([*columns, _value_places(table, rows, limits)])
        chosen = representative_rows(table, rows, self.top, self.top)
        lines = np.searchsorted(rows, chosen)
        lines = lines[np.argsort(-table.sign * table.values[rows[lines]], kind="stable")]
        density = _density(places) if len(lines) < len(rows) else None
        return ParallelData(table, names, rows, places, lines, density, limits)

    def draw(self, data: ParallelData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        traces = _shade(data, look) + _bundles(data, look) + _own_lines(data, look)
        traces += _best_line(data, look) + _current_line(data, look, current) + [_tick_texts(data, look)]
        n_axes = len(data.names) + 1
        hidden = {"visible": False, "fixedrange": True, "showgrid": False, "zeroline": False}
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {'|'.join(data.names)}",
                xaxis={**hidden, "range": [-0.3, n_axes - 1 + 0.55]},
                yaxis={**hidden, "range": [_Y_LOW, 1.03]},
                dragmode=False,
                margin={"l": 12, "r": 12, "t": 56 if n_axes > _CALM else 40, "b": 12},
                shapes=_axis_lines(data, look),
                annotations=_axis_titles(data, look),
                legend={**layout(look, revision="")["legend"], "y": 0, "yanchor": "top"},
                meta={"brush": [{"x": i, "name": name} for i, name in enumerate((*data.names, ""))]},
            ),
        }

    def numbers(self, data: ParallelData) -> pd.DataFrame:
        table, rows = data.table, data.rows
        columns: dict[str, Any] = {
            "trial": table.numbers[rows],
            "arm": [arm_label(a) for a in table.arms[rows].tolist()],
        }
        columns |= {name: table.column(name)[rows] for name in data.names}
        return pd.DataFrame({**columns, "value": table.values[rows]})

    def alt(self, data: ParallelData) -> str:
        order = np.argsort(data.table.sign * data.table.values[data.rows], kind="stable")
        n_best = min(len(order), max(5, len(order) // 10))
        text = f"{format_count(len(data.rows), 'trial')} over {format_count(len(data.names), 'parameter')}"
        if len(order) < 10:
            return text + "; too few to see what the good ones share."
        best = data.places[order[:n_best]]
        spread = [_width(best[:, i]) / max(_width(data.places[:, i]), 1e-9) for i in range(len(data.names))]
        name = data.names[int(np.argmin(spread))]
        return f"{text}; the best {n_best} agree most in {name}: {_common(data, name, order[:n_best])}."

    def caption(self, data: ParallelData) -> str:
        n_rows, n_lines = len(data.rows), len(data.lines)
        text = f"Showing {format_count(n_rows, 'finished trial')}"
        if data.density is not None:
            text += f": the best {n_lines:,} and your last {_OWN_LINES} as lines, all as a shade behind them"
        n_left_out = len(data.table.params) - len(data.names)
        if n_left_out:
            text += (
                f". {len(data.names)} of {len(data.table.params)} parameters: those that go along most with the value"
            )
        return text + "."


def _strongest(table: TrialTable, rows: Rows, limit: int) -> tuple[str, ...]:
    """The parameters whose bins explain most of the values' ranks, in the order of the study."""
    used = [name for name, column in table.params.items() if not np.isnan(column[rows]).all()]
    if len(used) <= limit:
        return tuple(used)
    ranks = np.empty(len(rows))
    ranks[np.argsort(table.values[rows], kind="stable")] = np.arange(len(rows)) - (len(rows) - 1) / 2
    strength = {}
    for name in used:
        unit = unit_column(table.distributions[name], table.params[name][rows])
        bins = np.where(np.isnan(unit), 8, np.minimum(np.nan_to_num(unit) * 8, 7)).astype(int)
        sums, counts = np.bincount(bins, ranks, 9), np.bincount(bins, minlength=9)
        strength[name] = float((sums**2 / np.maximum(counts, 1)).sum())
    kept = sorted(used, key=lambda name: -strength[name])[:limit]
    return tuple(name for name in used if name in kept)


def _jittered(table: TrialTable, name: str, rows: Rows) -> Floats:
    distribution = table.distributions[name]
    places = unit_column(distribution, table.params[name][rows])
    share = (table.numbers[rows] * 2654435761 % 2**32) / 2**32 - 0.5
    if isinstance(distribution, CategoricalDistribution):
        places = places + share * 0.45 / len(distribution.choices)
    return np.where(np.isnan(places), UNUSED + 0.05 * share, places)


def _value_places(table: TrialTable, rows: Rows, limits: Limits) -> Floats:
    share = (table.values[rows] - limits.low) / (limits.high - limits.low)
    return np.clip(share if table.direction == "maximize" else 1 - share, 0.0, 1.0)


def _density(places: Floats) -> NDArray[np.uint8]:
    """A shade for how many lines cross each cell: the joint histogram of each pair of axes, drawn out as lines."""
    cells = np.clip(((places - _Y_LOW) / (1.02 - _Y_LOW) * _CELLS).astype(int), 0, _CELLS - 1)
    start, end = (grid.ravel() for grid in np.mgrid[0:_CELLS, 0:_CELLS])
    parts = []
    for left in range(places.shape[1] - 1):
        joint = np.bincount(cells[:, left] * _CELLS + cells[:, left + 1], minlength=_CELLS**2)
        used = np.flatnonzero(joint)
        steps = np.arange(_COLUMNS) / _COLUMNS
        crossed = np.rint(start[used, None] + (end - start)[used, None] * steps).astype(int)
        flat = (crossed * _COLUMNS + np.arange(_COLUMNS)).ravel()
        weights = np.repeat(joint[used], _COLUMNS)
        parts.append(np.bincount(flat, weights, _CELLS * _COLUMNS).reshape(_CELLS, _COLUMNS))
    share = np.sqrt(np.hstack(parts))
    full = float(np.quantile(share[share > 0], 0.97))
    return np.asarray(np.rint(255 * np.minimum(share / full, 1.0)), dtype=np.uint8)


def _shade(data: ParallelData, look: Look) -> list[dict[str, Any]]:
    if data.density is None:
        return []
    height = (1.02 - _Y_LOW) / _CELLS
    return [
        {
            "type": "heatmap",
            "x0": 0.5 / _COLUMNS,
            "dx": 1 / _COLUMNS,
            "y0": _Y_LOW + height / 2,
            "dy": height,
            "z": data.density,
            "zmin": 0,
            "zmax": 255,
            "zsmooth": "best",
            "showscale": False,
            "hoverinfo": "skip",
            "colorscale": [[0, faint(look.muted, 0)], [1, faint(look.muted, 0.55)]],
        }
    ]


def _vertices(data: ParallelData, chosen: Rows, style: dict[str, Any], name: str) -> dict[str, Any]:
    """Lines through all axes, one after the other, a gap between two."""
    n_axes = data.places.shape[1]
    gap = np.full((len(chosen), 1), np.nan)
    y = np.hstack([data.places[chosen], gap]).astype(np.float32).ravel()
    x = np.tile(np.append(np.arange(n_axes), np.nan).astype(np.float32), len(chosen))
    rows = data.rows[chosen]
    widest = np.finfo(np.float32).max
    values = np.clip(data.table.values[rows], -widest, widest)
    known = np.column_stack([data.table.numbers[rows], values]).astype(np.float32)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "customdata": np.repeat(known, n_axes + 1, axis=0),
        "hovertemplate": f"<b>trial %{{customdata[0]}}</b> · {name}<br>%{{customdata[1]:.4~g}}<extra></extra>",
        "connectgaps": False,
        "showlegend": False,
        "meta": {"vertices": n_axes + 1},
        "name": name,
        **style,
    }


def _bundles(data: ParallelData, look: Look) -> list[dict[str, Any]]:
    arms = data.table.arms[data.rows[data.lines]]
    machine = data.lines[~np.isin(arms, (MANUAL, DEFAULT))]
    shades = look.scale[1:]
    heights = data.places[machine, -1]
    spread = np.ptp(heights) if len(machine) else 0.0
    share = (heights - heights.min()) / spread if spread > 0 else np.ones(len(machine))
    bins = np.rint(share * (len(shades) - 1)).astype(int)
    opacity = 0.6 if len(machine) > 60 else 0.85
    return [
        _vertices(
            data, machine[bins == i], {"line": {"width": 1 + 0.12 * i, "color": shade}, "opacity": opacity}, "machine"
        )
        for i, shade in enumerate(shades)
        if (bins == i).any()
    ]


def _own_lines(data: ParallelData, look: Look) -> list[dict[str, Any]]:
    arms = data.table.arms[data.rows]
    yours, default = np.flatnonzero(arms == MANUAL)[-_OWN_LINES:], np.flatnonzero(arms == DEFAULT)[:1]
    traces = []
    if len(yours):
        style = {"line": {"width": 1.6, "color": look.you}, "opacity": 0.7, "showlegend": True}
        traces.append(_vertices(data, yours, style, "you"))
    if len(default):
        style = {"line": {"width": 2, "color": look.default, "dash": "dash"}, "showlegend": True}
        traces.append(_vertices(data, default, style, "default"))
    return traces


def _best_line(data: ParallelData, look: Look) -> list[dict[str, Any]]:
    row = data.table.best()
    place = np.flatnonzero(data.rows == row)
    if row is None or not len(place):
        return []
    styles = look.arm_styles(data.table.arm_names)
    colour = styles[str(data.table.arms[row])].colour
    marker = {"symbol": "circle", "size": 7, "color": look.surface, "line": {"width": 2, "color": colour}}
    style = {"mode": "lines+markers", "line": {"width": 3, "color": colour}, "marker": marker, "showlegend": True}
    label = f"best: trial {data.table.numbers[row]}, {format_score(float(data.table.values[row]))}"
    halo = {"line": {"width": 7, "color": look.surface}, "hoverinfo": "skip", "hovertemplate": None, "opacity": 0.8}
    return [_vertices(data, place, halo, ""), _vertices(data, place, style, label)]


def _current_line(data: ParallelData, look: Look, current: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if not current:
        return []
    distributions = data.table.distributions
    places = [_place(distributions[name], current[name]) if name in current else UNUSED for name in data.names]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": np.arange(len(places), dtype=np.float32),
            "y": np.array(places, dtype=np.float32),
            "line": {"width": 2, "color": look.you, "dash": "dot"},
            "marker": {"symbol": "star", "size": 11, "color": look.you, "line": {"width": 1, "color": look.surface}},
            "hoverinfo": "skip",
            "name": "the sliders",
        }
    ]


def _place(distribution: BaseDistribution, value: Any) -> float:
    try:
        internal = distribution.to_internal_repr(value)
    except ValueError:
        return UNUSED
    return float(unit_column(distribution, np.array([internal], dtype=float))[0])


def _axis_lines(data: ParallelData, look: Look) -> list[dict[str, Any]]:
    line = {"width": 1.2, "color": faint(look.muted, 0.7)}
    ends = range(len(data.names) + 1)
    return [{"type": "line", "x0": i, "x1": i, "y0": 0, "y1": 1, "line": line, "layer": "below"} for i in ends]


def _axis_titles(data: ParallelData, look: Look) -> list[dict[str, Any]]:
    arrow = "↑" if data.table.direction == "maximize" else "↓"
    titles = [_shortened(name) + (", log" if data.table.is_log(name) else "") for name in data.names]
    is_crowded = len(titles) + 1 > _CALM
    return [
        {
            "text": f"<b>{text}</b>" if i == len(titles) else text,
            "x": i,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "yshift": 20 if is_crowded and i % 2 else 4,
            "showarrow": False,
            "font": {"size": 12, "color": look.text},
        }
        for i, text in enumerate([*titles, f"{look.value_label} {arrow}"])
    ]


def _shortened(name: str) -> str:
    return plain(name if len(name) <= 18 else f"{name[:9]}…{name[-8:]}")


def _tick_texts(data: ParallelData, look: Look) -> dict[str, Any]:
    x: list[float] = []
    y: list[float] = []
    texts: list[str] = []
    for i, name in enumerate(data.names):
        places, labels = unit_ticks(data.table.distributions[name])
        if (data.places[:, i] < 0).any():
            places, labels = [UNUSED, *places], ["not used", *labels]
        x, y, texts = x + [float(i)] * len(places), y + places, texts + [_shortened(label) for label in labels]
    marks = np.array(round_ticks(data.limits.low, data.limits.high))
    share = (marks - data.limits.low) / (data.limits.high - data.limits.low)
    share = share if data.table.direction == "maximize" else 1 - share
    x, y = x + [float(len(data.names))] * len(marks), y + share.tolist()
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": y,
        "text": [f" {text}" for text in [*texts, *map(format_value, marks.tolist())]],
        "textposition": "middle right",
        "textfont": {"size": 11, "color": look.text, "shadow": glow(look)},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _width(places: Floats) -> float:
    low, high = np.quantile(places, (0.1, 0.9))
    return float(high - low)


def _common(data: ParallelData, name: str, best: Rows) -> str:
    distribution = data.table.distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        labels, counts = np.unique(data.table.column(name)[data.rows[best]], return_counts=True)
        top = int(counts.argmax())
        return f"{labels[top] or 'not used'} in {counts[top]} of them"
    places = data.places[best, data.names.index(name)]
    low, high = np.quantile(places[places >= 0], (0.1, 0.9)) if (places >= 0).any() else (0.0, 1.0)
    return f"mostly {format_value(value_at(distribution, low))} to {format_value(value_at(distribution, high))}"


PARALLEL = Parallel()
