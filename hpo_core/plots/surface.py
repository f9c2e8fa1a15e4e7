"""The response surface: what value two parameters promise, learned from the trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution
from scipy.spatial import cKDTree

from hpo_core.analysis.selection import Rows, estimates_in_words, moving_parameters, representative_rows
from hpo_core.analysis.surrogate import Quality, fit_surrogate, why_no_surrogate
from hpo_core.analysis.units import value_at
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import DEFAULT, MANUAL, Figure, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._hover import hover
from hpo_core.plots._side import Side, side_of
from hpo_core.plots._ticks import unit_ticks
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable

_MOST_MARKS = 300
_REACH = 0.18
_FLAT, _DEEP = "map", "3-D"
_VALUE, _DOUBT = "value", "uncertainty"


@dataclass(frozen=True, eq=False)
class SurfaceData:
    """What a response surface draws.

    Attributes:
        table: The study.
        x, y: The two parameters.
        mean, sd: Expected value and its standard deviation, shape (y, x); NaN far from all trials.
        rows: Trials that are drawn, all of which use both parameters.
        anchor: Row of the trial that gives the other parameters their values.
        quality: How far the surface can be trusted.
        importances: Share of each parameter in the surrogate's ups and downs.
    """

    table: TrialTable
    x: Side
    y: Side
    mean: Floats
    sd: Floats
    rows: Rows
    anchor: int
    quality: Quality
    importances: dict[str, float]

    @property
    def n_others(self) -> int:
        return len(self.table.params) - 2


@dataclass(frozen=True)
class Surface(Plot[SurfaceData]):
    """Expected value over two parameters."""

    key: ClassVar[str] = "surface"
    label: ClassVar[str] = "Surface"
    place: ClassVar[int] = 30
    purpose: ClassVar[str] = "The expected value over two parameters, learned from the trials."
    question: ClassVar[str] = "Where is it good, and where has nobody looked?"
    how_to_read: ClassVar[str] = (
        "Stronger colour is better (or less certain), blank means no trial is near. "
        "Click anywhere to put the sliders there, drag to zoom."
    )
    is_costly: ClassVar[bool] = True

    x: str = option("", "Across", "The parameter along the x axis.")
    y: str = option("", "Up", "The parameter along the y axis.")
    view: str = option(_FLAT, "View", "A map from above, or a landscape to turn.", choices=(_FLAT, _DEEP))
    colour: str = option(
        _VALUE, "Colour", "What is expected, or how little is known about it.", choices=(_VALUE, _DOUBT)
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        unknown = [name for name in (self.x, self.y) if name and name not in table.params]
        if unknown:
            return f"There is no parameter {unknown[0]!r}; there are {', '.join(table.params) or 'none'}."
        if len(moving_parameters(table)) < 2:
            return "A surface needs two parameters that differ between the trials."
        if self.x and self.x == self.y:
            return f"Both sides of the surface are {self.x}. Choose another parameter for one of them."
        chosen = [name for name in (self.x, self.y) if name]
        if len(chosen) == 2 and not _is_usable(table, *chosen).any():
            return f"No finished trial uses both {self.x} and {self.y}. Choose another pair."
        if len(chosen) < 2 and not _partners(table, *chosen):
            return "A surface needs two parameters that the same trials use."
        return why_no_surrogate(table)

    def compute(self, table: TrialTable) -> SurfaceData:
        surrogate = fit_surrogate(table)
        x_name, y_name = self._chosen(table, surrogate.importances)
        used = np.flatnonzero(_is_usable(table, x_name, y_name))
        rows = representative_rows(table, used, _MOST_MARKS, _MOST_MARKS // 2)
        x, y = (side_of(table, name, rows) for name in (x_name, y_name))
        plane = surrogate.plane(x_name, y_name, x.units, y.units)
        is_near = _is_near(x, y)
        return SurfaceData(
            table=table,
            x=x,
            y=y,
            mean=np.where(is_near, plane.mean, np.nan),
            sd=np.where(is_near, plane.sd, np.nan),
            rows=rows,
            anchor=surrogate.anchor(x_name, y_name),
            quality=surrogate.quality,
            importances=surrogate.importances,
        )

    def _chosen(self, table: TrialTable, importances: Mapping[str, float]) -> tuple[str, str]:
        """The two parameters in the order of the study; where none was chosen numbers first, those that most trials
        use, and the most important of these.
        """
        chosen = [name for name in (self.x, self.y) if name]
        is_category = {n: isinstance(d, CategoricalDistribution) for n, d in table.distributions.items()}
        while len(chosen) < 2:
            n_used = _partners(table, *chosen)
            chosen.append(min(n_used, key=lambda n: (is_category[n], -n_used[n], -importances[n])))
        x, y = chosen if self.x or self.y else sorted(chosen, key=list(table.params).index)
        return (y, x) if self.y and not self.x else (x, y)

    def draw(self, data: SurfaceData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        deep = self.view == _DEEP
        is_doubt = self.colour == _DOUBT
        ground = _landscape(data, look, is_doubt) if deep else _map(data, look, is_doubt)
        marks = [_mark_trace(data, mark, deep) for mark in _marks(data, look, current)]
        revision = f"{data.table.study} {data.x.name} {data.y.name} {self.view}"
        places: dict[str, Any]
        if deep:
            places = {"scene": _scene(data, look), "margin": {"l": 0, "r": 0, "t": 24, "b": 0}}
        else:
            places = {"xaxis": _side_axis(data.x, look), "yaxis": _side_axis(data.y, look)}
        return {"data": [ground, *marks], "layout": layout(look, revision=revision, **places)}

    def locate(self, data: SurfaceData, x: Any, y: Any) -> Configuration:
        is_unit = self.view == _DEEP
        return {side.name: _legal(side, place, is_unit) for side, place in ((data.x, x), (data.y, y))}

    def numbers(self, data: SurfaceData) -> pd.DataFrame:
        n_x, n_y = len(data.x.values), len(data.y.values)
        return pd.DataFrame(
            {
                data.x.name: data.x.values * n_y,
                data.y.name: [value for value in data.y.values for _ in range(n_x)],
                "expected value": data.mean.ravel(),
                "sd": data.sd.ravel(),
            }
        ).dropna(subset=["expected value"], ignore_index=True)

    def alt(self, data: SurfaceData) -> str:
        if np.isnan(data.mean).all():
            return f"No trial is near any place of {data.x.name} and {data.y.name}."
        signed = np.where(np.isnan(data.mean), np.inf, data.table.sign * data.mean)
        row, column = np.unravel_index(int(signed.argmin()), signed.shape)
        return (
            f"Expected value over {data.x.name} and {data.y.name}: best "
            f"({format_score(float(data.mean[row, column]))}) "
            f"near {data.x.name} {format_value(data.x.values[column])} and "
            f"{data.y.name} {format_value(data.y.values[row])}. {data.quality.in_words('surface')}"
        )

    def caption(self, data: SurfaceData) -> str:
        number = data.table.numbers[data.anchor]
        held = f"; the other {data.n_others} parameters as in trial {number}" if data.n_others > 1 else ""
        held = f"; the other parameter as in trial {number}" if data.n_others == 1 else held
        n_usable = int(data.table.is_learnable.sum())
        share = "all " if len(data.rows) == n_usable else f"{len(data.rows):,} of "
        shown = f"Showing {share}{format_count(n_usable, 'finished trial')}"
        return f"{shown}{estimates_in_words(data.table)}{held}. {data.quality.in_words('surface')}"


def _is_near(x: Side, y: Side) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where on the grid, shape (y, x), a trial lies within a fifth of the ranges, in the same category."""
    weights = np.array([100.0 if side.is_category else 1.0 for side in (x, y)])
    tree = cKDTree(np.column_stack([x.trials, y.trials]) * weights)
    grid = np.column_stack([np.tile(x.units, len(y.units)), np.repeat(y.units, len(x.units))])
    distance, _ = tree.query(grid * weights, distance_upper_bound=_REACH)
    return np.isfinite(distance).reshape(len(y.units), len(x.units))


