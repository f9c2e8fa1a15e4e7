"""Stages that try a grid: over the whole ranges, or in a box around the best trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from optuna.trial import FrozenTrial

from hpo_core.formats import format_count
from hpo_core.methods._base import Observation
from hpo_core.methods._grids import Grid, Walk, around, whole_range
from hpo_core.methods._stages import Stage, StagedSampler
from hpo_core.space import Categorical, Configuration, SearchSpace

_SLACK = 1e-6


class BoxSampler(StagedSampler):
    """Tries the grid that a stage's plan describes, evenly spread first, up to a number of trials.

    A plan holds `resolution`, the values of each number, and for a box also its `centre`, a configuration, and its
    `width`, in widths of the ranges.
    """

    def __init__(self, space: SearchSpace, seed: int, method: str, most: int) -> None:
        super().__init__(space, seed, method)
        self._most = most
        self._walk: tuple[Stage, Walk] | None = None

    def candidate(self, stage: Stage, trial: FrozenTrial) -> Configuration | None:
        if self.log.n_trials(stage) >= self._most:
            return None
        if self._walk is None or self._walk[0] != stage:
            self._walk = (stage, Walk(self.grid(stage.plan), [self.seed, stage.number]))
        return self._walk[1].first(self.is_untried)

    def interrupted(self, stage: Stage) -> Stage:
        """The same box around the best trial when that lies outside: a late result, or a trial of somebody else."""
        best = self.best
        if best is None or "centre" not in stage.plan or not self._is_outside(best, stage.plan):
            return stage
        why = f"A better trial came in from outside of this grid ({self.in_words(best)}), so the grid moves there."
        return stage.then(stage.name, why, **{**stage.plan, "centre": self.configuration(best)})

    def grid(self, plan: Mapping[str, Any]) -> Grid:
        if "centre" not in plan:
            return Grid(self.space, whole_range(self.space, plan["resolution"]))
        return Grid(self.space, around(self.space, plan["centre"], plan["width"], plan["resolution"]))

    def size_in_words(self, plan: Mapping[str, Any]) -> str:
        """How many combinations a grid has, and how many of them are tried."""
        size = self.grid(plan).size
        if size <= self._most:
            return format_count(size, "combination")
        return f"an even choice of {self._most:,} of {size:,} combinations"

    def is_on_edge(self, known: Observation, plan: Mapping[str, Any]) -> bool:
        """Whether a trial has the first or last value of some number of the grid, and the centre has not."""
        return not self._lies(known, plan, lambda low, high, unit: low + _SLACK < unit < high - _SLACK)

    def _is_outside(self, known: Observation, plan: Mapping[str, Any]) -> bool:
        """Whether a trial lies beyond the values of the grid, or in another category."""
        return not self._lies(known, plan, lambda low, high, unit: low - _SLACK <= unit <= high + _SLACK)

    def _lies(self, known: Observation, plan: Mapping[str, Any], holds: Callable[[float, float, float], bool]) -> bool:
        """Whether all numbers lie as they should between the ends of their levels, where they are not the centre's."""
        levels = around(self.space, plan["centre"], plan["width"], plan["resolution"])
        centre = self.space.to_unit([plan["centre"]])[0]
        for p, unit, middle in zip(self.space.parameters, known.point.tolist(), centre.tolist(), strict=True):
            if math.isnan(unit) or abs(unit - middle) <= _SLACK:
                continue
            ends = [p.unit(value) for value in levels[p.name]]
            is_number = not isinstance(p, Categorical)
            if is_number and not holds(min(ends), max(ends), unit):
                return False
            if not is_number and not any(abs(unit - end) <= _SLACK for end in ends):
                return False
        return True
