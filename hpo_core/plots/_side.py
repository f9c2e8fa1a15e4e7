"""One parameter as an axis of a chart: a grid along it, the trials on it, and the legal value nearest to a click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from hpo_core.analysis.selection import Rows, moving_parameters
from hpo_core.analysis.units import unit_column, value_at
from hpo_core.plots._look import Look, axis, faint, plain, shortened
from hpo_core.plots._ticks import unit_ticks
from hpo_core.studies.table import Floats, TrialTable

_POINTS, _FEW = 50, 20
_REACH = 0.08
_MOST_LABELS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One parameter along an axis.

    Attributes:
        name: The parameter.
        distribution: Its range.
        units: Places of the grid in [0, 1].
        values: What stands there: numbers, or labels of categories.
        trials: Places in [0, 1] of the trials that are drawn; NaN where they do not use it.
    """

    name: str
    distribution: BaseDistribution
    units: Floats
    values: list[Any]
    trials: Floats

    @property
    def is_category(self) -> bool:
        return isinstance(self.distribution, CategoricalDistribution)

    @property
    def is_log(self) -> bool:
        return bool(getattr(self.distribution, "log", False))

    @property
    def gap(self) -> float:
        """Distance between two neighbours of the grid of a linear axis; 1 where there is only one."""
        return float(self.values[1] - self.values[0]) if len(self.values) > 1 else 1.0

    @property
    def has_few_numbers(self) -> bool:
        """Whether it takes so few whole numbers that trials share them."""
        return isinstance(self.distribution, IntDistribution) and not self.is_log and len(self.values) <= _FEW

    @property
    def title(self) -> str:
        return plain(self.name) + (", log" if self.is_log else "")

    @property
    def trial_values(self) -> list[Any]:
        """What stands where the drawn trials are."""
        return [None if np.isnan(u) else value_at(self.distribution, float(u)) for u in self.trials]

    def on_map(self, values: list[Any]) -> list[Any]:
        """The values as a category axis, or one of numbers, takes them."""
        return [plain(value) for value in values] if self.is_category else values

    def choice(self, value: Any) -> Any:
        """The category that a label stands for; numbers as they are."""
        if isinstance(self.distribution, CategoricalDistribution):
            choices = self.distribution.choices
            return next((c for c in choices if str(value) in (str(c), plain(c))), value)
        return value

    def unit_of(self, value: Any) -> float | None:
        """The place of a value in [0, 1]; None if it has none."""
        try:
            internal = self.distribution.to_internal_repr(value)
        except ValueError:
            return None
        return float(unit_column(self.distribution, np.array([internal], dtype=float))[0])

    def at_unit(self, unit: float) -> Any:
        """The legal value at a place in [0, 1]."""
        return self.choice(value_at(self.distribution, unit))

    def nearest(self, number: float) -> Any:
        """The legal value nearest to a number."""
        return value_at(self.distribution, float(unit_column(self.distribution, np.array([float(number)]))[0]))

    @property
    def places(self) -> Floats:
        """The grid as `across` shows it: numbers as they are, categories at 0, 1, and so on."""
        if self.is_category:
            return np.arange(len(self.values), dtype=float)
        return np.array(self.values, dtype=float)

    def place_of(self, unit: float) -> float:
        """Where a place in [0, 1] stands on `across`."""
        return unit * len(self.values) - 0.5 if self.is_category else float(self.at_unit(unit))

    def at_place(self, x: float) -> Any:
        """The legal value nearest to where `across` was clicked."""
        if not self.is_category:
            return self.nearest(x)
        place = min(max(round(x), 0), len(self.values) - 1)
        return self.at_unit((place + 0.5) / len(self.values))

    @property
    def is_near(self) -> NDArray[np.bool_]:
        """Which places of the grid have a drawn trial within a twelfth of the range, or in the same category."""
        reach = 1e-6 if self.is_category else _REACH
        trials = np.sort(self.trials)
        right = np.clip(np.searchsorted(trials, self.units), 0, len(trials) - 1)
        left = np.maximum(right - 1, 0)
        gaps = np.minimum(np.abs(trials[right] - self.units), np.abs(trials[left] - self.units))
        return np.asarray(gaps <= reach)

    def slider_place(self, current: Mapping[str, Any] | None) -> float | None:
        """Where a configuration stands on `across`; None where it does not use the parameter."""
        if self.name not in (current or {}):
            return None
        unit = self.unit_of((current or {})[self.name])
        return None if unit is None else self.place_of(unit)

    def slider_line(self, look: Look, current: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """A dotted line where the sliders stand."""
        x = self.slider_place(current)
        line = {"width": 1.4, "color": faint(look.you, 0.7), "dash": "dot"}
        ends = {"x0": x, "x1": x, "y0": 0, "y1": 1}
        return [] if x is None else [{"type": "line", "yref": "paper", **ends, "line": line}]

    def across(self, look: Look) -> dict[str, Any]:
        """An x axis: numbers with room for marks at their ends; categories at whole places."""
        if not self.is_category:
            found = self.number_axis(look)
            low, high = found["range"]
            room = 0.5 * self.gap if self.has_few_numbers else 0.02 * (high - low) or 0.5
            return {**found, "range": [low - room, high + room]}
        n = len(self.values)
        marks = list(range(0, n, -(-n // _MOST_LABELS)))
        labels = [shortened(str(self.values[mark])) for mark in marks]
        return axis(look, self.title, range=[-0.6, n - 0.4], tickvals=marks, ticktext=labels, showgrid=False)

    def number_axis(self, look: Look) -> dict[str, Any]:
        """The axis of a parameter that is a number, over its whole range."""
        extra: dict[str, Any] = {}
        if self.is_log and len(unit_ticks(self.distribution)[0]) > 2:
            extra = {"exponentformat": "power", "dtick": 1}
        elif self.has_few_numbers:
            extra = {"tick0": self.values[0], "dtick": self.gap * -(-len(self.values) // 10)}
        ends = [float(self.values[0]), float(self.values[-1])]
        if self.is_log:
            ends = [float(np.log10(end)) for end in ends]
        kind = "log" if self.is_log else "linear"
        return axis(look, self.title, type=kind, range=ends, showgrid=False, **extra)


def side_of(table: TrialTable, name: str, rows: Rows) -> Side:
    """The parameter along an axis, with these trials on it."""
    distribution = table.distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        units = (np.arange(len(distribution.choices)) + 0.5) / len(distribution.choices)
    else:
        units = np.linspace(0, 1, _POINTS)
        if getattr(distribution, "step", None):
            on_steps = np.array([value_at(distribution, float(u)) for u in units], dtype=float)
            units = unit_column(distribution, np.unique(on_steps))
    values = [value_at(distribution, float(u)) for u in units]
    return Side(name, distribution, units, values, unit_column(distribution, table.params[name][rows]))


def why_no_side(table: TrialTable, name: str) -> str | None:
    """The sentence why no finished trial stands along a parameter, or along any where none is named; or None."""
    if name and name not in table.params:
        return f"There is no parameter {name!r}; there are {', '.join(table.params) or 'none'}."
    if not table.params:
        return "The trials have no parameters, so there is nothing to show along one."
    usable = table.is_learnable
    if not usable.any():
        return "No trial has a value yet. The first mark appears with the first finished trial."
    if all(np.isnan(table.params[n][usable]).all() for n in ([name] if name else table.params)):
        return f"No finished trial uses {name or 'any parameter'}, so there is nothing to show along it."
    return None


def first_parameter(table: TrialTable, importances: Mapping[str, float]) -> str:
    """The most important parameter; where nothing is known the first that differs, or else the first that is used."""
    usable = table.is_learnable
    used = [name for name, column in table.params.items() if not np.isnan(column[usable]).all()]
    return max(moving_parameters(table) or used, key=lambda name: importances.get(name, 0.0))
