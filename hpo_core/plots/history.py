"""The history of a study: every value in the order in which it was found, and the best so far of each arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna.trial import TrialState

from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import DEFAULT, ArmStyle, Figure, Look, Plot, arm_label, axis, faint, glow, layout, plain
from hpo_core.plots._hover import hover
from hpo_core.studies.table import Floats, TrialTable

_MOST_POINTS, _BEST_POINTS, _MOST_BARS = 2000, 500, 60
_AXES = {"trial": "trial number", "fit": "fits done", "second": "seconds since the start"}


@dataclass(frozen=True, eq=False)
class BestSoFar:
    """The steps at which one arm improved: where, to what value, with what noise, in which row; and where it ended."""

    arm: str
    x: Floats
    values: Floats
    noise: Floats
    rows: Rows
    end: float


@dataclass(frozen=True, eq=False)
class HistoryData:
    """What the history draws.

    Attributes:
        table: The study.
        x: Place of every trial on the x axis, shape (n,); NaN where unknown.
        shown: Rows of complete trials that are drawn as points.
        unscored: Rows of pruned and failed trials that are drawn.
        steps: The best so far of each arm.
        default_row: The trial of the default configuration, if there is one with a value.
        limits: The range of values in view.
    """

    table: TrialTable
    x: Floats
    shown: Rows
    unscored: Rows
    steps: tuple[BestSoFar, ...]
    default_row: int | None
    limits: Limits


@dataclass(frozen=True)
class History(Plot[HistoryData]):
    """Values by trial, by fit or by second."""

    key: ClassVar[str] = "history"
    label: ClassVar[str] = "History"
    purpose: ClassVar[str] = "Every value in the order in which it was found, and the best so far of each arm."
    question: ClassVar[str] = "How fast did it get better?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial; the line is the best so far of an arm, its band one standard deviation over the folds. "
        "Drag to zoom, double-click to see all, click a trial to load it."
    )

    x: str = option("trial", "Along the x axis", "What progress is counted in.", choices=tuple(_AXES))
    unscored: bool = option(True, "Failed and pruned", "Show trials without a final value at the edge.")

    def why_unavailable(self, table: TrialTable) -> str | None:
        if not len(table):
            return (
                "There is no trial yet. Score a configuration by hand or start a search, and its history appears here."
            )
        if table.is_complete.any():
            return self._why_without_place(table)
        if table.is_failed.all():
            reason, count = Counter(table.reasons.tolist()).most_common(1)[0]
            why = f" {format_count(count)} of them: {reason}" if reason else ""
            return f"All {format_count(len(table), 'trial')} failed, so there is no value to show.{why}"
        return "No trial has finished yet. Its value appears here as soon as one has."

    def _why_without_place(self, table: TrialTable) -> str | None:
        if not np.isfinite(table.values[table.is_complete]).any():
            return "All finished trials have an infinite value, so there is nothing to draw to scale."
        if not np.isfinite(_places(table, self.x)[table.is_complete]).any():
            return "This study does not say when its trials ended. Count progress in trials or in fits instead."
        return None

    def compute(self, table: TrialTable) -> HistoryData:
        x = _places(table, self.x)
        complete = np.flatnonzero(table.is_complete & np.isfinite(x))
        unscored = (
            np.flatnonzero((table.is_pruned | table.is_failed) & np.isfinite(x)) if self.unscored else complete[:0]
        )
        default_rows = complete[table.arms[complete] == DEFAULT]
        return HistoryData(
            table=table,
            x=x,
            shown=representative_rows(table, complete, _MOST_POINTS, _BEST_POINTS),
            unscored=representative_rows(table, unscored, 300, 0),
            steps=tuple(_best_so_far(table, x, arm) for arm in dict.fromkeys(table.arms[complete].tolist())),
            default_row=int(default_rows[0]) if len(default_rows) else None,
            limits=robust_limits(table.values[complete], table.sign),
        )

    def draw(self, data: HistoryData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arms.tolist())
        traces = [trace for step in data.steps if step.arm != DEFAULT for trace in _band(step, styles[step.arm])]
        traces += _unscored(data, look)
        traces += [_points(data, arm, style, look) for arm, style in styles.items()]
        traces += [_line(step, styles[step.arm], look) for step in data.steps if step.arm != DEFAULT]
        traces += _best_ring(data, styles, look)
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        end = max(float(np.nanmax(data.x)), 1.0 if self.x != "second" else 1e-3)
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.x}",
                xaxis=axis(look, _AXES[self.x], range=[-0.015 * end, 1.03 * end], showgrid=False),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                shapes=_default_line(data, look),
                annotations=_notes(data, look),
            ),
        }

    def numbers(self, data: HistoryData) -> pd.DataFrame:
        table = data.table
        return pd.DataFrame(
            {
                "trial": table.numbers,
                "arm": [arm_label(arm) for arm in table.arms.tolist()],
                "state": [TrialState(state).name.lower() for state in table.states.tolist()],
                _AXES[self.x]: data.x,
                "value": table.values,
                "sd over folds": table.noise,
                "best so far": table.best_so_far(),
            }
        )

    def alt(self, data: HistoryData) -> str:
        table, best = data.table, data.table.best()
        assert best is not None
        text = (
            f"{format_count(int(table.is_complete.sum()), 'finished trial')}; the best value, "
            f"{format_score(float(table.values[best]))}, was found by {arm_label(str(table.arms[best]))} "
            f"in trial {table.numbers[best]}"
        )
        if data.default_row is None or data.default_row == best:
            return text + "."
        return f"{text}; the default reached {format_score(float(table.values[data.default_row]))}."

    def caption(self, data: HistoryData) -> str:
        table = data.table
        n_complete = int(table.is_complete.sum())
        if len(data.shown) < n_complete:
            text = f"Showing {len(data.shown):,} of {n_complete:,} finished trials (best {_BEST_POINTS} and a sample)"
        else:
            text = f"Showing {'all ' if n_complete > 1 else ''}{format_count(n_complete, 'finished trial')}"
        for count, word in ((int(table.is_pruned.sum()), "pruned"), (int(table.is_failed.sum()), "failed")):
            text += f", {format_count(count)} {word}" if count else ""
        return text + "."


def _places(table: TrialTable, kind: str) -> Floats:
    if kind == "fit":
        done = np.isfinite(table.fold_scores).sum(axis=1)
        return np.cumsum(np.maximum(done, table.is_complete)).astype(float)
    if kind == "second":
        known = np.isfinite(table.completed)
        begin = np.nanmin(np.where(known, np.fmin(table.started, table.completed), np.inf)) if known.any() else 0.0
        return np.where(known, table.completed - begin, np.nan)
    return table.numbers.astype(float)


def _best_so_far(table: TrialTable, x: Floats, arm: str) -> BestSoFar:
    rows = np.flatnonzero(table.is_complete & np.isfinite(x) & (table.arms == arm))
    rows = rows[np.argsort(x[rows], kind="stable")]
    signed = table.sign * table.values[rows]
    earlier = np.concatenate(([np.inf], np.minimum.accumulate(signed)[:-1]))
    better = rows[(signed < earlier) & np.isfinite(signed)]
    end = float(x[np.isfinite(x)].max())
    return BestSoFar(arm, x[better], table.values[better], np.nan_to_num(table.noise[better]), better, end)


def _line(step: BestSoFar, style: ArmStyle, look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.append(step.x, step.end) if len(step.x) else step.x,
        "y": np.append(step.values, step.values[-1:]),
        "line": {"shape": "hv", "width": 2.2, "color": style.colour},
        "name": f"best of {style.label}",
        "showlegend": False,
        "hovertemplate": f"best of {style.label} so far: %{{y:.4~g}}<extra></extra>",
    }


def _band(step: BestSoFar, style: ArmStyle) -> list[dict[str, Any]]:
    if not step.noise.any():
        return []
    x, edge = np.append(step.x, step.end), {"shape": "hv", "width": 0}
    base = {"type": "scatter", "mode": "lines", "x": x, "line": edge, "hoverinfo": "skip", "showlegend": False}
    low, high = (np.append(step.values + side * step.noise, 0.0) for side in (-1.0, 1.0))
    low[-1], high[-1] = low[-2], high[-2]
    return [{**base, "y": low}, {**base, "y": high, "fill": "tonexty", "fillcolor": faint(style.colour, 0.13)}]


def _points(data: HistoryData, arm: str, style: ArmStyle, look: Look) -> dict[str, Any]:
    table = data.table
    rows = data.shown[table.arms[data.shown] == arm]
    shown = hover(table, rows, style.label)
    is_dense = len(data.shown) > 400
    size = {"manual": 9.0, "default": 10.0}.get(arm, 5.0 if is_dense else 7.0)
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": data.x[rows],
        "y": table.values[rows],
        "name": style.label,
        "customdata": shown.customdata,
        "hovertemplate": shown.template,
        "marker": {
            "symbol": style.symbol,
            "size": size,
            "color": style.colour,
            "opacity": 0.55 if is_dense and arm not in ("manual", "default") else 0.9,
            "line": {"width": 1.4 if "open" in style.symbol else 1.0, "color": _edge(style, look)},
        },
    }
    if len(data.shown) <= _MOST_BARS and np.isfinite(table.noise[rows]).any():
        bars = np.nan_to_num(table.noise[rows])
        trace["error_y"] = {
            "type": "data",
            "array": bars,
            "color": faint(style.colour, 0.35),
            "thickness": 1.2,
            "width": 0,
        }
    return trace


def _edge(style: ArmStyle, look: Look) -> str:
    return style.colour if "open" in style.symbol else look.surface


def _unscored(data: HistoryData, look: Look) -> list[dict[str, Any]]:
    table, rows, limits = data.table, data.unscored, data.limits
    margin = 0.02 * (limits.high - limits.low)
    edge = limits.high - margin if table.direction == "minimize" else limits.low + margin
    pruned, failed = rows[table.is_pruned[rows]], rows[table.is_failed[rows]]
    estimates = np.clip(table.values[pruned], limits.low + margin, limits.high - margin)
    colour = faint(look.failed, 0.75)
    half = {"mode": "text", "text": "◐", "textfont": {"size": 10, "color": colour}, "showlegend": False}
    cross = {"mode": "markers", "marker": {"symbol": "x-thin-open", "size": 7, "color": colour}}
    # A trace of text shows as "Aa" in the legend: an empty one stands there for it.
    entry: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "marker": {"color": "rgba(0,0,0,0)"},
    }
    entry |= {"name": "◐ pruned", "legendgroup": "pruned"}
    return [
        _rug(data, pruned, np.where(np.isnan(estimates), edge, estimates), "pruned", half),
        *([entry] if len(pruned) else []),
        _rug(data, failed, np.full(len(failed), edge), "failed", cross),
    ]


def _rug(data: HistoryData, rows: Rows, y: Floats, name: str, mark: dict[str, Any]) -> dict[str, Any]:
    numbers, reasons = data.table.numbers[rows].tolist(), map(plain, data.table.reasons[rows].tolist())
    return {
        "type": "scatter",
        "x": data.x[rows],
        "y": y,
        "name": name,
        "legendgroup": name,
        "customdata": [[number, reason] for number, reason in zip(numbers, reasons, strict=True)],
        "hovertemplate": f"<b>trial %{{customdata[0]}}</b> · {name}<br>%{{customdata[1]}}<extra></extra>",
        **mark,
    }


def _best_ring(data: HistoryData, styles: Mapping[str, ArmStyle], look: Look) -> list[dict[str, Any]]:
    row = data.table.best()
    if row is None or not (np.isfinite(data.x[row]) and np.isfinite(data.table.values[row])):
        return []
    style = styles[str(data.table.arms[row])]
    side = "left" if data.x[row] > 0.75 * np.nanmax(data.x) else "right"
    level = "top" if data.table.direction == "maximize" else "bottom"
    return [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": data.x[[row]],
            "y": data.table.values[[row]],
            "marker": {"symbol": "circle-open", "size": 17, "color": style.colour, "line": {"width": 2.4}},
            "text": f"trial {data.table.numbers[row]}: {format_score(float(data.table.values[row]))}",
            "textposition": f"{level} {side}",
            "textfont": {"size": 12, "color": look.text, "shadow": glow(look)},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _default_line(data: HistoryData, look: Look) -> list[dict[str, Any]]:
    if data.default_row is None or not np.isfinite(data.table.values[data.default_row]):
        return []
    value = float(data.table.values[data.default_row])
    line = {"color": look.default, "width": 1.2, "dash": "dot"}
    return [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line, "layer": "below"}
    ]


def _notes(data: HistoryData, look: Look) -> list[dict[str, Any]]:
    notes = []
    if _default_line(data, look):
        assert data.default_row is not None
        value = float(data.table.values[data.default_row])
        notes.append(
            {"text": f"default {format_score(value)}", "x": 1, "xref": "paper", "xanchor": "right"}
            | {"y": value, "yanchor": "bottom"}
        )
    hidden = data.limits.n_outside + data.limits.n_infinite
    if hidden:
        worse = "above" if data.table.direction == "minimize" else "below"
        edge = 1.0 if data.table.direction == "minimize" else 0.0
        text = f"{format_count(hidden, 'value')} {worse} this view; double-click to see all"
        notes.append(
            {"text": text, "x": 0.01, "xref": "paper", "xanchor": "left", "y": edge, "yref": "paper"}
            | {"yanchor": "top" if edge else "bottom"}
        )
    return [
        {"showarrow": False, "font": {"size": 11, "color": look.muted, "shadow": glow(look)}, **note} for note in notes
    ]


HISTORY = History()
