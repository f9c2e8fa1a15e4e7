"""Maps of a terrain: what was looked at in the fog, and the land when the fog has lifted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.lessons._film import growing
from hpo_core.lessons._flights import Flight
from hpo_core.lessons._terrain import SIDE, Floats, Terrain
from hpo_core.plots import LIVE, Figure, axis, faint, layout, plain, unit_ticks

_APART = 0.15
_LOWEST_SHARE = 10  # per cent of what was seen, or of the land, below which a map shows no further difference


def map_figure(terrain: Terrain, traces: list[dict[str, Any]], revision: str) -> Figure:
    """A square of the terrain with these traces on it, in units of its ranges, under fog where they leave it free."""
    ends = {"range": [-0.03, 1.03], "showgrid": False, "zeroline": False, "fixedrange": True}
    names = [plain(p.title) for p in terrain.space.parameters]
    marks = [_sparse(*unit_ticks(p.distribution())) for p in terrain.space.parameters]
    axes = [
        axis(LIVE, name, **ends, tickmode="array", tickvals=places, ticktext=texts)
        for name, (places, texts) in zip(names, marks, strict=True)
    ]
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision=revision,
            xaxis=axes[0],
            yaxis=axes[1],
            plot_bgcolor=faint(LIVE.muted, 0.22),
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
            showlegend=False,
            dragmode=False,
        ),
    }


def _sparse(places: list[float], texts: list[str]) -> tuple[list[float], list[str]]:
    """Without the inner marks that stand close to one at an end, as maps are small."""
    ends = (min(places), max(places))
    kept = [i for i, p in enumerate(places) if p in ends or min(abs(p - end) for end in ends) > _APART]
    return [places[i] for i in kept], [texts[i] for i in kept]


def looks_trace(flight: Flight, colour: str, limits: tuple[float, float], is_revealed: bool) -> dict[str, Any]:
    """The looks of a flight: coloured by altitude in the fog, in the explorer's colour where the land shows its own."""
    seen = [f"look {i + 1}: {altitude:,.0f} m" for i, altitude in enumerate(flight.seen)]
    marker: dict[str, Any] = {"size": 11, "line": {"width": 1.4, "color": colour}}
    if is_revealed:
        marker |= {"color": colour, "size": 9, "line": {"width": 1.4, "color": LIVE.surface}}
    else:
        marker |= {"color": flight.seen, "colorscale": LIVE.colorscale, "cmin": limits[0], "cmax": limits[1]}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": flight.points[:, 0],
        "y": flight.points[:, 1],
        "marker": marker,
        "text": seen,
        "hovertemplate": "%{text}<extra></extra>",
    }


def path_trace(flight: Flight, colour: str) -> dict[str, Any]:
    """The way from look to look."""
    x, y = flight.points.T
    line = {"width": 1.6, "color": faint(colour, 0.75)}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip"}


def land_traces(terrain: Terrain, limits: tuple[float, float]) -> list[dict[str, Any]]:
    """The land itself, and a star on each of its summits. Only for a map that is revealed."""
    axis_units = np.linspace(0.0, 1.0, SIDE)
    land = {
        "type": "heatmap",
        "x": axis_units,
        "y": axis_units,
        "z": terrain.altitudes.astype(np.float32),
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": LIVE.colorscale,
        "zsmooth": "best",
        "showscale": False,
        "hovertemplate": "%{z:,.0f} m<extra></extra>",
    }
    stars = {
        "type": "scatter",
        "mode": "markers",
        "x": terrain.tops[:, 0],
        "y": terrain.tops[:, 1],
        "marker": {"symbol": "star", "size": 13, "color": LIVE.surface, "line": {"width": 1.4, "color": LIVE.text}},
        "hovertemplate": "summit<extra></extra>",
    }
    return [land, stars]


def limits_of(altitudes: Floats, highest: float | None = None) -> tuple[float, float]:
    """The altitudes between which colours differ; few places far down do not take the colours from all others."""
    if not len(altitudes):
        return 0.0, 1.0
    low, high = float(np.percentile(altitudes, _LOWEST_SHARE)), float(altitudes.max() if highest is None else highest)
    return (low, high) if high > low else (low - 1.0, low + 1.0)


def regret_figure(
    flights: Sequence[tuple[str, Flight]], colours: Sequence[str], n_steps: int, label: str, floor: float
) -> Figure:
    """Metres below the summit after each step, one line for each flight, growing from step to step.

    Args:
        flights: Names and flights.
        colours: One for each; the first line is the widest.
        n_steps: The last step.
        label: Of the logarithmic axis.
        floor: Metres at which what is nearer is drawn.
    """
    traces = []
    for place, ((name, flight), colour) in enumerate(zip(flights, colours, strict=True)):
        trace = {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": np.arange(1, len(flight) + 1),
            "y": np.maximum(flight.regret, floor),
            "line": {"width": 2 if place else 2.6, "color": colour, "shape": "hv"},
            "hovertemplate": f"{name}, step %{{x}}: %{{y:,.3~g}} m below<extra></extra>",
        }
        traces.append(growing(trace, [min(i, len(flight)) for i in range(n_steps + 1)]))
    ends = np.log10(np.maximum(np.concatenate([flight.regret for _, flight in flights]), floor))
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="regret",
            xaxis=axis(LIVE, "step", range=[0.5, n_steps + 0.5], fixedrange=True),
            yaxis=axis(
                LIVE,
                label,
                type="log",
                fixedrange=True,
                dtick=1,
                tickformat=",~g",
                range=[float(ends.min()) - 0.15, float(ends.max()) + 0.15],
            ),
            dragmode=False,
        ),
    }
