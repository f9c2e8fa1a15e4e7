"""The surprise: what a method predicted for its trials against what was found."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from hpo_core.analysis.selection import Rows
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._hover import hover
from hpo_core.studies.table import Floats, TrialTable

_MOST = 300
_FEWEST_TO_JUDGE = 10
_LEVEL, _WIDTH = 0.95, 1.96
_DOUBT = 0.05
_VALUE, _SCALED = "value", "standard deviations"


@dataclass(frozen=True, eq=False)
class SurpriseData:
    """Trials whose method said before what it expected.

    Attributes:
        table: The study.
        rows: The trials, shape (n,).
        mean, sd: What was predicted for the value, the noise of a value included, shape (n,).
    """

    table: TrialTable
    rows: Rows
    mean: Floats
    sd: Floats

    @property
    def deviations(self) -> Floats:
        """How far the value lies above the prediction, in its standard deviations, shape (n,)."""
        return (self.table.values[self.rows] - self.mean) / np.maximum(self.sd, 1e-300)

    @property
    def is_within(self) -> NDArray[np.bool_]:
        """Whether the value lies in the 95 % interval, shape (n,)."""
        return np.abs(self.table.values[self.rows] - self.mean) <= _WIDTH * self.sd

    @property
    def verdict(self) -> str:
        """How well the intervals hold, with the count."""
        n, n_within = len(self.rows), int(self.is_within.sum())
        if not n:
            return "No trial holds a prediction."
        share = f"{100 * n_within / n:.0f} %"
        count = f"{n_within} of {format_count(n, 'prediction')} ({share}) came within their 95 % interval"
        if n < _FEWEST_TO_JUDGE:
            return f"{count}: too few to judge."
        if binom.cdf(n_within, n, _LEVEL) < _DOUBT:
            return f"{count}: the model is too sure of itself."
        if binom.sf(n_within - 1, n, _LEVEL) < _DOUBT:
            return f"{count}: the model is too cautious."
        return f"{count}: about as many as there should be."


@dataclass(frozen=True)
class Surprise(Plot[SurpriseData]):
    """Predicted against found, trial by trial."""

    key: ClassVar[str] = "surprise"
    label: ClassVar[str] = "Surprise"
    place: ClassVar[int] = 120
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "What the method predicted for each of its trials, and what was found."
    question: ClassVar[str] = "Does the model know how sure it may be?"
    how_to_read: ClassVar[str] = (
        "Each bar is where the method expected the value to lie with 95 % probability before the trial ran, the mark "
        "on it what was found; filled marks lie outside. Honest bars miss about one in twenty. Click a mark to load "
        "its trial."
    )

    unit: str = option(
        _VALUE,
        "Scale",
        "The values themselves, or by how many predicted standard deviations each lies off.",
        choices=(_VALUE, _SCALED),
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        if len(_predictions(table).rows):
            return None
        return (
            "No finished trial holds a prediction; methods with a model record one: Auto, Gaussian process and "
            "Random-forest surrogate."
        )

    def compute(self, table: TrialTable) -> SurpriseData:
        return _predictions(table)

    def draw(self, data: SurpriseData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        newest = slice(max(len(data.rows) - _MOST, 0), None)
        is_scaled = self.unit == _SCALED
        numbers = data.table.numbers[data.rows[newest]]
        centre = np.zeros(len(numbers)) if is_scaled else data.mean[newest]
        reach = np.full(len(numbers), _WIDTH) if is_scaled else _WIDTH * data.sd[newest]
        found = data.deviations[newest] if is_scaled else data.table.values[data.rows[newest]]
        traces = [_intervals(numbers, centre, reach, look), *_marks(data, newest, found, look)]
        title = "deviation, in predicted standard deviations" if is_scaled else look.value_label
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.unit}",
                xaxis=axis(look, "trial", showgrid=False),
                yaxis=axis(look, title, range=_in_view(found, reach)),
            ),
        }

    def numbers(self, data: SurpriseData) -> pd.DataFrame:
        table, rows = data.table, data.rows
        return pd.DataFrame(
            {
                "trial": table.numbers[rows],
                "arm": [arm_label(arm) for arm in table.arms[rows].tolist()],
                "predicted": data.mean,
                "sd": data.sd,
                "found": table.values[rows],
                "within 95 %": data.is_within,
            }
        )

    def alt(self, data: SurpriseData) -> str:
        if not len(data.rows):
            return data.verdict
        worst = int(np.argmax(np.abs(data.deviations)))
        number, found = data.table.numbers[data.rows[worst]], data.table.values[data.rows[worst]]
        return (
            f"{data.verdict} The greatest surprise is trial {number}: {format_score(float(data.mean[worst]))} was "
            f"predicted, {format_score(float(found))} was found."
        )

    def caption(self, data: SurpriseData) -> str:
        n, n_drawn = len(data.rows), min(len(data.rows), _MOST)
        which = f"the newest {n_drawn:,}" if n_drawn < n else "all"
        total = int(data.table.is_complete.sum())
        return (
            f"{data.verdict} Showing {which} of {n:,} with a prediction, among {format_count(total, 'finished trial')}."
        )


def _predictions(table: TrialTable) -> SurpriseData:
    usable = np.flatnonzero(table.is_complete & np.isfinite(table.values) & (table.thoughts != ""))
    found = [(row, *figures) for row in usable.tolist() if (figures := _figures(table.thoughts[row]))]
    columns = np.array(found, dtype=float).reshape(-1, 3).T
    return SurpriseData(table, columns[0].astype(np.int64), columns[1], columns[2])


def _figures(thought: str) -> tuple[float, float] | None:
    """Mean and standard deviation of a recorded prediction; None where there is none."""
    try:
        known = json.loads(thought)
        mean, sd, noise = float(known["mean"]), float(known["sd"]), float(known.get("noise", 0.0))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    spread = math.hypot(sd, noise)
    return (mean, spread) if math.isfinite(mean) and math.isfinite(spread) and spread > 0 else None


def _in_view(found: Floats, reach: Floats) -> list[float]:
    """The values that were found, with room for an interval of ordinary width; wider ones run out of view."""
    if not len(found):
        return [0.0, 1.0]
    room = float(np.median(reach))
    return [float(found.min()) - room, float(found.max()) + room]


def _intervals(numbers: NDArray[np.int64], centre: Floats, reach: Floats, look: Look) -> Figure:
    gap = np.full(len(numbers), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.column_stack([numbers, numbers, gap]).ravel(),
        "y": np.column_stack([centre - reach, centre + reach, gap]).ravel(),
        "line": {"width": 3 if len(numbers) <= 120 else 1.5, "color": faint(look.text, 0.28)},
        "hoverinfo": "skip",
        "name": "predicted, 95 %",
    }


def _marks(data: SurpriseData, newest: slice, found: Floats, look: Look) -> list[Figure]:
    rows, within, traces = data.rows[newest], data.is_within[newest], []
    for arm, style in look.arm_styles(data.table.arm_names).items():
        mine = data.table.arms[rows] == arm
        if not mine.any():
            continue
        shown = hover(data.table, rows[mine], style.label)
        fill = [faint(style.colour, 0.1) if inside else style.colour for inside in within[mine].tolist()]
        marker = {"size": 8, "color": fill, "line": {"width": 1.6, "color": style.colour}}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": data.table.numbers[rows[mine]],
                "y": found[mine],
                "name": style.label,
                "customdata": shown.customdata,
                "hovertemplate": shown.template,
                "marker": {**marker, "symbol": style.symbol.removesuffix("-open")},
            }
        )
    return traces


SURPRISE = Surprise()
