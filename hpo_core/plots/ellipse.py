"""The ellipse of CMA-ES: where its cloud lies, how wide and how tilted it is, and how it got there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.selection import Rows, representative_rows
from hpo_core.analysis.units import unit_column, value_at
from hpo_core.formats import format_count, format_value
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._hover import hover
from hpo_core.plots._look import plain, shortened
from hpo_core.plots._thoughts import Thought, generation_of, matrix_of, of_newest_arm, thoughts_with
from hpo_core.plots._ticks import unit_ticks
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable

_MOST = 600
_MOST_CLOUDS = 400
_EARLIER = (1, 2, 4)
_ANGLES = np.linspace(0.0, 2 * np.pi, 73)


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """One generation's cloud over the two parameters, in the unit square.

    Attributes:
        generation: Its number.
        mean: Its centre, shape (2,).
        covariance: Shape (2, 2).
        is_round: Whether only its width is known, as with very many parameters.
    """

    generation: int
    mean: Floats
    covariance: Floats
    is_round: bool

    def outline(self, n_sigma: float) -> Floats:
        """The ellipse of so many standard deviations, shape (2, k)."""
        eigenvalues, axes = np.linalg.eigh(self.covariance)
        spread = axes * np.sqrt(np.maximum(eigenvalues, 0.0))
        return np.asarray(self.mean[:, None] + n_sigma * spread @ np.array([np.cos(_ANGLES), np.sin(_ANGLES)]))


@dataclass(frozen=True, eq=False)
class EllipseData:
    """What the picture of the cloud draws.

    Attributes:
        table: The study.
        arm: Whose cloud it is.
        names: The two parameters.
        clouds: Those that are known, ascending, up to the one that is shown.
        n_clouds: Generations whose cloud is known, later ones included.
        rows: Trials of the generation that is shown.
        others: Other trials, faint.
    """

    table: TrialTable
    arm: str
    names: tuple[str, str]
    clouds: tuple[Cloud, ...]
    n_clouds: int
    rows: Rows
    others: Rows

    @property
    def cloud(self) -> Cloud:
        return self.clouds[-1]

    def places(self, rows: Rows) -> tuple[Floats, Floats]:
        """Where trials stand in the unit square; NaN where they do not use a parameter."""
        x, y = (unit_column(self.table.distributions[n], self.table.params[n][rows]) for n in self.names)
        return x, y


@dataclass(frozen=True)
class Ellipse(Plot[EllipseData]):
    """The cloud of CMA-ES over two parameters."""

    key: ClassVar[str] = "ellipse"
    label: ClassVar[str] = "Ellipse"
    place: ClassVar[int] = 111
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "The cloud that CMA-ES draws from: its centre, its width, its tilt, and its way."
    question: ClassVar[str] = "Where does CMA-ES look now, and how sure is it?"
    how_to_read: ClassVar[str] = (
        "The cross is the centre of the cloud, the ellipses hold one and two standard deviations; a tilt says that the "
        "two parameters must move together. Fainter ellipses and the line are earlier generations. Marks are the "
        "trials drawn from it. Click a mark to load its trial, a place to put both parameters there."
    )
    is_costly: ClassVar[bool] = True

    x: str = option("", "Along x", "The parameter along the x axis; by itself the first that the cloud covers.")
    y: str = option("", "Along y", "The parameter along the y axis; by itself the next one.")
    back: int = option(0, "Generations back", "How many generations before the newest one is shown.", low=0, high=1000)

    def why_unavailable(self, table: TrialTable) -> str | None:
        shapes = _shapes(table)
        if not shapes:
            return "No cloud has been recorded here. Search with cma_es to see its ellipse."
        axes = _axes(shapes[-1])
        for name in (self.x, self.y):
            if name and name not in axes:
                return f"The cloud does not cover {name!r}; it covers {', '.join(axes)}."
        if self.x and self.x == self.y:
            return f"Both axes show {self.x!r}. Choose two different parameters."
        return None

    def compute(self, table: TrialTable) -> EllipseData:
        shapes = _shapes(table)
        names = self._pair(_axes(shapes[-1]))
        clouds = [cloud for shape in shapes if (cloud := _cloud(shape, names)) is not None]
        until = max(len(clouds) - self.back, 1)
        mine = [t for t in of_newest_arm(table, thoughts_with(table, "generation")) if generation_of(t) is not None]
        uses_both = ~np.isnan(table.params[names[0]]) & ~np.isnan(table.params[names[1]])
        rows = np.array([t.row for t in mine if generation_of(t) == clouds[until - 1].generation], dtype=np.int64)
        rows = rows[uses_both[rows]]
        others = np.setdiff1d(np.flatnonzero(table.is_complete & uses_both), rows)
        return EllipseData(
            table=table,
            arm=str(table.arms[shapes[-1].row]),
            names=names,
            clouds=tuple(clouds[max(until - _MOST_CLOUDS, 0) : until]),
            n_clouds=len(clouds),
            rows=rows[-_MOST:],
            others=representative_rows(table, others, _MOST, _MOST // 4),
        )

    def _pair(self, axes: list[str]) -> tuple[str, str]:
        x = self.x or next(name for name in axes if name != self.y)
        return x, self.y or next(name for name in axes if name != x)

    def draw(self, data: EllipseData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        style = look.arm_styles(data.table.arm_names)[data.arm]
        newest = [
            _outline(data.cloud, n, style.colour, f"{n} sd", fill)
            for n, fill in ((2, faint(style.colour, 0.08)), (1, faint(style.colour, 0.12)))
        ]
        traces = [
            _dots(data, data.others, "other trials", "circle", faint(look.muted, 0.35), 4.0),
            *(_faded(data, back, style.colour) for back in reversed(_EARLIER) if back < len(data.clouds)),
            *newest,
            _way(data, style.colour),
            _dots(data, data.rows, f"generation {data.cloud.generation}", style.symbol, style.colour, 8.0),
            _centre(data, look),
            *_star(data, look, current),
        ]
        sides = {
            key: _unit_axis(data.table, name, look) for key, name in zip(("xaxis", "yaxis"), data.names, strict=True)
        }
        revision = f"{data.table.study} {' '.join(data.names)}"
        return {"data": [t for t in traces if len(t["x"])], "layout": layout(look, revision=revision, **sides)}

    def locate(self, data: EllipseData, x: Any, y: Any) -> Configuration:
        pairs = zip(data.names, (x, y), strict=True)
        return {name: value_at(data.table.distributions[name], float(unit)) for name, unit in pairs}

    def numbers(self, data: EllipseData) -> pd.DataFrame:
        means = np.array([cloud.mean for cloud in data.clouds])
        sds = np.sqrt([np.diag(cloud.covariance) for cloud in data.clouds])
        columns: dict[str, Any] = {"generation": [cloud.generation for cloud in data.clouds]}
        for i, name in enumerate(data.names):
            distribution = data.table.distributions[name]
            columns[f"centre of {name}"] = [value_at(distribution, float(unit)) for unit in means[:, i]]
            columns[f"sd of {name}, share of its range"] = sds[:, i]
        columns["correlation"] = [_correlation(cloud) for cloud in data.clouds]
        return pd.DataFrame(columns)

    def alt(self, data: EllipseData) -> str:
        sds = np.sqrt(np.diag(data.cloud.covariance))
        parts = [
            f"{name} {format_value(value_at(data.table.distributions[name], float(unit)))} (sd {sd:.1%} of its range)"
            for name, unit, sd in zip(data.names, data.cloud.mean, sds, strict=True)
        ]
        return f"The cloud of generation {data.cloud.generation} lies around {' and '.join(parts)}."

    def caption(self, data: EllipseData) -> str:
        text = f"Generation {data.cloud.generation} of {arm_label(data.arm)}, {format_count(len(data.rows), 'trial')}"
        text += f" drawn from it so far; {format_count(data.n_clouds, 'generation')} known"
        if data.cloud.is_round:
            text += "; with so many parameters only the width of the cloud is recorded, so it is drawn round"
        else:
            text += f"; correlation {_correlation(data.cloud):+.2f}"
        return text + "."


def _shapes(table: TrialTable) -> list[Thought]:
    """What was recorded of the clouds of the newest arm that has any; only such as cover two parameters or more."""
    found = [t for t in thoughts_with(table, "generation", "mean", "sigma", "axes") if generation_of(t) is not None]
    return of_newest_arm(table, [t for t in found if _is_sound(table, t)])


def _is_sound(table: TrialTable, thought: Thought) -> bool:
    axes = thought.said["axes"]
    if not isinstance(axes, list) or not all(isinstance(name, str) and name in table.params for name in axes):
        return False
    has_place = matrix_of(thought.said["mean"], len(axes)) is not None
    has_width = matrix_of(thought.said["sigma"]) is not None
    return has_place and has_width and len(set(axes)) == len(axes) >= 2


def _axes(thought: Thought) -> list[str]:
    return list(thought.said["axes"])


def _cloud(thought: Thought, names: tuple[str, str]) -> Cloud | None:
    axes, generation = _axes(thought), generation_of(thought)
    if generation is None or not set(names) <= set(axes):
        return None
    places = [axes.index(name) for name in names]
    whole = matrix_of(thought.said.get("covariance"), len(axes), len(axes))
    mean = np.array(thought.said["mean"], dtype=float)[places]
    if whole is not None:
        covariance = whole[np.ix_(places, places)]
        covariance = (covariance + covariance.T) / 2
        if np.linalg.eigvalsh(covariance).min() >= 0:
            return Cloud(generation, mean, covariance, is_round=False)
    return Cloud(generation, mean, np.eye(2) * float(thought.said["sigma"]) ** 2, is_round=True)


def _correlation(cloud: Cloud) -> float:
    scale = float(np.sqrt(max(cloud.covariance[0, 0] * cloud.covariance[1, 1], 0.0)))
    return float(cloud.covariance[0, 1]) / scale if scale > 0 else 0.0


def _outline(cloud: Cloud, n_sigma: float, colour: str, name: str, fill: str) -> Figure:
    x, y = cloud.outline(n_sigma).astype(np.float32)
    trace = {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "line": {"width": 1.8, "color": colour}}
    return {**trace, "fill": "toself", "fillcolor": fill, "hoverinfo": "skip"}


def _faded(data: EllipseData, back: int, colour: str) -> Figure:
    """The one-sd ellipse of an earlier generation."""
    cloud = data.clouds[-1 - back]
    line = {"width": 1.2, "color": faint(colour, 0.5 / (1 + 0.5 * back)), "dash": "dot"}
    trace = _outline(cloud, 1.0, colour, f"generation {cloud.generation}", "rgba(0,0,0,0)")
    return {**trace, "line": line, "showlegend": False}


def _way(data: EllipseData, colour: str) -> Figure:
    x, y = np.array([cloud.mean for cloud in data.clouds]).T
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"width": 1.4, "color": faint(colour, 0.6)},
        "hoverinfo": "skip",
        "name": "way of the centre",
    }


def _centre(data: EllipseData, look: Look) -> Figure:
    marker = {"symbol": "cross-thin-open", "size": 16, "color": look.text, "line": {"width": 2.2}}
    x, y = data.cloud.mean[:, None]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": marker,
        "hoverinfo": "skip",
        "name": "centre",
    }


def _dots(data: EllipseData, rows: Rows, name: str, symbol: str, colour: str, size: float) -> Figure:
    shown = hover(data.table, rows, name)
    x, y = data.places(rows)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "name": name,
        "customdata": shown.customdata,
        "hovertemplate": shown.template,
        "marker": {"symbol": symbol, "size": size, "color": colour, "line": {"width": 1.4, "color": colour}},
    }


def _star(data: EllipseData, look: Look, current: Mapping[str, Any] | None) -> list[Figure]:
    """Where the sliders stand."""
    place = []
    for name in data.names:
        try:
            internal = data.table.distributions[name].to_internal_repr((current or {})[name])
        except (KeyError, ValueError):
            return []
        place.append(unit_column(data.table.distributions[name], np.array([internal], dtype=float)))
    marker = {"symbol": "star", "size": 17, "color": look.you, "line": {"width": 1.2, "color": look.surface}}
    x, y = place
    shown = {"marker": marker, "hoverinfo": "skip", "name": "the sliders"}
    return [{"type": "scatter", "mode": "markers", "x": x, "y": y, **shown}]


def _unit_axis(table: TrialTable, name: str, look: Look) -> dict[str, Any]:
    marks, labels = unit_ticks(table.distributions[name])
    labels = [shortened(label) for label in labels]
    title = plain(name) + (", log" if table.is_log(name) else "")
    return axis(look, title, range=[-0.04, 1.04], tickvals=marks, ticktext=labels, showgrid=True)


ELLIPSE = Ellipse()