def _doubts(data: SurfaceData, look: Look, limits: str = "z") -> dict[str, Any]:
    """Colours of the uncertainty: paler is more certain."""
    known = data.sd[np.isfinite(data.sd)]
    title = {"text": "sd of the expectation", "font": {"size": 12, "color": look.muted}, "side": "top"}
    bar = {"title": title, "thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11, "color": look.muted}}
    return {
        f"{limits}min": 0.0,
        f"{limits}max": float(known.max()) if len(known) else 1.0,
        "colorscale": [[0, faint(look.default, 0.06)], [1, faint(look.default, 0.95)]],
        "colorbar": {**bar, "tickformat": ".2~g", "len": 0.9},
    }


def _colours(data: SurfaceData, look: Look, limits: str = "z") -> dict[str, Any]:
    is_rising = data.table.direction == "maximize"
    scale = look.scale if is_rising else look.scale[::-1]
    title = {"text": look.value_label, "font": {"size": 12, "color": look.muted}, "side": "top"}
    bar = {"title": title, "thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11, "color": look.muted}}
    known = data.mean[np.isfinite(data.mean)]
    ends = np.quantile(known, (0.0, 0.95) if not is_rising else (0.05, 1.0)) if len(known) else np.array([0.0, 1.0])
    return {
        f"{limits}min": float(ends[0]),
        f"{limits}max": float(ends[1]),
        "colorscale": [[i / (len(scale) - 1), colour] for i, colour in enumerate(scale)],
        "colorbar": {**bar, "tickformat": ".3~g", "len": 0.9},
    }


def _map(data: SurfaceData, look: Look, is_doubt: bool) -> dict[str, Any]:
    expected, sd = ("customdata", "z") if is_doubt else ("z", "customdata")
    trace = {
        "x": data.x.on_map(data.x.values),
        "y": data.y.on_map(data.y.values),
        expected: data.mean.astype(np.float32),
        sd: data.sd.astype(np.float32),
        "hovertemplate": f"{plain(data.x.name)} <b>%{{x}}</b><br>{plain(data.y.name)} <b>%{{y}}</b>"
        f"<br>expected %{{{expected}:.4~g}} ± %{{{sd}:.2~g}}<extra></extra>",
        "name": "expected",
        **(_doubts(data, look) if is_doubt else _colours(data, look)),
    }
    if data.x.is_category or data.y.is_category:
        gaps = {"xgap": int(data.x.is_category), "ygap": int(data.y.is_category)}
        return {"type": "heatmap", **gaps, **trace}
    lines = {"color": faint(look.surface, 0.45), "width": 1}
    return {"type": "contour", "contours": {"coloring": "heatmap"}, "line": lines, "ncontours": 14, **trace}


def _landscape(data: SurfaceData, look: Look, is_doubt: bool) -> dict[str, Any]:
    tint = {"surfacecolor": data.sd.astype(np.float32), **_doubts(data, look, "c")}
    return {
        "type": "surface",
        "x": data.x.units,
        "y": data.y.units,
        "z": data.mean.astype(np.float32),
        "hovertemplate": "expected %{z:.4~g}<extra></extra>",
        "name": "expected",
        "opacity": 0.95,
        "lighting": {"ambient": 0.85, "diffuse": 0.3, "specular": 0.05},
        "contours": {"z": {"show": True, "width": 1, "color": faint(look.surface, 0.6)}},
        **(tint if is_doubt else _colours(data, look, "c")),
    }


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str
    x: list[Any]
    y: list[Any]
    z: list[float]
    marker: dict[str, Any]
    customdata: list[list[Any]] | None = None
    template: str = ""


def _is_usable(table: TrialTable, *names: str) -> NDArray[np.bool_]:
    """Finished trials with a finite value in which all these parameters are active, shape (n,)."""
    usable = table.is_learnable
    for name in names:
        usable &= ~np.isnan(table.params[name])
    return usable


def _partners(table: TrialTable, *chosen: str) -> dict[str, int]:
    """Moving parameters that are used together with those chosen and, without any, with at least one other; with the
    number of trials that do so.
    """
    moving = moving_parameters(table)
    usable = _is_usable(table, *chosen)
    is_used = np.array([~np.isnan(table.params[name][usable]) for name in moving], dtype=np.float32)
    together = is_used @ is_used.T
    n_used = np.diag(together)
    has_partner = (together > 0).sum(axis=1) > 1 if not chosen else n_used > 0
    return {n: int(n_used[i]) for i, n in enumerate(moving) if has_partner[i] and n not in chosen}


def _marks(data: SurfaceData, look: Look, current: Mapping[str, Any] | None) -> list[_Mark]:
    """Trials by arm, a ring around the best of them, a star for the sliders."""
    table, marks = data.table, []
    x, y = np.array(data.x.trial_values, dtype=object), np.array(data.y.trial_values, dtype=object)
    for arm, style in look.arm_styles(table.arm_names).items():
        mine = np.flatnonzero(table.arms[data.rows] == arm)
        if len(mine):
            shown = hover(table, data.rows[mine], style.label)
            size = {MANUAL: 9, DEFAULT: 11}.get(arm, 6)
            filled = arm in (MANUAL, DEFAULT)
            edge = {"width": 1.2 if filled else 1.6, "color": look.surface if filled else style.colour}
            colour = style.colour if filled else look.surface
            marker = {"symbol": style.symbol.removesuffix("-open"), "size": size, "color": colour, "line": edge}
            marker["opacity"] = 1 if filled else 0.85
            z = table.values[data.rows[mine]].tolist()
            marks.append(_Mark(style.label, list(x[mine]), list(y[mine]), z, marker, shown.customdata, shown.template))
    if not len(data.rows):
        return _star(data, look, current)
    best = data.rows[np.argmin(table.sign * table.values[data.rows])]
    place = [int(np.flatnonzero(data.rows == best)[0])]
    colour = look.arm_styles(table.arm_names)[str(table.arms[best])].colour
    label = f"best: trial {table.numbers[best]}, {format_score(float(table.values[best]))}"
    for name, width, ink in (("", 6.0, look.surface), (label, 2.6, colour)):
        ring = {"symbol": "circle-open", "size": 17, "color": ink, "line": {"width": width, "color": ink}}
        marks.append(_Mark(name, list(x[place]), list(y[place]), [float(table.values[best])], ring))
    return marks + _star(data, look, current)


def _star(data: SurfaceData, look: Look, current: Mapping[str, Any] | None) -> list[_Mark]:
    places = [side.unit_of((current or {}).get(side.name)) for side in (data.x, data.y)]
    if None in places:
        return []
    x, y = (float(place or 0.0) for place in places)
    column, row = int(np.abs(data.x.units - x).argmin()), int(np.abs(data.y.units - y).argmin())
    height = float(data.mean[row, column])
    height = height if np.isfinite(height) else float(np.median(data.table.values[data.rows]))
    values = [value_at(side.distribution, place) for side, place in ((data.x, x), (data.y, y))]
    star = {"symbol": "star", "size": 17, "color": look.you, "line": {"width": 1.2, "color": look.surface}}
    return [_Mark("the sliders", [values[0]], [values[1]], [height], star)]


def _mark_trace(data: SurfaceData, mark: _Mark, deep: bool) -> dict[str, Any]:
    hovering = (
        {"customdata": mark.customdata, "hovertemplate": mark.template} if mark.template else {"hoverinfo": "skip"}
    )
    trace = {"mode": "markers", "name": mark.name, "marker": mark.marker, "showlegend": bool(mark.name), **hovering}
    if not deep:
        return {"type": "scatter", "x": data.x.on_map(mark.x), "y": data.y.on_map(mark.y), **trace}
    symbols = {"star": "diamond", "circle-open": "circle-open", "diamond": "diamond", "square": "square"}
    size = max(3, mark.marker["size"] * 0.55)
    marker = {**mark.marker, "size": size, "symbol": symbols.get(mark.marker["symbol"], "circle")}
    x, y = ([s.unit_of(s.choice(v)) for v in places] for s, places in ((data.x, mark.x), (data.y, mark.y)))
    return {"type": "scatter3d", "x": x, "y": y, "z": mark.z, **trace, "marker": marker}


def _legal(side: Side, place: Any, is_unit: bool) -> Any:
    """The legal value nearest to a place that was clicked."""
    if is_unit:
        return side.at_unit(float(place))
    return side.choice(place) if side.is_category else side.nearest(float(place))


def _side_axis(side: Side, look: Look) -> dict[str, Any]:
    if side.is_category:
        order = {"categoryarray": side.on_map(side.values), "categoryorder": "array"}
        return axis(look, side.title, type="category", showgrid=False, **order)
    return side.number_axis(look)


def _scene(data: SurfaceData, look: Look) -> dict[str, Any]:
    def place(side: Side) -> dict[str, Any]:
        marks, labels = unit_ticks(side.distribution)
        return {"title": {"text": side.title}, "tickvals": marks, "ticktext": labels, **quiet}

    quiet = {"gridcolor": look.grid, "color": look.muted, "showbackground": False, "zeroline": False}
    height = {"title": {"text": look.value_label}, **quiet}
    eye = {"x": -1.1, "y": -1.1, "z": 0.7}
    return {
        "xaxis": place(data.x),
        "yaxis": place(data.y),
        "zaxis": height,
        "camera": {"eye": eye, "center": {"x": 0, "y": 0, "z": -0.12}},
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": 0.6},
    }


SURFACE = Surface()
