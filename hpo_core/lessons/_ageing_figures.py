"""Drawings of ageing populations: who lives, and the best network that is alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.lessons._ageing import Life
from hpo_core.lessons._film import growing, replaced
from hpo_core.lessons._networks import MOST_LAYERS
from hpo_core.plots import LIVE, Figure, axis, faint, layout

_BLUE = LIVE.arms[0]


def best_alive(lives: Sequence[Life], n_trials: int) -> Life:
    """The one that looks best of those that live when there are so many trials."""
    return min((life for life in lives if life.is_alive(n_trials)), key=lambda life: life.seen)


def lives_figure(lives: Sequence[Life], counts: Sequence[int], n_all: int) -> Figure:
    """The loss of every network as it looked; filled while it lives. One frame for each number of trials."""
    seen = np.array([life.seen for life in lives])
    born = np.arange(1, len(lives) + 1)
    faded = {"size": 7, "symbol": "circle-open", "color": faint(LIVE.muted, 0.7)}
    dots: dict[str, Any] = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    alive = [np.array([life.is_alive(n) for life in lives]) for n in counts]
    best = [best_alive(lives, n) for n in counts]
    ring = {"size": 20, "symbol": "circle-open", "color": LIVE.you, "line": {"width": 2.4}}
    return {
        "data": [
            growing({**dots, "name": "has left", "x": born, "y": seen, "marker": faded}, counts),
            replaced(
                {"type": "scatter", "mode": "lines", "name": "parent to child", "line": {"width": 1.4, "color": _BLUE}},
                [_way(lives, n) for n in counts],
            ),
            replaced(
                {**dots, "name": "alive", "marker": {"size": 10, "color": _BLUE}},
                [{"x": born[is_in], "y": seen[is_in]} for is_in in alive],
            ),
            replaced(
                {**dots, "name": "best alive", "marker": ring},
                [{"x": [life.born + 1], "y": [life.seen]} for life in best],
            ),
        ],
        "layout": layout(
            LIVE,
            revision="lives",
            xaxis=axis(LIVE, "trial", range=[0, n_all + 1], fixedrange=True),
            yaxis=axis(LIVE, "loss as it looks, log", type="log", dtick="D2", tickformat="~g", fixedrange=True),
            dragmode=False,
        ),
    }


def network_figure(lives: Sequence[Life], counts: Sequence[int]) -> Figure:
    """The best network alive: a bar for each layer, as high as it has neurons."""
    found = [best_alive(lives, n).configuration for n in counts]
    widths = [[c.get(f"units_{i}") if i <= c["n_layers"] else None for i in range(1, MOST_LAYERS + 1)] for c in found]
    bars = {"type": "bar", "x": list(range(1, MOST_LAYERS + 1)), "textposition": "outside", "hoverinfo": "skip"}
    fill = {"color": faint(_BLUE, 0.6), "line": {"width": 1.5, "color": _BLUE}}
    words = {"type": "scatter", "mode": "text", "x": [(MOST_LAYERS + 1) / 2], "y": [620], "hoverinfo": "skip"}
    texts = [f"{c['activation']}{', skips' if c['skip'] else ', no skips'}" for c in found]
    return {
        "data": [
            replaced({**bars, "marker": fill}, [{"y": w, "text": [str(n or "") for n in w]} for w in widths]),
            replaced({**words, "textfont": {"size": 14, "color": LIVE.text}}, [{"text": [text]} for text in texts]),
        ],
        "layout": layout(
            LIVE,
            revision="network",
            xaxis=axis(LIVE, "hidden layer", range=[0.4, MOST_LAYERS + 0.6], dtick=1, fixedrange=True, showgrid=False),
            yaxis=axis(LIVE, "neurons, log", type="log", range=[0.3, 3.0], dtick=1, tickformat=",~g", fixedrange=True),
            showlegend=False,
            margin={"l": 56, "r": 16, "t": 12, "b": 44},
            dragmode=False,
        ),
    }


def _way(lives: Sequence[Life], n_trials: int) -> dict[str, Any]:
    """From the parent of the newest to the newest."""
    newest = lives[n_trials - 1]
    if newest.parent is None:
        return {"x": [None], "y": [None]}
    ends = [lives[newest.parent], newest]
    return {"x": [life.born + 1 for life in ends], "y": [life.seen for life in ends]}
