"""Drawings of generations: their members on a map, and their altitudes from one generation to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.lessons._film import growing, replaced
from hpo_core.lessons._generations import Generation
from hpo_core.lessons._maps import land_traces, limits_of, map_figure
from hpo_core.lessons._terrain import Floats, Terrain
from hpo_core.plots import LIVE, Figure, axis, faint, layout

_COLOUR = LIVE.arms[0]


def generations_map(
    terrain: Terrain, generations: Sequence[Generation], prediction: Floats | None, is_revealed: bool
) -> Figure:
    """A frame for each generation: its members, those before, lines from parents to children, the way of the centre."""
    altitudes = np.concatenate([generation.altitudes for generation in generations])
    limits = limits_of(terrain.altitudes.ravel(), terrain.summit) if is_revealed else limits_of(altitudes)
    # The highest land stands out most from the ground, and that is where generations gather.
    ink = LIVE.surface if is_revealed else LIVE.text
    before = [None, *generations[:-1]]
    traces = [
        *(land_traces(terrain, limits) if is_revealed else ()),
        _lines([_ways(generation.links) for generation in generations], faint(ink, 0.5), 1.0),
        _lines([_outline(generation) for generation in generations], _COLOUR, 2.0),
        _earlier(before, ink),
        _members(generations, limits, is_revealed),
        _lines([np.array([g.centre for g in generations[: i + 1]]).T for i in range(len(generations))], ink, 1.6),
        _cross([generation.centre for generation in generations], ink, "cross-thin-open", 16),
    ]
    if prediction is not None:
        traces.append(_cross([prediction] * len(generations), LIVE.you, "x-thin-open", 14))
    return map_figure(terrain, traces, "generations")


def altitudes_figure(generations: Sequence[Generation]) -> Figure:
    """The altitude of every member, the median of each generation, and the best so far."""
    n = len(generations)
    sizes = np.cumsum([len(generation) for generation in generations])
    at = np.concatenate([np.full(len(g), i) for i, g in enumerate(generations)])
    best = np.maximum.accumulate([float(g.altitudes.max()) for g in generations])
    median = np.array([float(np.median(g.altitudes)) for g in generations])
    marker = {"size": 6, "color": faint(_COLOUR, 0.55)}
    dots = {"mode": "markers", "y": np.concatenate([g.altitudes for g in generations]), "x": at, "marker": marker}
    line = {"mode": "lines", "x": np.arange(n)}
    traces = [
        growing({"type": "scatter", "name": "members", **dots}, sizes.tolist()),
        growing(
            {"type": "scatter", "name": "median", **line, "y": median, "line": {"color": LIVE.text, "width": 1.4}},
            range(1, n + 1),
        ),
        growing(
            {"type": "scatter", "name": "best so far", **line, "y": best, "line": {"color": _COLOUR, "width": 2.6}},
            range(1, n + 1),
        ),
    ]
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="altitudes",
            xaxis=axis(LIVE, "generation", range=[-0.4, n - 0.6], fixedrange=True, dtick=2, showgrid=False),
            yaxis=axis(LIVE, "altitude, m", fixedrange=True, tickformat=",", range=_range(best, median)),
            dragmode=False,
        ),
    }


def _range(best: Floats, median: Floats) -> list[float]:
    """Members far below the medians are left out, as they would press all others together."""
    gap = float(best.max() - median.min()) or 1.0
    return [float(median.min()) - 0.35 * gap, float(best.max()) + 0.08 * gap]


def _lines(paths: Sequence[Floats], colour: str, width: float) -> dict[str, Any]:
    """A path of shape (2, k) for each frame; NaN lifts the pen."""
    frames = [{"x": path[0].astype(np.float32), "y": path[1].astype(np.float32)} for path in paths]
    line = {"width": width, "color": colour}
    return replaced({"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip"}, frames)


def _ways(links: Floats) -> Floats:
    gaps = np.full((len(links), 1, 2), np.nan)
    return np.concatenate([links, gaps], axis=1).reshape(-1, 2).T


def _outline(generation: Generation) -> Floats:
    return np.full((2, 1), np.nan) if generation.cloud is None else generation.cloud


def _earlier(generations: Sequence[Generation | None], ink: str) -> dict[str, Any]:
    """Those of the generation before, faint."""
    empty: list[float] = []
    frames = [
        {"x": empty, "y": empty} if g is None else {"x": g.points[:, 0], "y": g.points[:, 1]} for g in generations
    ]
    marker = {"size": 7, "symbol": "circle-open", "color": faint(ink, 0.6), "line": {"width": 1.2}}
    return replaced({"type": "scatter", "mode": "markers", "marker": marker, "hoverinfo": "skip"}, frames)


def _members(generations: Sequence[Generation], limits: tuple[float, float], is_revealed: bool) -> dict[str, Any]:
    """Coloured by altitude in the fog; those who go on have a wide edge."""
    fill: dict[str, Any] = {"color": _COLOUR}
    if not is_revealed:
        fill = {"colorscale": LIVE.colorscale, "cmin": limits[0], "cmax": limits[1]}
    frames = []
    for generation in generations:
        edges = {"width": np.where(generation.goes_on, 2.6, 0.8), "color": LIVE.you if is_revealed else LIVE.text}
        colours = fill if is_revealed else {**fill, "color": generation.altitudes}
        frames.append(
            {
                "x": generation.points[:, 0],
                "y": generation.points[:, 1],
                "text": [f"{altitude:,.0f} m" for altitude in generation.altitudes],
                "marker": {"size": 11, **colours, "line": edges},
            }
        )
    shape = {"type": "scatter", "mode": "markers", "hovertemplate": "%{text}<extra></extra>"}
    return replaced(shape, frames)


def _cross(places: Sequence[Floats], colour: str, symbol: str, size: int) -> dict[str, Any]:
    marker = {"symbol": symbol, "size": size, "color": colour, "line": {"width": 3}}
    frames = [{"x": [float(place[0])], "y": [float(place[1])]} for place in places]
    return replaced({"type": "scatter", "mode": "markers", "marker": marker, "hoverinfo": "skip"}, frames)
