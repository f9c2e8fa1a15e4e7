"""The isolation plot: how good it can still get when one parameter is fixed and all others are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.analysis.isolation import Found, Profile, best_found, profile
from hpo_core.analysis.local_importance import safe_range
from hpo_core.analysis.selection import Limits, estimates_in_words, representative_rows, robust_limits
from hpo_core.analysis.surrogate import SURE_ENOUGH, Surrogate, fit_surrogate, why_no_explanation
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import JUDGE, ArmStyle, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._curve import Curve
from hpo_core.plots._marks import Spots, best_ring
from hpo_core.plots._side import Side, first_parameter, side_of, why_no_side
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable

_STRETCHES = 12
_MOST, _BEST = 1000, 300
_SURE = 1.645  # standard deviations of a 90 % interval


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What the surrogate expects with the parameter fixed.

    Attributes:
        profile: The best at each place of the grid.
        configurations: Those that it expects to be best, one for each place.
        is_shown: Where a trial is near and something is known.
        surrogate: What it was learned with.
    """

    profile: Profile
    configurations: list[Configuration]
    is_shown: NDArray[np.bool_]
    surrogate: Surrogate


@dataclass(frozen=True, eq=False)
class IsolationData:
    """What an isolation plot draws.

    Attributes:
        table: The study.
        side: The parameter, with the trials of `found` on it.
        found: The best trial of each stretch of its range.
        n_used: Finished trials that use it.
        others: Places in [0, 1] and values of the trials that lie behind, at most a thousand.
        expected: What the surrogate expects; None where there is none.
        why_nothing_expected: The sentence why.
        limits: The range of values in view.
    """

    table: TrialTable
    side: Side
    found: Found
    n_used: int
    others: tuple[Floats, Floats]
    expected: Expected | None
    why_nothing_expected: str
    limits: Limits

    @property
    def free(self) -> tuple[Any, Any] | None:
        """Between which values the parameter can be fixed without losing more than the noise of one value."""
        if self.expected is None or not self.expected.is_shown.any():
            return None
        shown, signed = self.expected.is_shown, self.table.sign * self.expected.profile.mean
        best = int(np.argmin(np.where(shown, signed, np.inf)))
        loss = np.where(shown, signed - signed[best], np.inf)
        noise = self.expected.surrogate.process.noise
        low, high = safe_range(self.side.units, loss, float(self.side.units[best]), noise)
        return self.side.at_unit(low), self.side.at_unit(high)


@dataclass(frozen=True)
class Isolation(Plot[IsolationData]):
    """The best value over all other parameters, along one."""

    key: ClassVar[str] = "isolation"
    label: ClassVar[str] = "Isolation"
    place: ClassVar[int] = 87
    group: ClassVar[Group | None] = JUDGE
    purpose: ClassVar[str] = (
        "How good it can still get with one parameter fixed: found, and expected, with an interval."
    )
    question: ClassVar[str] = "With one parameter fixed, how good can it still get?"
    how_to_read: ClassVar[str] = (
        "Each strong mark is the best trial of its stretch of the range, whatever its other parameters; where few "
        "trials are, few had a chance. The line is the best value that is expected there with all others free, its "
        "band a 90 % interval, blank where no trial is near. Click a place for the configuration behind the line, a "
        "mark for its trial."
    )
    is_costly: ClassVar[bool] = True

    x: str = option("", "Parameter", "The parameter that is fixed; by itself the one that matters most.")

    def why_unavailable(self, table: TrialTable) -> str | None:
        return why_no_side(table, self.x)

    def compute(self, table: TrialTable) -> IsolationData:
        why = why_no_explanation(table)
        surrogate = None if why else fit_surrogate(table)
        name = self.x or first_parameter(table, surrogate.importances if surrogate else {})
        used = np.flatnonzero(table.is_learnable & ~np.isnan(table.params[name]))
        whole = side_of(table, name, used)
        found = best_found(table, name, _centres(whole))
        side = side_of(table, name, found.rows)
        if surrogate is not None and not surrogate.uses(name):
            why, surrogate = f"Too few trials use {name} to tell what is best along it.", None
        expected = None if surrogate is None else _expected(surrogate, side, whole.is_near)
        behind = np.setdiff1d(representative_rows(table, used, _MOST, _BEST), found.rows)
        others = (side_of(table, name, behind).trials, table.values[behind])
        limits = _limits(table, found, expected)
        return IsolationData(table, side, found, len(used), others, expected, why or "", limits)

    def draw(self, data: IsolationData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        x = np.array([data.side.place_of(float(unit)) for unit in data.side.trials])
        spots = Spots(data.table, data.found.rows, x)
        points = [spots.points(arm, style, look) for arm, style in styles.items()]
        curve = [] if data.expected is None else [_curve(data, data.expected)]
        bands = [trace for c in curve for trace in c.band(look, strength=0.12)]
        traces = [*bands, _behind(data, look), *(c.line(look) for c in curve), *points, *_best(data, x, styles, look)]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.side.name}",
                xaxis=data.side.across(look),
                yaxis=axis(look, f"best {look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                shapes=data.side.slider_line(look, current),
            ),
        }

    def locate(self, data: IsolationData, x: Any, y: Any) -> Configuration:
        fixed = {data.side.name: data.side.at_place(float(x))}
        if data.expected is None:
            return fixed
        place = int(np.abs(data.side.places - float(x)).argmin())
        if data.side.is_log:
            place = int(np.abs(np.log(data.side.places) - np.log(max(float(x), 1e-300))).argmin())
        return data.expected.configurations[place] | fixed

    def numbers(self, data: IsolationData) -> pd.DataFrame:
        """Columns: the parameter, what is expected there with its interval and configuration, and what was found."""
        counts, best, trials = _at_places(data)
        found = {"best found near": best, "best found by": trials, "trials near": counts}
        expected = data.expected
        if expected is None:
            return pd.DataFrame({data.side.name: data.side.values, **found})
        curve = _curve(data, expected)
        others = [name for name in data.table.params if name != data.side.name]
        with_it = {f"with {n}": [str(c.get(n, "")) for c in expected.configurations] for n in others}
        band = {"expected best": curve.mean, "low (5 %)": curve.low, "high (95 %)": curve.high}
        return pd.DataFrame({data.side.name: data.side.values, **band, **found, **with_it})

    def alt(self, data: IsolationData) -> str:
        values = data.table.values[data.found.rows]
        best = int(np.argmin(data.table.sign * values))
        text = f"With {data.side.name} fixed, the best value found is {format_score(float(values[best]))} at "
        text += format_value(data.side.trial_values[best])
        worst = int(np.argmax(data.table.sign * values))
        if len(values) > 1:
            text += f", and {format_score(float(values[worst]))} near {format_value(data.side.trial_values[worst])}"
        return f"{text}.{_freedom(data)}"

    def caption(self, data: IsolationData) -> str:
        n_usable, n_found, n_stretches = (
            int(data.table.is_learnable.sum()),
            len(data.found.rows),
            len(_centres(data.side)),
        )
        text = f"{format_count(data.n_used, 'finished trial')}"
        text += (
            f" of {n_usable:,} {'use' if data.n_used > 1 else 'uses'} {plain(data.side.name)}"
            if n_usable > data.n_used
            else ""
        )
        text += f"{estimates_in_words(data.table)}; {n_found} of {n_stretches} "
        text += f"{'categories' if data.side.is_category else 'stretches of its range'} have any."
        if data.expected is None:
            return f"{text} {data.why_nothing_expected}"
        surrogate = data.expected.surrogate
        return f"{text}{_freedom(data)} {surrogate.trust_in_words('line')}"


