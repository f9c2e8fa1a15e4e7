"""How the people of a class lie beside the machine's arms. Not a `Plot`: that has one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hpo_core.analysis.selection import robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.plots._look import LIVE, MANUAL, Figure, Look, axis, layout, plain

_LANES, _LANE = 5, 0.14  # dots of neighbours stand on lanes beside each other


@dataclass(frozen=True, slots=True)
class Spread:
    """The best values of the people, or of one arm's searches.

    Attributes:
        key: Of its colour; "manual" for the people.
        label: Its name.
        names: Of each dot.
        values: Of each dot, finite.
    """

    key: str
    label: str
    names: tuple[str, ...]
    values: tuple[float, ...]


def spread_figure(spreads: Sequence[Spread], direction: str, look: Look = LIVE) -> Figure:
    """A row of dots for the people, and one for each arm below.

    Args:
        spreads: The people first.
        direction: Of the metric.
        look: Colours, and the name of the value.
    """
    styles = look.arm_styles(one.key for one in spreads)
    traces = [_dots(one, len(spreads) - 1 - i, styles[one.key], look) for i, one in enumerate(spreads)]
    values = np.array([value for one in spreads for value in one.values])
    limits = robust_limits(values, -1.0 if direction == "maximize" else 1.0)
    ticks: dict[str, Any] = {
        "tickvals": list(range(len(spreads)))[::-1],
        "ticktext": [plain(one.label) for one in spreads],
    }
    arrow = "↑" if direction == "maximize" else "↓"
    return {
        "data": traces,
        "layout": layout(
            look,
            revision="class spread",
            showlegend=False,
            margin={"l": 56, "r": 16, "t": 8, "b": 44},
            xaxis=axis(look, f"best {look.value_label} so far {arrow}", range=[limits.low, limits.high]),
            yaxis=axis(look, range=[-0.6, len(spreads) - 0.4], showgrid=False, **ticks),
        ),
    }


def spread_numbers(spreads: Sequence[Spread]) -> pd.DataFrame:
    """What `spread_figure` draws: group, name, best so far."""
    rows = [(one.label, *pair) for one in spreads for pair in zip(one.names, one.values, strict=True)]
    return pd.DataFrame(rows, columns=["group", "name", "best so far"])


def spread_alt(spreads: Sequence[Spread]) -> str:
    """Median and range of each group, in a sentence."""
    parts = [
        f"{one.label}: {format_count(len(one.values), 'value')}, median {format_score(float(np.median(one.values)))}, "
        f"from {format_score(min(one.values))} to {format_score(max(one.values))}"
        for one in spreads
        if one.values
    ]
    return f"Best so far. {'; '.join(parts)}." if parts else "Nobody has a value yet."


def _dots(one: Spread, height: int, style: Any, look: Look) -> dict[str, Any]:
    ranks = np.argsort(np.argsort(one.values, kind="stable"))
    n_lanes = min(_LANES, len(one.values))
    lanes = (ranks % n_lanes - (n_lanes - 1) / 2) * _LANE
    is_people = one.key == MANUAL
    marker = {"size": 11, "color": style.colour, "symbol": style.symbol, "opacity": 0.85}
    rim = {"width": 1 if is_people else 2, "color": look.surface if is_people else style.colour}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(one.values),
        "y": (height + lanes).tolist(),
        "name": plain(one.label),
        "customdata": [plain(name) for name in one.names],
        "marker": {**marker, "line": rim},
        "hovertemplate": "<b>%{customdata}</b> %{x:.4~g}<extra></extra>",
    }
