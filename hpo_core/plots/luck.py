"""The luck curve: how good the best of so many random trials would be, beside what each arm has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.luck import FEWEST, RANDOM_ARMS, LuckCurve, chance_of_luck, draws_of, luck_curve, random_rows
from hpo_core.analysis.selection import robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.plots import DEFAULT, JUDGE, ArmStyle, Figure, Group, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._progress import BestSoFar, best_so_far, step_line
from hpo_core.studies.table import Floats, TrialTable

_FEW = 20
_UNLIKELY = 0.05
_EVENLY = ("sobol", "halton", "latin_hypercube")


@dataclass(frozen=True, eq=False)
class LuckData:
    """What the luck curve draws.

    Attributes:
        table: The study.
        curve: Of the random trials.
        sources: Arms that the random trials are from.
        n_without: Random trials without a value, which count as the worst.
        climbs: The best so far of each arm over its own trials, the default left out.
    """

    table: TrialTable
    curve: LuckCurve
    sources: tuple[str, ...]
    n_without: int
    climbs: tuple[BestSoFar, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """A sentence for every arm that did not draw at random."""
        return tuple(self._finding(climb) for climb in self.climbs if climb.arm not in RANDOM_ARMS)

    def _finding(self, climb: BestSoFar) -> str:
        k = int(min(climb.end, self.curve.k[-1]))
        best = _best_of(climb, k)
        name = arm_label(climb.arm or "")
        if np.isnan(best):
            return f"{name} had no value after {format_count(k, 'trial')}."
        place = int(np.searchsorted(self.curve.k, k, side="right")) - 1
        expected = format_score(float(self.curve.expected[place]))
        chance = chance_of_luck(self.curve.draws, best, k, self.table.sign)
        verdict = "beyond luck" if chance < _UNLIKELY else "within what luck finds"
        return (
            f"{name}, best of {k:,}: {format_score(best)}; so many random trials are expected to reach {expected} and "
            f"do as well {_chance_in_words(chance)}: {verdict}."
        )


def _chance_in_words(chance: float) -> str:
    return "in less than 1 % of cases" if chance < 0.01 else f"in {100 * chance:.0f} % of cases"


@dataclass(frozen=True)
class Luck(Plot[LuckData]):
    """The expected best of k random trials."""

    key: ClassVar[str] = "luck"
    label: ClassVar[str] = "Luck"
    place: ClassVar[int] = 75
    group: ClassVar[Group | None] = JUDGE
    shows_trials: ClassVar[bool] = False
    purpose: ClassVar[str] = "How good the best of so many random trials would be, beside what each arm has found."
    question: ClassVar[str] = "How much would luck alone have found?"
    how_to_read: ClassVar[str] = (
        "The dashed line is the best that so many random trials are expected to find, its band the 95 % interval. A "
        "solid line is the best so far of an arm over its own trials: only what lies beyond the band is a gain over "
        "chance."
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        rows = random_rows(table)
        n = int(np.isfinite(draws_of(table, rows)).sum())
        if n >= FEWEST:
            return None
        how = "Run the method Random for 20 trials or more in this study, and the curve of luck appears here."
        if not len(rows):
            return f"No finished trial was drawn at random, so nothing tells what luck alone would have found. {how}"
        if not n:
            return f"None of the {format_count(len(rows), 'random trial')} has a finite value. {how}"
        return f"Only {format_count(n, 'trial')} drawn at random; the curve takes {FEWEST}. {how}"

    def compute(self, table: TrialTable) -> LuckData:
        rows = random_rows(table)
        climbs = [best_so_far(table, _own_places(table, arm), arm) for arm in table.arm_names if arm != DEFAULT]
        return LuckData(
            table=table,
            curve=luck_curve(draws_of(table, rows)),
            sources=tuple(dict.fromkeys(table.arms[rows].tolist())),
            n_without=int((~table.is_learnable[rows]).sum()),
            climbs=tuple(climb for climb in climbs if len(climb.x)),
        )

    def draw(self, data: LuckData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        curve, styles = data.curve, look.arm_styles(data.table.arm_names)
        end = max([float(curve.k[-1]), *(climb.end for climb in data.climbs)])
        values = np.concatenate([curve.low, curve.high, *(climb.values for climb in data.climbs)])
        limits = robust_limits(values, data.table.sign, 0.8)
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        traces = [*_band(curve, look), *(_step(climb, styles[climb.arm or ""]) for climb in data.climbs)]
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=data.table.study,
                xaxis=axis(look, "trials of one arm", range=[1 - 0.015 * end, 1.03 * end], showgrid=False),
                yaxis=axis(look, f"best {look.value_label} {arrow}", range=[limits.low, limits.high]),
            ),
        }

    def numbers(self, data: LuckData) -> pd.DataFrame:
        curve = data.curve
        columns: dict[str, Any] = {"trials": curve.k, "expected best": curve.expected}
        columns |= {"low 95 %": curve.low, "high 95 %": curve.high}
        for climb in data.climbs:
            best = [_best_of(climb, k) if k <= climb.end else float("nan") for k in curve.k.tolist()]
            columns[f"best so far: {arm_label(climb.arm or '')}"] = best
        return pd.DataFrame(columns)

    def alt(self, data: LuckData) -> str:
        k, expected = int(data.curve.k[-1]), float(data.curve.expected[-1])
        text = f"The best of {k:,} random trials is expected to be {format_score(expected)}."
        return " ".join([text, *data.findings[:3]])

    def caption(self, data: LuckData) -> str:
        n, names = len(data.curve.draws), ", ".join(map(arm_label, data.sources))
        text = f"Drawn from {format_count(n, 'random trial')} ({names}) of {format_count(len(data.table), 'trial')}"
        text += f", {data.n_without:,} of them without a value, which count as the worst" if data.n_without else ""
        parts = [f"{text}.", *data.findings]
        if any(arm in _EVENLY for arm in data.sources):
            parts.append("Evenly spread draws do a little better than chance, so the curve is a little strict.")
        if n < _FEW:
            parts.append(f"With fewer than {_FEW} draws the curve is rough: more random trials make it firm.")
        return " ".join(parts)


def _own_places(table: TrialTable, arm: str) -> Floats:
    """The how-manieth trial of its arm each is, from 1, shape (n,); NaN for others and those that are not over."""
    own = (table.arms == arm) & (table.is_complete | table.is_pruned | table.is_failed)
    return np.where(own, np.cumsum(own), np.nan)


def _best_of(climb: BestSoFar, k: int) -> float:
    """The best of an arm after k of its trials; NaN before its first value."""
    known = climb.values[climb.x <= k]
    return float(known[-1]) if len(known) else float("nan")


def _band(curve: LuckCurve, look: Look) -> list[Figure]:
    edge = {"type": "scatter", "mode": "lines", "x": curve.k, "line": {"width": 0}, "hoverinfo": "skip"}
    line = {"color": look.muted, "width": 2, "dash": "dash"}
    return [
        {**edge, "y": curve.low, "showlegend": False},
        {**edge, "y": curve.high, "showlegend": False, "fill": "tonexty", "fillcolor": faint(look.muted, 0.16)},
        {
            "type": "scatter",
            "mode": "lines" if len(curve.k) > 1 else "markers",
            "x": curve.k,
            "y": curve.expected,
            "name": "expected of luck",
            "line": line,
            "hovertemplate": "best of %{x} random trials: %{y:.4~g} expected<extra></extra>",
        },
    ]


def _step(climb: BestSoFar, style: ArmStyle) -> Figure:
    hovering = f"best of %{{x:.0f}} of {style.label}: %{{y:.4~g}}<extra></extra>"
    return {**step_line(climb, style.colour), "name": f"best of {style.label}", "hovertemplate": hovering}


LUCK = Luck()
