"""The marks of trials that several plots share: points by arm with their noise, and the ring of the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.analysis.selection import Limits, Rows
from hpo_core.analysis.surrogate import SURE_ENOUGH, Quality
from hpo_core.formats import format_count, format_score
from hpo_core.plots._hover import hover
from hpo_core.plots._look import DEFAULT, MANUAL, ArmStyle, Figure, Look, faint, glow
from hpo_core.studies.table import Floats, TrialTable

_DENSE, _MOST_BARS = 400, 60


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Trials that are drawn as points, and where.

    Attributes:
        table: The study.
        rows: The trials.
        x: Their places, shape (len(rows),).
    """

    table: TrialTable
    rows: Rows
    x: Floats

    def points(self, arm: str, style: ArmStyle, look: Look) -> Figure:
        """The points of one arm: smaller and fainter among many, with noise bars among few."""
        mine = self.table.arms[self.rows] == arm
        rows, is_dense = self.rows[mine], len(self.rows) > _DENSE
        shown = hover(self.table, rows, style.label)
        is_open = "open" in style.symbol
        size = {MANUAL: 9.0, DEFAULT: 10.0}.get(arm, 5.0 if is_dense else 7.0)
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": self.x[mine],
            "y": self.table.values[rows],
            "name": style.label,
            "customdata": shown.customdata,
            "hovertemplate": shown.template,
            "marker": {
                "symbol": style.symbol,
                "size": size,
                "color": style.colour,
                "opacity": 0.55 if is_dense and arm not in (MANUAL, DEFAULT) else 0.9,
                "line": {"width": 1.4 if is_open else 1.0, "color": style.colour if is_open else look.surface},
            },
        }
        if len(self.rows) <= _MOST_BARS and np.isfinite(self.table.noise[rows]).any():
            trace["error_y"] = {
                "type": "data",
                "array": np.nan_to_num(self.table.noise[rows]),
                "color": faint(style.colour, 0.35),
                "thickness": 1.2,
                "width": 0,
            }
        return trace


def best_ring(table: TrialTable, row: int, x: float, colour: str, look: Look, *, is_right: bool) -> Figure:
    """A ring around the best trial with its number and value; `is_right`: it stands near the right edge."""
    level = "top" if table.direction == "maximize" else "bottom"
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [float(x)],
        "y": table.values[[row]],
        "marker": {"symbol": "circle-open", "size": 17, "color": colour, "line": {"width": 2.4}},
        "text": f"trial {table.numbers[row]}: {format_score(float(table.values[row]))}",
        "textposition": f"{level} {'left' if is_right else 'right'}",
        "textfont": {"size": 12, "color": look.text, "shadow": glow(look)},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def outside_note(table: TrialTable, limits: Limits, look: Look) -> list[dict[str, Any]]:
    """An annotation that counts the values which lie on the worse side of the view."""
    count = limits.n_outside + limits.n_infinite
    if not count:
        return []
    is_above = table.direction == "minimize"
    text = f"{format_count(count, 'value')} {'above' if is_above else 'below'} this view; double-click to see all"
    level = (
        {"y": 1.0, "yref": "paper", "yanchor": "top"} if is_above else {"y": 0.0, "yref": "paper", "yanchor": "bottom"}
    )
    return [{"text": text, "x": 0.01, "xref": "paper", "xanchor": "left", **level, **note_style(look)}]


def shaky_note(quality: Quality, look: Look) -> list[dict[str, Any]]:
    """An annotation where the model behind a chart hardly predicts unseen trials."""
    if quality.r2 >= SURE_ENOUGH:
        return []
    text = "the model behind it hardly predicts unseen trials"
    corner = {"x": 1, "xref": "paper", "xanchor": "right", "y": 1, "yref": "paper", "yanchor": "bottom"}
    return [{"text": text, **corner, **note_style(look)}]


def note_style(look: Look) -> dict[str, Any]:
    """How words on a chart look."""
    return {"showarrow": False, "font": {"size": 11, "color": look.muted, "shadow": glow(look)}}
