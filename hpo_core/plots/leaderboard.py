"""The leaderboard: the best trial of every model family, with its noise and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna.distributions import CategoricalDistribution

from hpo_core.analysis.noise import Difference, compare_folds, mean_interval
from hpo_core.analysis.selection import Rows
from hpo_core.analysis.ties import overlap_in
from hpo_core.formats import format_bytes, format_count, format_score, format_seconds, format_signed
from hpo_core.models import MODELS
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, axis, layout, plain
from hpo_core.plots._marks import note_style
from hpo_core.studies.table import Floats, TrialTable

_FAMILY = "family"
_FAR = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One family on the board.

    Attributes:
        family: Its key.
        row: Row of its best trial in the table.
        n_trials: Its finished trials with a value.
        half_width: Half the 95 % interval of the mean; NaN with fewer than two folds.
        difference: To the best family on the folds that both have; None for the best itself.
        fit_seconds, predict_seconds, model_bytes: Mean of one fit; NaN where unknown.
    """

    family: str
    row: int
    n_trials: int
    half_width: float
    difference: Difference | None
    fit_seconds: float
    predict_seconds: float
    model_bytes: float

    @property
    def is_tied(self) -> bool:
        return self.difference is not None and self.difference.verdict in ("tie", "unknown")

    @property
    def verdict(self) -> str:
        return "best" if self.difference is None else self.difference.verdict

    @property
    def cost(self) -> str:
        """What a fit takes, in words."""
        size = "–" if np.isnan(self.model_bytes) else format_bytes(self.model_bytes)
        return f"fit {format_seconds(self.fit_seconds)}, predict {format_seconds(self.predict_seconds)}, {size}"


@dataclass(frozen=True, eq=False)
class LeaderboardData:
    """The families that have a value, the best first, and how many trials these are of."""

    table: TrialTable
    places: tuple[Place, ...]
    n_families: int

    @property
    def values(self) -> Floats:
        return self.table.values[[place.row for place in self.places]]


