"""Fold scores: the best trials side by side, each with its folds, so that luck shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.noise import Difference, compare_folds, mean_interval
from hpo_core.analysis.selection import Rows
from hpo_core.analysis.ties import overlap_in
from hpo_core.formats import format_count, format_score, format_signed
from hpo_core.options import option
from hpo_core.plots import DEFAULT, MANUAL, ArmStyle, Figure, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._marks import note_style
from hpo_core.studies.table import Floats, TrialTable

_FAR = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class FoldRow:
    """One trial with its folds.

    Attributes:
        row: Row in the table.
        label: What stands beside it.
        scores: By fold, shape (k,); NaN where a fold was not done.
        mean, half_width: Mean of the folds that were done and half its 95 % interval; NaN with fewer than two.
        difference: To the best trial on the folds that both have; None for the best itself.
        is_top: Whether it is one of the best, not only the default or the person's newest.
    """

    row: int
    label: str
    scores: Floats
    mean: float
    half_width: float
    difference: Difference | None
    is_top: bool

    @property
    def is_tied(self) -> bool:
        return self.difference is not None and self.difference.verdict in ("tie", "unknown")


@dataclass(frozen=True, eq=False)
class FoldsData:
    """What the fold scores draw: the best trial first, then the others by value.

    Attributes:
        table: The study.
        rows: What is drawn, from top to bottom.
        n_folded: Finished trials that have fold scores.
    """

    table: TrialTable
    rows: tuple[FoldRow, ...]
    n_folded: int

    @property
    def n_incomplete(self) -> int:
        """Trials drawn of which a fold is missing."""
        return sum(bool(np.isnan(row.scores).any()) for row in self.rows)


@dataclass(frozen=True)
class Folds(Plot[FoldsData]):
    """Scores of each fold for the best trials."""

    key: ClassVar[str] = "folds"
    label: ClassVar[str] = "Folds"
    place: ClassVar[int] = 60
    purpose: ClassVar[str] = "The folds of the best trials, with the interval of each mean."
    question: ClassVar[str] = "Is the best really better, or lucky?"
    how_to_read: ClassVar[str] = (
        "Small marks are the scores of single folds, the large one is their mean with its 95 % interval. "
        "A hollow mean is tied with the best: on the same folds the difference is within the noise. "
        "Click a mark to load its trial."
    )

    top: int = option(10, "Trials", "So many of the best trials.", low=2, high=40)

    def why_unavailable(self, table: TrialTable) -> str | None:
        if not (table.is_complete & np.isfinite(table.values)).any():
            return "No trial has a value yet. The folds of the best appear here as soon as one has finished."
        n_folds = np.isfinite(table.fold_scores[table.is_complete]).sum(axis=1)
        if not len(n_folds) or not n_folds.any():
            return "The trials have no scores of single folds, so nothing tells luck from skill."
        if n_folds.max() < 2:
            return "Every trial was scored on one fold only, so nothing says how far luck goes. Use two folds or more."
        return None

    def compute(self, table: TrialTable) -> FoldsData:
        n_done = np.isfinite(table.fold_scores).sum(axis=1)
        folded = np.flatnonzero(table.is_complete & np.isfinite(table.values) & (n_done > 0))
        best = folded[np.argsort(table.sign * table.values[folded], kind="stable")][: self.top]
        chosen = _with_marked(table, folded, best)
        chosen = chosen[np.argsort(table.sign * table.values[chosen], kind="stable")]
        overlap = overlap_in(table)
        rows = tuple(_fold_row(table, int(row), best, overlap) for row in chosen)
        return FoldsData(table, rows, len(folded))

    def draw(self, data: FoldsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        shown = [arm for arm in styles if any(data.table.arms[row.row] == arm for row in data.rows)]
        traces = [_fold_points(data, arm, styles[arm]) for arm in shown]
        traces += [_means(data, arm, styles[arm], look) for arm in shown]
        best = data.rows[0].mean
        line = {"color": look.muted, "width": 1.2, "dash": "dot"}
        arrow = "→" if data.table.direction == "maximize" else "←"
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.top}",
                xaxis=axis(look, f"{look.value_label}, better {arrow}", range=_range(data)),
                yaxis=axis(
                    look,
                    range=[len(data.rows) - 0.4, -0.6],
                    tickvals=np.arange(len(data.rows)),
                    ticktext=[row.label for row in data.rows],
                    showgrid=False,
                    tickfont={"size": 12 if len(data.rows) <= 24 else 9, "color": look.text},
                ),
                shapes=[{"type": "line", "yref": "paper", "x0": best, "x1": best, "y0": 0, "y1": 1, "line": line}],
                annotations=_notes(data, look),
            ),
        }

    def numbers(self, data: FoldsData) -> pd.DataFrame:
        rows, table = data.rows, data.table
        columns: dict[str, Any] = {
            "trial": [int(table.numbers[row.row]) for row in rows],
            "arm": [arm_label(str(table.arms[row.row])) for row in rows],
            "mean": [row.mean for row in rows],
            "± 95 %": [row.half_width for row in rows],
            "to the best": [row.difference.mean if row.difference else 0.0 for row in rows],
            "difference ± 95 %": [row.difference.half_width if row.difference else np.nan for row in rows],
            "verdict": [row.difference.verdict if row.difference else "best" for row in rows],
        }
        folds = np.vstack([row.scores for row in rows])
        columns |= {f"fold {i + 1}": folds[:, i] for i in range(folds.shape[1])}
        return pd.DataFrame(columns)

    def alt(self, data: FoldsData) -> str:
        best, others = data.rows[0], data.rows[1:]
        text = f"Trial {data.table.numbers[best.row]} is best with a mean of {_with_half(best.mean, best.half_width)}"
        if not others:
            return f"{text}; there is no other trial to compare it with."
        tied = sum(row.is_tied for row in others)
        text += f"; {tied} of the {len(others)} others here cannot be told from it" if tied else "; none here is tied"
        default = next((row for row in others if data.table.arms[row.row] == DEFAULT), None)
        if default is not None and default.difference is not None:
            gap, how = -default.difference.mean, "within" if default.is_tied else "beyond"
            text += f"; against the default {_signed_half(gap, default.difference.half_width)}, {how} noise"
        return text + "."

    def caption(self, data: FoldsData) -> str:
        n_folds = data.rows[0].scores.shape[0]
        text = f"Showing {len(data.rows)} of {format_count(data.n_folded, 'finished trial')} with fold scores"
        if data.n_incomplete:
            text += f"; {data.n_incomplete} of them lack folds and are compared on the folds that both have"
        text += f". Intervals allow for the training rows that the {n_folds} folds share"
        if data.n_folded > 10:
            text += f"; the best of {data.n_folded:,} noisy means is likely to be a little lucky"
        return text + "."


def _with_marked(table: TrialTable, folded: Rows, best: Rows) -> Rows:
    """The best and, if they are not among them, the default and the person's newest."""
    marked = [folded[table.arms[folded] == DEFAULT][:1], folded[table.arms[folded] == MANUAL][-1:]]
    return np.array(list(dict.fromkeys(np.concatenate([best, *marked]).tolist())), dtype=np.int64)


