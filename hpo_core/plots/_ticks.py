"""Marks along an axis in the unit interval: real values of linear and log ranges, labels of categories."""

from __future__ import annotations

import math

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from hpo_core.analysis.units import unit_column
from hpo_core.formats import format_value

_MOST = 6


def unit_ticks(distribution: BaseDistribution) -> tuple[list[float], list[str]]:
    """Positions in [0, 1] and what to write there; at most six for numbers, every category."""
    if isinstance(distribution, CategoricalDistribution):
        marks = np.arange(len(distribution.choices), dtype=float)
        labels = [str(choice) for choice in distribution.choices]
    else:
        assert isinstance(distribution, (FloatDistribution, IntDistribution))
        marks = np.array(_numbers(distribution.low, distribution.high, distribution.log))
        if isinstance(distribution, IntDistribution):
            marks = np.unique(np.round(marks))
        labels = [format_value(float(mark)) for mark in marks]
    return unit_column(distribution, marks).tolist(), labels


def round_ticks(low: float, high: float) -> list[float]:
    """At most six round numbers from `low` to `high`, for a linear axis.

    >>> round_ticks(0.13, 0.98)
    [0.2, 0.4, 0.6, 0.8]
    """
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / _MOST))
    step = next(power * m for m in (1, 2, 5, 10, 20) if (high - low) / (power * m) <= _MOST - 1)
    return [round(i * step, 12) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _numbers(low: float, high: float, is_log: bool) -> list[float]:
    if is_log:
        return log_ticks(low, high)
    return sorted({float(low), float(high), *_inner(round_ticks(low, high), low, high)})


def log_ticks(low: float, high: float) -> list[float]:
    """At most six powers of ten from `low` to `high`, for a log axis; with its ends where there are few.

    >>> log_ticks(0.001, 1000.0), log_ticks(46.0, 1149.0)
    ([0.001, 0.1, 10.0, 1000.0], [46.0, 100.0, 1000.0, 1149.0])
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / _MOST))
    decades = [10.0**e for e in range(first, last + 1, stride)]
    return decades if len(decades) > 2 else sorted({float(low), *decades, float(high)})


def _inner(marks: list[float], low: float, high: float) -> list[float]:
    clear = 0.08 * (high - low)
    return [mark for mark in marks if low + clear < mark < high - clear]
