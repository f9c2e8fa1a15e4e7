"""Partial dependence: what one parameter does on average over the others, how sure that is, and where nobody looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.dependence import BEST, TRIALS, WHOLE, Dependence, dependence
from hpo_core.analysis.selection import moving_parameters
from hpo_core.analysis.surrogate import SURE_ENOUGH, Surrogate, fit_surrogate, why_no_explanation
from hpo_core.analysis.units import number_at
from hpo_core.formats import format_score, format_value
from hpo_core.options import option
from hpo_core.plots import JUDGE, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._curve import Curve
from hpo_core.plots._side import Side, first_parameter, side_of, why_no_side
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable

_SURE = 1.645  # standard deviations of a 90 % interval
_STRETCHES = 24
_MUCH = 0.05
_IN_WORDS = {
    WHOLE: "spread evenly over the whole space",
    TRIALS: "of the trials",
    BEST: "of the best quarter of the trials",
}


@dataclass(frozen=True, eq=False)
class PartialDependenceData:
    """What a partial dependence draws.

    Attributes:
        table: The study.
        side: The parameter, with all finished trials that use it.
        found: The average along it.
        surrogate: What it was learned with.
        over: Which configurations were averaged.
    """

    table: TrialTable
    side: Side
    found: Dependence
    surrogate: Surrogate
    over: str

    @property
    def reach(self) -> Floats:
        """Half the 90 % interval of the average."""
        return _SURE * self.found.sd

    @property
    def unseen(self) -> float:
        """Share of the parameter's range, or of its categories, that has no trial near."""
        return float((~self.side.is_near).mean())

    @property
    def is_flat(self) -> bool:
        """Whether a level line fits into the interval, where trials are."""
        near = self.side.is_near
        return bool((self.found.mean - self.reach)[near].max() <= (self.found.mean + self.reach)[near].min())


@dataclass(frozen=True)
class PartialDependence(Plot[PartialDependenceData]):
    """The average over the other parameters, along one."""

    key: ClassVar[str] = "partial_dependence"
    label: ClassVar[str] = "Partial dependence"
    place: ClassVar[int] = 88
    group: ClassVar[Group | None] = JUDGE
    purpose: ClassVar[str] = (
        "What one parameter does on average over the others, with an interval that holds the doubt."
    )
    question: ClassVar[str] = "What does one parameter do on average, and where did nobody look?"
    how_to_read: ClassVar[str] = (
        "The line is the value expected on average over the other parameters; the strong band is the 90 % interval of "
        "that average, the faint one where nine in ten of the averaged configurations lie: the wider, the less an "
        "average says. The line is dotted where no trial is near; below is how many trials each stretch has. Click a "
        "place to put this parameter there."
    )
    shows_trials: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True
    height: ClassVar[int] = 520

    x: str = option("", "Parameter", "The parameter along the x axis; by itself the one that matters most.")
    over: str = option(
        WHOLE,
        "Average over",
        "The whole space is what the parameter does anywhere; the best trials, what it does near the top.",
        choices=(WHOLE, TRIALS, BEST),
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        why = why_no_side(table, self.x) or why_no_explanation(table)
        if why:
            return why
        if self.x and self.x not in moving_parameters(table):
            return f"All finished trials have the same {self.x}, so there is no telling what it does."
        if self.x and not fit_surrogate(table).uses(self.x):
            return f"Too few trials use {self.x} to tell what it does."
        return None

    def compute(self, table: TrialTable) -> PartialDependenceData:
        surrogate = fit_surrogate(table)
        used = {name: share for name, share in surrogate.importances.items() if surrogate.uses(name)}
        name = self.x or first_parameter(table, used)
        rows = np.flatnonzero(table.is_learnable & ~np.isnan(table.params[name]))
        side = side_of(table, name, rows)
        return PartialDependenceData(
            table, side, dependence(surrogate, name, side.units, self.over), surrogate, self.over
        )

    def draw(self, data: PartialDependenceData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        found, side = data.found, data.side
        is_shaky = data.surrogate.quality.r2 < SURE_ENOUGH
        spread = Curve(side, found.mean, found.spread_low, found.spread_high, "nine in ten configurations", "")
        everywhere = Curve(side, found.mean, found.mean - data.reach, found.mean + data.reach, "no trial near", "")
        shown = np.where(side.is_near, found.mean, np.nan)
        average = Curve(side, shown, everywhere.low, everywhere.high, "average", "expected on average", is_shaky)
        traces = [
            *spread.band(look, look.arms[0], 0.07),
            *everywhere.band(look, look.arms[0], 0.2),
            *([_guess(everywhere, look)] if data.unseen else []),
            average.line(look, look.arms[0]),
            _counts(data, look),
        ]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {side.name} {self.over}",
                xaxis={**side.across(look), "anchor": "y2"},
                yaxis=axis(look, f"{look.value_label}, on average {arrow}", range=_view(data), domain=[0.26, 1.0]),
                yaxis2=axis(look, "trials", domain=[0.0, 0.17], anchor="x", rangemode="tozero", nticks=3),
                shapes=side.slider_line(look, current),
            ),
        }

    def locate(self, data: PartialDependenceData, x: Any, y: Any) -> Configuration:
        return {data.side.name: data.side.at_place(float(x))}

    def numbers(self, data: PartialDependenceData) -> pd.DataFrame:
        """Columns: the parameter, the average with its interval and the spread of what was averaged, trials near."""
        found = data.found
        return pd.DataFrame(
            {
                data.side.name: data.side.values,
                "average": found.mean,
                "low (5 %)": found.mean - data.reach,
                "high (95 %)": found.mean + data.reach,
                "configurations from (5 %)": found.spread_low,
                "configurations to (95 %)": found.spread_high,
                "a trial is near": data.side.is_near,
            }
        )

    def alt(self, data: PartialDependenceData) -> str:
        near, mean = data.side.is_near, data.table.sign * data.found.mean
        quality = data.surrogate.quality.in_words("average")
        if data.is_flat:
            return f"On average over {_over(data)}, {data.side.name} makes no difference beyond doubt. {quality}"
        best, worst = int(np.argmin(np.where(near, mean, np.inf))), int(np.argmax(np.where(near, mean, -np.inf)))
        at = [
            f"{format_score(float(data.found.mean[i]))} ± {format_score(float(data.reach[i]))} at "
            f"{format_value(data.side.values[i])}"
            for i in (best, worst)
        ]
        along = f"Along {data.side.name}, the average over {_over(data)}"
        return f"{along} is best with {at[0]} and worst with {at[1]}. {quality}"

    def caption(self, data: PartialDependenceData) -> str:
        found, n_used = data.found, len(data.side.trials)
        text = f"The average of {found.n_averaged} configurations {_IN_WORDS[data.over]}; "
        text += data.surrogate.learned_in_words()
        if n_used < data.table.is_learnable.sum():
            text += f"; {n_used:,} {'use' if n_used > 1 else 'uses'} {plain(data.side.name)}"
        text += "."
        if data.unseen:
            what = "categories have no trial" if data.side.is_category else "the range has no trial near"
            text += f" {data.unseen:.0%} of {what}."
        if found.unknown >= _MUCH:
            text += f" Little is known about {found.unknown:.0%} of what was averaged."
        return f"{text} {data.surrogate.trust_in_words('average')}"


