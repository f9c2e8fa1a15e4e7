"""Typed options: fields of a frozen dataclass that say their own label, limits and meaning.

One declaration feeds the widgets, the command line, validation and the contract tests.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hpo_core.errors import UsageError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One option as declared: `kind` is bool, int, float, choice, parameter or text; limits are inclusive.

    A choice is one of `choices`. A parameter is the name of one of the study's parameters, "" for an automatic pick.
    A text is whatever `check` finds no fault with; `example` shows what such a text looks like.
    """

    name: str
    label: str
    explanation: str
    kind: str
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[str], str | None] | None = None
    example: str = ""

    def why_invalid(self, value: object) -> str | None:
        if self.check and isinstance(value, str):
            fault = self.check(value)
            return None if fault is None else f"{self.name}: {fault}"
        if self.kind == "text":
            is_right, what = False, f"a text such as {self.example!r}"
        elif self.kind == "choice":
            is_right, what = value in self.choices, f"one of {', '.join(self.choices)}"
        elif self.kind == "parameter":
            is_right, what = isinstance(value, str), "the name of a parameter"
        elif self.kind == "bool":
            is_right, what = isinstance(value, bool), "true or false"
        else:
            is_right, what = self._is_in_range(value), self._range_text()
        return None if is_right else f"{self.name} must be {what}; got {value!r}."

    def _is_in_range(self, value: object) -> bool:
        allowed = (int,) if self.kind == "int" else (int, float)
        if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _range_text(self) -> str:
        noun = "a whole number" if self.kind == "int" else "a number"
        if self.low is not None and self.high is not None:
            return f"{noun} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"{noun} of at least {self.low:g}"
        return noun if self.high is None else f"{noun} of at most {self.high:g}"


def option(
    default: Any,
    label: str,
    explanation: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    check: Callable[[str], str | None] | None = None,
    example: str = "",
) -> Any:
    """A dataclass field that is an option; the kind follows from the default, from `choices`, or from `check`.

    Args:
        default: Its value when nobody chooses another.
        label: Name on screen.
        explanation: What it means, in a sentence.
        low: Least number that is allowed.
        high: Greatest number that is allowed.
        choices: All that a text may be.
        check: Says in one sentence what is wrong with a free text, or None; the name of the option is put before it.
        example: A free text as it may be.
    """
    if choices:
        kind = "choice"
    elif check:
        kind = "text"
    else:
        kinds = ((bool, "bool"), (int, "int"), (float, "float"), (str, "parameter"))
        kind = next(k for t, k in kinds if isinstance(default, t))
    declared: dict[str, Any] = {"label": label, "explanation": explanation, "kind": kind, "low": low, "high": high}
    declared |= {"choices": choices, "check": check, "example": example}
    return dataclasses.field(default=default, metadata={"option": declared})


def options_of(cls: type) -> tuple[Option, ...]:
    """The options that a dataclass declares, in order."""
    return tuple(
        Option(name=f.name, default=f.default, **f.metadata["option"])
        for f in dataclasses.fields(cls)
        if "option" in f.metadata
    )


def with_options(item: T, values: Mapping[str, Any]) -> T:
    """A copy of a frozen dataclass instance with these option values.

    Raises:
        UsageError: An option is unknown or out of its limits; the message names all faults.
    """
    declared = {o.name: o for o in options_of(type(item))}
    faults = [
        f"There is no option {n!r}; there are {', '.join(declared) or 'none'}." for n in values if n not in declared
    ]
    faults += [why for n, v in values.items() if n in declared and (why := declared[n].why_invalid(v))]
    if faults:
        raise UsageError(" ".join(faults))
    return dataclasses.replace(item, **values)  # type: ignore[type-var]
