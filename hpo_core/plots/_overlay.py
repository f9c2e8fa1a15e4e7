"""Several studies of one problem in one picture: the best so far of each. Not a `Plot`: that has one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hpo_core.analysis.selection import robust_limits
from hpo_core.errors import UsageError
from hpo_core.formats import format_count, format_score
from hpo_core.plots._look import LIVE, Figure, Look, axis, glow, layout, plain
from hpo_core.plots._progress import AXES, BestSoFar, best_so_far, places, progress_axis, step_band, step_line
from hpo_core.studies.table import TrialTable

Named = Sequence[tuple[str, TrialTable]]
_MOST = 8
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    name: str
    table: TrialTable
    step: BestSoFar
    place: int


def why_no_overlay(tables: Named, x: str = "trial") -> str | None:
    """The sentence why these studies cannot be drawn into one picture, or None."""
    if not tables:
        return "Choose at least one study to draw."
    if len(tables) > _MOST:
        return f"One picture holds up to {_MOST} studies; got {len(tables)}. Leave some out."
    if len({table.direction for _, table in tables}) > 1:
        return "Some of these studies minimise and others maximise, so they cannot share one picture."
    if any(len(line.step.x) for line in _lines(tables, x)):
        return None
    if x == "second" and any(np.isfinite(t.values[t.is_complete]).any() for _, t in tables):
        return "These studies do not say when their trials ended. Count progress in trials or in fits instead."
    return "None of these studies has a finished trial yet. The first line appears with the first value."


def overlay_figure(tables: Named, x: str = "trial", look: Look = LIVE) -> Figure:
    """Best so far of each study, with the noise of its folds, in colours by the order given.

    Args:
        tables: Up to eight studies of one problem with the names to show, for which `why_no_overlay` is None.
        x: What progress is counted in: "trial", "fit" or "second".
        look: Colours, and the name of the value.
    """
    lines = _lines(tables, x)
    arrow = "↑" if tables[0][1].direction == "maximize" else "↓"
    traces = [trace for line in lines for trace in step_band(line.step, _colour(line, look))]
    traces += [trace for line in lines for trace in _line_traces(line, look)]
    return {
        "data": traces,
        "layout": layout(
            look,
            revision=f"overlay {x} {'|'.join(name for name, _ in tables)}",
            xaxis=progress_axis(look, x, max(line.step.end for line in lines)),
            yaxis=axis(look, f"best {look.value_label} so far {arrow}", range=_range(lines)),
            annotations=_last_values(lines, look),
            margin={"l": 56, "r": 64, "t": 40, "b": 44},
        ),
    }


def overlay_numbers(tables: Named, x: str = "trial") -> pd.DataFrame:
    """The steps that are drawn: study, trial, place, best value so far and the noise of its folds."""
    parts = [
        pd.DataFrame(
            {
                "study": line.name,
                "trial": line.table.numbers[line.step.rows],
                AXES[x]: line.step.x,
                "best so far": line.step.values,
                "sd over folds": line.table.noise[line.step.rows],
            }
        )
        for line in _lines(tables, x)
    ]
    return pd.concat(parts, ignore_index=True)


def overlay_alt(tables: Named) -> str:
    """The order of the studies by their best value, in a sentence."""
    best = [(name, table, row) for name, table in tables if (row := table.best()) is not None]
    if not best:
        return "None of the studies has a finished trial."
    best.sort(key=lambda entry: entry[1].sign * entry[1].values[entry[2]])
    parts = [
        f"{name} {format_score(float(table.values[row]))} "
        f"after {format_count(int(table.is_complete.sum()), 'finished trial')}"
        for name, table, row in best
    ]
    without = len(tables) - len(best)
    return f"Best values, best first: {'; '.join(parts)}" + (f"; {without} without a value." if without else ".")


def _lines(tables: Named, x: str) -> list[_Line]:
    if x not in AXES:
        raise UsageError(f"Progress is counted in {', '.join(AXES)}; got {x!r}.")
    return [
        _Line(name, table, best_so_far(table, places(table, x)), place) for place, (name, table) in enumerate(tables)
    ]


def _colour(line: _Line, look: Look) -> str:
    return look.arms[line.place % len(look.arms)]


def _line_traces(line: _Line, look: Look) -> list[dict[str, Any]]:
    """The line, and a mark at each step whose hover says the trial."""
    if not len(line.step.x):
        return []
    colour, name = _colour(line, look), plain(line.name)
    drawn = step_line(line.step, colour)
    drawn["line"]["dash"] = _DASHES[line.place % len(_DASHES)]
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": line.step.x,
        "y": line.step.values,
        "marker": {"symbol": "circle", "size": 6, "color": colour, "line": {"width": 1, "color": look.surface}},
        "customdata": [[number] for number in line.table.numbers[line.step.rows].tolist()],
        "hovertemplate": f"<b>{name}</b> · trial %{{customdata[0]}}<br>best so far %{{y:.4~g}}<extra></extra>",
        "legendgroup": str(line.place),
        "showlegend": False,
        "name": name,
    }
    return [{**drawn, "name": name, "legendgroup": str(line.place), "hoverinfo": "skip"}, marks]


def _range(lines: list[_Line]) -> list[float]:
    """Holds the lines, and the whole noise of the last values: a picture of the lines alone would overstate how far
    they are apart."""
    values = np.concatenate([line.step.values for line in lines])
    limits = robust_limits(values, lines[0].table.sign)
    ends = [line.step.values[-1] + side * line.step.noise[-1] for line in lines if len(line.step.x) for side in (-1, 1)]
    ends = [end for end in ends if np.isfinite(end)]
    return [min([limits.low, *ends]), max([limits.high, *ends])]


def _last_values(lines: list[_Line], look: Look) -> list[dict[str, Any]]:
    """The best value at the end of each line; of those that would lie over each other only the better ones."""
    low, high = _range(lines)
    ended = sorted(
        (line for line in lines if len(line.step.x)), key=lambda line: line.table.sign * line.step.values[-1]
    )
    notes: list[dict[str, Any]] = []
    for line in ended:
        value = float(line.step.values[-1])
        if all(abs(value - note["y"]) > 0.045 * (high - low) for note in notes) and low <= value <= high:
            place = {"x": 1, "xref": "paper", "xanchor": "left", "y": value, "yanchor": "middle", "xshift": 4}
            font = {"size": 11, "color": _colour(line, look), "shadow": glow(look)}
            notes.append({"text": format_score(value), "showarrow": False, "font": font, **place})
    return notes
