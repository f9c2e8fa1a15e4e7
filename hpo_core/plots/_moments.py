"""What was done to a study, as marks along an axis: a thin line and a mark on top whose hover says what it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.analysis.steering import Steered
from hpo_core.formats import format_seconds
from hpo_core.plots._look import Look, faint, plain
from hpo_core.studies.table import Floats, TrialTable

_MOST_TOLD = 6


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What was done at one place of an axis, in words that plotly.js shows as they stand; near ones are told
    together."""

    place: float
    words: str


def told_together(places: Iterable[float], texts: Iterable[str], near: float) -> list[Moment]:
    """Moments in the order of their places, which rise; those at most `near` after the first of them become one."""
    groups: list[tuple[float, list[str]]] = []
    for place, text in zip(places, texts, strict=True):
        if groups and place - groups[-1][0] <= near:
            groups[-1][1].append(plain(text))
        else:
            groups.append((float(place), [plain(text)]))
    return [Moment(place, _told(words)) for place, words in groups]


def places_among_trials(table: TrialTable, log: tuple[Steered, ...], x: Floats) -> Floats:
    """Where each entry of a log lies on an axis on which the trials lie at `x`: between the last trial that had ended
    before it and the next one; shape (entries,). NaN where no trial has a place.

    Args:
        table: The study.
        log: What was done, oldest first.
        x: Place of each trial, shape (n,); NaN where unknown.
    """
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(table.completed))
    if not len(known):
        return np.full(len(log), np.nan)
    order = known[np.argsort(table.completed[known], kind="stable")]
    ends, reached = table.completed[order], np.maximum.accumulate(x[order])
    n_before = np.searchsorted(ends, [entry.time for entry in log], side="right")
    after = np.minimum.accumulate(x[order][::-1])[::-1]  # the next place, where trials ended out of order
    left = np.where(n_before > 0, reached[n_before - 1], after[0] - 1)
    right = np.where(n_before < len(order), after[np.minimum(n_before, len(order) - 1)], left + 1)
    return np.where(right > left, (left + right) / 2, left)


def hover_text(entry: Steered, begin: float) -> str:
    """What was done, by whom, and how long after the first trial began (`begin`, epoch seconds)."""
    by = f" by {entry.by}" if entry.by and entry.is_act else ""
    after = entry.time - begin
    when = f", after {format_seconds(after)}" if after > 0 else ", before the first trial"
    return f"{entry.words}{by}{when}"


def moment_traces(
    places: Floats, texts: Sequence[str], look: Look, *, bottom: float, top: float, yaxis: str = "y"
) -> list[dict[str, Any]]:
    """A dotted line from `bottom` to `top` at each place, and a mark at its top.

    Args:
        places: Along the x axis, shape (n,).
        texts: What the hover says.
        look: Colours.
        bottom, top: Ends of the lines on the y axis.
        yaxis: Which y axis that is.
    """
    n = len(places)
    lines = {
        "type": "scatter",
        "mode": "lines",
        "x": np.column_stack([places, places, np.full(n, np.nan)]).ravel() if n else places,
        "y": np.tile([bottom, top, np.nan], n),
        "line": {"width": 1, "color": faint(look.muted, 0.8), "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": "events",
        "name": "event lines",
        "yaxis": yaxis,
    }
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": places,
        "y": np.full(n, top),
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "triangle-down", "size": 11, "color": look.text},
        "cliponaxis": False,
        "name": "what was done",
        "legendgroup": "events",
        "yaxis": yaxis,
    }
    return [lines, marks]


def _told(words: list[str]) -> str:
    more = len(words) - _MOST_TOLD
    return "<br>".join(words[:_MOST_TOLD]) + (f"<br>and {more} more" if more > 0 else "")
