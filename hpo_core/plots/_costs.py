"""What a trial costs: the figures of its fits that a person may want small, and how they stand on an axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.formats import format_bytes, format_seconds
from hpo_core.plots import Look, axis
from hpo_core.studies.table import Floats, TrialTable

_LOG_FROM = 20.0


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of cost, a mean over the folds of a trial.

    Attributes:
        name: On the axis.
        figure: Name of the column of the table.
        unit: Of its numbers.
        form: Writes a number for people.
    """

    name: str
    figure: str
    unit: str
    form: Callable[[float], str]

    def of(self, table: TrialTable) -> Floats:
        """Of every trial, shape (n,); NaN where unknown."""
        return table.mean_of(self.figure)

    def axis(self, look: Look, *, is_log: bool) -> dict[str, Any]:
        """An x axis that tells trials of different cost apart."""
        across = {"type": "log", "exponentformat": "power"} if is_log else {"rangemode": "tozero"}
        return axis(look, f"{self.name}, {self.unit}{', log' if is_log else ''} ↓", **across)


COSTS = {
    cost.name: cost
    for cost in (
        Cost("fit time", "fit_seconds", "s", format_seconds),
        Cost("prediction time", "predict_seconds", "s", format_seconds),
        Cost("model size", "model_bytes", "bytes", format_bytes),
    )
}


def is_by_ratio(costs: Floats) -> bool:
    """Whether costs, at least one, are so different that they are to be compared by their ratio."""
    return bool(costs.min() > 0 and costs.max() > _LOG_FROM * costs.min())


def why_no_cost(table: TrialTable, name: str) -> str | None:
    """The sentence why there is no cost to hold values against, or None."""
    usable = table.is_complete & np.isfinite(table.values)
    if not usable.any():
        return "No trial has a finite value yet. The first mark appears with the first one."
    if not np.isfinite(COSTS[name].of(table)[usable]).any():
        return f"This study does not say the {name} of its trials, so there is no trade-off to show."
    if not np.nan_to_num(table.mean_of("model_bytes")[usable]).any():
        return "These trials fitted no model, so there is no cost to weigh. Tune a model to see its trade-off."
    return None
