"""The densities: where TPE finds good and where bad trials along one parameter, and their ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_gamma, default_weights
from optuna.trial import TrialState

from hpo_core.analysis.selection import Rows, moving_parameters
from hpo_core.analysis.units import number_at, unit_column
from hpo_core.formats import format_count, format_value
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, axis, faint, layout
from hpo_core.plots._side import Side, side_of
from hpo_core.space import Configuration
from hpo_core.studies.table import Floats, TrialTable

_FEWEST = 2
_FINE = 121
_MOST_KERNELS, _TO_CHOOSE = 20_000, 1000
_MOST_TICKS = 300
_SETTINGS = _ParzenEstimatorParameters(
    prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False, weights=default_weights, multivariate=True
)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows that TPE holds for good and for bad, each in the order of the trials."""

    good: Rows
    bad: Rows


@dataclass(frozen=True, eq=False)
class DensitiesData:
    """What is drawn.

    Attributes:
        table: The study.
        side: The parameter, with its grid.
        split: The trials that TPE learns from.
        good, bad: Densities at the grid's places, 1 being as dense as if spread evenly over the range.
    """

    table: TrialTable
    side: Side
    split: Split
    good: Floats
    bad: Floats

    @property
    def ratio(self) -> Floats:
        """What TPE maximises over its candidates, along this parameter alone."""
        return self.good / np.maximum(self.bad, 1e-12)

    @property
    def top(self) -> Any:
        return self.side.values[int(np.argmax(self.ratio))]


@dataclass(frozen=True)
class Densities(Plot[DensitiesData]):
    """TPE's two densities."""

    key: ClassVar[str] = "densities"
    label: ClassVar[str] = "Densities"
    place: ClassVar[int] = 115
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "Where TPE sees good and bad trials along one parameter, and where good outweighs bad."
    question: ClassVar[str] = "Where does TPE find good trials, and where bad ones?"
    how_to_read: ClassVar[str] = (
        "TPE calls the best tenth of the trials good, at most 25 of them, and the others bad. The two curves say how "
        "dense each kind is; 1 is as dense as if spread evenly. Below, their ratio: TPE draws candidates from the good "
        "and tries the one with the highest ratio. Short lines at the foot are the trials."
    )
    is_costly: ClassVar[bool] = True
    shows_trials: ClassVar[bool] = False
    height: ClassVar[int] = 540

    x: str = option("", "Parameter", "The parameter along the x axis; by itself the one that tells good from bad most.")

    def why_unavailable(self, table: TrialTable) -> str | None:
        if self.x and self.x not in table.params:
            return f"There is no parameter {self.x!r}; there are {', '.join(table.params) or 'none'}."
        if not table.params:
            return "The trials have no parameters, so TPE has nothing to learn of them."
        rows = _learned_from(table)
        names = [self.x] if self.x else list(table.params)
        n_used = max(int((~np.isnan(table.params[name][rows])).sum()) for name in names)
        if n_used < _FEWEST:
            return f"TPE needs at least {_FEWEST} finished trials to tell good from bad; so far it has {n_used}."
        return None

    def compute(self, table: TrialTable) -> DensitiesData:
        split = tpe_split(table)
        name = self.x or max(_names(table), key=lambda name: _difference(_densities(table, name, split, _TO_CHOOSE)))
        return _densities(table, name, split, _MOST_KERNELS)

    def draw(self, data: DensitiesData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        most = float(max(data.good.max(), data.bad.max()))
        traces = [
            _curve(data, data.bad, "bad", look.failed, look),
            _curve(data, data.good, "good", look.arms[1], look),
            _curve(data, data.ratio, "good / bad", look.arms[0], look, "y2"),
            _feet(data, data.split.bad, look.failed, -0.09 * most, "bad trials"),
            _feet(data, data.split.good, look.arms[1], -0.03 * most, "good trials"),
        ]
        one = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": 1, "y1": 1}
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.side.name}",
                xaxis={**data.side.across(look), "anchor": "y2"},
                yaxis=axis(look, "density", range=[-0.13 * most, 1.06 * most], domain=[0.4, 1.0]),
                yaxis2=axis(look, "good / bad", rangemode="tozero", domain=[0.0, 0.32], anchor="x"),
                shapes=[{**one, "line": {"width": 1, "color": look.muted, "dash": "dot"}}],
            ),
        }

    def locate(self, data: DensitiesData, x: Any, y: Any) -> Configuration:
        return {data.side.name: data.side.at_place(float(x))}

    def numbers(self, data: DensitiesData) -> pd.DataFrame:
        columns = {"good": data.good, "bad": data.bad, "good / bad": data.ratio}
        return pd.DataFrame({data.side.name: data.side.values, **columns})

    def alt(self, data: DensitiesData) -> str:
        text = f"{format_count(len(data.split.good), 'good trial')} against {len(data.split.bad):,} others along "
        top = float(data.ratio.max())
        return f"{text}{data.side.name}: good outweighs bad most at {format_value(data.top)}, {top:.3g} times."

    def caption(self, data: DensitiesData) -> str:
        n = len(data.split.good) + len(data.split.bad)
        text = f"Rebuilt from {format_count(n, 'trial')} with Optuna's split and kernels: {len(data.split.good)} good"
        used = ~np.isnan(data.table.params[data.side.name])
        n_used = int(used[data.split.good].sum() + used[data.split.bad].sum())
        if n_used < n:
            text += f"; {n_used:,} of them use {data.side.title}"
        if len(data.split.bad) > _MOST_KERNELS:
            text += f"; of the others only the newest {_MOST_KERNELS:,}, which weigh most"
        if "tpe" not in data.table.arm_names and "auto" not in data.table.arm_names:
            text += "; no trial here was proposed by TPE, this is what it would see"
        return f"{text}."


