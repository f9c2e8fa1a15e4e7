"""A curve along one parameter with its doubt: a line with a band, or a dash with a bar for each category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpo_core.plots._look import Figure, Look, faint
from hpo_core.plots._side import Side
from hpo_core.studies.table import Floats

_MOST_DASH, _LEAST_DASH, _ROOM = 26, 5, 400


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What is expected at each place of a side's grid.

    Attributes:
        side: The parameter.
        mean, low, high: The line and the ends of its band, shape (places,); NaN where they are not shown.
        name: What the legend calls it.
        says: Words before the value under the pointer.
        is_shaky: Whether the line is dotted, as it says little.
    """

    side: Side
    mean: Floats
    low: Floats
    high: Floats
    name: str
    says: str
    is_shaky: bool = False

    def band(self, look: Look, colour: str = "", strength: float = 0.1) -> list[Figure]:
        """A polygon for each stretch without a gap; categories have bars instead."""
        if self.side.is_category:
            return []
        x, known = self.side.places, np.isfinite(self.mean)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(int), [0]])))
        rings: list[tuple[Floats, Floats]] = []
        for start, end in edges.reshape(-1, 2).tolist():
            there = slice(start, end)
            around = np.concatenate([x[there], x[there][::-1], [np.nan]])
            rings.append((around, np.concatenate([self.low[there], self.high[there][::-1], [np.nan]])))
        shape = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "fill": "toself", "hoverinfo": "skip"}
        flat = {name: np.concatenate([ring[i] for ring in rings] or [np.empty(0)]) for i, name in enumerate("xy")}
        fill = faint(colour or look.text, strength)
        return [{**shape, **flat, "fillcolor": fill, "showlegend": False, "name": f"{self.name} band"}]

    def line(self, look: Look, colour: str = "") -> Figure:
        """The line; for categories a dash at each, with its bar."""
        colour = colour or look.text
        trace: Figure = {
            "type": "scatter",
            "mode": "lines",
            "x": self.side.places,
            "y": self.mean,
            "line": {"width": 2, "color": colour, "dash": "dot" if self.is_shaky else "solid"},
            "connectgaps": False,
            "hovertemplate": f"{self.says} %{{y:.4~g}}<extra></extra>",
            "name": f"{self.name} (unsure)" if self.is_shaky else self.name,
        }
        if not self.side.is_category:
            return trace
        up, down = np.nan_to_num(self.high - self.mean), np.nan_to_num(self.mean - self.low)
        bars = {"type": "data", "array": up, "arrayminus": down, "color": faint(colour, 0.4), "width": 0}
        size = max(_LEAST_DASH, min(_MOST_DASH, _ROOM // len(self.side.values)))
        marker = {"symbol": "line-ew-open", "size": size, "color": colour, "line": {"width": 2.4}}
        return {**trace, "mode": "markers", "marker": marker, "error_y": bars}
