"""What progress is counted in, and the steps at which the best value got better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.analysis.selection import Rows
from hpo_core.plots._look import Figure, Look, axis, faint
from hpo_core.studies.table import Floats, TrialTable

AXES = {"trial": "trial number", "fit": "fits done", "second": "seconds since the start"}
_FEW = 8


@dataclass(frozen=True, eq=False)
class BestSoFar:
    """The steps at which an arm, or all, got better: where, to what value, with what noise, in which row; its end."""

    arm: str | None
    x: Floats
    values: Floats
    noise: Floats
    rows: Rows
    end: float


def places(table: TrialTable, kind: str) -> Floats:
    """Where each trial stands on an axis of `AXES`, shape (n,); NaN where unknown."""
    if kind == "fit":
        done = np.isfinite(table.fold_scores).sum(axis=1)
        return np.cumsum(np.maximum(done, table.is_complete)).astype(float)
    if kind == "second":
        known = np.isfinite(table.completed)
        begin = np.nanmin(np.where(known, np.fmin(table.started, table.completed), np.inf)) if known.any() else 0.0
        return np.where(known, table.completed - begin, np.nan)
    return table.numbers.astype(float)


def best_so_far(table: TrialTable, x: Floats, arm: str | None = None) -> BestSoFar:
    """The best so far of one arm, or of all trials, in the order of their places `x`."""
    usable = table.is_complete & np.isfinite(x)
    rows = np.flatnonzero(usable if arm is None else usable & (table.arms == arm))
    rows = rows[np.argsort(x[rows], kind="stable")]
    signed = table.sign * table.values[rows]
    earlier = np.concatenate(([np.inf], np.minimum.accumulate(signed)[:-1]))
    better = rows[(signed < earlier) & np.isfinite(signed)]
    end = float(x[np.isfinite(x)].max()) if np.isfinite(x).any() else 0.0
    return BestSoFar(arm, x[better], table.values[better], np.nan_to_num(table.noise[better]), better, end)


def progress_axis(look: Look, kind: str, end: float) -> Figure:
    """The x axis, up to the last place. Whole numbers keep whole ticks when there are few of them."""
    end = max(end, 1e-3 if kind == "second" else 1.0)
    steps = {"tick0": 0, "dtick": 1} if kind != "second" and end < _FEW else {}
    return axis(look, AXES[kind], range=[-0.015 * end, 1.03 * end], showgrid=False, **steps)


def step_line(step: BestSoFar, colour: str) -> dict[str, Any]:
    """The steps as a line to the end of the study."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.append(step.x, step.end) if len(step.x) else step.x,
        "y": np.append(step.values, step.values[-1:]),
        "line": {"shape": "hv", "width": 2.2, "color": colour},
    }


def step_band(step: BestSoFar, colour: str) -> list[dict[str, Any]]:
    """One standard deviation over the folds around the steps; nothing where the noise is unknown."""
    if not step.noise.any():
        return []
    x, edge = np.append(step.x, step.end), {"shape": "hv", "width": 0}
    base = {"type": "scatter", "mode": "lines", "x": x, "line": edge, "hoverinfo": "skip", "showlegend": False}
    low, high = (np.append(step.values + side * step.noise, 0.0) for side in (-1.0, 1.0))
    low[-1], high[-1] = low[-2], high[-2]
    return [{**base, "y": low}, {**base, "y": high, "fill": "tonexty", "fillcolor": faint(colour, 0.13)}]
