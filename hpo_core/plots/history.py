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
from hpo_core.analysis.steering import steering_log
from hpo_core.analysis.ties import TIED, standings
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import DEFAULT, ArmStyle, Figure, Look, Plot, arm_label, axis, faint, layout, plain
from hpo_core.plots._marks import Spots, best_ring, note_style, outside_note
from hpo_core.plots._moments import Moment, hover_text, moment_traces, places_among_trials, told_together
from hpo_core.plots._progress import AXES, BestSoFar, best_so_far, places, progress_axis, step_band, step_line
from hpo_core.studies.table import Floats, TrialTable

_MOST_POINTS, _BEST_POINTS = 1000, 300
_MOST_MOMENTS, _NEAR, _EDGE = 60, 0.008, 0.01
_IN_VIEW = 0.5  # the better half sets the scale: what is far worse would flatten what matters


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
        moments: What was done to the study, at places of the x axis.
        n_untold: Older things that were done and have no mark.
    """

    table: TrialTable
    x: Floats
    shown: Rows
    unscored: Rows
    steps: tuple[BestSoFar, ...]
    default_row: int | None
    limits: Limits
    moments: tuple[Moment, ...]
    n_untold: int


@dataclass(frozen=True)
class History(Plot[HistoryData]):
    """Values by trial, by fit or by second."""

    key: ClassVar[str] = "history"
    label: ClassVar[str] = "History"
    place: ClassVar[int] = 10
    purpose: ClassVar[str] = "Every value in the order in which it was found, and the best so far of each arm."
    question: ClassVar[str] = "How fast did it get better?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial; the line is the best so far of an arm, its band one standard deviation over the folds. "
        "Small triangles on top say what was done to the search, by whom and when. "
        "Drag to zoom, double-click to see all, click a trial to load it."
    )

    x: str = option("trial", "Along the x axis", "What progress is counted in.", choices=tuple(AXES))
    unscored: bool = option(True, "Failed and pruned", "Show trials without a final value at the edge.")
    ties: bool = option(True, "Ties", "A thin ring around the trials that are tied with the best on the same folds.")
    marks: bool = option(True, "What was done", "Show when the search was started, paused, narrowed or changed.")

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
        if table.is_hidden[table.is_finished].any():
            return "All finished trials are hidden. Unhide one in the list of trials to see it here."
        return "No trial has finished yet. Its value appears here as soon as one has."

    def _why_without_place(self, table: TrialTable) -> str | None:
        if not np.isfinite(table.values[table.is_complete]).any():
            return "All finished trials have an infinite value, so there is nothing to draw to scale."
        if not np.isfinite(places(table, self.x)[table.is_complete]).any():
            return "This study does not say when its trials ended. Count progress in trials or in fits instead."
        return None

    def compute(self, table: TrialTable) -> HistoryData:
        x = places(table, self.x)
        complete = np.flatnonzero(table.is_complete & np.isfinite(x))
        unscored = (
            np.flatnonzero((table.is_pruned | table.is_failed) & np.isfinite(x)) if self.unscored else complete[:0]
        )
        # Trials that lost a race too: those that are left lie close together, and without the default.
        valued = (table.is_complete | table.is_estimated) & np.isfinite(x)
        default_rows = complete[table.arms[complete] == DEFAULT]
        moments = _moments(table, x, self.x) if self.marks else ()
        return HistoryData(
            table=table,
            x=x,
            shown=representative_rows(table, complete, _MOST_POINTS, _BEST_POINTS),
            unscored=representative_rows(table, unscored, 300, 0),
            steps=tuple(best_so_far(table, x, arm) for arm in dict.fromkeys(table.arms[complete].tolist())),
            default_row=int(default_rows[0]) if len(default_rows) else None,
            limits=robust_limits(table.values[valued], table.sign, _IN_VIEW),
            moments=moments[-_MOST_MOMENTS:],
            n_untold=max(0, len(moments) - _MOST_MOMENTS),
        )

    def draw(self, data: HistoryData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        traces = [
            trace
            for step in data.steps
            if step.arm != DEFAULT
            for trace in step_band(step, styles[step.arm or ""].colour)
        ]
        traces += _unscored(data, look)
        spots = Spots(data.table, data.shown, data.x[data.shown])
        traces += [spots.points(arm, style, look) for arm, style in styles.items()]
        traces += [_line(step, styles[step.arm or ""]) for step in data.steps if step.arm != DEFAULT]
        traces += _ties(data, look) if self.ties else []
        traces += _best_ring(data, styles, look)
        traces += _steering(data, look)
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.x}",
                xaxis=progress_axis(look, self.x, float(np.nanmax(data.x))),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                yaxis2={"overlaying": "y", "range": [0, 1], "fixedrange": True, "visible": False},
                shapes=_default_line(data, look),
                annotations=_notes(data, look),
            ),
        }

    def numbers(self, data: HistoryData) -> pd.DataFrame:
        table, rows = data.table, np.flatnonzero(~data.table.is_hidden)
        return pd.DataFrame(
            {
                "trial": table.numbers[rows],
                "arm": [arm_label(arm) for arm in table.arms[rows].tolist()],
                "state": [TrialState(state).name.lower() for state in table.states[rows].tolist()],
                AXES[self.x]: data.x[rows],
                "value": table.values[rows],
                "sd over folds": table.noise[rows],
                "best so far": table.best_so_far(rows),
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
        if data.n_untold:
            text += f"; of what was done to the search only the last {_MOST_MOMENTS} moments"
        return text + "."


def _moments(table: TrialTable, x: Floats, kind: str) -> tuple[Moment, ...]:
    """What was done, each where it lies among the trials that are drawn; by the clock on the axis of seconds."""
    log, span = steering_log(table), float(np.nanmax(x))
    times = np.concatenate([table.started, table.completed])
    if not log or not np.isfinite(times).any():
        return ()
    if kind == "second":
        at = np.array([entry.time for entry in log]) - float(np.nanmax(table.completed - x))
    else:
        at = places_among_trials(table, log, x)
    places = np.clip(at, -_EDGE * span, (1 + _EDGE) * span)
    texts = [hover_text(entry, float(np.nanmin(times))) for entry in log]
    known = np.isfinite(places)
    return tuple(told_together(places[known], [t for t, k in zip(texts, known, strict=True) if k], _NEAR * span))


def _steering(data: HistoryData, look: Look) -> list[dict[str, Any]]:
    """On an axis of their own, so that the marks stay on top when a person zooms."""
    at = np.array([moment.place for moment in data.moments], dtype=float)
    return moment_traces(at, [m.words for m in data.moments], look, bottom=0.0, top=1.0, yaxis="y2")


def _line(step: BestSoFar, style: ArmStyle) -> dict[str, Any]:
    name = f"best of {style.label}"
    hovering = {"hovertemplate": f"{name} so far: %{{y:.4~g}}<extra></extra>", "showlegend": False}
    return {**step_line(step, style.colour), "name": name, **hovering}


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
    is_right = bool(data.x[row] > 0.75 * np.nanmax(data.x))
    return [best_ring(data.table, row, data.x[row], style.colour, look, is_right=is_right)]


def _ties(data: HistoryData, look: Look) -> list[dict[str, Any]]:
    """Thin rings around the trials that are tied with the best."""
    rows = data.shown[standings(data.table, data.shown) == TIED]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": data.x[rows],
            "y": data.table.values[rows],
            "marker": {"symbol": "circle-open", "size": 13, "color": faint(look.text, 0.5), "line": {"width": 1.0}},
            "hoverinfo": "skip",
            "name": "tied with the best",
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
    notes = outside_note(data.table, data.limits, look)
    if _default_line(data, look):
        assert data.default_row is not None
        value = float(data.table.values[data.default_row])
        place = {"x": 1, "xref": "paper", "xanchor": "right", "y": value, "yanchor": "bottom"}
        notes.append({"text": f"default {format_score(value)}", **place, **note_style(look)})
    return notes


HISTORY = History()
