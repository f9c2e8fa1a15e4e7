"""New limits for a parameter: narrower, wider, or one value that it is locked to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hpo_core.errors import UsageError
from hpo_core.parameters import AnyParameter, Categorical, Condition, Float, Int, Value, is_same

_STEP_TOLERANCE = 1e-6
_MOST_WHOLE = 2**53  # whole numbers beyond are not told apart by a database


@dataclass(frozen=True, slots=True)
class Range:
    """New limits of one parameter: `low` and `high` for numbers, `choices` for categories.

    What is None stays as it is. Equal ends, or one choice, lock the parameter.
    """

    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """What it changes, as JSON values."""
        given = {"low": self.low, "high": self.high, "choices": None if self.choices is None else list(self.choices)}
        return {name: value for name, value in given.items() if value is not None}

    @staticmethod
    def lock(parameter: AnyParameter, value: Value) -> Range:
        """The range that holds this value alone."""
        if isinstance(parameter, Categorical):
            return Range(choices=(value,))
        return Range(value, value)  # type: ignore[arg-type]


def narrowed_parameter(parameter: AnyParameter, limits: Range) -> AnyParameter:
    """The parameter within new limits, its default moved to the nearest value that they allow.

    Steps stay where they are: an end between two of them moves inwards to the next one.

    Raises:
        UsageError: The limits are empty, of another kind, or not allowed by the parameter's scale.
    """
    if limits == Range():
        return parameter
    if isinstance(parameter, Categorical):
        return _with_choices(parameter, limits)
    low, high = _ends(parameter, limits)
    if isinstance(parameter, Float) and parameter.step is None:
        return replace(parameter, low=low, high=high, default=min(max(parameter.default, low), high))
    low, high, default = _on_steps(parameter, low, high)
    if isinstance(parameter, Int):
        return replace(parameter, low=int(low), high=int(high), default=int(default))
    return replace(parameter, low=low, high=high, default=default)


def can_hold(condition: Condition, parents: Mapping[str, AnyParameter]) -> bool:
    """Whether a condition can still hold among parameters with new limits."""
    return bool(_possible_values(condition, parents))


def narrowed_condition(condition: Condition, parents: Mapping[str, AnyParameter]) -> Condition | None:
    """A condition that can hold, without the values that are left out; None where it always does."""
    parent, values = parents[condition.parent], _possible_values(condition, parents)
    return parent.when if _are_all_values(parent, values) else replace(condition, values=values)


def _possible_values(condition: Condition, parents: Mapping[str, AnyParameter]) -> tuple[Value, ...]:
    parent = parents.get(condition.parent)
    return () if parent is None else tuple(v for v in condition.values if parent.why_invalid(v) is None)


def _are_all_values(parameter: AnyParameter, values: tuple[Value, ...]) -> bool:
    if isinstance(parameter, Categorical):
        return all(any(is_same(choice, v) for v in values) for choice in parameter.choices)
    return parameter.low == parameter.high


def _with_choices(parameter: Categorical, limits: Range) -> Categorical:
    there_are = f"there are {', '.join(map(str, parameter.choices))}"
    if limits.choices is None:
        raise UsageError(f"{parameter.name} has choices, not a range. Name the choices to keep; {there_are}.")
    if not limits.choices:
        raise UsageError(f"{parameter.name} needs at least one choice; {there_are}.")
    if unknown := [repr(c) for c in limits.choices if parameter.why_invalid(c)]:
        raise UsageError(f"{parameter.name} has no choice {' or '.join(unknown)}; {there_are}.")
    kept = tuple(c for c in parameter.choices if any(is_same(c, wanted) for wanted in limits.choices))
    keeps_default = any(is_same(parameter.default, c) for c in kept)
    return replace(parameter, choices=kept, default=parameter.default if keeps_default else kept[0])


def _ends(parameter: Float | Int, limits: Range) -> tuple[float, float]:
    name = parameter.name
    if limits.choices is not None:
        raise UsageError(f"{name} is a number: give its lowest and its highest value, not choices.")
    low = parameter.low if limits.low is None else limits.low
    high = parameter.high if limits.high is None else limits.high
    if not (_is_number(low) and _is_number(high)):
        raise UsageError(f"The new range of {name} needs two finite numbers; got {low!r} to {high!r}.")
    if low > high:
        raise UsageError(f"The new range of {name} is empty: its low end {low:g} lies above its high end {high:g}.")
    if parameter.log and low <= 0:
        raise UsageError(f"{name} has a log scale, so its low end must be above 0; got {low:g}.")
    if isinstance(parameter, Int) and max(abs(low), abs(high)) > _MOST_WHOLE:
        raise UsageError(f"The new range of {name} reaches too far: it must lie within ±{_MOST_WHOLE}.")
    return (low, high) if isinstance(parameter, Int) else (float(low), float(high))


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= 1e300  # beyond, differences overflow; false for NaN, too


def _on_steps(parameter: Float | Int, low: float, high: float) -> tuple[float, float, float]:
    """The lowest and the highest step within two ends, and the one nearest to the default."""
    origin, step = parameter.low, parameter.step
    assert step is not None
    first = math.ceil((low - origin) / step - _STEP_TOLERANCE)
    last = math.floor((high - origin) / step + _STEP_TOLERANCE)
    if first > last:
        what = "whole number" if step == 1 else f"step of {step:g} from {origin:g}"
        raise UsageError(f"No {what} of {parameter.name} lies from {low:g} to {high:g}. Widen its range.")
    nearest = min(max(round((parameter.default - origin) / step), first), last)
    return _step_value(parameter, first), _step_value(parameter, last), _step_value(parameter, nearest)


def _step_value(parameter: Float | Int, i: int) -> float:
    """In decimals: the third step of 0.1 is 0.3."""
    if isinstance(parameter, Int):
        return parameter.low + i * parameter.step
    return float(Decimal(str(parameter.low)) + i * Decimal(str(parameter.step)))
