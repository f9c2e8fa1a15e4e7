"""Who found the gain: the way from the default to the best, shared out to person, methods and luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.attribution import Attribution, Contribution, attribution, why_no_attribution
from hpo_core.formats import format_count, format_score, format_signed, format_value
from hpo_core.options import option
from hpo_core.plots import (
    DEFAULT,
    JUDGE,
    Figure,
    Group,
    Look,
    Plot,
    arm_label,
    axis,
    faint,
    layout,
    plain,
)
from hpo_core.plots._marks import note_style
from hpo_core.studies.table import TrialTable

_BY = {"arm": "arm", "steering": "what was done before"}
_MOST, _LEAST_LUCK = 12, 0.005
_LABEL_LETTERS = 34


@dataclass(frozen=True, eq=False)
class AttributionData:
    """What is drawn: the study, and who went which part of the way from the default to the best."""

    table: TrialTable
    found: Attribution

    @property
    def start(self) -> float:
        return float(self.table.values[self.found.start_row])

    @property
    def best(self) -> float:
        return float(self.table.values[self.found.best_row])

    @property
    def has_luck(self) -> bool:
        """Whether there is more of it than can be drawn."""
        return self.found.luck > _LEAST_LUCK * self.found.gain

    @property
    def expected(self) -> float:
        """What the best is expected to score on new folds."""
        return self.best + self.table.sign * self.found.luck


@dataclass(frozen=True)
class AttributionPlot(Plot[AttributionData]):
    """Steps from the default to the best, by who found them."""

    key: ClassVar[str] = "attribution"
    label: ClassVar[str] = "Gain by arm"
    place: ClassVar[int] = 64
    purpose: ClassVar[str] = "Which part of the gain over the default you, each method and luck have."
    question: ClassVar[str] = "Who found the gain?"
    how_to_read: ClassVar[str] = (
        "From top to bottom: where the default stands, what each arm added to the best so far, and where the best "
        "stands. The hatched bar is what the best is expected to lose on new folds, as it is partly the luckiest. "
        "Click a bar to load the trial at its end."
    )
    height: ClassVar[int] = 420
    group: ClassVar[Group | None] = JUDGE

    by: str = option("arm", "Told apart by", "Also by what was done to the search before.", choices=tuple(_BY))

    def why_unavailable(self, table: TrialTable) -> str | None:
        return why_no_attribution(table)

    def compute(self, table: TrialTable) -> AttributionData:
        return AttributionData(table, attribution(table, by_steering=self.by == "steering", most=_MOST))

    def draw(self, data: AttributionData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        labels = _labels(data)
        values = [data.start, data.best, *([data.expected] if data.has_luck else [])]
        low, high = min(values), max(values)
        pad = 0.12 * (high - low) or max(abs(high) * 0.02, 1e-3)
        arrow = "→" if data.table.direction == "maximize" else "←"
        return {
            "data": [*_bars(data, look), *_ends(data, look, len(labels)), *_luck(data, look, len(labels))],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.by}",
                xaxis=axis(look, f"{look.value_label}, better {arrow}", range=[low - pad, high + pad]),
                yaxis=axis(
                    look,
                    range=[len(labels) - 0.4, -0.6],
                    tickvals=np.arange(len(labels)),
                    ticktext=labels,
                    showgrid=False,
                    tickfont={"size": 12, "color": look.text},
                ),
                annotations=_notes(data, look),
                barmode="overlay",
                bargap=0.35,
            ),
        }

    def numbers(self, data: AttributionData) -> pd.DataFrame:
        found, table = data.found, data.table
        rows = [
            {
                "who": _who(step),
                "after": step.after,
                "gain": step.gain,
                "share of the gain": step.gain / found.gain,
                "steps": len(step.rows),
                "last step in trial": int(table.numbers[step.rows[-1]]),
                "gain of its best alone": found.alone.get(step.arm, np.nan),
                "share if all orders were alike": found.shares.get(step.arm, np.nan),
            }
            for step in found.steps
        ]
        rows.append({"who": "luck, of all of it", "after": "", "gain": -found.luck, "share of the gain": np.nan})
        return pd.DataFrame(rows)

    def alt(self, data: AttributionData) -> str:
        found = data.found
        ends = f"from {format_score(data.start)}, {_start_words(data)}, to {format_score(data.best)}"
        if not found.gain > 0:
            return f"Nothing has been gained: no trial is better than {_start_words(data)}, {format_score(data.start)}."
        parts = ", ".join(f"{_who(step)} {_size(step.gain)}" for step in found.steps)
        luck = f"; about {_size(found.luck)} of it is luck" if data.has_luck else ""
        return f"The best went {ends}: {parts}{luck}."

    def caption(self, data: AttributionData) -> str:
        found, table = data.found, data.table
        n_steps = sum(len(step.rows) for step in found.steps)
        n = int((table.is_complete & np.isfinite(table.values)).sum())
        text = f"{format_count(n_steps, 'step')} among {format_count(n, 'finished trial')}. {_whole(found)}"
        if len(found.alone) > 1 and found.gain > 0:
            text += " Steps are credited as they happened, so who comes later begins where the others got to"
            shares = ", ".join(f"{arm_label(arm)} {share / found.gain:.0%}" for arm, share in found.shares.items())
            text += f"; if all orders of the arms were alike: {shares}."
        if np.isnan(found.luck) and found.gain > 0:
            text += " How much is luck cannot be told without scores of at least two folds."
        elif found.gain > 0 and not data.has_luck:
            text += " The folds show no luck in it."
        return text


def _whole(found: Attribution) -> str:
    if not found.gain > 0:
        return "No trial is better than where the study began."
    difference = found.difference
    if difference.verdict == "unknown":
        return f"The whole gain is {_size(found.gain)}; without folds nothing says whether that is more than noise."
    half = _short(difference.half_width)
    words = "more than noise" if difference.verdict == "better" else "within noise, so it may be no gain at all"
    return f"The whole gain is {_size(found.gain)} ± {half} (95 % interval on the same folds): {words}."


def _start_words(data: AttributionData) -> str:
    return "the default" if data.found.begins_with == DEFAULT else "the first trial"


def _who(step: Contribution) -> str:
    return (
        f"{arm_label(step.arm)}, as {arm_label(step.suggested_by)} suggested"
        if step.suggested_by
        else arm_label(step.arm)
    )


def _labels(data: AttributionData) -> list[str]:
    first = "default" if data.found.begins_with == DEFAULT else "first trial"
    steps = [f"{_who(step)}{_after(step)}" for step in data.found.steps]
    return [first, *steps, "best", *(["luck"] if data.has_luck else [])]


def _after(step: Contribution) -> str:
    """A second line of a label, cut at its end: the beginning says what was done."""
    if not step.after:
        return ""
    is_long = len(step.after) > _LABEL_LETTERS
    return f"<br>after {plain(step.after[:_LABEL_LETTERS])}{'…' if is_long else ''}"


def _bars(data: AttributionData, look: Look) -> list[dict[str, Any]]:
    """One bar for each contribution, from where the best so far stood to where it got."""
    styles = look.arm_styles(data.table.arm_names)
    sign, at, traces = data.table.sign, data.start, []
    for place, step in enumerate(data.found.steps, start=1):
        row = step.rows[-1]
        words = f"{_size(step.gain)} in {format_count(len(step.rows), 'step')}"
        after = f"<br>after: {plain(step.after)}" if step.after else ""
        colour = styles[step.arm].colour
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "base": [at],
                "x": [-sign * step.gain],
                "y": [place],
                "customdata": [[int(data.table.numbers[row])]],
                "hovertemplate": f"<b>{_who(step)}</b><br>{words}{after}<br>last in trial %{{customdata[0]}}"
                "<extra></extra>",
                "marker": {"color": colour, "opacity": 0.9, "line": {"width": 0, "color": colour}},
                "text": [_signed_gain(data, step.gain)],
                "textposition": "none",
                "showlegend": False,
                "name": _who(step),
            }
        )
        at -= sign * step.gain
    return traces


def _ends(data: AttributionData, look: Look, n_labels: int) -> list[dict[str, Any]]:
    """The default as a grey diamond, the best as a ring in the colour of its arm."""
    table, found = data.table, data.found
    best_place = n_labels - 1 - data.has_luck
    ring = look.arm_styles(table.arm_names)[str(table.arms[found.best_row])].colour
    marks = (
        (found.start_row, 0, {"symbol": "diamond", "size": 12, "color": look.default}),
        (found.best_row, best_place, {"symbol": "circle-open", "size": 15, "color": ring, "line": {"width": 2.4}}),
    )
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [float(table.values[row])],
            "y": [place],
            "customdata": [[int(table.numbers[row])]],
            "hovertemplate": "<b>trial %{customdata[0]}</b><br>%{x:.4~g}<extra></extra>",
            "marker": marker,
            "showlegend": False,
            "name": "end",
        }
        for row, place, marker in marks
    ]


def _luck(data: AttributionData, look: Look, n_labels: int) -> list[dict[str, Any]]:
    if not data.has_luck:
        return []
    return [
        {
            "type": "bar",
            "orientation": "h",
            "base": [data.best],
            "x": [data.expected - data.best],
            "y": [n_labels - 1],
            "hovertemplate": f"about {_size(data.found.luck)} is luck<br>expected on new folds: "
            f"{format_score(data.expected)}<extra></extra>",
            "marker": {
                "color": faint(look.failed, 0.25),
                "line": {"width": 1, "color": look.failed},
                "pattern": {"shape": "/", "fgcolor": look.failed, "size": 6, "solidity": 0.25},
            },
            "showlegend": False,
            "name": "luck",
        }
    ]


def _notes(data: AttributionData, look: Look) -> list[dict[str, Any]]:
    """The value at both ends, and the size of each part beside its bar."""
    sign, found, at = data.table.sign, data.found, data.start
    side = {"xanchor": "left" if sign < 0 else "right", "xshift": 10 if sign < 0 else -10}
    notes = [{"text": format_score(data.start), "x": data.start, "y": 0, **side, **note_style(look)}]
    for place, step in enumerate(found.steps, start=1):
        at -= sign * step.gain
        notes.append({"text": _signed_gain(data, step.gain), "x": at, "y": place, **side, **note_style(look)})
    place = len(found.steps) + 1
    notes.append({"text": format_score(data.best), "x": data.best, "y": place, **side, **note_style(look)})
    if data.has_luck:
        text = f"about {format_score(data.expected)} on new folds"
        back = {"xanchor": "right" if sign < 0 else "left", "xshift": -10 if sign < 0 else 10}
        is_wide = abs(data.expected - data.start) > 0.35 * found.gain
        where = back if is_wide else side
        x = data.expected if is_wide else data.best
        notes.append({"text": text, "x": x, "y": place + 1, **where, **note_style(look)})
    return notes


def _signed_gain(data: AttributionData, gain: float) -> str:
    return format_signed(-data.table.sign * gain)


def _size(gain: float) -> str:
    return format_value(float(f"{gain:.3g}"))


def _short(figure: float) -> str:
    return format_value(float(f"{figure:.2g}"))


ATTRIBUTION = AttributionPlot()
