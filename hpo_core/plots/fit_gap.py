"""Training against validation scores: which trials fit their rows too closely, and which not closely enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.fitting import FitDiagnosis, diagnosis, fitted_rows, why_no_diagnosis
from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.formats import format_count
from hpo_core.plots import JUDGE, Figure, Group, Look, Plot, arm_label, axis, layout
from hpo_core.plots._marks import Spots, best_ring, note_style, outside_note
from hpo_core.studies.table import Floats, TrialTable

_MOST_POINTS, _BEST_POINTS = 1000, 300


@dataclass(frozen=True, eq=False)
class FitGapData:
    """What is drawn.

    Attributes:
        table: The study.
        train: Mean score of each trial on training rows, shape (n,).
        shown: Rows of the trials that are drawn.
        n_fitted: Finished trials that have such a score.
        found: What the scores come to.
        along, limits: Training and validation scores in view.
    """

    table: TrialTable
    train: Floats
    shown: Rows
    n_fitted: int
    found: FitDiagnosis
    along: Limits
    limits: Limits


@dataclass(frozen=True)
class FitGap(Plot[FitGapData]):
    """Validation against training score, one mark a trial."""

    key: ClassVar[str] = "fit_gap"
    label: ClassVar[str] = "Fit"
    place: ClassVar[int] = 66
    purpose: ClassVar[str] = "The score of each trial on new rows against that on its own training rows."
    question: ClassVar[str] = "Does it fit too closely, or not closely enough?"
    how_to_read: ClassVar[str] = (
        "To the right are trials that fit their training rows closer, higher up those that do better on new rows "
        "(where lower scores are better: to the left, and lower down). On the dotted line both scores are the same; "
        "the distance to it is the gap. Click a trial to load it."
    )
    group: ClassVar[Group | None] = JUDGE

    def why_unavailable(self, table: TrialTable) -> str | None:
        return why_no_diagnosis(table)

    def compute(self, table: TrialTable) -> FitGapData:
        train, rows = table.mean_of("train_scores"), fitted_rows(table)
        n_folds = int(np.isfinite(table.fold_scores[rows]).sum(axis=1).max())
        return FitGapData(
            table=table,
            train=train,
            shown=representative_rows(table, rows, _MOST_POINTS, _BEST_POINTS),
            n_fitted=len(rows),
            found=diagnosis(table, 1 / max(n_folds - 1, 1)),
            along=robust_limits(train[rows], table.sign),
            limits=robust_limits(table.values[rows], table.sign),
        )

    def draw(self, data: FitGapData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        table, found = data.table, data.found
        styles = look.arm_styles(table.arm_names)
        spots = Spots(table, data.shown, data.train[data.shown])
        traces = [spots.points(arm, style, look) for arm, style in styles.items()]
        colour = styles[str(table.arms[found.row])].colour
        is_right = found.train > (data.along.low + data.along.high) / 2
        traces.append(best_ring(table, found.row, found.train, colour, look, is_right=is_right))
        arrow = "↑" if table.direction == "maximize" else "↓"
        low, high = min(data.along.low, data.limits.low), max(data.along.high, data.limits.high)
        line = {"color": look.default, "width": 1.2, "dash": "dot"}
        same = {"type": "line", "x0": low, "y0": low, "x1": high, "y1": high, "line": line, "layer": "below"}
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=table.study,
                xaxis=axis(look, f"{look.value_label} on training rows", range=[data.along.low, data.along.high]),
                yaxis=axis(look, f"{look.value_label} on new rows {arrow}", range=[data.limits.low, data.limits.high]),
                shapes=[same],
                annotations=[*outside_note(table, data.limits, look), *_line_note(data, look)],
            ),
        }

    def numbers(self, data: FitGapData) -> pd.DataFrame:
        table, rows = data.table, fitted_rows(data.table)
        return pd.DataFrame(
            {
                "trial": table.numbers[rows],
                "arm": [arm_label(arm) for arm in table.arms[rows].tolist()],
                "on training rows": data.train[rows],
                "on new rows": table.values[rows],
                "gap": table.sign * (table.values[rows] - data.train[rows]),
                "sd over folds": table.noise[rows],
            }
        )

    def alt(self, data: FitGapData) -> str:
        return " ".join(data.found.sentences)

    def caption(self, data: FitGapData) -> str:
        n = int(data.table.is_complete.sum())
        text = f"Showing {format_count(len(data.shown))} of {format_count(n, 'finished trial')}"
        if data.n_fitted < n:
            text += f"; {format_count(n - data.n_fitted)} have no score on training rows"
        return f"{' '.join(data.found.sentences)} {text}."


def _line_note(data: FitGapData, look: Look) -> list[dict[str, Any]]:
    """What the line is, where it is in view."""
    low, high = max(data.along.low, data.limits.low), min(data.along.high, data.limits.high)
    if not low < high:
        return []
    at = (low + high) / 2
    return [{"text": "no gap", "x": at, "y": at, "xanchor": "right", "yanchor": "bottom", **note_style(look)}]


FIT_GAP = FitGap()
