"""Drawings of the toy: the ways of its weights over the quality, and quality and schedule by turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.lessons._film import growing, replaced
from hpo_core.lessons._paper_toy import FIXED, HIGHEST, TURNS, Floats, Turn, fixed_way, line_to_best
from hpo_core.plots import LIVE, Figure, axis, faint, layout

_SIDE = 41
_NAMES = ("h0", "h1")


def fixed_map() -> Figure:
    """The ways of the paper's two workers when their hyperparameters stay as they are."""
    ways = [
        {**_line(f"h = ({h['h0']:g}, {h['h1']:g})", LIVE.arms[i], 2.6), **_xy(fixed_way(h))}
        for i, h in enumerate(FIXED)
    ]
    return _map([*ways])


def population_map(turns: Sequence[Turn]) -> Figure:
    """The ways of all members, turn by turn; dotted where a member jumps to the weights of another."""
    members = sorted({turn.member for turn in turns})
    traces = []
    for member in members:
        own = [turn for turn in turns if turn.member == member]
        frames = [_xy(_way(own[:n])) for n in range(TURNS + 1)]
        traces.append(replaced(_line(f"member {member + 1}", _colour(member), 2.4), frames))
    jumps = [_xy(_jumps(turns, n)) for n in range(TURNS + 1)]
    traces.append(replaced({**_line("copies weights", faint(LIVE.text, 0.7), 1.2), "line": _dots()}, jumps))
    return _map(traces)


def turns_figure(turns: Sequence[Turn]) -> Figure:
    """The quality of each member by turns, and below it the schedule that leads to the best."""
    until = range(TURNS + 1)
    traces = []
    for member in sorted({turn.member for turn in turns}):
        own = [turn.quality for turn in turns if turn.member == member]
        line = _line(f"member {member + 1}", _colour(member), 2.2)
        traces.append(growing({**line, "x": np.arange(1, TURNS + 1), "y": np.array(own)}, until))
    values = np.array([turn.values for turn in line_to_best(turns)])
    for i, name in enumerate(_NAMES):
        line = _line(name, LIVE.text, 2.0)
        line["line"] |= {"dash": "solid" if i == 0 else "dash", "shape": "hv"}
        traces.append({**line, "x": np.arange(1, TURNS + 1), "y": values[:, i], "yaxis": "y2"})
    plain: dict[str, Any] = {"fixedrange": True}
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="turns",
            xaxis=axis(LIVE, "turn", range=[0.5, TURNS + 0.5], anchor="y2", **plain),
            yaxis=axis(LIVE, "quality", domain=[0.44, 1.0], range=[-0.5, 1.28], **plain),
            yaxis2=axis(LIVE, "schedule of the best", domain=[0.0, 0.32], range=[-0.05, 1.05], **plain),
            dragmode=False,
        ),
    }


def _map(traces: Sequence[dict[str, Any]]) -> Figure:
    units = np.linspace(0.0, 1.0, _SIDE)
    heat = {
        "type": "heatmap",
        "x": units,
        "y": units,
        "z": (HIGHEST - units[:, None] ** 2 - units[None] ** 2).astype(np.float32),
        "colorscale": LIVE.colorscale,
        "opacity": 0.55,
        "zsmooth": "best",
        "showscale": False,
        "hovertemplate": "quality %{z:.2f}<extra></extra>",
    }
    square: dict[str, Any] = {"range": [-0.03, 1.0], "showgrid": False, "fixedrange": True}
    return {
        "data": [heat, *traces],
        "layout": layout(
            LIVE,
            revision="weights",
            xaxis=axis(LIVE, "weight 0", **square),
            yaxis=axis(LIVE, "weight 1", **square),
            dragmode=False,
        ),
    }


def _colour(member: int) -> str:
    return LIVE.arms[member % len(LIVE.arms)]


def _line(name: str, colour: str, width: float) -> dict[str, Any]:
    line: dict[str, Any] = {"width": width, "color": colour}
    return {"type": "scatter", "mode": "lines", "name": name, "line": line, "hoverinfo": "skip"}


def _dots() -> dict[str, Any]:
    return {"width": 1.2, "color": faint(LIVE.text, 0.7), "dash": "dot"}


def _xy(way: Floats) -> dict[str, Floats]:
    return {"x": way[:, 0].astype(np.float32), "y": way[:, 1].astype(np.float32)}


def _way(turns: Sequence[Turn]) -> Floats:
    """Turn after turn, the pen lifted where weights were copied."""
    parts = [np.full((1, 2), np.nan)]
    for turn in turns:
        parts += [np.full((1, 2), np.nan), turn.weights] if turn.is_copy else [turn.weights]
    return np.concatenate(parts)


def _jumps(turns: Sequence[Turn], n_turns: int) -> Floats:
    by_place = {(turn.member, turn.turn): turn for turn in turns}
    parts = [np.full((1, 2), np.nan)]
    for turn in (t for t in turns if t.is_copy and t.turn < n_turns):
        before = by_place[turn.member, turn.turn - 1].weights[-1]
        parts.append(np.array([before, turn.weights[0], (np.nan, np.nan)]))
    return np.concatenate(parts)
