"""Columns of a trial table in the unit cube, and the search space that their distributions describe."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from hpo_core.space import AnyParameter, Categorical, Condition, Float, Int, SearchSpace
from hpo_core.studies.table import Floats, TrialTable


def units_of(table: TrialTable, rows: NDArray[np.int64] | None = None) -> Floats:
    """The parameters of the rows (all by default) in the unit cube, shape (n, d); NaN where inactive.

    Agrees with `SearchSpace.to_unit` on `space_of(table)`.
    """
    chosen = slice(None) if rows is None else rows
    columns = [unit_column(table.distributions[name], column[chosen]) for name, column in table.params.items()]
    return np.column_stack(columns) if columns else np.empty((len(table.numbers[chosen]), 0))


def space_of(table: TrialTable) -> SearchSpace:
    """The search space of the table's distributions; a default is the middle of its range.

    A study keeps no conditions. A parameter that some trials do not use depends on the category that tells these from
    the others; where there is none, its condition never holds.
    """
    return SearchSpace(tuple(_parameter(table, name, _condition(table, name)) for name in table.params))


def unit_column(distribution: BaseDistribution, internal: Floats) -> Floats:
    """Positions in [0, 1] of Optuna's internal numbers, shape (n,); NaN stays."""
    low, high, is_log = _ends(distribution)
    if high == low:
        return np.where(np.isnan(internal), np.nan, 0.5)
    x = np.log(np.clip(internal, math.exp(low), math.exp(high))) if is_log else internal
    return np.clip((x - low) / (high - low), 0.0, 1.0)


def value_at(distribution: BaseDistribution, unit: float) -> Any:
    """What stands at a position in [0, 1]: a number, on its steps where it has any, or a category's label."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return str(choices[min(int(unit * len(choices)), len(choices) - 1)])
    number = number_at(distribution, unit)
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    if distribution.step is None:
        return number
    low, step = Decimal(str(distribution.low)), Decimal(str(distribution.step))
    last = (Decimal(str(distribution.high)) - low) // step
    steps = min(max(round((number - distribution.low) / distribution.step), 0), int(last))
    return (int if isinstance(distribution, IntDistribution) else float)(low + steps * step)


def number_at(distribution: BaseDistribution, unit: float) -> float:
    """The number at a position in [0, 1] of a range, not rounded to its steps."""
    low, high, is_log = _ends(distribution)
    x = low + min(max(unit, 0.0), 1.0) * (high - low)
    return math.exp(x) if is_log else x


def _ends(distribution: BaseDistribution) -> tuple[float, float, bool]:
    if isinstance(distribution, CategoricalDistribution):
        return -0.5, len(distribution.choices) - 0.5, False
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    half = distribution.step / 2 if distribution.step else 0.0  # each step owns an interval of its own
    low, high = distribution.low - half, distribution.high + half
    return (math.log(low), math.log(high), True) if distribution.log else (low, high, False)


def _parameter(table: TrialTable, name: str, when: Condition | None) -> AnyParameter:
    distribution = table.distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        choices = tuple(distribution.choices)
        return Categorical(name=name, choices=choices, default=choices[0], when=when)
    ends: dict[str, Any] = {"low": distribution.low, "high": distribution.high}  # type: ignore[attr-defined]
    scale: dict[str, Any] = {"log": distribution.log, "step": distribution.step}  # type: ignore[attr-defined]
    middle = min(max(value_at(distribution, 0.5), ends["low"]), ends["high"])
    kind = Int if isinstance(distribution, IntDistribution) else Float
    return kind(name=name, default=middle, when=when, **ends, **scale)


def _condition(table: TrialTable, name: str) -> Condition | None:
    is_used = ~np.isnan(table.params[name])
    names = list(table.params)
    earlier = names[: names.index(name)]
    if is_used.all() or not earlier:
        return None
    for parent in earlier:
        distribution, column = table.distributions[parent], table.params[parent]
        if isinstance(distribution, CategoricalDistribution) and not np.isnan(column[is_used]).any():
            used = np.unique(column[is_used]).astype(int)
            if not np.isin(column[~is_used], used).any():
                return Condition(parent, tuple(distribution.choices[i] for i in used))
    return Condition(earlier[0], ())