def tpe_split(table: TrialTable) -> Split:
    """Good and bad trials by the rule of Optuna's sampler, as this lab's searches tell it of them.

    Trials with a value count, pruned ones with an estimate too; the best `gamma` of them are good, earlier ones first
    among equals. Trials in flight count as bad (constant liar), so that TPE looks elsewhere.
    """
    rows = _learned_from(table)
    order = rows[np.argsort(table.sign * table.values[rows], kind="stable")]
    n_good = default_gamma(len(rows))
    running = np.flatnonzero((table.states == TrialState.RUNNING.value) & ~table.is_hidden)
    return Split(np.sort(order[:n_good]), np.sort(np.concatenate([order[n_good:], running])))


def _learned_from(table: TrialTable) -> Rows:
    return np.flatnonzero((table.is_complete | table.is_pruned) & np.isfinite(table.values))


def _names(table: TrialTable) -> list[str]:
    rows = _learned_from(table)
    used = [name for name, column in table.params.items() if (~np.isnan(column[rows])).sum() >= _FEWEST]
    return [name for name in moving_parameters(table) if name in used] or used


def _densities(table: TrialTable, name: str, split: Split, most: int) -> DensitiesData:
    """Learned from the newest `most` trials of each kind at most; older ones weigh less and less."""
    side = _fine(side_of(table, name, np.empty(0, dtype=np.int64)))
    share = _shares(side)
    good, bad = (_density(table, side, rows, most) / share for rows in (split.good, split.bad))
    return DensitiesData(table, side, split, good, bad)


def _density(table: TrialTable, side: Side, rows: Rows, most: int) -> Floats:
    """Optuna's Parzen estimate at the grid: probabilities for whole numbers and categories, else a density."""
    if side.distribution.single():
        return np.ones(len(side.values))
    column = table.params[side.name][rows]
    column = column[~np.isnan(column)][-most:]
    space = {side.name: side.distribution}
    estimate = _ParzenEstimator({side.name: column}, space, _SETTINGS)
    with np.errstate(divide="ignore"):  # a density of nothing has no logarithm
        return np.asarray(np.exp(estimate.log_pdf({side.name: _internal(side)})))


