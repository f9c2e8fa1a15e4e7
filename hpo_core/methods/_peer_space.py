"""A search space in the coordinates that other packages know: real and whole axes, linear or log, and choices."""

from __future__ import annotations

from typing import Any

from hpo_core.space import AnyParameter, Categorical, Configuration, Float, SearchSpace

Coordinates = dict[str, Any]


def n_levels(p: AnyParameter) -> int | None:
    """How many values a parameter has that a coordinate counts from 0 on; None where the value is the coordinate.

    Choices and steps are counted. Real numbers, and whole numbers on a log scale, are their own coordinates.
    """
    if isinstance(p, Categorical):
        return len(p.choices)
    distribution = p.distribution()
    if p.log or p.step is None:
        return None
    return round((distribution.high - distribution.low) / p.step) + 1


def coordinate(p: AnyParameter, value: Any) -> Any:
    """The coordinate of a value."""
    if isinstance(p, Categorical):
        return p.index(value)
    return value if p.log or p.step is None else round((value - p.low) / p.step)


def value_at(p: AnyParameter, at: Any) -> Any:
    """The value at a coordinate; one that rounding has put off the range is taken back to it."""
    if isinstance(p, Categorical):
        return p.choices[min(max(round(at), 0), len(p.choices) - 1)]
    if isinstance(p, Float):
        return p.snapped(p.low + at * p.step if p.step else at)
    number = round(at) if p.log else p.low + round(at) * p.step
    distribution = p.distribution()
    return int(min(max(number, distribution.low), distribution.high))


def coordinates(space: SearchSpace, configuration: Configuration) -> Coordinates:
    """Coordinates of what varies and is active."""
    return {p.name: coordinate(p, configuration[p.name]) for p in space.varying if p.name in configuration}


def full_coordinates(space: SearchSpace, configuration: Configuration) -> Coordinates:
    """Coordinates of all that varies, at the default where it is inactive; for packages without conditions."""
    return coordinates(space, {**space.defaults(), **configuration})


def configuration_at(space: SearchSpace, at: Coordinates) -> Configuration:
    """The configuration at some coordinates, with what does not vary; inactive parameters are dropped."""
    values = {p.name: value_at(p, at[p.name]) if p.name in at else p.default for p in space.parameters}
    return space.active(values)