def _fold_row(table: TrialTable, row: int, top: Rows, overlap: float) -> FoldRow:
    scores = np.where(np.isfinite(table.fold_scores[row]), table.fold_scores[row], np.nan)
    is_higher_better = table.direction == "maximize"
    difference = None
    if row != top[0]:
        others = table.fold_scores[top[0]]
        difference = compare_folds(scores, others, is_higher_better=is_higher_better, overlap=overlap)
    half = mean_interval(scores, overlap=overlap)
    is_top = bool(np.isin(row, top))
    return FoldRow(row, _label(table, row), scores, float(np.nanmean(scores)), half, difference, is_top)


def _label(table: TrialTable, row: int) -> str:
    named = {DEFAULT: "default, ", MANUAL: "you, "}.get(str(table.arms[row]), "")
    return f"{named}trial {table.numbers[row]}"


def _ends(rows: list[FoldRow]) -> tuple[float, float]:
    halves = [(row.mean - row.half_width, row.mean + row.half_width) for row in rows]
    places = np.concatenate([*(row.scores for row in rows), np.ravel(halves)])
    return float(np.nanmin(places)), float(np.nanmax(places))


def _range(data: FoldsData) -> list[float]:
    """Room for the best trials, and for the default and the person's newest unless these lie far off."""
    low, high = _ends([row for row in data.rows if row.is_top])
    core = high - low
    for row in data.rows:
        ends = _ends([row])
        if max(high, ends[1]) - min(low, ends[0]) <= _FAR * core or core == 0:
            low, high = min(low, ends[0]), max(high, ends[1])
    pad = 0.04 * (high - low) or max(abs(high) * 0.02, 1e-3)
    return [low - pad, high + pad]


