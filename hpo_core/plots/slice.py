"""The slice: the value against one parameter, with the trend that the trials carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.selection import (
    Limits,
    Rows,
    estimates_in_words,
    moving_parameters,
    representative_rows,
    robust_limits,
)
from hpo_core.analysis.surrogate import SURE_ENOUGH, Quality, Surrogate, fit_surrogate, why_no_surrogate
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import ArmStyle, Figure, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._curve import Curve
from hpo_core.plots._marks import Spots, best_ring, outside_note
from hpo_core.plots._side import Side, first_parameter, side_of, why_no_side
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable

_MOST, _BEST = 1000, 300
_BY_ARM, _BY_ORDER = "by arm", "by order"
_KNUTH = 2654435761


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """What is expected along the parameter, averaged over the others.

    Attributes:
        mean, sd: At each place of the side's grid; NaN where no trial is near.
        quality: How far it can be trusted.
    """

    mean: Floats
    sd: Floats
    quality: Quality


@dataclass(frozen=True, eq=False)
class SliceData:
    """What a slice draws.

    Attributes:
        table: The study.
        side: The parameter, with the trials of `rows` on it.
        rows: Trials that are drawn, all of which use the parameter.
        n_used: Finished trials that use it.
        trend: The trend, where there is one.
        why_no_trend: The sentence why there is none.
        limits: The range of values in view.
    """

    table: TrialTable
    side: Side
    rows: Rows
    n_used: int
    trend: Trend | None
    why_no_trend: str
    limits: Limits

    @property
    def x(self) -> Floats:
        """Where the trials stand; at places that many share spread a little, the same at each drawing."""
        share = (self.table.numbers[self.rows] * _KNUTH % 2**32) / 2**32 - 0.5
        if self.side.is_category:
            return np.asarray(self.side.trials * len(self.side.values) - 0.5 + 0.6 * share)
        exact = np.array(self.side.trial_values, dtype=float)
        return exact + 0.4 * share * self.side.gap if self.side.has_few_numbers else exact


@dataclass(frozen=True)
class Slice(Plot[SliceData]):
    """Value against one parameter."""

    key: ClassVar[str] = "slice"
    label: ClassVar[str] = "Slice"
    place: ClassVar[int] = 40
    purpose: ClassVar[str] = "The value of every trial against one parameter, with the trend along it."
    question: ClassVar[str] = "Where along one parameter is it good?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial; the line is the value expected along this parameter, averaged over the others, its band "
        "one standard deviation, broken where no trial is near. Click a mark to load its trial, a place to put this "
        "parameter there, drag to zoom."
    )
    is_costly: ClassVar[bool] = True

    x: str = option("", "Parameter", "The parameter along the x axis; by itself the one that matters most.")
    colour: str = option(
        _BY_ARM, "Colour", "By who made the trial, or by the order of the trials.", choices=(_BY_ARM, _BY_ORDER)
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        return why_no_side(table, self.x)

    def compute(self, table: TrialTable) -> SliceData:
        why = why_no_surrogate(table)
        surrogate = None if why else fit_surrogate(table)
        name = self.x or first_parameter(table, surrogate.importances if surrogate else {})
        used = np.flatnonzero(_usable(table) & ~np.isnan(table.params[name]))
        rows = representative_rows(table, used, _MOST, _BEST)
        side = side_of(table, name, rows)
        trend = None
        if surrogate is not None:
            why = _why_no_trend(table, surrogate, name)
            trend = None if why else _trend(surrogate, side)
        limits = robust_limits(table.values[used], table.sign)
        return SliceData(table, side, rows, len(used), trend, why or "", limits)

    def draw(self, data: SliceData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        spots = Spots(data.table, data.rows, data.x)
        points = [spots.points(arm, style, look) for arm, style in styles.items()]
        if self.colour == _BY_ORDER:
            points = [_by_order(data, trace, look) for trace in points if len(trace["x"])]
            if points:
                points[0]["marker"]["showscale"] = True
        bands = [trace for curve in _curves(data) for trace in curve.band(look)]
        lines = [curve.line(look) for curve in _curves(data)]
        traces = [*bands, *points, *lines, *_best(data, styles, look)]
        traces += _star(data, look, current)
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.side.name} {self.colour}",
                xaxis=data.side.across(look),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                shapes=data.side.slider_line(look, current),
                annotations=outside_note(data.table, data.limits, look),
            ),
        }

    def locate(self, data: SliceData, x: Any, y: Any) -> Configuration:
        return {data.side.name: data.side.at_place(float(x))}

    def numbers(self, data: SliceData) -> pd.DataFrame:
        table, rows = data.table, np.flatnonzero(_usable(data.table) & ~np.isnan(data.table.params[data.side.name]))
        return pd.DataFrame(
            {
                "trial": table.numbers[rows],
                "arm": [arm_label(arm) for arm in table.arms[rows].tolist()],
                data.side.name: table.column(data.side.name)[rows],
                "value": table.values[rows],
                "sd over folds": table.noise[rows],
            }
        )

    def alt(self, data: SliceData) -> str:
        table, best = data.table, data.rows[np.argmin(data.table.sign * data.table.values[data.rows])]
        place = data.side.trial_values[int(np.flatnonzero(data.rows == best)[0])]
        text = (
            f"{format_count(data.n_used, 'trial')} along {data.side.name}; the best, "
            f"{format_score(float(table.values[best]))}, has {format_value(place)}"
        )
        if data.trend is None or np.isnan(data.trend.mean).all():
            return f"{text}."
        if np.nanmax(data.trend.mean) - np.nanmin(data.trend.mean) <= 2 * np.nanmax(data.trend.sd):
            return f"{text}; on average it makes no difference beyond doubt. {data.trend.quality.in_words('trend')}"
        top = int(np.nanargmin(table.sign * data.trend.mean))
        peak = format_value(data.side.values[top])
        return f"{text}; on average it is expected to be best near {peak}. {data.trend.quality.in_words('trend')}"

    def caption(self, data: SliceData) -> str:
        if len(data.rows) < data.n_used:
            text = f"Showing {len(data.rows):,} of {data.n_used:,} finished trials (best {_BEST} and a sample)"
        else:
            text = f"Showing {'all ' if data.n_used > 1 else ''}{format_count(data.n_used, 'finished trial')}"
        n_usable = int(_usable(data.table).sum())
        if n_usable > data.n_used:
            text += f" that {'use' if data.n_used > 1 else 'uses'} {data.side.title}, of {n_usable:,}"
        text += estimates_in_words(data.table)
        return f"{text}. {data.trend.quality.in_words('trend') if data.trend else data.why_no_trend}"


def _usable(table: TrialTable) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return table.is_learnable


def _why_no_trend(table: TrialTable, surrogate: Surrogate, name: str) -> str | None:
    if name not in moving_parameters(table):
        return f"All finished trials have the same {name}, so there is no trend along it."
    if not surrogate.uses(name):
        return f"Too few trials use {name} to learn a trend along it."
    return None


def _trend(surrogate: Surrogate, side: Side) -> Trend:
    expected = surrogate.along(side.name, side.units)
    mean, sd = (np.where(side.is_near, column, np.nan) for column in expected)
    return Trend(mean, sd, surrogate.quality)


def _by_order(data: SliceData, trace: Figure, look: Look) -> Figure:
    """The points coloured from the first trial, faint, to the newest, strong."""
    numbers = [row[0] for row in trace["customdata"]]
    ends = {"cmin": int(data.table.numbers[data.rows].min()), "cmax": int(data.table.numbers[data.rows].max())}
    title = {"text": "trial", "font": {"size": 12, "color": look.muted}, "side": "top"}
    bar = {"title": title, "thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11, "color": look.muted}}
    marker = {"color": numbers, **ends, "colorscale": look.colorscale, "colorbar": {**bar, "len": 0.9}}
    marker |= {"symbol": trace["marker"]["symbol"].removesuffix("-open"), "showscale": False}
    line = {"width": 0.8, "color": faint(look.text, 0.35)}
    return {**trace, "marker": {**trace["marker"], **marker, "line": line}}


def _curves(data: SliceData) -> list[Curve]:
    """The trend with one standard deviation around it, where there is one."""
    if data.trend is None:
        return []
    mean, sd, is_shaky = data.trend.mean, data.trend.sd, data.trend.quality.r2 < SURE_ENOUGH
    return [Curve(data.side, mean, mean - sd, mean + sd, "trend", "expected on average", is_shaky)]


def _best(data: SliceData, styles: Mapping[str, ArmStyle], look: Look) -> list[Figure]:
    row = data.table.best()
    place = np.flatnonzero(data.rows == row)
    if row is None or not len(place):
        return []
    colour = styles[str(data.table.arms[row])].colour
    is_right = bool(data.side.trials[place[0]] > 0.75)
    return [best_ring(data.table, row, float(data.x[place[0]]), colour, look, is_right=is_right)]


def _star(data: SliceData, look: Look, current: Mapping[str, Any] | None) -> list[Figure]:
    """The sliders: on the trend where there is one, else at the worse edge."""
    x = data.side.slider_place(current)
    if x is None:
        return []
    edge = data.limits.low if data.table.direction == "maximize" else data.limits.high
    height = float("nan")
    if data.trend is not None:
        height = float(data.trend.mean[int(np.abs(data.side.places - x).argmin())])
    star = {"symbol": "star", "size": 17, "color": look.you, "line": {"width": 1.2, "color": look.surface}}
    place = {"x": [x], "y": [height if np.isfinite(height) else edge]}
    shown = {"mode": "markers", "marker": star, "hoverinfo": "skip", "name": "the sliders", "cliponaxis": False}
    return [{"type": "scatter", **place, **shown}]


SLICE = Slice()
