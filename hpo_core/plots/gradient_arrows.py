"""Gradient arrows: the walks of gradient descent over one or two parameters, and the slope at each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna.distributions import CategoricalDistribution

from hpo_core.analysis.selection import Rows, representative_rows, robust_limits
from hpo_core.analysis.units import number_at, unit_column
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._hover import hover
from hpo_core.plots._side import Side, side_of
from hpo_core.studies.table import TrialTable

_MOST_MARKS, _MOST_ARROWS = 300, 200
_SHORTEST, _LONGER = 0.03, 0.1  # of an arrow, in widths of the ranges
_BY_SLOPE, _ALIKE = "by slope", "all alike"


@dataclass(frozen=True, slots=True)
class Arrow:
    """The gradient at one place: by parameter the place and the slope, both in widths of the ranges."""

    row: int
    walk: int
    step: int
    loss: float
    at: Mapping[str, float]
    gradient: Mapping[str, float]
    about: str

    def slope(self, names: tuple[str, ...]) -> float:
        """Its steepness along some parameters."""
        return float(np.linalg.norm([self.gradient.get(name, 0.0) for name in names]))


@dataclass(frozen=True, eq=False)
class GradientArrowsData:
    """What the gradient arrows draw.

    Attributes:
        table: The study.
        sides: The one or two parameters across and up.
        rows: Trials that are drawn by their value.
        arrows: In the order of walk and step.
        n_arrows: How many there are, those included that are too many to draw.
    """

    table: TrialTable
    sides: tuple[Side, ...]
    rows: Rows
    arrows: tuple[Arrow, ...]
    n_arrows: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(side.name for side in self.sides)

    @property
    def is_line(self) -> bool:
        """Whether one parameter is shown, over the smooth loss."""
        return len(self.sides) == 1


@dataclass(frozen=True)
class GradientArrows(Plot[GradientArrowsData]):
    """Walks and slopes over two parameters; over one, the loss with its tangents."""

    key: ClassVar[str] = "gradient_arrows"
    label: ClassVar[str] = "Gradient"
    place: ClassVar[int] = 90
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "Where gradient descent walked, and the slope that it saw at each step."
    question: ClassVar[str] = "Which way is down?"
    how_to_read: ClassVar[str] = (
        "Each arrow points downhill from where a walk stood, longer where it is steeper; lines join the steps of a "
        "walk. Colour is the value of the trial. Drag to zoom, click a mark to load its trial."
    )

    x: str = option("", "Across", "The parameter along the x axis.")
    y: str = option("", "Up", "The parameter along the y axis.")
    length: str = option(
        _BY_SLOPE, "Arrows", "Longer where it is steeper, or all of one length.", choices=(_BY_SLOPE, _ALIKE)
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        arrows = _arrows(table)
        if not arrows:
            return "No trial that is shown holds a gradient. Search with the method Gradient descent to see its walks."
        names = _sloping(arrows)
        unknown = [name for name in (self.x, self.y) if name and name not in names]
        if unknown:
            return f"The gradient has no part along {unknown[0]}; it has along {', '.join(names)}."
        if self.x and self.x == self.y:
            return f"Both sides are {self.x}. Choose another parameter for one of them."
        return None

    def compute(self, table: TrialTable) -> GradientArrowsData:
        arrows = _arrows(table)
        names = self._chosen(table, arrows)
        usable = table.is_complete & np.isfinite(table.values)
        for name in names:
            usable &= ~np.isnan(table.params[name])
        if len(names) == 1:
            usable &= np.isin(np.arange(len(table)), [a.row for a in arrows if np.isfinite(a.loss)])
        rows = representative_rows(table, np.flatnonzero(usable), _MOST_MARKS, _MOST_MARKS // 2)
        drawn = [a for a in arrows if all(name in a.at for name in names)]
        return GradientArrowsData(
            table=table,
            sides=tuple(side_of(table, name, rows) for name in names),
            rows=rows,
            arrows=tuple(drawn[-_MOST_ARROWS:]),
            n_arrows=len(arrows),
        )

    def _chosen(self, table: TrialTable, arrows: list[Arrow]) -> tuple[str, ...]:
        """What was asked for, and for the rest the parameters with the steepest slopes."""
        numbers = [n for n, d in table.distributions.items() if not isinstance(d, CategoricalDistribution)]
        names = _sloping(arrows) or numbers
        others = [name for name in names if name not in (self.x, self.y)]
        x = self.x or others.pop(0)
        y = self.y or next((name for name in others if name != x), "")
        if not y:
            return (x,)
        return (x, y) if self.x or self.y else tuple(sorted((x, y), key=list(table.params).index))

    def draw(self, data: GradientArrowsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        scene = _Scene(data, look, self.length == _BY_SLOPE)
        traces = [scene.paths(), scene.arrows(), scene.marks(), scene.sliders(current or {})]
        up = scene.loss_axis() if data.is_line else data.sides[1].number_axis(look)
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {' '.join(data.names)}",
                xaxis=data.sides[0].number_axis(look),
                yaxis=up,
            ),
        }

    def numbers(self, data: GradientArrowsData) -> pd.DataFrame:
        arrows, table = data.arrows, data.table
        columns: dict[str, Any] = {
            "trial": [int(table.numbers[a.row]) for a in arrows],
            "walk": [a.walk + 1 for a in arrows],
            "step": [a.step for a in arrows],
            "value": [float(table.values[a.row]) for a in arrows],
            "smooth loss": [a.loss for a in arrows],
        }
        for name in dict.fromkeys(name for a in arrows for name in a.gradient):
            place = [a.at.get(name, np.nan) for a in arrows]
            columns[name] = [number_at(table.distributions[name], u) if np.isfinite(u) else np.nan for u in place]
            columns[f"slope along {name}"] = [a.gradient.get(name, np.nan) for a in arrows]
        return pd.DataFrame(columns)

    def alt(self, data: GradientArrowsData) -> str:
        if not data.arrows:
            return f"No arrows over {' and '.join(data.names)}: no trial holds a gradient."
        walks = len({a.walk for a in data.arrows})
        losses = [a.loss for a in data.arrows if np.isfinite(a.loss)]
        fell = f"; the smooth loss went from {format_score(losses[0])} to {format_score(min(losses))}" if losses else ""
        steps = format_count(len(data.arrows), "arrow")
        return f"{steps} in {format_count(walks, 'walk')} over {' and '.join(data.names)}{fell}."

    def caption(self, data: GradientArrowsData) -> str:
        shown = f"Showing {len(data.arrows):,} of {format_count(data.n_arrows, 'arrow')}"
        shown += f" and {format_count(len(data.rows), 'trial')} of {len(data.table):,}"
        about = data.arrows[-1].about if data.arrows else ""
        return f"{shown}. Slopes are per width of a parameter's range{about}."


def _arrows(table: TrialTable) -> list[Arrow]:
    """Every gradient that a trial holds, hidden trials left out."""
    holds = np.array(['"gradient"' in text for text in table.thoughts.tolist()], dtype=bool)
    rows = np.flatnonzero(holds & ~table.is_hidden).tolist()
    found = [_arrow(table, row, table.thought(row)) for row in rows]
    found += [_origin(table, row) for row in rows if '"origin"' in table.thoughts[row]]
    return sorted((a for a in found if a is not None), key=lambda a: (a.walk, a.step, a.row))


def _origin(table: TrialTable, row: int) -> Arrow | None:
    """Where a walk began that went out from a trial of somebody else: that trial, if it is shown."""
    thought = table.thought(row)
    if not isinstance(thought.get("origin"), dict):
        return None
    arrow = _arrow(table, row, {**thought, "step_number": 0, **thought["origin"]})
    if arrow is None:
        return None
    is_there = ~table.is_hidden & (table.numbers < table.numbers[row])
    for name, place in arrow.at.items():
        is_there &= np.abs(unit_column(table.distributions[name], table.params[name]) - place) < 1e-9
    return replace(arrow, row=int(np.argmax(is_there))) if is_there.any() else None


def _arrow(table: TrialTable, row: int, thought: Mapping[str, Any]) -> Arrow | None:
    """What a thought holds; None where it is not what gradient descent writes."""
    try:
        at, gradient = (
            {str(n): float(v) for n, v in thought[key].items() if n in table.distributions}
            for key in ("at", "gradient")
        )
        loss = np.nan if thought.get("loss") is None else float(thought["loss"])
        walk, step = int(thought["walk"]), int(thought["step_number"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not np.isfinite([*at.values(), *gradient.values()]).all() or not at.keys() & gradient.keys():
        return None
    if any(isinstance(table.distributions[name], CategoricalDistribution) for name in at):
        return None
    seen = f", of {thought['seen']}" if thought.get("seen") else ""
    about = f"; the slope is that of the {thought['differentiated']}{seen}" if thought.get("differentiated") else ""
    return Arrow(row, walk, step, loss, at, gradient, about)


def _sloping(arrows: list[Arrow]) -> list[str]:
    """The parameters with a slope, steepest first."""
    total: dict[str, float] = {}
    for arrow in arrows:
        for name in arrow.gradient.keys() & arrow.at.keys():
            total[name] = total.get(name, 0.0) + abs(arrow.gradient[name])
    return sorted(total, key=lambda name: (-total[name], name))


@dataclass(frozen=True, slots=True)
class _Scene:
    data: GradientArrowsData
    look: Look
    is_by_slope: bool

    def loss_axis(self) -> Figure:
        """The smooth loss where walks stood; arrows from a cliff may reach beyond."""
        limits = robust_limits(np.array([a.loss for a in self.data.arrows if np.isfinite(a.loss)]), 1.0)
        return axis(self.look, "smooth loss", range=[limits.low, limits.high])

    def paths(self) -> Figure:
        """Lines that join the steps of each walk, with a gap after each."""
        x: list[float | None] = []
        y: list[float | None] = []
        for i, arrow in enumerate(self.data.arrows):
            if i and arrow.walk != self.data.arrows[i - 1].walk:
                x.append(None)
                y.append(None)
            across, up = self._place(arrow, 0.0)
            x.append(across)
            y.append(up)
        line = {"color": faint(self.look.muted, 0.6), "width": 1.5, "dash": "dot"}
        return self._trace(x, y, mode="lines", line=line, name="walk", hoverinfo="skip")

    def arrows(self) -> Figure:
        """A stroke from each place downhill, with its head at the end."""
        x: list[float | None] = []
        y: list[float | None] = []
        rows: list[list[Any]] = []
        for arrow, length in zip(self.data.arrows, self._lengths(), strict=True):
            ends = [self._place(arrow, 0.0), self._place(arrow, length)]
            x += [ends[0][0], ends[1][0], None]
            y += [ends[0][1], ends[1][1], None]
            rows += [[int(self.data.table.numbers[arrow.row]), _words(arrow)]] * 3
        colour = self.look.text
        heads = {"symbol": "arrow", "angleref": "previous", "size": [0, 9, 0] * len(self.data.arrows), "color": colour}
        shown = {
            "customdata": rows,
            "hovertemplate": "<b>trial %{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
        }
        stroke = {"color": colour, "width": 2}
        return self._trace(x, y, mode="lines+markers", line=stroke, marker=heads, name="downhill", **shown)

    def marks(self) -> Figure:
        """Trials by their value."""
        data, rows = self.data, self.data.rows
        shown = hover(data.table, rows, "")
        if data.is_line:
            heights = {a.row: a.loss for a in data.arrows}
            y: list[Any] = [heights.get(int(row)) for row in rows]
        else:
            y = data.sides[1].trial_values
        marker = {"size": 9, "line": {"width": 1, "color": self.look.surface}, **self._colours()}
        hovering = {"customdata": shown.customdata, "hovertemplate": shown.template}
        return self._trace(data.sides[0].trial_values, y, mode="markers", marker=marker, name="trials", **hovering)

    def sliders(self, current: Mapping[str, Any]) -> Figure:
        """Where the person stands, on a map of two parameters."""
        places = [side.unit_of(current.get(side.name)) for side in self.data.sides]
        is_there = not self.data.is_line and None not in places
        spot = [[number_at(s.distribution, float(p or 0.0))] for s, p in zip(self.data.sides, places, strict=True)]
        x, y = spot if is_there else ([], [])
        star = {
            "symbol": "star",
            "size": 17,
            "color": self.look.you,
            "line": {"width": 1.2, "color": self.look.surface},
        }
        return self._trace(x, y, mode="markers", marker=star, name="the sliders", hoverinfo="skip")

    def _trace(self, x: list[Any], y: list[Any], **more: Any) -> Figure:
        return {"type": "scatter", "x": x, "y": y, **more}

    def _place(self, arrow: Arrow, length: float) -> tuple[float, float | None]:
        """A point so far downhill from where the walk stood, on the axes."""
        names = self.data.names
        slope = arrow.slope(names) or 1.0
        moves = [-length * arrow.gradient.get(name, 0.0) / slope for name in names]
        numbers = [
            number_at(side.distribution, arrow.at[side.name] + move)
            for side, move in zip(self.data.sides, moves, strict=True)
        ]
        if not self.data.is_line:
            return numbers[0], numbers[1]
        rise = arrow.gradient.get(names[0], 0.0) * moves[0]
        return numbers[0], arrow.loss + rise if np.isfinite(arrow.loss) else None

    def _lengths(self) -> list[float]:
        slopes = np.array([a.slope(self.data.names) for a in self.data.arrows])
        if not self.is_by_slope or not len(slopes) or slopes.max() == 0:
            return [_LONGER] * len(slopes)
        return list((_SHORTEST + _LONGER * np.sqrt(slopes / slopes.max())).tolist())

    def _colours(self) -> Figure:
        table, rows, look = self.data.table, self.data.rows, self.look
        scale = look.scale if table.direction == "maximize" else look.scale[::-1]
        limits = robust_limits(table.values[rows], table.sign) if len(rows) else None
        title = {"text": look.value_label, "font": {"size": 12, "color": look.muted}, "side": "top"}
        bar = {"title": title, "thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11, "color": look.muted}}
        return {
            "color": table.values[rows],
            "cmin": limits.low if limits else 0.0,
            "cmax": limits.high if limits else 1.0,
            "colorscale": [[i / (len(scale) - 1), colour] for i, colour in enumerate(scale)],
            "colorbar": {**bar, "tickformat": ".3~g", "len": 0.9},
        }


def _words(arrow: Arrow) -> str:
    parts = [f"slope along {plain(name)}  <b>{format_score(slope)}</b>" for name, slope in arrow.gradient.items()]
    return "<br>".join([f"walk {arrow.walk + 1}, step {arrow.step}", *parts[:8]])


GRADIENT_ARROWS = GradientArrows()
