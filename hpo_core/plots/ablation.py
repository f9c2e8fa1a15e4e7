"""The ablation path: which of the changes from the default to the best configuration gained what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.ablation import Ablation as Path
from hpo_core.analysis.ablation import Change, ablation
from hpo_core.analysis.surrogate import Surrogate, fit_surrogate, why_no_explanation
from hpo_core.formats import format_count, format_score, format_signed
from hpo_core.options import option
from hpo_core.plots import DEFAULT, JUDGE, Figure, Group, Look, Plot, axis, faint, glow, layout, plain
from hpo_core.plots._hover import hover
from hpo_core.plots._look import shortened
from hpo_core.plots._marks import shaky_note
from hpo_core.studies.table import TrialTable

_MOST_CHANGES, _ROOMY = 12, 8
_HALF_BAR = 0.22
_BY_DEFAULT = -1
_SURE = 1.645  # standard deviations of a 90 % interval


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: a change, or the last ones of a long path taken together.

    Attributes:
        label: What moved, for the axis.
        detail: From where to where, for the axis.
        before, after: The expected value before and after it.
        gain, low, high: What it gained with its 90 % interval; NaN for the ends of several together.
        is_clear: Whether the surrogate is sure that it makes a difference.
    """

    label: str
    detail: str
    before: float
    after: float
    gain: float
    low: float
    high: float
    is_clear: bool


@dataclass(frozen=True, eq=False)
class AblationData:
    """What an ablation path draws.

    Attributes:
        table: The study.
        path: The way from one trial to the best.
        surrogate: What it was walked on.
        is_from_default: Whether it begins at the default configuration.
    """

    table: TrialTable
    path: Path
    surrogate: Surrogate
    is_from_default: bool

    @property
    def steps(self) -> list[Step]:
        """The bars from top to bottom: at most twelve, the last of which may hold all changes that are left."""
        changes, values = self.path.changes, [self.path.start_value, *(c.value for c in self.path.changes)]
        n_alone = len(changes) if len(changes) <= _MOST_CHANGES else _MOST_CHANGES - 1
        steps = [_step(change, values[i]) for i, change in enumerate(changes[:n_alone])]
        rest = changes[n_alone:]
        if rest:
            gain, nan = sum(change.gain for change in rest), float("nan")
            label = f"the other {len(rest)} changes"
            steps.append(Step(label, "", values[n_alone], values[-1], gain, nan, nan, is_clear=False))
        return steps

    @property
    def start_label(self) -> str:
        return "default" if self.is_from_default else f"trial {self.table.numbers[self.path.start]}"

    @property
    def end_label(self) -> str:
        return f"best, trial {self.table.numbers[self.path.end]}"


