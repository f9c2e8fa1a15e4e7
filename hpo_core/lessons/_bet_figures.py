"""Drawings of bets: what was said of each run and what came out, and who gets better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.lessons._bets import Floats, Run
from hpo_core.plots import LIVE, Figure, axis, layout

_SCORE = "score on new rows"


def said_figure(runs: Sequence[Run]) -> Figure:
    """What both said of each run, with ranges, and the score as a short line across."""
    x = np.arange(1, len(runs) + 1)
    people = (
        ("you", [run.bet.said for run in runs], LIVE.you, "star", -0.15),
        ("surrogate", [run.machine for run in runs], LIVE.arms[0], "circle-open", 0.15),
    )
    dots = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": x + shift,
            "y": [one.value for one in said],
            "marker": {"size": 10, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}},
            "error_y": {"array": [one.half for one in said], "color": colour, "thickness": 1.6, "width": 4},
            "hovertemplate": f"{name}: %{{y:.3f}} ± %{{error_y.array:.2g}}<extra></extra>",
        }
        for name, said, colour, symbol, shift in people
    ]
    across = {"type": "scatter", "mode": "lines", "name": _SCORE, "line": {"width": 3, "color": LIVE.text}}
    scores = np.array([run.score for run in runs])
    gaps = {
        "x": np.column_stack([x - 0.38, x + 0.38, np.full(len(x), np.nan)]).ravel(),
        "y": np.column_stack([scores, scores, np.full(len(x), np.nan)]).ravel(),
    }
    return {
        "data": [{**across, **gaps, "hovertemplate": "%{y:.4f}<extra></extra>"}, *dots],
        "layout": _layout("said", len(runs), _SCORE),
    }


def miss_figure(misses: Floats) -> Figure:
    """Mean misses up to each run, of the person and of the surrogate, shape (n, 2)."""
    x = np.arange(1, len(misses) + 1)
    people = (("you", LIVE.you, 0), ("surrogate", LIVE.arms[0], 1))
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": x,
            "y": misses[:, column],
            "line": {"width": 2.4, "color": colour},
            "marker": {"size": 7, "color": colour},
            "hovertemplate": f"{name}: %{{y:.3f}}<extra></extra>",
        }
        for name, colour, column in people
    ]
    shown = _layout("miss", len(misses), "mean miss")
    shown["yaxis"] |= {"rangemode": "tozero"}
    return {"data": lines, "layout": shown}


def _layout(revision: str, n: int, title: str) -> dict[str, Any]:
    return layout(
        LIVE,
        revision=revision,
        xaxis=axis(LIVE, "run", range=[0.4, n + 0.6], dtick=1 if n <= 12 else 5, fixedrange=True),
        yaxis=axis(LIVE, title, fixedrange=True),
        dragmode=False,
    )
