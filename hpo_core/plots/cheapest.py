"""Cheapest within noise: score against cost, those that are tied with the best, and which of them costs least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.analysis.frugality import Frugality, frugality
from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.analysis.ties import can_tell_ties
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import JUDGE, ArmStyle, Figure, Group, Look, Plot, arm_label, axis, faint, glow, layout
from hpo_core.plots._costs import COSTS, is_by_ratio, why_no_cost
from hpo_core.plots._hover import hover
from hpo_core.plots._marks import outside_note
from hpo_core.studies.table import TrialTable

_MOST, _BEST = 1500, 300
_IN_VIEW = 0.5


@dataclass(frozen=True, eq=False)
class CheapestData:
    """What the picture draws.

    Attributes:
        table: The study.
        found: Who is tied with the best at which cost.
        is_log: Whether costs are compared by their ratio.
        limits: The range of values in view.
    """

    table: TrialTable
    found: Frugality
    is_log: bool
    limits: Limits

    @property
    def rows(self) -> Rows:
        return self.found.rows

    def number(self, place: int) -> int:
        """Of the trial at a place in `rows`."""
        return int(self.table.numbers[self.rows[place]])

    def value(self, place: int) -> float:
        return float(self.table.values[self.rows[place]])


@dataclass(frozen=True)
class Cheapest(Plot[CheapestData]):
    """Value against cost, with the trials that are tied with the best."""

    key: ClassVar[str] = "cheapest"
    label: ClassVar[str] = "Cheapest"
    place: ClassVar[int] = 75
    group: ClassVar[Group | None] = JUDGE
    purpose: ClassVar[str] = "Which trials are tied with the best, and which of them costs least."
    question: ClassVar[str] = "Is a cheaper one as good?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial. Hollow ones are tied with the best, the filled one: on the same folds the difference is "
        "within the noise. The ring is the cheapest of them all. Click a mark to load its trial, drag to zoom."
    )

    against: str = option("fit time", "Cost", "What is to be small, as a mean over the folds.", choices=tuple(COSTS))

    def why_unavailable(self, table: TrialTable) -> str | None:
        if why := why_no_cost(table, self.against):
            return why
        if not can_tell_ties(table):
            return (
                "The best trial has fewer than two scored folds, so nothing tells who is tied with it. Use more folds."
            )
        if frugality(table, COSTS[self.against].of(table)) is None:
            return f"The {self.against} of the best trial is not known, so nothing can be held against it."
        return None

    def compute(self, table: TrialTable) -> CheapestData:
        found = frugality(table, COSTS[self.against].of(table))
        assert found is not None
        limits = robust_limits(table.values[found.rows], table.sign, _IN_VIEW)
        return CheapestData(table, found, is_by_ratio(found.costs), limits)

    def draw(self, data: CheapestData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        shown = np.searchsorted(data.rows, representative_rows(data.table, data.rows, _MOST, _BEST))
        shown = np.union1d(shown, [data.found.best, data.found.cheapest])
        is_tied = data.found.is_tied[shown]
        others, tied = shown[~is_tied & (shown != data.found.best)], shown[is_tied]
        marks = [_marks(data, others, arm, style, look, "worse") for arm, style in styles.items()]
        marks += [_marks(data, tied, arm, style, look, "tied") for arm, style in styles.items()]
        best = np.array([data.found.best])
        marks += [_marks(data, best, arm, style, look, "best") for arm, style in styles.items()]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": [trace for trace in [*marks, _ring(data, look)] if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.against} {data.is_log}",
                xaxis=COSTS[self.against].axis(look, is_log=data.is_log),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                shapes=[_best_line(data, look)],
                annotations=outside_note(data.table, data.limits, look),
            ),
        }

    def numbers(self, data: CheapestData) -> pd.DataFrame:
        table, rows, found = data.table, data.rows, data.found
        place = np.arange(len(rows))
        words = np.where(place == found.best, "best", np.where(found.is_tied, "tied", "worse"))
        return pd.DataFrame(
            {
                "trial": table.numbers[rows],
                "arm": [arm_label(arm) for arm in table.arms[rows].tolist()],
                "value": table.values[rows],
                f"{self.against} ({COSTS[self.against].unit})": found.costs,
                "to the best": words,
                "cheapest as good": place == found.cheapest,
            }
        )

    def alt(self, data: CheapestData) -> str:
        return self._recommendation(data)

    def caption(self, data: CheapestData) -> str:
        n, n_tied = len(data.rows), int(data.found.is_tied.sum())
        text = f"Showing {'all ' if n > 1 else ''}{format_count(n, 'finished trial')}"
        if n > _MOST:
            text = f"Showing {_MOST:,} of {n:,} finished trials (best {_BEST} and a sample)"
        return f"{self._recommendation(data)} {text}; {format_count(n_tied)} tied with the best."

    def _recommendation(self, data: CheapestData) -> str:
        found, cost = data.found, COSTS[self.against]
        best = f"the best, trial {data.number(found.best)}"
        if not found.is_tied.any():
            return f"No other trial is tied with {best}: {format_score(data.value(found.best))}."
        if not found.is_worth_it:
            return f"No trial that is tied with {best}, is notably cheaper by {self.against}: take it."
        one, value = data.number(found.cheapest), format_score(data.value(found.cheapest))
        at, instead = (cost.form(float(found.costs[place])) for place in (found.cheapest, found.best))
        return (
            f"Take trial {one}: at {value} it is tied with {best} at {format_score(data.value(found.best))}, and its "
            f"{self.against} is {at} instead of {instead}{_times(found.share)}."
        )


def _times(share: float) -> str:
    """How many times less, where that is more than a little."""
    return f", {1 / share:.2g} times less" if 0 < share <= 0.67 else ""


def _marks(
    data: CheapestData, places: NDArray[np.int64], arm: str, style: ArmStyle, look: Look, standing: str
) -> Figure:
    """Trials of one arm: faint where they are worse, hollow where tied, filled the best."""
    mine = places[data.table.arms[data.rows[places]] == arm]
    shown = hover(data.table, data.rows[mine], style.label)
    words = {"worse": "", "tied": ", tied with the best", "best": ", the best"}[standing]
    is_worse = standing == "worse"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": data.found.costs[mine],
        "y": data.table.values[data.rows[mine]],
        "name": f"{style.label}{words}",
        "legendgroup": f"{arm} {standing}",
        "customdata": shown.customdata,
        "hovertemplate": shown.template,
        "marker": {
            "symbol": style.symbol.removesuffix("-open"),
            "size": {"worse": 6.0, "tied": 10.0, "best": 13.0}[standing],
            "color": look.surface if standing == "tied" else faint(style.colour, 0.4) if is_worse else style.colour,
            "opacity": 1.0,
            "line": {"width": 0.0 if is_worse else 2.0, "color": style.colour},
        },
    }


def _ring(data: CheapestData, look: Look) -> Figure:
    """Around the cheapest that is as good; none where the best is it."""
    places = [data.found.cheapest] if data.found.is_worth_it else []
    row = data.rows[data.found.cheapest]
    level = "top" if data.table.direction == "maximize" else "bottom"  # where nothing is as good and as cheap
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": data.found.costs[places],
        "y": data.table.values[data.rows[places]],
        "customdata": [[data.number(place)] for place in places],
        "marker": {"symbol": "circle-open", "size": 20, "color": look.text, "line": {"width": 2.2}},
        "text": f"trial {data.table.numbers[row]}: as good, and cheapest",
        "textposition": f"{level} center",
        "textfont": {"size": 12, "color": look.text, "shadow": glow(look)},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def _best_line(data: CheapestData, look: Look) -> dict[str, Any]:
    best = data.value(data.found.best)
    line = {"color": look.muted, "width": 1.2, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": best, "y1": best, "line": line, "layer": "below"}


CHEAPEST = Cheapest()