@dataclass(frozen=True)
class Ablation(Plot[AblationData]):
    """The changes from the default to the best configuration, one by one."""

    key: ClassVar[str] = "ablation"
    label: ClassVar[str] = "Ablation"
    place: ClassVar[int] = 85
    group: ClassVar[Group | None] = JUDGE
    purpose: ClassVar[str] = "Which of the changes from the default to the best configuration gained what, in order."
    question: ClassVar[str] = "Which change gained what?"
    how_to_read: ClassVar[str] = (
        "From top to bottom the default turns into the best configuration, each time by the change that is expected to "
        "gain most; a bar is what it gains after those above it, its thin line a 90 % interval, hollow where that is "
        "not beyond doubt. The marks in the first and last row are what the two trials really got, the small bars what "
        "the model expects of them. Click a mark to load its trial."
    )
    is_costly: ClassVar[bool] = True

    start: int = option(
        _BY_DEFAULT,
        "From trial",
        "The number of the trial where the path begins; -1: the default configuration.",
        low=_BY_DEFAULT,
        high=10_000_000,
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        if self.start != _BY_DEFAULT and not ((table.numbers == self.start) & ~table.is_hidden).any():
            return f"There is no trial {self.start} among those shown; choose another to begin from."
        why = why_no_explanation(table)
        if why:
            return why
        surrogate = fit_surrogate(table)
        start, end = _start(table, self.start), surrogate.anchor()
        if start == end:
            what = "the default itself" if table.arms[start] == DEFAULT else f"trial {table.numbers[start]} itself"
            return f"The best trial is {what}: there is no change that gained anything. Begin from another trial."
        if not ablation(surrogate, start, end).changes:
            return f"Trial {table.numbers[start]} has the same configuration as the best; begin from another trial."
        return None

    def compute(self, table: TrialTable) -> AblationData:
        surrogate, start = fit_surrogate(table), _start(table, self.start)
        path = ablation(surrogate, start, surrogate.anchor())
        return AblationData(table, path, surrogate, bool(table.arms[start] == DEFAULT))

    def draw(self, data: AblationData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        steps = data.steps
        labels = [f"<b>{shortened(step.label, 20)}</b><br>{shortened(step.detail, 22)}" for step in steps]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        low, high = _view(data)
        return {
            "data": [
                _links(data, look),
                _bars(steps, look),
                _whiskers(data, look),
                _gains(data, look),
                *_ends(data, look),
            ],
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.path.start}",
                xaxis=axis(look, f"{look.value_label}, expected {arrow}", range=[low, high]),
                yaxis=axis(
                    look,
                    range=[len(steps) + 1.6, -0.6],
                    tickvals=np.arange(len(steps) + 2),
                    ticktext=[data.start_label, *labels, data.end_label],
                    showgrid=False,
                    tickfont={"size": 11, "color": look.text},
                ),
                annotations=shaky_note(data.surrogate.quality, look),
                showlegend=False,
                bargap=1 - 2 * _HALF_BAR,
                margin={"l": 56, "r": 16, "t": 28, "b": 44},
            ),
        }

    def numbers(self, data: AblationData) -> pd.DataFrame:
        """Columns: the change, what comes with it, from and to, the value after it, its gain with interval."""
        changes = data.path.changes
        return pd.DataFrame(
            {
                "change": [change.name for change in changes],
                "with it": [", ".join(change.others) for change in changes],
                "from": [change.before for change in changes],
                "to": [change.after for change in changes],
                "expected after it": [change.value for change in changes],
                "gain": [change.gain for change in changes],
                "low (5 %)": [change.low for change in changes],
                "high (95 %)": [change.high for change in changes],
                "beyond doubt": [change.is_clear for change in changes],
            }
        )

    def alt(self, data: AblationData) -> str:
        path = data.path
        clear = [change for change in path.changes if change.is_clear]
        whole = f"{format_signed(path.gain)} ({format_signed(path.low)} to {format_signed(path.high)})"
        text = f"From the {data.start_label} to the {data.end_label}, the model expects a gain of {whole}"
        text = text.replace("the trial", "trial")
        if not clear:
            return f"{text}; no single change made a difference beyond doubt."
        parts = [f"{c.name} from {c.before} to {c.after} {format_signed(c.gain)}" for c in clear[:3]]
        rest = len(path.changes) - len(clear)
        unclear = f"; {format_count(rest, 'other change')} made no difference beyond doubt" if rest else ""
        return f"{text}: {'; '.join(parts)}{unclear}."

    def caption(self, data: AblationData) -> str:
        path = data.path
        is_first = not data.is_from_default and self.start == _BY_DEFAULT
        text = "No default was tried, so it begins at the first trial. " if is_first else ""
        text += f"{format_count(len(path.changes), 'change')} on a model {data.surrogate.learned_in_words()}"
        text += f"; {format_count(path.n_same, 'parameter')} stayed the same" if path.n_same else ""
        text += f". {_nothing(path)}{_gap(data)}"
        return f"{text}{data.surrogate.trust_in_words('model')}"


def _start(table: TrialTable, number: int) -> int:
    """The row where the path begins: the trial of this number, else the default, else the first finished one."""
    if number != _BY_DEFAULT:
        return int(np.flatnonzero(table.numbers == number)[0])
    usable = np.flatnonzero(table.is_learnable)
    defaults = usable[table.arms[usable] == DEFAULT]
    return int(defaults[0] if len(defaults) else usable[0])


def _step(change: Change, before: float) -> Step:
    label = " + ".join([change.name, *change.others[:1]]) + (
        f" and {len(change.others) - 1} more" if len(change.others) > 1 else ""
    )
    detail = f"{change.before} → {change.after}"
    return Step(label, detail, before, change.value, change.gain, change.low, change.high, change.is_clear)


def _nothing(path: Path) -> str:
    """A sentence about the changes that made no difference, or ""."""
    unclear = [change for change in path.changes if not change.is_clear]
    if not unclear:
        return ""
    total = format_signed(sum(change.gain for change in unclear))
    if len(unclear) == len(path.changes):
        return "No single change made a difference beyond doubt. "
    what = "The other change" if len(unclear) == 1 else f"The other {len(unclear)} changes"
    return f"{what} made no difference beyond doubt ({total} together). "


def _gap(data: AblationData) -> str:
    """A sentence about how far the model is from what the two trials really got."""
    ends = ((data.path.start, data.path.start_value, data.start_label), (data.path.end, data.path.end_value, "best"))
    parts = [
        f"{format_score(expected)} for the {label}, which got {format_score(float(data.table.values[row]))}"
        for row, expected, label in ends
        if np.isfinite(data.table.values[row])
    ]
    return f"It expects {', and '.join(parts)}. ".replace("the trial", "trial") if parts else ""


def _bars(steps: list[Step], look: Look) -> Figure:
    colours = [look.arms[0] if step.gain >= 0 else look.arms[2] for step in steps]
    filled = [c if step.is_clear else faint(c, 0.12) for c, step in zip(colours, steps, strict=True)]
    return {
        "type": "bar",
        "orientation": "h",
        "base": [step.before for step in steps],
        "x": [step.after - step.before for step in steps],
        "y": np.arange(1, len(steps) + 1),
        "text": [_hover(step) for step in steps],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": filled, "line": {"width": 1.4, "color": colours}},
        "name": "change",
    }


