"""Drawings of a belief: a line with its band over one parameter, maps over two."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpo_core.lessons._belief import SIDES, Belief, Floats
from hpo_core.lessons._maps import map_figure
from hpo_core.plots import LIVE, Figure, axis, faint, layout, plain, unit_ticks

_BAND = 1.96
_BLUE, _GREEN = LIVE.arms[0], LIVE.arms[1]
_LINE: dict[str, Any] = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}


def line_figure(belief: Belief, prediction: Floats | None, is_revealed: bool) -> Figure:
    """The belief along one parameter; the promise below it, and where it looks next, once there is a prediction."""
    traces = _belief_traces(belief)
    if is_revealed:
        dash = {"width": 1.8, "color": LIVE.muted, "dash": "dot"}
        x, true = belief.grid[:, 0], belief.true(belief.grid)
        traces.append({**_LINE, "x": x, "y": true, "line": dash, "name": "true land"})
    is_open = prediction is not None
    axes = {
        "xaxis": _across(belief, "y2" if is_open else "y"),
        "yaxis": axis(LIVE, "altitude, m", fixedrange=True, tickformat=",", domain=[0.34 if is_open else 0, 1]),
    }
    if is_open:
        fill = {"fill": "tozeroy", "fillcolor": faint(_GREEN, 0.25), "line": {"width": 1.8, "color": _GREEN}}
        curve = {"x": belief.grid[:, 0], "y": belief.promise, "yaxis": "y2", "name": "promise"}
        traces.append({**_LINE, **curve, **fill})
        below: dict[str, Any] = {"showticklabels": False, "range": [0, 1.08], "domain": [0, 0.26], "fixedrange": True}
        axes["yaxis2"] = axis(LIVE, "promise", **below)
    shapes = [] if prediction is None else _uprights(float(belief.next[0]), float(prediction[0]))
    return {"data": traces, "layout": layout(LIVE, revision="line", **axes, shapes=shapes, dragmode=False)}


def belief_map(belief: Belief, values: Floats, prediction: Floats | None) -> Figure:
    """Values over two parameters, and the looks; where it looks next, once there is a prediction."""
    side = SIDES[2]
    units = np.linspace(0, 1, side)
    low, high = float(np.percentile(values, 5)), float(values.max())
    heat = {
        "type": "heatmap",
        "x": units,
        "y": units,
        "z": values.reshape(side, side).astype(np.float32),
        "zmin": low,
        "zmax": high if high > low else low + 1,
        "colorscale": LIVE.colorscale,
        "showscale": False,
        "zsmooth": "best",
        "hoverinfo": "skip",
    }
    edge = {"width": 1.6, "color": LIVE.surface}
    marks: list[tuple[Floats, dict[str, Any]]] = [(belief.looks, {"size": 9, "color": LIVE.text, "line": edge})]
    if prediction is not None:
        ring = {"size": 20, "symbol": "circle-open", "color": _GREEN, "line": {"width": 4}}
        marks.append((belief.next[None], ring))
        marks.append((prediction[None], {"size": 14, "symbol": "x", "color": LIVE.you, "line": edge}))
    on_top = {"hoverinfo": "skip", "cliponaxis": False}
    dots = [{"type": "scatter", "mode": "markers", "x": p[:, 0], "y": p[:, 1], "marker": m, **on_top} for p, m in marks]
    return map_figure(belief.terrain, [heat, *dots], "belief")


def _belief_traces(belief: Belief) -> list[dict[str, Any]]:
    x, (mean, sd) = belief.grid[:, 0], belief.prediction
    low, high = mean - _BAND * sd, mean + _BAND * sd
    around = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]]), "fill": "toself"}
    band = {**_LINE, **around, "fillcolor": faint(_BLUE, 0.16), "line": {"width": 0}, "name": "95 % band"}
    expected = {**_LINE, "x": x, "y": mean, "line": {"width": 2.2, "color": _BLUE}, "name": "expected"}
    looks = {
        "type": "scatter",
        "mode": "markers",
        "x": belief.looks[:, 0],
        "y": belief.altitudes,
        "marker": {"size": 10, "color": LIVE.text, "line": {"width": 1.4, "color": LIVE.surface}},
        "text": [f"look {i + 1}: {altitude:,.0f} m" for i, altitude in enumerate(belief.altitudes)],
        "hoverinfo": "text",
        "name": "looks",
    }
    return [band, expected, looks]


def _across(belief: Belief, anchor: str) -> dict[str, Any]:
    parameter = belief.terrain.space.parameters[0]
    places, texts = unit_ticks(parameter.distribution())
    ticks: dict[str, Any] = {"tickmode": "array", "tickvals": places, "ticktext": texts, "fixedrange": True}
    return axis(LIVE, plain(parameter.title), range=[-0.02, 1.02], anchor=anchor, **ticks)


def _uprights(chosen: float, predicted: float) -> list[Figure]:
    """A line where it looks, another where that was predicted."""
    return [
        {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": {"width": 2.2, **line}}
        for x, line in ((chosen, {"color": _GREEN}), (predicted, {"color": LIVE.you, "dash": "dash"}))
    ]
