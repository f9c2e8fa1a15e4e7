"""The belief: what a Gaussian process makes of the trials along one parameter, and where it would go next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import ndtr

from hpo_core import gaussian_process
from hpo_core.acquisition import score
from hpo_core.analysis.selection import Limits, Rows, moving_parameters, representative_rows, robust_limits
from hpo_core.analysis.surrogate import Surrogate, fit_surrogate
from hpo_core.analysis.units import units_of
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._marks import Spots
from hpo_core.plots._side import Side, side_of
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable
from hpo_core.warping import Prediction

_FEWEST, _MOST, _BEST = 2, 600, 100
_LARGEST = 1e100  # the square of what is larger overflows
_BAND = 1.96
_NEAR = 0.25
_EI, _PI, _BOUND = "expected improvement", "probability of improvement", "optimistic bound"
_RULES: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    _EI: ("log_ei", np.exp),
    _PI: ("pi", ndtr),
    _BOUND: ("lcb", np.asarray),
}


@dataclass(frozen=True, eq=False)
class BeliefData:
    """What a belief draws.

    Attributes:
        table: The study.
        seen: Rows of the trials that the model was shown.
        rows: Those of them that are drawn and use the parameter.
        side: The parameter, with the trials of `rows` on it.
        nearness: 1 for a drawn trial on the line through the best configuration, towards 0 the further it is off.
        belief: Mean and standard deviation at the places of the side's grid.
        promise: The acquisition there, from 0 to 1 along the line.
        anchor: Row of the best of the trials that were seen, whose other parameters the line keeps.
        newest: Row of the trial that was proposed next, None where there is none that uses the parameter.
        limits: The range of values in view.
    """

    table: TrialTable
    seen: Rows
    rows: Rows
    side: Side
    nearness: Floats
    belief: Prediction
    promise: Floats
    anchor: int
    newest: int | None
    limits: Limits

    @property
    def top(self) -> Any:
        """The value of the parameter that promises most."""
        return self.side.values[int(np.argmax(self.promise))]


@dataclass(frozen=True)
class Belief(Plot[BeliefData]):
    """Mean, doubt and acquisition along one parameter."""

    key: ClassVar[str] = "belief"
    label: ClassVar[str] = "Belief"
    place: ClassVar[int] = 110
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = (
        "What a Gaussian process believes along one parameter, how sure it is, and where it would go."
    )
    question: ClassVar[str] = "What does the model believe?"
    how_to_read: ClassVar[str] = (
        "The line is the value expected along this parameter with all others as in the best configuration, its band "
        "where the value lies with 95 % probability. Below, the acquisition: the model tries where it is highest. "
        "Marks are trials, fainter the further off this line. Set how many trials it has seen to watch it learn."
    )
    is_costly: ClassVar[bool] = True
    height: ClassVar[int] = 560

    x: str = option("", "Parameter", "The parameter along the x axis; by itself the one that matters most.")
    step: int = option(
        0, "Trials seen", "How many of the first finished trials the model is shown; 0: all.", low=0, high=100_000
    )
    rule: str = option(_EI, "Acquisition", "How promise is measured.", choices=tuple(_RULES))

    def why_unavailable(self, table: TrialTable) -> str | None:
        if self.x and self.x not in table.params:
            return f"There is no parameter {self.x!r}; there are {', '.join(table.params) or 'none'}."
        if not table.params:
            return "The trials have no parameters, so there is nothing to believe about them."
        seen = self._seen(table)
        if len(seen) < _FEWEST or np.ptp(table.values[seen]) == 0:
            return f"A model needs at least {_FEWEST} finished trials with different values; it has seen {len(seen)}."
        if np.abs(table.values[seen]).max() > _LARGEST:
            return f"A model needs values below {_LARGEST:g}; hide the trials that are beyond in the table of trials."
        if self.x and np.isnan(table.params[self.x][seen]).all():
            return f"No trial that the model has seen uses {self.x}, so it believes nothing along it."
        return None

    def compute(self, table: TrialTable) -> BeliefData:
        seen = self._seen(table)
        known = table.take(seen)
        surrogate = fit_surrogate(known, warp="yeo_johnson")
        name = self.x or _first(known, surrogate)
        used = seen[~np.isnan(table.params[name][seen])]
        rows = representative_rows(table, used, _MOST, _BEST)
        side = side_of(table, name, rows)
        points = surrogate.points_through_best(name, side.units)
        with gaussian_process.one_thread():
            belief, promise = surrogate.process.predict(points), self._promise(surrogate, points)
        anchor = int(seen[surrogate.anchor(name)])
        limits = robust_limits(table.values[used], table.sign)
        near = _nearness(table, rows, anchor, name)
        newest = _newest(table, seen, name)
        return BeliefData(table, seen, rows, side, near, belief, promise, anchor, newest, limits)

    def draw(self, data: BeliefData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        side, places = data.side, data.side.places
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        low, high = _reach(data)
        traces = [*_doubt(data, look), *_trials(data, look), _mean(data, look), _acquisition(data, self.rule, look)]
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {side.name}",
                xaxis={**side.across(look), "anchor": "y2"},
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[low, high], domain=[0.32, 1.0]),
                yaxis2=axis(look, self.rule, range=[0, 1.1], domain=[0.0, 0.24], showticklabels=False, anchor="x"),
                shapes=_proposal_line(data, look),
                annotations=_proposal_note(data, look, float(places[-1]) if len(places) else 0.0),
            ),
        }

    def locate(self, data: BeliefData, x: Any, y: Any) -> Configuration:
        return {data.side.name: data.side.at_place(float(x))}

    def numbers(self, data: BeliefData) -> pd.DataFrame:
        mean, sd = data.belief
        return pd.DataFrame(
            {data.side.name: data.side.values, "expected": mean, "sd": sd, f"{self.rule} (0 to 1)": data.promise}
        )

    def alt(self, data: BeliefData) -> str:
        mean, sd = data.belief
        best = int(np.argmin(data.table.sign * mean))
        text = f"Having seen {format_count(len(data.seen), 'trial')}, the model expects the best value along "
        text += f"{data.side.name} at {format_value(data.side.values[best])}: {format_score(float(mean[best]))} ± "
        return text + f"{format_score(float(sd[best]))}; it would try {format_value(data.top)} next."

    def caption(self, data: BeliefData) -> str:
        total = int((data.table.is_complete & np.isfinite(data.table.values)).sum())
        text = f"A Gaussian process fitted again to {len(data.seen):,} of {format_count(total, 'finished trial')}"
        text += f", through the best of them, trial {data.table.numbers[data.anchor]}"
        if len(data.rows) < len(data.seen):
            text += f"; {len(data.rows):,} of them are drawn"
        if len(data.side.values) > 1 and data.newest is not None and data.newest in data.seen:
            text += "; the newest proposal is among them"
        return f"{text}. The acquisition is scaled from 0 to 1 along the line."

    def _seen(self, table: TrialTable) -> Rows:
        usable = np.flatnonzero(table.is_complete & np.isfinite(table.values))
        return usable[: self.step] if self.step else usable

    def _promise(self, surrogate: Surrogate, points: Floats) -> Floats:
        """The acquisition, scaled so that its lowest and highest values on the line are 0 and 1."""
        sign, (rule, shown) = surrogate.table.sign, _RULES[self.rule]
        mean, sd = surrogate.process.predict_target(points)
        incumbent = float((sign * surrogate.process.fitted_targets()).min())
        height = shown(score(Prediction(sign * mean, sd), incumbent, rule))
        spread = float(np.ptp(height))
        return (height - height.min()) / spread if spread > 0 else np.zeros(len(height))


def _first(known: TrialTable, surrogate: Surrogate) -> str:
    """The most important of the parameters that differ, or else the first that is used."""
    used = [name for name, column in known.params.items() if not np.isnan(column).all()]
    names = moving_parameters(known) or used or list(known.params)
    return max(names, key=lambda name: surrogate.importances.get(name, 0.0))


def _nearness(table: TrialTable, rows: Rows, anchor: int, name: str) -> Floats:
    """By the distance from the best configuration over the other parameters; 1 for one that only one of them uses."""
    others = [i for i, other in enumerate(table.params) if other != name]
    units, best = units_of(table, rows)[:, others], units_of(table, np.array([anchor]))[:, others]
    squares = np.where(np.isnan(units) != np.isnan(best), 1.0, np.nan_to_num(units - best) ** 2)
    return np.asarray(np.exp(-(squares.mean(axis=1) if others else np.zeros(len(rows))) / _NEAR**2))


def _newest(table: TrialTable, seen: Rows, name: str) -> int | None:
    """The first trial after those that were seen, or else the last of them; None when it does not use the parameter."""
    shown = np.flatnonzero(~table.is_hidden)
    later = shown[shown > seen[-1]]
    row = int(later[0]) if len(later) else int(seen[-1])
    return None if np.isnan(table.params[name][row]) else row


def _reach(data: BeliefData) -> tuple[float, float]:
    """The values in view, with as much of the band as leaves the trials readable."""
    mean, sd = data.belief
    room = data.limits.high - data.limits.low
    low = max(float((mean - _BAND * sd).min()), data.limits.low - room)
    high = min(float((mean + _BAND * sd).max()), data.limits.high + room)
    return min(low, data.limits.low), max(high, data.limits.high)


def _doubt(data: BeliefData, look: Look) -> list[Figure]:
    if data.side.is_category:
        return []
    mean, sd = data.belief
    x = data.side.places
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.concatenate([x, x[::-1]]),
            "y": np.concatenate([mean - _BAND * sd, (mean + _BAND * sd)[::-1]]),
            "fill": "toself",
            "fillcolor": faint(look.arms[0], 0.16),
            "line": {"width": 0},
            "hoverinfo": "skip",
            "name": "95 % band",
        }
    ]


def _trials(data: BeliefData, look: Look) -> list[Figure]:
    places = np.array([data.side.place_of(float(unit)) for unit in data.side.trials])
    spots = Spots(data.table, data.rows, places)
    found = []
    for arm, style in look.arm_styles(data.table.arm_names).items():
        trace = spots.points(arm, style, look)
        trace.pop("error_y", None)
        mine = data.table.arms[data.rows] == arm
        trace["marker"] |= {"opacity": 0.15 + 0.8 * data.nearness[mine]}
        if mine.any():
            found.append(trace)
    return found


def _mean(data: BeliefData, look: Look) -> Figure:
    mean, sd = data.belief
    trace: Figure = {
        "type": "scatter",
        "mode": "lines",
        "x": data.side.places,
        "y": mean,
        "line": {"width": 2.2, "color": look.arms[0]},
        "hovertemplate": "expected %{y:.4~g}<extra></extra>",
        "name": "expected",
    }
    if not data.side.is_category:
        return trace
    bars = {"type": "data", "array": _BAND * sd, "color": faint(look.arms[0], 0.5), "width": 6}
    marker = {"symbol": "line-ew-open", "size": 18, "color": look.arms[0], "line": {"width": 2.4}}
    return {**trace, "mode": "markers", "marker": marker, "error_y": bars}


def _acquisition(data: BeliefData, rule: str, look: Look) -> Figure:
    colour = look.arms[1]
    shown = {"x": data.side.places, "y": data.promise, "yaxis": "y2", "name": rule, "hoverinfo": "skip"}
    if data.side.is_category:
        # A line for each bar: a bar chart's marks would count as trials.
        x = np.repeat(data.side.places, 3)
        y = np.column_stack([np.zeros(len(data.promise)), data.promise, np.full(len(data.promise), np.nan)]).ravel()
        line = {"width": 14, "color": faint(colour, 0.7)}
        return {"type": "scatter", "mode": "lines", **shown, "x": x, "y": y, "line": line}
    line = {"width": 1.8, "color": colour}
    return {
        "type": "scatter",
        "mode": "lines",
        **shown,
        "line": line,
        "fill": "tozeroy",
        "fillcolor": faint(colour, 0.25),
    }


def _proposal_place(data: BeliefData) -> float | None:
    if data.newest is None:
        return None
    unit = side_of(data.table, data.side.name, np.array([data.newest])).trials[0]
    return data.side.place_of(float(unit))


def _proposal_line(data: BeliefData, look: Look) -> list[Figure]:
    x = _proposal_place(data)
    line = {"width": 1.6, "color": look.text, "dash": "dash"}
    return [] if x is None else [{"type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line}]


def _proposal_note(data: BeliefData, look: Look, last: float) -> list[Figure]:
    x = _proposal_place(data)
    if x is None:
        return []
    is_right = x > 0.75 * last
    if data.side.is_log:
        x = float(np.log10(x))  # plotly.js places annotations, unlike shapes, by the logarithm
    what = "newest, seen" if data.newest in data.seen else "proposed next"
    stage = data.table.thought(data.newest).get("stage", "") if data.newest is not None else ""
    text = f"trial {data.table.numbers[data.newest]}: {what}" + (f" ({plain(stage)})" if stage else "")
    font = {"size": 11, "color": look.text}
    level = {"y": 0.27, "yref": "paper", "yanchor": "middle", "xanchor": "right" if is_right else "left"}
    return [{"text": text, "x": x, **level, "showarrow": False, "font": font}]


BELIEF = Belief()