def _hover(step: Step) -> str:
    lines = [f"<b>{plain(step.label)}</b> {plain(step.detail)}", f"{'better' if step.gain >= 0 else 'worse'} by "]
    lines[1] += format_score(abs(step.gain))
    if np.isfinite(step.low):
        lines[1] += f", 90 % interval of the gain {format_signed(step.low)} to {format_signed(step.high)}"
    lines.append(f"expected {format_score(step.before)}, then {format_score(step.after)}")
    return "<br>".join(lines if step.is_clear else [*lines, "not beyond doubt"])


def _whiskers(data: AblationData, look: Look) -> Figure:
    """The interval of each gain, laid from the value before it."""
    sign = data.table.sign
    x = [end for s in data.steps for end in (s.before - sign * s.low, s.before - sign * s.high, np.nan)]
    y = np.repeat(np.arange(1, len(data.steps) + 1), 3)
    line = {"width": 1.6, "color": look.text}
    shown = {"x": np.array(x), "y": y, "line": line, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "lines", **shown, "name": "90 % interval"}


def _gains(data: AblationData, look: Look) -> Figure:
    """How much the value changes, above each bar."""
    steps = data.steps
    return {
        "type": "scatter",
        "mode": "text",
        "x": [(step.before + step.after) / 2 for step in steps],
        "y": np.arange(1, len(steps) + 1) - _HALF_BAR,
        "text": [format_signed(step.after - step.before) for step in steps],
        "textposition": "top center",
        "textfont": {
            "size": 12 if len(steps) <= _ROOMY else 10,
            "color": [look.text if step.is_clear else look.muted for step in steps],
            "shadow": glow(look),
        },
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "change of the value",
    }


def _links(data: AblationData, look: Look) -> Figure:
    """Lines from where one bar ends to where the next begins."""
    values = [data.path.start_value, *(step.after for step in data.steps)]
    x = [place for value in values for place in (value, value, np.nan)]
    y = [place for i in range(len(values)) for place in (i, i + 1, np.nan)]
    line = {"width": 1.2, "color": faint(look.muted, 0.6), "dash": "dot"}
    shown = {"x": np.array(x), "y": np.array(y), "line": line, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "lines", **shown, "name": "so far"}


def _ends(data: AblationData, look: Look) -> list[Figure]:
    """What the model expects of both trials, with its doubt, and what they really got."""
    path, places = data.path, [0, len(data.steps) + 1]
    expected = {
        "type": "scatter",
        "mode": "markers",
        "x": [path.start_value, path.end_value],
        "y": places,
        "marker": {"symbol": "line-ns-open", "size": 14, "color": look.text, "line": {"width": 2.4}},
        "error_x": {
            "type": "data",
            "array": [_SURE * path.start_sd, _SURE * path.end_sd],
            "color": faint(look.text, 0.5),
            "width": 0,
        },
        "hovertemplate": "expected %{x:.4~g}<extra></extra>",
        "name": "expected",
    }
    styles = look.arm_styles(data.table.arm_names)
    found: list[Figure] = [expected]
    for row, place in zip((path.start, path.end), places, strict=True):
        if np.isfinite(data.table.values[row]):
            style, rows = styles[str(data.table.arms[row])], np.array([row], dtype=np.int64)
            shown = hover(data.table, rows, style.label)
            is_best = place > 0
            ring = {"symbol": "circle-open" if is_best else style.symbol, "size": 15 if is_best else 11}
            marker = {**ring, "color": style.colour, "line": {"width": 2.4 if is_best else 1.4, "color": style.colour}}
            found.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": data.table.values[rows],
                    "y": [place],
                    "customdata": shown.customdata,
                    "hovertemplate": shown.template,
                    "marker": marker,
                    "cliponaxis": False,
                    "name": "best" if is_best else "start",
                }
            )
    return found


def _view(data: AblationData) -> tuple[float, float]:
    """The values of the path and of both ends, with as much of the intervals as leaves them readable."""
    path = data.path
    values = [path.start_value, path.end_value, *(step.after for step in data.steps)]
    values += [float(v) for v in data.table.values[[path.start, path.end]] if np.isfinite(v)]
    low, high = min(values), max(values)
    room = (high - low) or max(abs(high) * 0.02, 1e-3)
    sign = data.table.sign
    ends = [end for s in data.steps if s.is_clear for end in (s.before - sign * s.low, s.before - sign * s.high)]
    for value, sd in ((path.start_value, path.start_sd), (path.end_value, path.end_sd)):
        ends += [value - _SURE * sd, value + _SURE * sd]
    bottom, top = max(min([low, *ends]), low - 0.3 * room), min(max([high, *ends]), high + 0.3 * room)
    return bottom - 0.06 * room, top + 0.06 * room


ABLATION = Ablation()
