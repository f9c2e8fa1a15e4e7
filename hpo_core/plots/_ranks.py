"""The critical-difference diagram: mean ranks of the arms of a suite, bars over those that cannot be told apart.

Not a `Plot`: that has one table.

Source: Demšar (2006), Statistical Comparisons of Classifiers over Multiple Data Sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hpo_core.analysis.ranking import Ranking
from hpo_core.analysis.suite import Standing
from hpo_core.formats import format_list
from hpo_core.plots._look import LIVE, Figure, Look, axis, layout, shortened

Keys = Sequence[str]
_BAR_GAP, _ROW_GAP = 0.42, 0.9
_TOP = 1.5
_ROOM = 0.16  # beside the axis on each side, as a share of its length


@dataclass(frozen=True, slots=True)
class Tick:
    """An arm on the diagram: its place, its mean rank, how deep its name stands, and on which side."""

    arm: int
    rank: float
    depth: float
    is_left: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """Arms that cannot be told apart: from the best mean rank to the worst, and how deep the bar lies."""

    low: float
    high: float
    depth: float


@dataclass(frozen=True, slots=True)
class RankPlan:
    """Where everything stands: ranks across, depths below the axis.

    Attributes:
        ticks: The arms, best first.
        bars: One for each group of several arms.
        depth: Of the lowest name.
        ruler: How much of the critical difference is drawn above the axis: at most the length of the axis.
    """

    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    depth: float
    ruler: float


def rank_plan(ranking: Ranking) -> RankPlan:
    """Lays the diagram out: the better half of the arms is named on the left, the others on the right."""
    ranks = ranking.mean_ranks
    order = np.argsort(ranks, kind="stable").tolist()
    groups = [group for group in ranking.tied_groups() if len(group) > 1]
    bars = tuple(
        Bar(float(ranks[list(group)].min()), float(ranks[list(group)].max()), _BAR_GAP * (level + 1))
        for level, group in enumerate(groups)
    )
    start = _BAR_GAP * (len(bars) + 1) + 0.55
    n_left = (len(order) + 1) // 2
    ticks = []
    for place, arm in enumerate(order):
        row = place if place < n_left else len(order) - 1 - place
        ticks.append(Tick(arm, float(ranks[arm]), start + _ROW_GAP * row, place < n_left))
    depth = max(tick.depth for tick in ticks)
    return RankPlan(tuple(ticks), bars, depth, min(ranking.critical_difference, len(order) - 1.0))


def rank_figure(standing: Standing, keys: Keys, look: Look = LIVE) -> Figure:
    """The diagram of a standing that has a ranking.

    Args:
        standing: Of the suite.
        keys: Of the arms, which give them their colours, in their order.
        look: Colours.
    """
    ranking = _ranking(standing)
    plan, n_arms = rank_plan(ranking), len(standing.labels)
    styles = look.arm_styles(keys)
    colours = [styles[key].colour for key in keys]
    room = _ROOM * (n_arms - 1)
    ends = (1 - room, n_arms + room)
    traces = [_line([1, n_arms], [0, 0], look.muted, 1.5)]
    traces += [_line([rank, rank], [0, 0.16], look.muted, 1.5) for rank in range(1, n_arms + 1)]
    for tick in plan.ticks:
        edge = ends[0] if tick.is_left else ends[1]
        traces.append(_line([tick.rank, tick.rank, edge], [0, -tick.depth, -tick.depth], colours[tick.arm], 1.6))
    for bar in plan.bars:
        traces.append(_line([bar.low - 0.03, bar.high + 0.03], [-bar.depth] * 2, look.text, 5))
    for rank in (1.0, 1.0 + plan.ruler):
        traces.append(_line([rank, rank], [0.82, 1.06], look.muted, 1.5))
    traces.append(_line([1, 1 + plan.ruler], [0.94, 0.94], look.muted, 1.5))
    traces.append(_dots(standing, plan, colours, look))
    hidden = {"visible": False, "range": [-plan.depth - 0.35, _TOP + 0.1], "fixedrange": True}
    return {
        "data": traces,
        "layout": layout(
            look,
            revision=f"ranks {'|'.join(standing.labels)}",
            margin={"l": 8, "r": 8, "t": 8, "b": 8},
            showlegend=False,
            xaxis={"visible": False, "range": list(ends), "fixedrange": True},
            yaxis=axis(look, "", **hidden),
            annotations=_notes(standing, plan, ranking, look),
        ),
    }


def rank_height(standing: Standing) -> int:
    """Pixels that the diagram takes."""
    return round(44 * (rank_plan(_ranking(standing)).depth + _TOP + 0.5))


def rank_numbers(standing: Standing) -> pd.DataFrame:
    """Arms, best mean rank first: arm, mean rank, and its rank on each problem that counts."""
    ranking = _ranking(standing)
    counted = np.isfinite(standing.ranks).all(axis=1)
    columns: dict[str, Any] = {"arm": list(standing.labels), "mean rank": ranking.mean_ranks}
    for place in np.flatnonzero(counted):
        columns[f"{place + 1}. {standing.contests[place].title}"] = standing.ranks[place]
    return pd.DataFrame(columns).sort_values("mean rank", kind="stable", ignore_index=True)


def rank_alt(standing: Standing) -> str:
    """The order of the arms and the groups that cannot be told apart, in a sentence."""
    ranking = _ranking(standing)
    order = np.argsort(ranking.mean_ranks, kind="stable")
    ranks = "; ".join(f"{standing.labels[i]} {ranking.mean_ranks[i]:.2f}" for i in order)
    groups = [format_list([standing.labels[i] for i in g]) for g in ranking.tied_groups() if len(g) > 1]
    tied = f" Not told apart: {'; '.join(groups)}." if groups else " All are told apart."
    return f"Mean ranks over {ranking.n_problems} problems, best first: {ranks}.{tied}"


def _ranking(standing: Standing) -> Ranking:
    assert standing.ranking is not None, "there is nothing to rank yet"
    return standing.ranking


def _line(x: Sequence[float], y: Sequence[float], colour: str, width: float) -> dict[str, Any]:
    line = {"color": colour, "width": width}
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "line": line, "hoverinfo": "skip"}


def _dots(standing: Standing, plan: RankPlan, colours: Sequence[str], look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [tick.rank for tick in plan.ticks],
        "y": [0.0] * len(plan.ticks),
        "text": [shortened(standing.labels[tick.arm], 40) for tick in plan.ticks],
        "marker": {
            "size": 11,
            "color": [colours[tick.arm] for tick in plan.ticks],
            "line": {"width": 1.5, "color": look.surface},
        },
        "hovertemplate": "<b>%{text}</b><br>mean rank %{x:.2f}<extra></extra>",
    }


def _notes(standing: Standing, plan: RankPlan, ranking: Ranking, look: Look) -> list[dict[str, Any]]:
    """Names above the ends of their lines, numbers above the axis, and what the ruler is."""
    notes: list[dict[str, Any]] = []
    for tick in plan.ticks:
        side = {"x": 0.0, "xanchor": "left"} if tick.is_left else {"x": 1.0, "xanchor": "right"}
        name = shortened(standing.labels[tick.arm], 26)
        text = f"{name} <b>{tick.rank:.2f}</b>" if tick.is_left else f"<b>{tick.rank:.2f}</b> {name}"
        notes.append(_note(text, look.text, y=-tick.depth, yanchor="bottom", xref="paper", **side))
    places = range(1, len(standing.labels) + 1)
    notes += [_note(str(rank), look.muted, x=rank, y=0.16, yanchor="bottom", xanchor="center") for rank in places]
    longer = ", longer than the axis" if ranking.critical_difference > plan.ruler else ""
    ruler = f"critical difference {ranking.critical_difference:.2f}{longer}"
    notes.append(_note(ruler, look.muted, x=1, y=1.06, yanchor="bottom", xanchor="left"))
    return notes


def _note(text: str, colour: str, **place: Any) -> dict[str, Any]:
    font = {"size": 12, "color": colour}
    return {"text": text, "showarrow": False, "font": font, "xref": "x", "yref": "y", "borderpad": 1, **place}