def _over(data: PartialDependenceData) -> str:
    return {WHOLE: "the whole space", TRIALS: "the trials", BEST: "the best quarter of the trials"}[data.over]


def _guess(curve: Curve, look: Look) -> Figure:
    """The line where no trial is near: dotted, and under the one that trials carry."""
    line = curve.line(look, look.arms[0])
    pale = faint(look.arms[0], 0.6)
    if curve.side.is_category:
        return {**line, "marker": {**line["marker"], "color": pale}}
    return {**line, "line": {"width": 1.6, "color": pale, "dash": "dot"}, "hoverinfo": "skip"}


def _counts(data: PartialDependenceData, look: Look) -> Figure:
    """How many trials each stretch of the range has. A line, as bars on a log axis are not as wide as they should."""
    side = data.side
    if side.is_category or side.has_few_numbers:
        edges = np.concatenate([[-1.0], (side.units[1:] + side.units[:-1]) / 2, [2.0]])
        half = 0.4 * (1.0 if side.is_category else side.gap)
        left, right = side.places - half, side.places + half
    else:
        edges = np.linspace(0, 1, _STRETCHES + 1)
        ends = np.array([number_at(side.distribution, float(unit)) for unit in edges])
        left, right = ends[:-1], ends[1:]
    counts, _ = np.histogram(side.trials, edges)
    nothing = np.zeros(len(counts))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.column_stack([left, left, right, right]).ravel(),
        "y": np.column_stack([nothing, counts, counts, nothing]).ravel(),
        "yaxis": "y2",
        "line": {"width": 0},
        "fill": "tozeroy",
        "fillcolor": faint(look.muted, 0.55),
        "hovertemplate": "%{y} trials<extra></extra>",
        "showlegend": False,
        "name": "trials",
    }


def _view(data: PartialDependenceData) -> list[float]:
    """The averages with their intervals where trials are, and as much of the spread as leaves them readable."""
    near = data.side.is_near
    low, high = (data.found.mean - data.reach)[near].min(), (data.found.mean + data.reach)[near].max()
    room = max(float(high - low), 1e-12)
    bottom = max(float(data.found.spread_low[near].min()), float(low) - room)
    top = min(float(data.found.spread_high[near].max()), float(high) + room)
    pad = 0.05 * room
    return [min(bottom, float(low)) - pad, max(top, float(high)) + pad]


PARTIAL_DEPENDENCE = PartialDependence()