def _centres(side: Side) -> Floats:
    """Middles of the stretches in which the best trial is looked for."""
    if side.is_category or len(side.units) <= _STRETCHES or side.has_few_numbers:
        return side.units
    return (np.arange(_STRETCHES) + 0.5) / _STRETCHES


def _expected(surrogate: Surrogate, side: Side, is_near: NDArray[np.bool_]) -> Expected:
    found = profile(surrogate, side.name, side.units)
    space = surrogate.process.space
    configurations = [space.from_unit(np.nan_to_num(point, nan=0.5)) for point in found.points]
    return Expected(found, configurations, is_near & ~found.is_unknown, surrogate)


def _limits(table: TrialTable, found: Found, expected: Expected | None) -> Limits:
    values = table.values[found.rows]
    if expected is not None and expected.is_shown.any():
        values = np.concatenate([values, expected.profile.mean[expected.is_shown]])
    return robust_limits(values, table.sign)


def _curve(data: IsolationData, expected: Expected) -> Curve:
    mean = np.where(expected.is_shown, expected.profile.mean, np.nan)
    reach = _SURE * expected.profile.sd
    is_shaky = expected.surrogate.quality.r2 < SURE_ENOUGH
    return Curve(data.side, mean, mean - reach, mean + reach, "expected best", "expected at best", is_shaky)


def _behind(data: IsolationData, look: Look) -> Figure:
    units, values = data.others
    marker = {"symbol": "circle", "size": 4, "color": faint(look.muted, 0.35)}
    x = [data.side.place_of(float(unit)) for unit in units]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": values,
        "marker": marker,
        "hoverinfo": "skip",
        "name": "beaten nearby",
    }


def _best(data: IsolationData, x: Floats, styles: Mapping[str, ArmStyle], look: Look) -> list[Figure]:
    values = data.table.values[data.found.rows]
    place = int(np.argmin(data.table.sign * values))
    row = int(data.found.rows[place])
    colour = styles[str(data.table.arms[row])].colour
    return [best_ring(data.table, row, float(x[place]), colour, look, is_right=bool(data.side.trials[place] > 0.75))]


def _at_places(data: IsolationData) -> tuple[list[int], list[float], list[int | None]]:
    """Of the stretch of each place of the grid: how many trials it has, the best value, and whose it is."""
    centres = _centres(data.side)
    stretch = np.searchsorted((centres[1:] + centres[:-1]) / 2, data.side.units, side="right").tolist()
    at = {place: i for i, place in enumerate(data.found.places.tolist())}
    rows = [int(data.found.rows[at[place]]) if place in at else None for place in stretch]
    counts = [int(data.found.counts[at[place]]) if place in at else 0 for place in stretch]
    values = [float("nan") if row is None else float(data.table.values[row]) for row in rows]
    return counts, values, [None if row is None else int(data.table.numbers[row]) for row in rows]


def _freedom(data: IsolationData) -> str:
    free = data.free
    if free is None or data.expected is None:
        return ""
    noise = f"the noise of one value (sd {format_score(data.expected.surrogate.process.noise)})"
    if data.side.is_category:
        return ""
    if free[0] == free[1]:
        return f" Away from {format_value(free[0])} more than {noise} is lost."
    return f" Fixed anywhere from {format_value(free[0])} to {format_value(free[1])} it loses no more than {noise}."


ISOLATION = Isolation()
