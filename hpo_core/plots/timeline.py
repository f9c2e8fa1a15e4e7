"""The timeline: when each trial ran, how many at once, and what was done to the search meanwhile."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.trial import TrialState

from hpo_core.analysis.selection import Rows
from hpo_core.analysis.steering import Steered, steering_log
from hpo_core.formats import format_count, format_score, format_seconds
from hpo_core.options import option
from hpo_core.plots import ArmStyle, Figure, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._marks import note_style
from hpo_core.plots._moments import Moment, moment_traces, told_together
from hpo_core.studies.run import Event
from hpo_core.studies.table import Floats, TrialTable

_MOST, _MOST_MARKS, _MOST_EVENTS = 2000, 300, 200
_UNITS = ((172_800.0, 86_400.0, "days"), (14_400.0, 3600.0, "hours"), (300.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
_THIN, _WIDE, _BEFORE = 0.004, 0.008, 0.2


@dataclass(frozen=True, eq=False)
class TimelineData:
    """What the timeline draws. Times are seconds since the study began.

    Attributes:
        table: The study.
        rows: Trials that are drawn, by start.
        lanes: Lane of each of `rows`, from 0: the lowest that was free.
        starts, ends: Of each of `rows`; those of trials that still run end where the newest sign of life is.
        moments: What was done to the search.
        pauses: Begin and end of each pause.
        n_timed: Trials with a known time, hidden ones left out.
        n_shown: Trials that could be shown if their times were known.
    """

    table: TrialTable
    rows: Rows
    lanes: NDArray[np.int64]
    starts: Floats
    ends: Floats
    moments: tuple[Moment, ...]
    pauses: tuple[tuple[float, float], ...]
    n_timed: int
    n_shown: int

    @property
    def has_wide_bars(self) -> bool:
        """Whether most bars are wide enough for a gap between them."""
        return float(np.median(self.ends - self.starts)) > _WIDE * (self.last - self.first)

    @property
    def n_lanes(self) -> int:
        return int(self.lanes.max()) + 1

    @property
    def first(self) -> float:
        """Where the picture begins: with the first bar, or with what was done shortly before it."""
        begin = float(self.starts.min())
        soonest = begin - _BEFORE * max(float(self.ends.max()) - begin, 1.0)
        return min([begin, *(moment.place for moment in self.moments if moment.place >= soonest)])

    @property
    def last(self) -> float:
        """Where the picture ends."""
        return max(float(self.ends.max()), *(moment.place for moment in self.moments), self.first + 1e-3)


@dataclass(frozen=True)
class Timeline(Plot[TimelineData]):
    """A bar for each trial along the clock."""

    key: ClassVar[str] = "timeline"
    label: ClassVar[str] = "Timeline"
    place: ClassVar[int] = 70
    purpose: ClassVar[str] = "When each trial ran, how many ran at once, and what was done to the search."
    question: ClassVar[str] = "Where did the time go?"
    how_to_read: ClassVar[str] = (
        "Each bar is a trial from start to end; as many bars above each other ran at the same time. Gaps are waiting. "
        "Marks on top say what was done to the search. Drag to zoom, click a bar to load its trial."
    )

    marks: bool = option(True, "Events", "Show when the search was started, paused, resumed, changed or stopped.")

    def why_unavailable(self, table: TrialTable) -> str | None:
        if not len(table):
            return "There is no trial yet. The first bar appears as soon as one has run."
        if table.is_hidden.all():
            return "All trials are hidden. Unhide one in the list of trials to see it here."
        if not len(_timed(table)):
            return "This study does not say when its trials ran, so there is no time to show."
        return None

    def compute(self, table: TrialTable) -> TimelineData:
        timed = _timed(table)
        begin = float(table.started[timed].min())
        rows = timed[np.argsort(table.started[timed], kind="stable")][-_MOST:]
        starts = table.started[rows] - begin
        ends = np.where(np.isfinite(table.completed[rows]), table.completed[rows], _now(table)) - begin
        ends = np.maximum(ends, starts)
        since = starts.min() if len(rows) < len(timed) else -np.inf
        events = [e for e in table.events if since <= e.time - begin] if self.marks else []
        log = [entry for entry in steering_log(table) if since <= entry.time - begin] if self.marks else []
        return TimelineData(
            table=table,
            rows=rows,
            lanes=_lanes(starts, ends),
            starts=starts,
            ends=ends,
            moments=_moments(log, begin, float(ends.max() - starts.min())),
            pauses=_pauses(events, begin, float(ends.max())),
            n_timed=len(timed),
            n_shown=int((~table.is_hidden & (table.states != TrialState.WAITING.value)).sum()),
        )

    def draw(self, data: TimelineData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        size, unit = _unit(data.last - data.first)
        bars = [_bars(data, arm, style, look, size) for arm, style in styles.items()]
        bars += [_unscored(data, styles, look, size, name) for name in ("pruned", "failed")]
        traces = [
            *bars,
            _running(data, styles, look, size),
            *_state_marks(data, look, size),
            *_events(data, look, size),
        ]
        span = (data.last - data.first) / size
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {unit}",
                xaxis=axis(
                    look,
                    f"{unit} since the start",
                    range=[data.first / size - 0.01 * span, data.last / size + 0.01 * span],
                    showgrid=True,
                ),
                yaxis=axis(
                    look,
                    "at the same time",
                    range=[-0.7, _top(data) + 0.08 * data.n_lanes],
                    showgrid=False,
                    **_lane_ticks(data),
                ),
                shapes=_pause_shades(data, look, size),
                annotations=_pause_notes(data, look, size),
                barmode="overlay",
            ),
        }

    def numbers(self, data: TimelineData) -> pd.DataFrame:
        table, rows = data.table, data.rows
        return pd.DataFrame(
            {
                "trial": table.numbers[rows],
                "arm": [arm_label(arm) for arm in table.arms[rows].tolist()],
                "state": [TrialState(state).name.lower() for state in table.states[rows].tolist()],
                "lane": data.lanes + 1,
                "start (s)": data.starts,
                "seconds": data.ends - data.starts,
                "value": table.values[rows],
            }
        )

    def alt(self, data: TimelineData) -> str:
        busy, span = _busy_seconds(data), data.last - data.first
        text = f"{format_count(len(data.rows), 'trial')} within {format_seconds(span)}, up to {data.n_lanes} at a time"
        text += f"; something ran {busy / span:.0%} of the time"
        if data.pauses:
            total = sum(end - start for start, end in data.pauses)
            text += f", {format_count(len(data.pauses), 'pause')} took {format_seconds(total)}"
        return text + "."

    def caption(self, data: TimelineData) -> str:
        if len(data.rows) < data.n_timed:
            text = f"Showing the newest {len(data.rows):,} of {data.n_timed:,} trials"
        else:
            text = f"Showing {'all ' if data.n_timed > 1 else ''}{format_count(data.n_timed, 'trial')}"
        missing = data.n_shown - data.n_timed
        return f"{text}; {format_count(missing, 'trial')} without times left out." if missing else f"{text}."


def _timed(table: TrialTable) -> Rows:
    """Trials that began, and ended or still run."""
    runs = table.states == TrialState.RUNNING.value
    known = np.isfinite(table.started) & (np.isfinite(table.completed) | runs)
    return np.flatnonzero(known & ~table.is_hidden)


def _now(table: TrialTable) -> float:
    """The newest time that the table knows of."""
    times = np.concatenate([table.started, table.completed, [event.time for event in table.events]])
    return float(np.nanmax(times))


def _lanes(starts: Floats, ends: Floats) -> NDArray[np.int64]:
    """The lowest free lane of each bar, given by start: as many lanes as ran at once."""
    lanes = np.zeros(len(starts), dtype=np.int64)
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        while busy and busy[0][0] <= start + 1e-6:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lanes[i] = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (end, int(lanes[i])))
    return lanes


def _moments(log: Sequence[Steered], begin: float, span: float) -> tuple[Moment, ...]:
    places = np.array([entry.time - begin for entry in log], dtype=float)
    return tuple(told_together(places, [entry.words for entry in log], _THIN * span)[-_MOST_EVENTS:])


def _pauses(events: list[Event], begin: float, end: float) -> tuple[tuple[float, float], ...]:
    found: list[tuple[float, float]] = []
    since: float | None = None
    for event in events:
        wanted = str(event.detail.get("wanted", "")) if event.what == "asked" else ""
        if wanted == "paused" and since is None:
            since = event.time - begin
        elif since is not None and (wanted in ("running", "stopped") or event.what in ("resumed", "begun", "died")):
            found.append((since, event.time - begin))
            since = None
    if since is not None and end > since:
        found.append((since, end))
    return tuple(found)


def _busy_seconds(data: TimelineData) -> float:
    """Seconds in which at least one trial ran."""
    reached = np.maximum.accumulate(data.ends)
    waiting = np.maximum(data.starts[1:] - reached[:-1], 0.0).sum()
    return float(reached[-1] - data.starts[0] - waiting)


def _unit(span: float) -> tuple[float, str]:
    return next((size, name) for least, size, name in _UNITS if span >= least)


def _top(data: TimelineData) -> float:
    """Where the marks of events stand."""
    return 1.07 * data.n_lanes - 0.45


def _lane_ticks(data: TimelineData) -> dict[str, Any]:
    step = max(1, int(np.ceil(data.n_lanes / 12)))
    lanes = np.arange(0, data.n_lanes, step)
    return {"tickvals": lanes, "ticktext": [str(lane + 1) for lane in lanes.tolist()]}


def _bar_trace(data: TimelineData, chosen: Rows, size: float, labels: list[str]) -> dict[str, Any]:
    table, rows = data.table, data.rows[chosen]
    seconds = data.ends[chosen] - data.starts[chosen]
    values = table.values[rows].tolist()
    texts = [
        f"{label}, {format_seconds(second)}" + (f"<br>{format_score(value)}" if np.isfinite(value) else "")
        for label, second, value in zip(labels, seconds.tolist(), values, strict=True)
    ]
    return {
        "type": "bar",
        "orientation": "h",
        "base": (data.starts[chosen] / size).astype(np.float32),
        "x": (seconds / size).astype(np.float32),
        "y": data.lanes[chosen].astype(np.int16),
        "width": 0.76,
        "customdata": [[number, text] for number, text in zip(table.numbers[rows].tolist(), texts, strict=True)],
        "hovertemplate": "<b>trial %{customdata[0]}</b> · %{customdata[1]}<extra></extra>",
    }


def _bars(data: TimelineData, arm: str, style: ArmStyle, look: Look, size: float) -> dict[str, Any]:
    chosen = np.flatnonzero((data.table.arms == arm)[data.rows] & data.table.is_complete[data.rows])
    trace = _bar_trace(data, chosen, size, [style.label] * len(chosen))
    edge = {"width": 0.8, "color": look.surface if data.has_wide_bars else style.colour}
    return {**trace, "name": style.label, "marker": {"color": style.colour, "opacity": 0.9, "line": edge}}


def _unscored(data: TimelineData, styles: Mapping[str, ArmStyle], look: Look, size: float, name: str) -> dict[str, Any]:
    chosen = np.flatnonzero(_is_state(data, name))
    labels = [f"{styles[arm].label}, {name}" for arm in data.table.arms[data.rows[chosen]].tolist()]
    trace = _bar_trace(data, chosen, size, labels)
    colour = faint(look.failed, 0.45)
    marker = {"color": colour, "line": {"width": 0.8, "color": look.surface if data.has_wide_bars else colour}}
    return {**trace, "name": name, "legendgroup": name, "showlegend": False, "marker": marker}


def _is_state(data: TimelineData, name: str) -> NDArray[np.bool_]:
    mask = {"pruned": data.table.is_pruned, "failed": data.table.is_failed}[name]
    return mask[data.rows]


def _running(data: TimelineData, styles: Mapping[str, ArmStyle], look: Look, size: float) -> dict[str, Any]:
    chosen = np.flatnonzero(data.table.states[data.rows] == TrialState.RUNNING.value)
    labels = [f"{styles[arm].label}, running since" for arm in data.table.arms[data.rows[chosen]].tolist()]
    trace = _bar_trace(data, chosen, size, labels)
    line = {"width": 1.6, "color": look.text}
    return {**trace, "name": "running", "marker": {"color": "rgba(0,0,0,0)", "line": line}}


def _state_marks(data: TimelineData, look: Look, size: float) -> list[dict[str, Any]]:
    """A grey half circle for pruned and a cross for failed trials, on their bars while they are not too many."""
    marks = []
    middle = (data.starts + data.ends) / 2 / size
    for name, symbol in (("pruned", "◐"), ("failed", "✕")):
        chosen = np.flatnonzero(_is_state(data, name))
        is_shown = len(chosen) <= _MOST_MARKS
        marks.append(
            {
                "type": "scatter",
                "mode": "text" if is_shown else "markers",
                "x": middle[chosen] if is_shown else middle[chosen][:1],
                "y": data.lanes[chosen] if is_shown else data.lanes[chosen][:1],
                "text": symbol,
                "textfont": {"size": 9, "color": look.text},
                "marker": {"color": "rgba(0,0,0,0)"},
                "hoverinfo": "skip",
                "showlegend": False,
                "name": f"{name} marks",
                "legendgroup": name,
            }
        )
        if len(chosen):
            entry: dict[str, Any] = {
                "type": "bar",
                "x": [0],
                "y": [-9],
                "orientation": "h",
                "marker": {"color": faint(look.failed, 0.45)},
            }
            marks.append({**entry, "name": f"{symbol} {name}", "legendgroup": name, "hoverinfo": "skip"})
    return marks


def _events(data: TimelineData, look: Look, size: float) -> list[dict[str, Any]]:
    """A thin line across all lanes for each event, and a mark on top that says what it was."""
    texts = [f"after {format_seconds(moment.place)}<br><b>{moment.words}</b>" for moment in data.moments]
    seconds = np.array([moment.place for moment in data.moments]) / size
    return moment_traces(seconds, texts, look, bottom=-0.6, top=_top(data))


def _pause_shades(data: TimelineData, look: Look, size: float) -> list[dict[str, Any]]:
    shade = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    colour = faint(look.muted, 0.16)
    return [{**shade, "x0": start / size, "x1": end / size, "fillcolor": colour} for start, end in data.pauses]


def _pause_notes(data: TimelineData, look: Look, size: float) -> list[dict[str, Any]]:
    """A word on pauses that are wide enough for it."""
    wide = [(start, end) for start, end in data.pauses if end - start > 0.08 * (data.last - data.first)]
    place = {"y": 0, "yref": "paper", "yanchor": "bottom"}
    return [{"text": "paused", "x": (start + end) / 2 / size, **place, **note_style(look)} for start, end in wide]


TIMELINE = Timeline()
