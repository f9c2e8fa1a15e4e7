"""The Pareto front: what a better score costs in time or size, and which trade-off is a good compromise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.pareto import hypervolume, is_on_front
from hpo_core.plots import INSIDE, ArmStyle, Figure, Group, Look, Plot, arm_label, axis, faint, glow, layout
from hpo_core.plots._costs import COSTS, is_by_ratio, why_no_cost
from hpo_core.plots._hover import hover
from hpo_core.plots._marks import outside_note
from hpo_core.studies.table import Floats, TrialTable

_MOST, _BEST, _MOST_ON_FRONT = 1500, 300, 200


@dataclass(frozen=True, eq=False)
class ParetoData:
    """What the picture of the front draws.

    Attributes:
        table: The study.
        rows: Complete trials whose value and cost are known.
        costs: Of each of `rows`, a mean over its folds.
        front: Places in `rows` that no other trial beats in both, cheapest first.
        compromise: The place in `rows` that is nearest to the ideal point.
        volume: Share that the front dominates of the box from the ideal point to a tenth from the worst of both.
        is_log: Whether costs are compared by their ratio.
        limits: The range of values in view.
    """

    table: TrialTable
    rows: Rows
    costs: Floats
    front: NDArray[np.int64]
    compromise: int
    volume: float
    is_log: bool
    limits: Limits

    @property
    def values(self) -> Floats:
        return self.table.values[self.rows]


@dataclass(frozen=True)
class Pareto(Plot[ParetoData]):
    """Value against cost, with the front of the best trade-offs."""

    key: ClassVar[str] = "pareto"
    label: ClassVar[str] = "Trade-off"
    place: ClassVar[int] = 130  # after what the method thought
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "The value of each trial against its cost, with the front of the best trade-offs."
    question: ClassVar[str] = "What does a better score cost?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial. Those on the line are the Pareto front: no other trial is better in both. The ring is "
        "the compromise, nearest to the ideal point that is best in both; the weight moves it. Click a mark to load "
        "its trial, drag to zoom."
    )

    against: str = option("fit time", "Cost", "What is to be small, as a mean over the folds.", choices=tuple(COSTS))
    weight: float = option(
        0.5, "Weight of the score", "How much the score counts for the compromise, against the cost.", low=0.0, high=1.0
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        return why_no_cost(table, self.against)

    def compute(self, table: TrialTable) -> ParetoData:
        every = COSTS[self.against].of(table)
        rows = np.flatnonzero(table.is_complete & np.isfinite(table.values) & np.isfinite(every))
        costs, signed = every[rows], table.sign * table.values[rows]
        is_log = is_by_ratio(costs)
        both = np.column_stack([np.log(costs) if is_log else costs, signed])
        front = np.flatnonzero(is_on_front(both))
        return ParetoData(
            table=table,
            rows=rows,
            costs=costs,
            front=front[np.lexsort((signed[front], costs[front]))],
            compromise=int(front[_nearest(both[front], self.weight)]),
            volume=_share(both),
            is_log=is_log,
            limits=robust_limits(table.values[rows], table.sign),
        )

    def draw(self, data: ParetoData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        shown = np.searchsorted(data.rows, representative_rows(data.table, data.rows, _MOST, _BEST))
        others = np.setdiff1d(shown, data.front)
        front = _some_of(data.front)
        marks = [_marks(data, others, arm, style, look) for arm, style in styles.items()]
        has_entry = {trace["legendgroup"] for trace in marks if len(trace["x"])}
        for arm, style in styles.items():
            marks.append(_marks(data, front, arm, style, look, is_front=True) | {"showlegend": arm not in has_entry})
        traces = [_front_line(data, look), *marks, _ideal(data, look), _ring(data, styles, look)]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.against} {data.is_log}",
                xaxis=COSTS[self.against].axis(look, is_log=data.is_log),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                annotations=outside_note(data.table, data.limits, look),
            ),
        }

    def numbers(self, data: ParetoData) -> pd.DataFrame:
        table = data.table
        return pd.DataFrame(
            {
                "trial": table.numbers[data.rows],
                "arm": [arm_label(arm) for arm in table.arms[data.rows].tolist()],
                "value": data.values,
                f"{self.against} ({COSTS[self.against].unit})": data.costs,
                "on the front": np.isin(np.arange(len(data.rows)), data.front),
            }
        )

    def alt(self, data: ParetoData) -> str:
        form, ends = COSTS[self.against].form, (data.front[0], data.front[-1])
        cheap, good = (f"{format_score(float(data.values[i]))} at {form(float(data.costs[i]))}" for i in ends)
        text = f"{format_count(len(data.front), 'trial')} of {len(data.rows):,} on the front, from {cheap} to {good}"
        return f"{text}; {self._compromise_in_words(data)}." if len(data.front) > 1 else f"{text}."

    def caption(self, data: ParetoData) -> str:
        n = len(data.rows)
        text = f"Showing {'all ' if n > 1 else ''}{format_count(n, 'finished trial')}"
        if n > _MOST:
            text = f"Showing {_MOST:,} of {n:,} finished trials (best {_BEST}, the front and a sample)"
        text += (
            f"; {format_count(len(data.front))} on the front, {self._compromise_in_words(data)}. Hypervolume so far: "
        )
        return f"{text}{data.volume:.3f} of the box from the ideal point to where a tenth of the trials are worse."

    def _compromise_in_words(self, data: ParetoData) -> str:
        number, place = data.table.numbers[data.rows[data.compromise]], data.compromise
        cost = COSTS[self.against].form(float(data.costs[place]))
        return f"the compromise is trial {number}: {format_score(float(data.values[place]))} at {cost}"


def _scaled(both: Floats, low: Floats, high: Floats) -> Floats:
    return np.asarray((both - low) / np.where(high > low, high - low, 1.0))


def _nearest(front: Floats, weight: float) -> int:
    """The place of the point nearest to the ideal one, shape (k, 2) with cost and score, each from 0 to 1."""
    scaled = _scaled(front, front.min(axis=0), front.max(axis=0))
    return int(np.argmin((1 - weight) * scaled[:, 0] ** 2 + weight * scaled[:, 1] ** 2))


def _share(both: Floats) -> float:
    """What part of the box from the ideal point to the tenth worst of each objective is dominated."""
    ideal, reference = both.min(axis=0), np.quantile(both, 0.9, axis=0)
    if not (reference > ideal).all():
        return 0.0
    return hypervolume(_scaled(both, ideal, reference), np.ones(2))


def _some_of(front: NDArray[np.int64]) -> NDArray[np.int64]:
    n = len(front)
    return front[np.unique(np.linspace(0, n - 1, min(n, _MOST_ON_FRONT)).round().astype(np.int64))]


def _marks(
    data: ParetoData, places: NDArray[np.int64], arm: str, style: ArmStyle, look: Look, *, is_front: bool = False
) -> Figure:
    """Trials of one arm: strong on the front, faint where another trial is better in both."""
    mine = places[data.table.arms[data.rows[places]] == arm]
    shown = hover(data.table, data.rows[mine], style.label)
    is_open = "open" in style.symbol
    return {
        "type": "scatter",
        "mode": "markers",
        "x": data.costs[mine],
        "y": data.values[mine],
        "name": style.label,
        "legendgroup": arm,
        "customdata": shown.customdata,
        "hovertemplate": shown.template,
        "marker": {
            "symbol": style.symbol,
            "size": 9.0 if is_front else 6.0,
            "color": style.colour,
            "opacity": 1.0 if is_front else 0.55,
            "line": {"width": 2.0 if is_front else 1.0, "color": style.colour if is_open else look.surface},
        },
    }


def _front_line(data: ParetoData, look: Look) -> Figure:
    front = _some_of(data.front)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": data.costs[front],
        "y": data.values[front],
        "line": {"shape": "hv", "width": 1.8, "color": faint(look.text, 0.6)},
        "hoverinfo": "skip",
        "name": "Pareto front",
    }


def _ideal(data: ParetoData, look: Look) -> Figure:
    values = data.values[data.front]
    best = values.max() if data.table.direction == "maximize" else values.min()
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(data.costs[data.front].min())],
        "y": [float(best)],
        "marker": {"symbol": "asterisk-open", "size": 11, "color": look.muted, "line": {"width": 1.4}},
        "hovertemplate": "ideal point: the best of both, which no trial has<extra></extra>",
        "name": "ideal point",
    }


def _ring(data: ParetoData, styles: Mapping[str, ArmStyle], look: Look) -> Figure:
    row = data.rows[data.compromise]
    level = "bottom" if data.table.direction == "maximize" else "top"
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": data.costs[[data.compromise]],
        "y": data.values[[data.compromise]],
        "marker": {
            "symbol": "circle-open",
            "size": 18,
            "color": styles[str(data.table.arms[row])].colour,
            "line": {"width": 2.4},
        },
        "text": f"compromise: trial {data.table.numbers[row]}",
        "textposition": f"{level} right",
        "textfont": {"size": 12, "color": look.text, "shadow": glow(look)},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


PARETO = Pareto()
