"""The ways of the arms of a duel over a response surface that was learned from all of them.

A `Plot` of a pooled table; not discovered, as the table of a study has one arm's trials only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.pooling import PooledTable
from hpo_core.analysis.selection import Rows
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots._base import Plot
from hpo_core.plots._look import Figure, Look, plain
from hpo_core.plots.surface import Surface, SurfaceData
from hpo_core.studies.table import TrialTable

_END, _STEP = 11.0, 4.0  # pixels of the last mark of the arm drawn last, and how much larger each one before is


@dataclass(frozen=True, slots=True)
class Walker:
    """An arm whose way is drawn: its key, its name, and the study of the chosen seed among the pooled ones."""

    key: str
    label: str
    member: int


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Where an arm's best so far was: rows of the pooled table in order; of them those that use both parameters."""

    walker: Walker
    rows: Rows
    n_left_out: int


@dataclass(frozen=True, eq=False)
class PathsData:
    """What is drawn: the surface, and a way for each arm that has a value."""

    table: PooledTable
    surface: SurfaceData
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class ArmPaths(Plot[PathsData]):
    """Each arm's best so far, step by step, over the surface learned from all trials of a duel."""

    key: ClassVar[str] = "arm_paths"
    label: ClassVar[str] = "Paths"
    purpose: ClassVar[str] = "Where the best so far of each arm went, over what all their trials say."
    question: ClassVar[str] = "Which way did each arm go?"
    how_to_read: ClassVar[str] = (
        "Stronger colour is better. Each line goes from an arm's first value (open ring) through each new best to its "
        "last (filled mark)."
    )
    shows_trials: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True

    walkers: tuple[Walker, ...] = ()
    x: str = option("", "Across", "The parameter along the x axis.")
    y: str = option("", "Up", "The parameter along the y axis.")

    @property
    def _surface(self) -> Surface:
        return Surface(x=self.x, y=self.y)

    def why_unavailable(self, table: TrialTable) -> str | None:
        return self._surface.why_unavailable(table)

    def compute(self, table: TrialTable) -> PathsData:
        assert isinstance(table, PooledTable), "ways are drawn over the trials of all arms"
        surface = self._surface.compute(table)
        ways = (_way(table, walker, surface) for walker in self.walkers)
        return PathsData(table, surface, tuple(way for way in ways if len(way.rows)))

    def draw(self, data: PathsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        ground = self._surface.draw(data.surface, look)
        styles = look.arm_styles(walker.key for walker in self.walkers)
        traces = [ground["data"][0]]
        for place, way in enumerate(data.ways):
            # Arms often end at the same place: those drawn later are smaller, so that all are seen.
            size = _END + _STEP * (len(data.ways) - 1 - place)
            traces += _traces(data, way, styles[way.walker.key].colour, size, look)
        seeds = "|".join(str(walker.member) for walker in self.walkers)
        return {"data": traces, "layout": {**ground["layout"], "uirevision": f"paths {self.x} {self.y} {seeds}"}}

    def numbers(self, data: PathsData) -> pd.DataFrame:
        x, y = data.surface.x, data.surface.y
        rows = [
            {
                "arm": way.walker.label,
                "trial": int(data.table.own_numbers[row]),
                "best so far": float(data.table.values[row]),
                x.name: _values(data, row)[0],
                y.name: _values(data, row)[1],
            }
            for way in data.ways
            for row in way.rows
        ]
        return pd.DataFrame(rows, columns=["arm", "trial", "best so far", x.name, y.name])

    def alt(self, data: PathsData) -> str:
        ends = []
        for way in data.ways:
            x, y = _values(data, way.rows[-1])
            value = format_score(float(data.table.values[way.rows[-1]]))
            ends.append(
                f"{way.walker.label} came in {format_count(len(way.rows) - 1, 'step')} to {data.surface.x.name} "
                f"{format_value(x)} and {data.surface.y.name} {format_value(y)} ({value})"
            )
        return f"{'; '.join(ends)}." if ends else "No arm has a value that uses both parameters."

    def caption(self, data: PathsData) -> str:
        n_steps = sum(len(way.rows) for way in data.ways)
        left_out = sum(way.n_left_out for way in data.ways)
        gone = f" {format_count(left_out, 'best')} that does not use both parameters is left out." if left_out else ""
        return (
            f"{format_count(n_steps, 'best value')} of {format_count(len(data.ways), 'arm')}, one seed each, over a "
            f"surface of all {format_count(len(data.table), 'trial')}; the other parameters of a step may differ from "
            f"those of the surface.{gone} {data.surface.quality.in_words('surface')}"
        )


def _way(table: PooledTable, walker: Walker, surface: SurfaceData) -> Way:
    """Each new best of one study; of equals the earliest."""
    usable = np.flatnonzero((table.members == walker.member) & table.is_complete & np.isfinite(table.values))
    signed = table.sign * table.values[usable]
    before = np.concatenate([[np.inf], np.minimum.accumulate(signed)[:-1]]) if len(signed) else signed
    better = usable[signed < before]
    both = ~np.isnan(table.params[surface.x.name][better]) & ~np.isnan(table.params[surface.y.name][better])
    return Way(walker, better[both], int((~both).sum()))


def _values(data: PathsData, row: int) -> tuple[Any, Any]:
    """What stands on the two axes for a trial."""
    table = data.table
    sides = (data.surface.x, data.surface.y)
    x, y = (side.distribution.to_external_repr(float(table.params[side.name][row])) for side in sides)
    return tuple(str(v) if side.is_category else v for v, side in zip((x, y), sides, strict=True))  # type: ignore[return-value]


def _traces(data: PathsData, way: Way, colour: str, size: float, look: Look) -> list[dict[str, Any]]:
    """A line with a rim of the ground, so that it stands out on any colour; a ring at its start, a mark at its end."""
    places = [_values(data, row) for row in way.rows]
    x = data.surface.x.on_map([place[0] for place in places])
    y = data.surface.y.on_map([place[1] for place in places])
    name = plain(way.walker.label)
    steps = [[int(data.table.own_numbers[row]), float(data.table.values[row])] for row in way.rows]
    sizes = [size - 2, *([7.0] * (len(places) - 2)), size] if len(places) > 1 else [size]
    fills = [look.surface, *([colour] * (len(places) - 1))] if len(places) > 1 else [colour]
    shared = {"type": "scatter", "x": x, "y": y, "legendgroup": way.walker.key}
    rim = {**shared, "mode": "lines", "line": {"color": look.surface, "width": 5}, "hoverinfo": "skip"}
    return [
        {**rim, "showlegend": False},
        {
            **shared,
            "mode": "lines+markers",
            "name": name,
            "line": {"color": colour, "width": 2.4},
            "marker": {
                "size": sizes,
                "color": fills,
                "opacity": 1,
                "line": {"width": 2, "color": _rims(places, colour, look)},
            },
            "customdata": steps,
            "hovertemplate": f"<b>{name}</b> trial %{{customdata[0]}}<br>best so far %{{customdata[1]:.4~g}}"
            "<extra></extra>",
        },
    ]


def _rims(places: list[tuple[Any, Any]], colour: str, look: Look) -> list[str]:
    return [colour, *([look.surface] * (len(places) - 1))] if len(places) > 1 else [look.surface]