@dataclass(frozen=True)
class Leaderboard(Plot[LeaderboardData]):
    """The best of every family, one below the other."""

    key: ClassVar[str] = "leaderboard"
    label: ClassVar[str] = "Leaderboard"
    place: ClassVar[int] = 65
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "The best trial of every model family, with its noise, its time and its size."
    question: ClassVar[str] = "Which kind of model is best?"
    how_to_read: ClassVar[str] = (
        "Each mark is the best trial of a family with the 95 % interval of its mean. A hollow mark is tied with the "
        "best family: on the same folds the difference is within the noise, so the cheaper one is the better choice. "
        "Click a mark to load its trial."
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        if not isinstance(table.distributions.get(_FAMILY), CategoricalDistribution):
            return "This study has one kind of model only. Choose the model AutoML to see families compared here."
        if not len(_usable(table)):
            return "No trial has a value yet. The board begins as soon as one has finished."
        return None

    def compute(self, table: TrialTable) -> LeaderboardData:
        usable = _usable(table)
        choices = _choices(table)
        codes = table.params[_FAMILY][usable].astype(int)
        best = [_best_of(table, usable[codes == code]) for code in np.unique(codes)]
        order = sorted(best, key=lambda row: (table.sign * table.values[row], row))
        places = tuple(_place(table, row, order[0], codes, choices) for row in order)
        return LeaderboardData(table, places, len(choices))

    def draw(self, data: LeaderboardData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        arrow = "→" if data.table.direction == "maximize" else "←"
        low, high = _range(data)
        return {
            "data": [_marks(data, look)],
            "layout": layout(
                look,
                revision=data.table.study,
                xaxis=axis(look, f"{look.value_label}, better {arrow}", range=[low, high], domain=[0, 0.81]),
                yaxis=axis(
                    look,
                    range=[len(data.places) - 0.4, -0.6],
                    tickvals=np.arange(len(data.places)),
                    ticktext=[f"{_label(p.family)} ({p.n_trials})" for p in data.places],
                    showgrid=False,
                    tickfont={"size": 12, "color": look.text},
                ),
                annotations=[*_costs(data, look), *_outside(data, look, low, high)],
                showlegend=False,
            ),
        }

    def numbers(self, data: LeaderboardData) -> pd.DataFrame:
        places = data.places
        return pd.DataFrame(
            {
                "family": [p.family for p in places],
                "trial": [int(data.table.numbers[p.row]) for p in places],
                "value": data.values,
                "± 95 %": [p.half_width for p in places],
                "to the best": [p.difference.mean if p.difference else 0.0 for p in places],
                "verdict": [p.verdict for p in places],
                "fit (s)": [p.fit_seconds for p in places],
                "predict (s)": [p.predict_seconds for p in places],
                "size (bytes)": [p.model_bytes for p in places],
                "trials": [p.n_trials for p in places],
            }
        )

    def alt(self, data: LeaderboardData) -> str:
        best, others = data.places[0], data.places[1:]
        text = f"{_label(best.family)} is best with {format_score(float(data.values[0]))}"
        if not others:
            return f"{text}; no other family has a value yet."
        tied = [_label(p.family) for p in others if p.is_tied]
        return f"{text}; " + (f"tied with it: {', '.join(tied)}." if tied else "none of the others is tied with it.")

    def caption(self, data: LeaderboardData) -> str:
        n_trials = sum(p.n_trials for p in data.places)
        text = f"The best trials of {len(data.places)} of {data.n_families} families, out of "
        return (
            f"{text}{format_count(n_trials, 'finished trial')}, their number in brackets. The more trials a family has "
            "had, the luckier its best may be."
        )


def _usable(table: TrialTable) -> Rows:
    family = table.params.get(_FAMILY, np.full(len(table), np.nan))
    return np.flatnonzero(table.is_complete & np.isfinite(table.values) & ~np.isnan(family))


def _choices(table: TrialTable) -> list[str]:
    distribution = table.distributions[_FAMILY]
    assert isinstance(distribution, CategoricalDistribution)
    return [str(choice) for choice in distribution.choices]


def _best_of(table: TrialTable, rows: Rows) -> int:
    return int(rows[np.argmin(table.sign * table.values[rows])])


def _place(table: TrialTable, row: int, best: int, codes: np.ndarray[Any, Any], choices: list[str]) -> Place:
    code = int(table.params[_FAMILY][row])
    overlap = overlap_in(table)
    difference = None
    if row != best:
        is_higher_better = table.direction == "maximize"
        scores = (_finite(table.fold_scores[r]) for r in (row, best))
        difference = compare_folds(*scores, is_higher_better=is_higher_better, overlap=overlap)
    costs = (_mean(column[row]) for column in (table.fit_seconds, table.predict_seconds, table.model_bytes))
    half = mean_interval(_finite(table.fold_scores[row]), overlap=overlap)
    return Place(choices[code], row, int((codes == code).sum()), half, difference, *costs)


def _finite(scores: Floats) -> Floats:
    return np.where(np.isfinite(scores), scores, np.nan)


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _label(family: str) -> str:
    return MODELS[family].label if family in MODELS else plain(family)


def _marks(data: LeaderboardData, look: Look) -> dict[str, Any]:
    colour = look.arms[0]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": data.values,
        "y": np.arange(len(data.places)),
        "error_x": {
            "type": "data",
            "array": np.nan_to_num([place.half_width for place in data.places]),
            "color": colour,
            "thickness": 2,
            "width": 0,
        },
        "customdata": [[int(data.table.numbers[p.row]), _hover(data, i)] for i, p in enumerate(data.places)],
        "hovertemplate": "<b>trial %{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
        "marker": {
            "size": [15, *[11] * (len(data.places) - 1)],
            "color": [look.surface if place.is_tied else colour for place in data.places],
            "line": {"width": 2.2, "color": colour},
            "opacity": 1,
        },
        "cliponaxis": True,
    }


def _hover(data: LeaderboardData, i: int) -> str:
    place = data.places[i]
    text = f"{_label(place.family)}, best of {format_count(place.n_trials, 'trial')}<br>{format_score(data.values[i])}"
    text += "" if np.isnan(place.half_width) else f" ± {place.half_width:.2g} (95 % interval)"
    if place.difference is not None:
        gap = format_signed(place.difference.mean)
        text += f"<br>to the best {gap}: {'tied' if place.is_tied else place.difference.verdict}"
    return f"{text}<br>{place.cost}"


def _range(data: LeaderboardData) -> tuple[float, float]:
    """Room for the families that compete; one that is far off has its value written at the edge."""
    values, halves = data.values, np.nan_to_num([place.half_width for place in data.places])
    gaps = np.abs(values - values[0])
    near = gaps <= _FAR * max(float(np.median(gaps)), float(halves[0]))
    low, high = float((values - halves)[near].min()), float((values + halves)[near].max())
    pad = 0.05 * (high - low) or max(abs(high) * 0.02, 1e-3)
    return low - pad, high + pad


def _costs(data: LeaderboardData, look: Look) -> list[dict[str, Any]]:
    where = {"x": 0.83, "xref": "paper", "xanchor": "left", **note_style(look)}
    return [
        {"text": f"{format_seconds(place.fit_seconds)} a fit", "hovertext": place.cost, "y": i, **where}
        for i, place in enumerate(data.places)
    ]


def _outside(data: LeaderboardData, look: Look, low: float, high: float) -> list[dict[str, Any]]:
    notes = []
    for i, value in enumerate(data.values.tolist()):
        if not low <= value <= high:
            is_low = value < low
            text = f"◂ {format_score(value)}" if is_low else f"{format_score(value)} ▸"
            edge = {"x": low if is_low else high, "xanchor": "left" if is_low else "right"}
            notes.append({"text": text, "y": i, **edge, **note_style(look)})
    return notes


LEADERBOARD = Leaderboard()
