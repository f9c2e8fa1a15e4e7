"""The ground of the playground: a model family on small data, which of its hyperparameters are turned, and how far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.stats import qmc

from hpo_core.formats import format_value
from hpo_core.lessons._base import Knob
from hpo_core.problem import ModelProblem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.space import AnyParameter, Categorical, Configuration, Float, Int

FOLDS, REPEATS = 5, 2
_LEVELS = 21  # of each number; a level is one digit of base 36
_MOST_TURNED = 4
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MARK = "s"
# What is worth turning; of a family that is not named here, the first that are always active.
_TURNED = {
    "decision_tree": ("max_depth", "min_samples_leaf"),
    "nearest_neighbours": ("n_neighbors", "weights"),
    "svm": ("kernel", "C", "gamma"),
    "logistic_regression": ("C",),
    "ridge": ("alpha",),
    "random_forest": ("n_estimators", "max_depth", "min_samples_leaf"),
    "gradient_boosting": ("learning_rate", "n_estimators", "max_depth"),
    "neural_network": ("learning_rate_init", "batch_size", "max_iter", "units_1"),
}
_HIGHEST = {
    "max_depth": 20,
    "n_estimators": 200,
    "max_iter": 300,
    "units_1": 128,
}  # beyond, one waits and sees the same

Levels = tuple[int, ...]


@dataclass(frozen=True)
class Ground:
    """A family on data of one or two features. Settings are levels, one of each hyperparameter that is turned.

    Attributes:
        data, model: Keys.
    """

    data: str
    model: str

    @cached_property
    def problem(self) -> ModelProblem:
        """Scored on new rows twice five times, so that noise can be told from a difference."""
        problem = make_problem(self.data, self.model, protocol=Protocol(folds=FOLDS, repeats=REPEATS))
        assert isinstance(problem, ModelProblem)
        return problem

    @cached_property
    def turned(self) -> tuple[AnyParameter, ...]:
        """The hyperparameters that are turned, within the ranges that are offered."""
        space = self.problem.space
        free = [p.name for p in space.parameters if p.when is None and len(p.levels(_LEVELS)) > 1]
        names = _TURNED.get(self.model, tuple(free[: _MOST_TURNED - 1]))
        return tuple(_cut(space[name]) for name in names if name in space.names)

    @cached_property
    def values(self) -> tuple[tuple[Any, ...], ...]:
        """What each of them can be set to."""
        return tuple(_levels(p) for p in self.turned)

    @property
    def start(self) -> Levels:
        """The levels nearest to the defaults."""
        return self._nearest(tuple(_unit(p, p.default) for p in self.turned))

    def configuration(self, levels: Levels) -> Configuration:
        """The whole configuration: what is not turned is at its default, or where the turned ones have an effect."""
        chosen = {p.name: values[i] for p, values, i in zip(self.turned, self.values, levels, strict=True)}
        needed = {p.when.parent: p.when.values[0] for p in self.turned if p.when}
        return self.problem.space.completed({**needed, **chosen})

    def is_active(self, levels: Levels, place: int) -> bool:
        """Whether the hyperparameter at this place does anything with these levels."""
        return self.turned[place].name in self.configuration(levels)

    def unit(self, place: int, level: int) -> float:
        """Where a value lies in its range, from 0 to 1."""
        return _unit(self.turned[place], self.values[place][level])

    def text(self, place: int, level: int) -> str:
        """A value as on screen."""
        return format_value(self.values[place][level])

    def words(self, levels: Levels) -> str:
        """A setting in words, such as "C 10, gamma 0.1"."""
        active = [i for i in range(len(levels)) if self.is_active(levels, i)]
        return ", ".join(f"{self.turned[i].title} {self.text(i, levels[i])}" for i in active)

    def knobs(self, levels: Levels) -> tuple[Knob, ...]:
        """A slider or buttons for each hyperparameter that does anything with these levels."""
        return tuple(
            Knob(
                p.name,
                p.title,
                p.explanation,
                tuple(self.text(place, level) for level in range(len(self.values[place]))),
                levels[place],
                is_ordered=not isinstance(p, Categorical),
            )
            for place, p in enumerate(self.turned)
            if self.is_active(levels, place)
        )

    def spread(self, n: int) -> list[Levels]:
        """At most n different settings, spread evenly over all numbers (Sobol); choices stay at their defaults."""
        points = qmc.Sobol(len(self.turned), rng=1).random_base2((n - 1).bit_length())[:n]
        is_choice = [isinstance(p, Categorical) for p in self.turned]
        found = [np.where(is_choice, self.start, self._nearest(tuple(point))).tolist() for point in points]
        return list(dict.fromkeys(map(tuple, found)))

    def to_word(self, levels: Levels) -> str:
        """As a word of a move."""
        return _MARK + "".join(_DIGITS[level] for level in levels)

    def from_word(self, word: str) -> Levels | None:
        """The levels in a word; None where it holds none of this ground."""
        digits = word.removeprefix(_MARK)
        if not word.startswith(_MARK) or len(digits) != len(self.turned) or not set(digits) <= set(_DIGITS):
            return None
        levels = tuple(map(_DIGITS.index, digits))
        is_there = all(level < len(values) for level, values in zip(levels, self.values, strict=True))
        return levels if is_there else None

    def _nearest(self, units: tuple[float, ...]) -> Levels:
        places = [[self.unit(i, level) for level in range(len(values))] for i, values in enumerate(self.values)]
        return tuple(int(np.argmin(np.abs(np.array(at) - unit))) for at, unit in zip(places, units, strict=True))


@lru_cache(maxsize=64)
def ground_of(data: str, model: str) -> Ground:
    """The ground of a model on data, by their keys."""
    return Ground(data, model)


def _unit(parameter: Any, value: Any) -> float:
    return float(parameter.unit(value))


def _levels(parameter: AnyParameter) -> tuple[Any, ...]:
    """The places of a slider; on a log scale they are round numbers."""
    levels = parameter.levels(_LEVELS)
    if not (isinstance(parameter, Float) and parameter.log):
        return tuple(levels)
    rounded = [parameter.snapped(float(f"{level:.0e}")) for level in parameter.levels(_LEVELS)]
    return tuple(dict.fromkeys(rounded))


def _cut(parameter: AnyParameter) -> AnyParameter:
    if not isinstance(parameter, Int) or parameter.name not in _HIGHEST:
        return parameter
    high = max(parameter.low, min(parameter.high, _HIGHEST[parameter.name]))
    return replace(parameter, high=high, default=min(parameter.default, high))
