"""Drawings of the playground: what the model predicts, and the scores of the settings that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.lessons._ground import Ground
from hpo_core.lessons._trying import Tried
from hpo_core.picture import SIDES, axes_of
from hpo_core.plots import LIVE, Figure, axis, faint, layout, plain, unit_ticks

_CLASSES = ((LIVE.arms[0], "circle"), (LIVE.arms[2], "diamond"))
_VALID, _TRAIN = LIVE.arms[0], LIVE.default
_HELD: dict[str, Any] = {"fixedrange": True, "showgrid": False}


def model_figure(ground: Ground, tried: Tried) -> Figure:
    """The border between two classes, or the curve of one number, as the first fold's model has it; with its rows."""
    axes, heights = axes_of(ground.problem), np.array(tried.results[0].heights)
    names = [plain(name) for name in (*ground.problem.features.columns, ground.problem.data.target_name)]
    is_plane = len(axes) == 2
    traces = [*_plane(axes, heights), *_dots(ground)] if is_plane else [*_dots(ground), _curve(axes[0], heights)]
    ranges = [{"range": [float(places[0]), float(places[-1])]} for places in axes]
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision=f"model {ground.data}",
            xaxis=axis(LIVE, names[0], **_HELD, **ranges[0]),
            yaxis=axis(LIVE, names[1], **_HELD, **(ranges[1] if is_plane else {})),
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
            showlegend=False,
            dragmode=False,
        ),
    }


def score_figure(ground: Ground, place: int, tried: Sequence[Tried], now: Tried, label: str) -> Figure:
    """Scores on training and on new rows along one hyperparameter, of the settings that differ in nothing else.

    Args:
        ground: What is turned.
        place: Which of its hyperparameters.
        tried: The settings along it.
        now: The one that is set.
        label: Of the scores.
    """
    parameter = ground.turned[place]
    row = sorted(tried, key=lambda one: one.levels[place])
    x = np.array([ground.unit(place, one.levels[place]) for one in row])
    at = ground.unit(place, now.levels[place])
    half = np.nan_to_num([one.half_width for one in row])
    places, texts = unit_ticks(parameter.distribution())
    lines = (
        _line("on training rows", x, [one.train for one in row], _TRAIN, "square", {"dash": "dash"}),
        {
            **_line("on new rows", x, [one.mean for one in row], _VALID, "circle", {}),
            "error_y": {"array": half, "color": faint(_VALID, 0.6), "thickness": 1.4, "width": 3},
        },
    )
    return {
        "data": [*lines],
        "layout": layout(
            LIVE,
            revision=f"scores {parameter.name}",
            xaxis=axis(
                LIVE,
                plain(parameter.title),
                range=[-0.04, 1.04],
                tickmode="array",
                tickvals=places,
                ticktext=[plain(text) for text in texts],
                fixedrange=True,
            ),
            yaxis=axis(LIVE, label, fixedrange=True),
            shapes=[
                {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at, "line": _NOW, "layer": "below"}
            ],
            dragmode=False,
        ),
    }


_NOW = {"width": 2, "color": LIVE.you, "dash": "dot"}


def _line(name: str, x: NDArray[Any], y: list[float], colour: str, symbol: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": x,
        "y": np.array(y),
        "line": {"width": 2, "color": colour, **line},
        "marker": {"size": 9, "symbol": symbol, "color": colour},
        "hovertemplate": f"{name}: %{{y:.4f}}<extra></extra>",
    }


def _plane(axes: tuple[NDArray[Any], ...], heights: NDArray[Any]) -> list[dict[str, Any]]:
    """How sure the model is as colour, and the border where it is undecided."""
    z = heights.reshape(SIDES[2], SIDES[2]).astype(np.float32)
    (low, _), (high, _) = _CLASSES
    scale = [[0.0, faint(low, 0.5)], [0.5, faint(LIVE.muted, 0.06)], [1.0, faint(high, 0.5)]]
    shared = {"x": axes[0], "y": axes[1], "z": z, "showscale": False, "hoverinfo": "skip"}
    return [
        {"type": "heatmap", "zmin": 0.0, "zmax": 1.0, "colorscale": scale, **shared},
        {
            "type": "contour",
            "contours": {"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
            "line": {"width": 2, "color": LIVE.text},
            **shared,
        },
    ]


def _curve(x: NDArray[Any], heights: NDArray[Any]) -> dict[str, Any]:
    line = {"width": 2.6, "color": LIVE.arms[0]}
    return {"type": "scatter", "mode": "lines", "x": x, "y": heights, "line": line, "hoverinfo": "skip"}


def _dots(ground: Ground) -> list[dict[str, Any]]:
    """The rows that the first fold trains on filled, those that it is scored on hollow."""
    data, features = ground.problem.data, ground.problem.features.to_numpy(dtype=float)
    groups = [(data.target == k, *look) for k, look in enumerate(_CLASSES)]
    if data.task == "regression":
        groups = [(np.ones(data.n_rows, dtype=bool), LIVE.text, "circle")]
    dots = []
    for rows, end in zip(ground.problem.split.folds[0], ("", "-open"), strict=True):
        for is_in, colour, symbol in groups:
            own = rows[is_in[rows]]
            y = features[own, 1] if features.shape[1] == 2 else data.target[own]
            edge = {"width": 0.8, "color": LIVE.surface} if not end else {"width": 1.6, "color": colour}
            marker = {"size": 6 if not end else 7, "symbol": symbol + end, "color": colour, "line": edge}
            dot = {"type": "scatter", "mode": "markers", "x": features[own, 0], "y": y, "marker": marker}
            dots.append({**dot, "hoverinfo": "skip"})
    return dots
