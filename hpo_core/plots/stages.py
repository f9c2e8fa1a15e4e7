"""The stages of a search: what it did when, and why it went on to something else."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, arm_label, axis, faint, layout, plain
from hpo_core.plots._marks import Spots, best_ring, note_style, outside_note
from hpo_core.plots._progress import BestSoFar, best_so_far, places, progress_axis, step_line
from hpo_core.plots.history import History
from hpo_core.studies.table import TrialTable

_MOST_POINTS, _BEST_POINTS = 1500, 300
_MOST_BANDS, _MOST_LINES, _LINE_LENGTH = 60, 9, 105
_TOLD_WHYS = 3
_HEADROOM = 0.12
_LABEL_SHARE = 0.012  # of the width of the chart, for each letter of a label


@dataclass(frozen=True, eq=False)
class Band:
    """A stage of a search: trials of one arm in a row with the same stage.

    Attributes:
        stage: Its name.
        whys: The sentences why it began, and why it changed inside.
        rows: Its trials.
        start, end: Place on the x axis; it ends where the next one starts.
        best: Row of its best finished trial; None without any.
        is_better: Whether that is better than everything before the stage.
    """

    stage: str
    whys: tuple[str, ...]
    rows: Rows
    start: float
    end: float
    best: int | None
    is_better: bool


@dataclass(frozen=True, eq=False)
class StagesData:
    """What the stages draw.

    Attributes:
        table: The study.
        arm: Whose stages are shown: the arm with most trials in stages.
        bands: Its stages, in order.
        shown: Rows of finished trials that are drawn as points.
        step: The best so far of all trials.
        limits: The range of values in view.
        n_other_arms: How many other arms have stages.
    """

    table: TrialTable
    arm: str
    bands: tuple[Band, ...]
    shown: Rows
    step: BestSoFar
    limits: Limits
    n_other_arms: int

    @property
    def drawn(self) -> tuple[Band, ...]:
        """The longest bands, in order."""
        longest = sorted(self.bands, key=lambda band: band.start - band.end)[:_MOST_BANDS]
        return tuple(sorted(longest, key=lambda band: band.start))


@dataclass(frozen=True)
class Stages(Plot[StagesData]):
    """Values by trial, over bands for the stages of a method."""

    key: ClassVar[str] = "stages"
    label: ClassVar[str] = "Stages"
    place: ClassVar[int] = 110
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "What a method did when, what each stage found, and why the next one began."
    question: ClassVar[str] = "What did the search do when, and why?"
    how_to_read: ClassVar[str] = (
        "Each band is a stage of the method, each mark a trial, the line the best so far. Below stands why the latest "
        "stages began; point at the mark on top of any band for its sentence. Click a trial to load it."
    )
    height: ClassVar[int] = 560

    def why_unavailable(self, table: TrialTable) -> str | None:
        if why := History().why_unavailable(table):
            return why
        if not _staged_rows(table):
            return (
                "No trial here belongs to a stage. Methods such as the coarse-to-fine grid, random with a local grid, "
                "or any method followed by a local search go through stages."
            )
        return None

    def compute(self, table: TrialTable) -> StagesData:
        staged = _staged_rows(table)
        counts = Counter(str(table.arms[row]) for row in staged)
        arm = counts.most_common(1)[0][0] if counts else ""
        complete = np.flatnonzero(table.is_complete)
        return StagesData(
            table=table,
            arm=arm,
            bands=_bands(table, {row: thought for row, thought in staged.items() if table.arms[row] == arm}),
            shown=representative_rows(table, complete, _MOST_POINTS, _BEST_POINTS),
            step=best_so_far(table, places(table, "trial")),
            limits=robust_limits(table.values[complete], table.sign),
            n_other_arms=max(0, len(counts) - 1),
        )

    def draw(self, data: StagesData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        spots = Spots(data.table, data.shown, data.table.numbers[data.shown].astype(float))
        line = {**step_line(data.step, look.muted), "name": "best so far", "hoverinfo": "skip"}
        traces = [line, *(spots.points(arm, style, look) for arm, style in styles.items()), _tops(data, look)]
        best = data.table.best()
        if best is not None and np.isfinite(data.table.values[best]):
            colour = styles[str(data.table.arms[best])].colour
            number = float(data.table.numbers[best])
            is_right = number > 0.75 * float(data.table.numbers.max())
            traces.append(best_ring(data.table, best, number, colour, look, is_right=is_right))
        sentences = _sentences(data)
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=data.table.study,
                xaxis=progress_axis(look, "trial", float(data.table.numbers.max())),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, _top(data)]),
                shapes=_shades(data, look),
                annotations=[
                    *_labels(data, look),
                    *_told(sentences, look),
                    *_outside(data, look),
                ],
                margin={"l": 56, "r": 16, "t": 40, "b": 52 + 16 * len(sentences)},
            ),
        }

    def numbers(self, data: StagesData) -> pd.DataFrame:
        table, bands = data.table, data.bands
        best = [np.nan if band.best is None else float(table.values[band.best]) for band in bands]
        return pd.DataFrame(
            {
                "stage": [band.stage for band in bands],
                "from trial": [int(table.numbers[band.rows[0]]) for band in bands],
                "to trial": [int(table.numbers[band.rows[-1]]) for band in bands],
                "trials": [len(band.rows) for band in bands],
                "best value": best,
                "better than before": [band.is_better for band in bands],
                "why": [" ".join(band.whys) for band in bands],
            }
        )

    def alt(self, data: StagesData) -> str:
        if not data.bands:
            return "No trial here belongs to a stage."
        last = data.bands[-1]
        names = ", ".join(
            f"{band.stage} ({format_count(len(band.rows), 'trial')})" for band in data.bands[:_MOST_LINES]
        )
        text = f"{arm_label(data.arm)} went through {format_count(len(data.bands), 'stage')}: {names}"
        text += ", and more" if len(data.bands) > _MOST_LINES else ""
        return f"{text}. The latest is {last.stage}: {last.whys[-1]}".rstrip(".") + "."

    def caption(self, data: StagesData) -> str:
        n_complete, n_drawn = int(data.table.is_complete.sum()), len(data.drawn)
        share = "all " if len(data.shown) == n_complete else f"{len(data.shown):,} of "
        text = f"Showing {share}{format_count(n_complete, 'finished trial')}"
        if n_drawn < len(data.bands):
            text += f" and the longest {n_drawn} of {len(data.bands):,} stages"
        if data.n_other_arms:
            text += f"; stages of {arm_label(data.arm)} only, {format_count(data.n_other_arms, 'other arm')} left out"
        return text + "."


def _staged_rows(table: TrialTable) -> dict[int, Mapping[str, Any]]:
    """What was recorded with each trial that belongs to a stage and is not hidden, by row."""
    found: dict[int, Mapping[str, Any]] = {}
    is_hidden = table.is_hidden
    for row, text in enumerate(table.thoughts.tolist()):
        if text and '"stage"' in text and not is_hidden[row]:
            thought = table.thought(row)
            if isinstance(thought.get("stage"), str):
                found[row] = thought
    return found


def _bands(table: TrialTable, staged: Mapping[int, Mapping[str, Any]]) -> tuple[Band, ...]:
    runs = [list(rows) for _, rows in groupby(staged, key=lambda row: str(staged[row]["stage"]))]
    starts = [float(table.numbers[rows[0]]) - 0.5 for rows in runs]
    ends = [*starts[1:], float(table.numbers.max()) + 0.5] if runs else []
    signed = np.where(table.is_complete, table.sign * table.values, np.inf)
    before = np.minimum.accumulate(np.append(np.inf, signed))[:-1] if len(signed) else signed
    bands = []
    for rows, start, end in zip(runs, starts, ends, strict=True):
        chosen = np.array(rows, dtype=np.int64)
        best = int(chosen[np.argmin(signed[chosen])])
        has_best = bool(table.is_complete[best])
        whys = dict.fromkeys(str(staged[row].get("why") or "") for row in rows)
        bands.append(
            Band(
                stage=str(staged[rows[0]]["stage"]),
                whys=tuple(why for why in whys if why) or ("It does not say why.",),
                rows=chosen,
                start=start,
                end=end,
                best=best if has_best else None,
                is_better=has_best and bool(signed[best] < before[rows[0]]),
            )
        )
    return tuple(bands)


def _top(data: StagesData) -> float:
    """The upper end of the view, with room for the names of the bands."""
    return data.limits.high + _HEADROOM * (data.limits.high - data.limits.low)


def _outside(data: StagesData, look: Look) -> list[dict[str, Any]]:
    """The note on values out of view, below the names of the bands where it stands above."""
    return [note | {"y": min(note["y"], 0.9)} for note in outside_note(data.table, data.limits, look)]


def _shades(data: StagesData, look: Look) -> list[dict[str, Any]]:
    """A shade for every band, two in turns, with a line where it begins."""
    shade = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    return [
        {**shade, "x0": band.start, "x1": band.end, "fillcolor": faint(look.muted, 0.16 if i % 2 else 0.06)}
        for i, band in enumerate(data.drawn)
    ]


def _labels(data: StagesData, look: Look) -> list[dict[str, Any]]:
    """The names of bands that are wide enough for them."""
    span = float(data.table.numbers.max()) + 1.0
    wide = [band for band in data.drawn if band.end - band.start > _LABEL_SHARE * len(band.stage) * span]
    place = {"y": 0.965, "yref": "paper", "yanchor": "top"}
    return [{"text": plain(b.stage), "x": (b.start + b.end) / 2, **place, **note_style(look)} for b in wide]


def _tops(data: StagesData, look: Look) -> dict[str, Any]:
    """A mark on top of every band, which tells all about it to the pointer."""
    bands = data.drawn
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [(band.start + band.end) / 2 for band in bands],
        "y": [_top(data) - 0.015 * (_top(data) - data.limits.low)] * len(bands),
        "text": [_in_full(data, band) for band in bands],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "triangle-down", "size": 10, "color": look.text},
        "cliponaxis": False,
        "name": "why it began",
    }


def _in_full(data: StagesData, band: Band) -> str:
    lines = [f"<b>{plain(band.stage)}</b>, {format_count(len(band.rows), 'trial')}"]
    for why in band.whys[:_TOLD_WHYS]:
        lines += map(plain, textwrap.wrap(why, 70))
    if len(band.whys) > _TOLD_WHYS:
        lines.append(f"and {len(band.whys) - _TOLD_WHYS} more changes")
    if band.best is not None:
        words = "better than before" if band.is_better else "no better than before"
        lines.append(f"found {format_score(float(data.table.values[band.best]))}, {words}")
    return "<br>".join(lines)


def _sentences(data: StagesData) -> list[str]:
    """Lines that say why the latest stages began, oldest first, as many as there is room for."""
    lines: list[str] = []
    for band in reversed(data.bands):
        number = data.table.numbers[band.rows[0]]
        text = f"{band.stage}, from trial {number}: {band.whys[0]}"
        more = list(map(plain, textwrap.wrap(text, _LINE_LENGTH)[:_MOST_LINES]))
        if len(lines) + len(more) > _MOST_LINES:
            break
        lines = more + lines
    return lines


def _told(sentences: list[str], look: Look) -> list[dict[str, Any]]:
    if not sentences:
        return []
    place = {"x": 0, "xref": "paper", "xanchor": "left", "y": 0, "yref": "paper", "yanchor": "top", "yshift": -44}
    return [{"text": "<br>".join(sentences), "align": "left", **place, **note_style(look)}]


STAGES = Stages()
