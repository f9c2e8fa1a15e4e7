"""The arms of a duel over their budget, and the chance that the leader is ahead. Not a `Plot`: that has one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from hpo_core.analysis.duel import Curve
from hpo_core.analysis.selection import robust_limits
from hpo_core.formats import format_score
from hpo_core.plots._look import LIVE, Figure, Look, axis, faint, layout, plain
from hpo_core.studies.table import Floats

BUDGETS = {"trials": "trials", "fits": "fits", "seconds": "seconds of fitting"}
Named = Sequence[tuple[str, str, Curve]]
_DASHES = ("solid", "dash", "dot", "dashdot")


def duel_figure(curves: Named, kind: str, direction: str, optimum: float | None = None, look: Look = LIVE) -> Figure:
    """Best so far of each arm as mean over its seeds with its 95 % interval; regret where an optimum is given.

    Args:
        curves: Key of each arm (of its colour), name and curve.
        kind: What the budget is counted in, one of `BUDGETS`.
        direction: Of the metric.
        optimum: What is taken from the values: the known one, or the best that any arm found.
        look: Colours, and the name of the value.
    """
    styles = look.arm_styles(key for key, _, _ in curves)
    traces = []
    for place, (key, name, one) in enumerate(curves):
        colour = styles[key].colour
        known = np.isfinite(one.mean)
        x, mean, low, high = (
            _seen(column, optimum)[known] if i else column[known]
            for i, column in enumerate((one.x, one.mean, one.low, one.high))
        )
        line = {"shape": "hv", "width": 2.2, "color": colour, "dash": _DASHES[place % len(_DASHES)]}
        if len(one.values) > 1 and len(x):
            edge: dict[str, Any] = {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "hoverinfo": "skip",
                "showlegend": False,
            }
            edge["line"] = {"shape": "hv", "width": 0}
            traces += [{**edge, "y": low}, {**edge, "y": high, "fill": "tonexty", "fillcolor": faint(colour, 0.13)}]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": mean,
                "name": plain(name),
                "line": line,
                "hovertemplate": f"<b>{plain(name)}</b> after %{{x:.4~g}} {kind}: %{{y:.4~g}}<extra></extra>",
            }
        )
    arrow = "↑" if direction == "maximize" else "↓"
    title = "regret ↓" if optimum is not None else f"best {look.value_label} so far {arrow}"
    return {
        "data": [trace for trace in traces if len(trace["x"])],
        "layout": layout(
            look,
            revision=f"duel {kind} {optimum is not None} {'|'.join(name for _, name, _ in curves)}",
            xaxis=axis(look, BUDGETS[kind], rangemode="tozero", showgrid=False),
            yaxis=axis(look, title, range=_range(curves, direction, optimum)),
        ),
    }


def chance_figure(
    curves: Sequence[tuple[str, str, Floats]],
    x: Floats,
    kind: str,
    leader: str,
    arms: Sequence[str],
    look: Look = LIVE,
) -> Figure:
    """Chance that a search of the leader is ahead of one of each other arm, at each budget.

    Args:
        curves: Key, name and chances, shape (n,), of each other arm.
        x: Budgets, shape (n,).
        kind: What they are counted in.
        leader: Name of the leader.
        arms: Keys of all arms in their order, which gives them their colours.
        look: Colours.
    """
    styles = look.arm_styles(arms)
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x[np.isfinite(chances)],
            "y": chances[np.isfinite(chances)],
            "name": f"against {plain(name)}",
            "line": {"shape": "hv", "width": 2.2, "color": styles[key].colour, "dash": _DASHES[i % len(_DASHES)]},
            "hovertemplate": f"ahead of <b>{plain(name)}</b> after %{{x:.4~g}} {kind}: %{{y:.0%}}<extra></extra>",
        }
        for i, (key, name, chances) in enumerate(curves)
    ]
    even = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5, "layer": "below"}
    return {
        "data": traces,
        "layout": layout(
            look,
            revision=f"chance {kind} {leader} {'|'.join(name for _, name, _ in curves)}",
            xaxis=axis(look, BUDGETS[kind], rangemode="tozero", showgrid=False),
            yaxis=axis(look, f"chance that {plain(leader)} is ahead", range=[-0.03, 1.03], tickformat=".0%"),
            shapes=[{**even, "line": {"color": look.default, "width": 1.2, "dash": "dot"}}],
        ),
    }


def duel_numbers(curves: Named, kind: str) -> pd.DataFrame:
    """What `duel_figure` draws: arm, budget, mean and interval of the best so far."""
    parts = [
        pd.DataFrame({"arm": name, BUDGETS[kind]: c.x, "best so far": c.mean, "low": c.low, "high": c.high})
        for _, name, c in curves
    ]
    return pd.concat(parts, ignore_index=True).dropna()


def duel_alt(curves: Named, direction: str) -> str:
    """The order of the arms at the end, in a sentence."""
    sign = -1.0 if direction == "maximize" else 1.0
    ends = [(name, float(c.mean[-1])) for _, name, c in curves if len(c.mean) and np.isfinite(c.mean[-1])]
    if not ends:
        return "No arm has a finished trial yet."
    ends.sort(key=lambda end: sign * end[1])
    return f"Best so far at the end, best first: {'; '.join(f'{name} {format_score(value)}' for name, value in ends)}."


def _range(curves: Named, direction: str, optimum: float | None) -> list[float]:
    """Where the searches themselves are: intervals over few seeds may be far wider."""
    values = np.concatenate([_seen(one.values, optimum).ravel() for _, _, one in curves])
    sign = -1.0 if direction == "maximize" and optimum is None else 1.0
    limits = robust_limits(values[np.isfinite(values)], sign)
    return [limits.low, limits.high]


def _seen(values: Any, optimum: float | None) -> Any:
    return values if optimum is None else np.abs(values - optimum)