def _of_arm(data: FoldsData, arm: str) -> list[tuple[int, FoldRow]]:
    return [(place, row) for place, row in enumerate(data.rows) if data.table.arms[row.row] == arm]


def _fold_points(data: FoldsData, arm: str, style: ArmStyle) -> dict[str, Any]:
    found = [
        (float(score), place, int(data.table.numbers[row.row]), fold + 1)
        for place, row in _of_arm(data, arm)
        for fold, score in enumerate(row.scores)
        if not np.isnan(score)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [score for score, *_ in found],
        "y": [place for _, place, *_ in found],
        "customdata": [[number, fold] for *_, number, fold in found],
        "hovertemplate": "<b>trial %{customdata[0]}</b> · fold %{customdata[1]}<br>%{x:.4~g}<extra></extra>",
        "marker": {"symbol": "line-ns-open", "size": 11, "color": faint(style.colour, 0.75), "line": {"width": 1.6}},
        "name": f"folds of {style.label}",
        "legendgroup": arm,
        "showlegend": False,
    }


def _means(data: FoldsData, arm: str, style: ArmStyle, look: Look) -> dict[str, Any]:
    rows = _of_arm(data, arm)
    base = style.symbol.removesuffix("-open")
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [row.mean for _, row in rows],
        "y": [place for place, _ in rows],
        "error_x": {
            "type": "data",
            "array": np.nan_to_num([row.half_width for _, row in rows]),
            "color": faint(style.colour, 0.55),
            "thickness": 3,
            "width": 0,
        },
        "customdata": [[int(data.table.numbers[row.row]), _mean_text(row)] for _, row in rows],
        "hovertemplate": f"<b>trial %{{customdata[0]}}</b> · {style.label}<br>%{{customdata[1]}}<extra></extra>",
        "marker": {
            "symbol": base,
            "opacity": 1,
            "size": [15 if row.difference is None else 11 for _, row in rows],
            "color": [look.surface if row.is_tied else style.colour for _, row in rows],
            "line": {"width": 2.2, "color": style.colour},
        },
        "name": style.label,
        "legendgroup": arm,
    }


def _mean_text(row: FoldRow) -> str:
    mean = f"mean {_with_half(row.mean, row.half_width)} (95 % interval)"
    if row.difference is None:
        return f"{mean}<br>the best"
    if row.difference.verdict == "unknown":
        return f"{mean}<br>too few common folds to compare with the best"
    verdict = "tied with the best" if row.is_tied else f"{row.difference.verdict} than the best"
    return f"{mean}<br>to the best {_signed_half(row.difference.mean, row.difference.half_width)}: {verdict}"


def _with_half(mean: float, half: float) -> str:
    return format_score(mean) + ("" if np.isnan(half) else f" ± {half:.2g}")


def _signed_half(mean: float, half: float) -> str:
    return format_signed(mean) + ("" if np.isnan(half) else f" ± {half:.2g}")


def _notes(data: FoldsData, look: Look) -> list[dict[str, Any]]:
    """The mean of the best, and an arrow to the means that lie outside of the view."""
    is_rising = data.table.direction == "maximize"
    side = "right" if is_rising else "left"
    place = {"x": data.rows[0].mean, "xanchor": side, "y": 0, "yref": "paper", "yanchor": "bottom"}
    notes = [{"text": f"best mean {format_score(data.rows[0].mean)}", **place, **note_style(look)}]
    low, high = _range(data)
    for i, row in enumerate(data.rows):
        if not low <= row.mean <= high:
            is_low = row.mean < low
            text = f"◂ {format_score(row.mean)}" if is_low else f"{format_score(row.mean)} ▸"
            edge = {"x": 0.0 if is_low else 1.0, "xref": "paper", "xanchor": "left" if is_low else "right", "y": i}
            notes.append({"text": text, **edge, **note_style(look)})
    return notes


FOLDS = Folds()
