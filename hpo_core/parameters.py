"""Parameters: what one hyperparameter may be, its scale, its default, and when it is active."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpo_core.errors import UsageError

Value = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Condition:
    """A parameter is active only while `parent` is active and holds one of `values`."""

    parent: str
    values: tuple[Value, ...]

    def holds(self, configuration: Mapping[str, Any]) -> bool:
        return self.parent in configuration and any(is_same(configuration[self.parent], v) for v in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What every parameter declares.

    Attributes:
        name: The library's own name of the hyperparameter; the key in configurations.
        label: What a person reads, without the scale.
        explanation: One plain sentence: what turning it up does.
        when: The condition under which it is active; None means always.
    """

    name: str
    label: str = ""
    explanation: str = ""
    when: Condition | None = None

    kind: ClassVar[str]

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numeric(Parameter):
    def unit(self, value: float) -> float:
        """Position of a value in [0, 1] on the parameter's own scale."""
        low, high, x = self._ends(float(value))
        return 0.5 if high == low else min(max((x - low) / (high - low), 0.0), 1.0)

    def _ends(self, value: float) -> tuple[float, float, float]:
        low, high, log = self.low, self.high, self.log  # type: ignore[attr-defined]
        if log:
            return math.log(low), math.log(high), math.log(value)
        return float(low), float(high), value

    def _interpolated(self, unit: float) -> float:
        low, high, _ = self._ends(float(self.low))  # type: ignore[attr-defined]
        x = low + min(max(unit, 0.0), 1.0) * (high - low)
        return math.exp(x) if self.log else x  # type: ignore[attr-defined]

    def _check_range(self) -> None:
        low, high, default, log = self.low, self.high, self.default, self.log  # type: ignore[attr-defined]
        if not all(math.isfinite(x) for x in (low, high, default)):
            raise UsageError(f"The range of {self.name} must be finite; got {low} to {high}, default {default}.")
        if low > high:
            raise UsageError(f"The range of {self.name} is empty: its low end {low} lies above its high end {high}.")
        if log and low <= 0:
            raise UsageError(f"{self.name} has a log scale, so its low end must be above 0; got {low}.")
        if not low <= default <= high:
            raise UsageError(f"The default of {self.name} must lie from {low} to {high}; got {default}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Float(_Numeric):
    """A real number from `low` to `high`, both included; `step` and `log` exclude each other."""

    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None

    kind: ClassVar[str] = "float"

    def __post_init__(self) -> None:
        self._check_range()
        if self.step is not None and (self.log or not 0 < self.step < math.inf):
            raise UsageError(f"The step of {self.name} must be above 0 and needs a linear scale; got {self.step}.")
        if self.step is not None and not self._is_on_step(self.default):
            raise UsageError(
                f"The default of {self.name} must lie on its steps of {self.step:g} from {self.low:g}; "
                f"got {self.default:g}."
            )

    def why_invalid(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return f"{self.name} must be a number from {self.low:g} to {self.high:g}; got {value!r}."
        if not self.low - _slack(self) <= value <= self.high + _slack(self):
            return f"{self.name} must lie from {self.low:g} to {self.high:g}; got {value:g}."
        if not self._is_on_step(value):
            return f"{self.name} moves in steps of {self.step:g} from {self.low:g}; got {value:g}."
        return None

    def allows(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of many values `why_invalid` has nothing against, shape (n,); not NaN."""
        is_inside = (self.low - _slack(self) <= values) & (values <= self._top() + _slack(self))
        if not self.step:
            return is_inside
        n_steps = (values - self.low) / self.step
        return is_inside & (np.abs(n_steps - np.round(n_steps)) < 1e-6)

    def from_unit(self, unit: float) -> float:
        return self.snapped(self._interpolated(unit))

    def snapped(self, value: float) -> float:
        """The nearest value that is allowed: a rounding error off an end or off a step is taken away."""
        inside = min(max(float(value), self.low), self._top())
        return self._at_step(round((inside - self.low) / self.step)) if self.step else inside

    def distribution(self) -> FloatDistribution:
        return FloatDistribution(self.low, self._top(), log=self.log, step=self.step)

    def levels(self, resolution: int) -> list[float]:
        """At most `resolution` values, evenly spaced on the parameter's scale, both ends included."""
        if resolution == 1:
            return [float(self.default)]
        units = np.linspace(self.unit(self.low), self.unit(self._top()), resolution)
        return list(dict.fromkeys(self.from_unit(float(u)) for u in units))

    def _ends(self, value: float) -> tuple[float, float, float]:
        if self.step is None:
            return super(Float, self)._ends(value)  # slots make a class anew, which the short form does not find
        half = self.step / 2  # each step owns an interval of its own, so ends are as likely as the middle
        return self.low - half, self._top() + half, value

    def _is_on_step(self, value: float) -> bool:
        if not self.step:
            return True
        n_steps = (value - self.low) / self.step
        return abs(n_steps - round(n_steps)) < 1e-6 and value <= self._top() + _slack(self)

    def _top(self) -> float:
        """The highest value on the steps; the high end may lie between two of them."""
        if not self.step:
            return self.high
        low, high, step = (Decimal(str(x)) for x in (self.low, self.high, self.step))
        return float(low + (high - low) // step * step)

    def _at_step(self, i: int) -> float:
        """In decimals, as Optuna counts steps: the third step of 0.1 is 0.3, not 0.30000000000000004."""
        assert self.step is not None
        return float(Decimal(str(self.low)) + i * Decimal(str(self.step)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Int(_Numeric):
    """A whole number from `low` to `high`, both included; `step` above 1 and `log` exclude each other."""

    low: int
    high: int
    default: int
    log: bool = False
    step: int = 1

    kind: ClassVar[str] = "int"

    def __post_init__(self) -> None:
        numbers = (self.low, self.high, self.default, self.step)
        if not all(isinstance(x, int) for x in numbers):
            raise UsageError(f"Range, default and step of {self.name} must be whole numbers; got {numbers}.")
        self._check_range()
        if self.step < 1 or (self.log and self.step != 1):
            raise UsageError(f"The step of {self.name} must be at least 1, and 1 on a log scale; got {self.step}.")
        if (self.default - self.low) % self.step:
            raise UsageError(
                f"The default of {self.name} must lie on its steps of {self.step} from {self.low}; got {self.default}."
            )

    def why_invalid(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"{self.name} must be a whole number from {self.low} to {self.high}; got {value!r}."
        if not self.low <= value <= self.high:
            return f"{self.name} must lie from {self.low} to {self.high}; got {value}."
        if (value - self.low) % self.step:
            return f"{self.name} moves in steps of {self.step} from {self.low}; got {value}."
        return None

    def allows(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of many values `why_invalid` has nothing against, shape (n,); not NaN."""
        is_on_step: NDArray[np.bool_] = (values - self.low) % self.step == 0
        return is_on_step & (self.low <= values) & (values <= self.high)

    def unit(self, value: float) -> float:
        """Position in (0, 1): each whole number owns an interval of its own, so ends are as likely as the middle."""
        low, high, x = self._padded(float(value))
        return min(max((x - low) / (high - low), 0.0), 1.0)

    def from_unit(self, unit: float) -> int:
        low, high, _ = self._padded(float(self.low))
        x = low + min(max(unit, 0.0), 1.0) * (high - low)
        number = math.exp(x) if self.log else x
        return int(min(max(self.low + round((number - self.low) / self.step) * self.step, self.low), self._top()))

    def _padded(self, value: float) -> tuple[float, float, float]:
        half = self.step / 2
        ends = (self.low - half, self._top() + half, value)
        return tuple(map(math.log, ends)) if self.log else ends  # type: ignore[return-value]

    def _top(self) -> int:
        return self.low + (self.high - self.low) // self.step * self.step

    def distribution(self) -> IntDistribution:
        return IntDistribution(self.low, self._top(), log=self.log, step=self.step)

    def levels(self, resolution: int) -> list[int]:
        """At most `resolution` values, evenly spaced on the parameter's scale, both ends included."""
        if resolution == 1:
            return [self.default]
        low, high = float(self.low), float(self._top())
        numbers = np.geomspace(low, high, resolution) if self.log else np.linspace(low, high, resolution)
        steps = [round((float(x) - self.low) / self.step) for x in numbers]
        return list(dict.fromkeys(self.low + s * self.step for s in steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical(Parameter):
    """One of a few named choices, without order."""

    choices: tuple[Value, ...]
    default: Value

    kind: ClassVar[str] = "categorical"

    def __post_init__(self) -> None:
        if not self.choices:
            raise UsageError(f"{self.name} needs at least one choice.")
        if any(is_same(a, b) for i, a in enumerate(self.choices) for b in self.choices[:i]):
            raise UsageError(f"{self.name} names a choice twice: {', '.join(map(str, self.choices))}.")
        if self.why_invalid(self.default):
            raise UsageError(f"The default of {self.name} must be one of its choices; got {self.default!r}.")

    def index(self, value: object) -> int:
        return next(i for i, choice in enumerate(self.choices) if is_same(choice, value))

    def why_invalid(self, value: object) -> str | None:
        if any(is_same(choice, value) for choice in self.choices):
            return None
        return f"{self.name} must be one of {', '.join(map(str, self.choices))}; got {value!r}."

    def unit(self, value: object) -> float:
        return (self.index(value) + 0.5) / len(self.choices)

    def from_unit(self, unit: float) -> Value:
        return self.choices[min(int(min(max(unit, 0.0), 1.0) * len(self.choices)), len(self.choices) - 1)]

    def distribution(self) -> CategoricalDistribution:
        return CategoricalDistribution(self.choices)

    def levels(self, resolution: int) -> list[Value]:
        """All choices, whatever the resolution."""
        return list(self.choices)


AnyParameter = Float | Int | Categorical


def is_same(a: object, b: object) -> bool:
    """Equality that tells True from 1, as Optuna's categories do not."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def _slack(p: Float) -> float:
    return 1e-12 * max(abs(p.low), abs(p.high))