def _internal(side: Side) -> Floats:
    if side.is_category:
        return np.arange(len(side.values), dtype=float)
    return np.array(side.values, dtype=float)


def _fine(side: Side) -> Side:
    """The same side with a finer grid where the parameter is continuous: the kernels are narrow."""
    distribution = side.distribution
    if not isinstance(distribution, FloatDistribution) or distribution.step is not None:
        return _on_steps(side)
    if distribution.low == distribution.high:
        return Side(side.name, distribution, np.array([0.5]), [distribution.low], side.trials)
    units = np.linspace(0, 1, _FINE)
    values = [min(max(number_at(distribution, float(u)), distribution.low), distribution.high) for u in units]
    return Side(side.name, distribution, units, values, side.trials)


def _on_steps(side: Side) -> Side:
    """A stepped parameter has probabilities at its steps alone."""
    distribution = side.distribution
    if isinstance(distribution, CategoricalDistribution) or side.is_log:
        return side
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    step, low = distribution.step or 1, distribution.low
    values = np.unique(np.round((np.array(side.values, dtype=float) - low) / step)) * step + low
    whole = [int(v) for v in values] if isinstance(distribution, IntDistribution) else values.tolist()
    return Side(side.name, distribution, unit_column(distribution, values), whole, side.trials)


def _shares(side: Side) -> Floats:
    """What the density would be at each place of the grid if trials were spread evenly on the axis."""
    distribution, values = side.distribution, _internal(side)
    if isinstance(distribution, CategoricalDistribution):
        return np.full(len(values), 1 / len(values))
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    if distribution.low == distribution.high:
        return np.ones(len(values))
    step = distribution.step
    if step is None:
        # Optuna's density of a logarithmic parameter is that of the logarithm (5.0).
        low, high = distribution.low, distribution.high
        return np.full(len(values), 1 / (math.log(high / low) if side.is_log else high - low))
    low, high = distribution.low - step / 2, distribution.high + step / 2
    if side.is_log:
        return np.asarray(np.log((values + step / 2) / (values - step / 2)) / math.log(high / low))
    return np.full(len(values), step / (high - low))


def _difference(data: DensitiesData) -> float:
    """How much good and bad differ: the mean distance of the two densities over the grid."""
    return float(np.abs(data.good - data.bad).mean())


def _curve(data: DensitiesData, y: Floats, name: str, colour: str, look: Look, level: str = "y") -> Figure:
    shown: Figure = {"type": "scatter", "x": data.side.places, "y": y, "yaxis": level, "name": name}
    shown["hovertemplate"] = f"{name} %{{y:.3~g}}<extra></extra>"
    if data.side.is_category:
        marker = {"symbol": "line-ew-open", "size": 20, "color": colour, "line": {"width": 3}}
        return {**shown, "mode": "markers", "marker": marker}
    line = {"width": 2, "color": colour, "shape": "hvh" if _is_stepped(data.side.distribution) else "linear"}
    return {**shown, "mode": "lines", "line": line, "fill": "tozeroy", "fillcolor": faint(colour, 0.12)}


def _is_stepped(distribution: BaseDistribution) -> bool:
    return getattr(distribution, "step", None) is not None


def _feet(data: DensitiesData, rows: Rows, colour: str, level: float, name: str) -> Figure:
    """A short line for each of the newest trials."""
    shown = rows[-_MOST_TICKS:]
    units = side_of(data.table, data.side.name, shown).trials
    x = np.array([data.side.place_of(float(unit)) for unit in units[~np.isnan(units)]])
    marker = {"symbol": "line-ns-open", "size": 8, "color": colour, "line": {"width": 1.4}}
    place = {"x": x, "y": np.full(len(x), level)}
    return {"type": "scatter", "mode": "markers", **place, "marker": marker, "hoverinfo": "skip", "name": name}


DENSITIES = Densities()
