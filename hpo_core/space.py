"""Search spaces, and with them the parameters that they are made of.

A search space is an ordered tuple of parameters, parents before the parameters that depend on them. A configuration is
a plain dict with one value for every *active* parameter and no other key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution

from hpo_core.errors import ConfigurationError, UsageError
from hpo_core.parameters import AnyParameter, Categorical, Condition, Float, Int, Parameter, Value, is_same
from hpo_core.ranges import Range, can_hold, narrowed_condition, narrowed_parameter

__all__ = [
    "AnyParameter",
    "Categorical",
    "Condition",
    "Configuration",
    "Float",
    "Int",
    "Parameter",
    "Range",
    "SearchSpace",
    "Value",
    "configuration_digest",
    "is_same",
]

Configuration = dict[str, Any]
_KINDS: dict[str, type[AnyParameter]] = {"float": Float, "int": Int, "categorical": Categorical}


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """An ordered set of parameters; a parameter stands after the one that its condition names."""

    parameters: tuple[AnyParameter, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for p in self.parameters:
            if p.name in seen:
                raise UsageError(f"The search space names {p.name} twice.")
            if p.when and p.when.parent not in seen:
                raise UsageError(
                    f"{p.name} depends on {p.when.parent}, which must stand before it in the search space."
                )
            seen.add(p.name)

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, name: str) -> AnyParameter:
        for p in self.parameters:
            if p.name == name:
                return p
        raise UsageError(f"There is no parameter {name!r}; there are {', '.join(self.names) or 'none'}.")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    @property
    def varying(self) -> tuple[AnyParameter, ...]:
        """The parameters that can take more than one value."""
        return tuple(p for p in self.parameters if not p.distribution().single())

    @property
    def is_conditional(self) -> bool:
        return any(p.when for p in self.parameters)

    def default(self) -> Configuration:
        """The library's defaults: one value for every parameter active under them."""
        return self.completed({})

    def defaults(self) -> Configuration:
        """The default of every parameter, active or not; for widgets."""
        return {p.name: p.default for p in self.parameters}

    def active(self, values: Mapping[str, Any]) -> Configuration:
        """The entries of `values` that are active, in the order of the space; others are dropped."""
        kept: Configuration = {}
        for p in self.parameters:
            if p.name in values and (p.when is None or p.when.holds(kept)):
                kept[p.name] = values[p.name]
        return kept

    def completed(self, values: Mapping[str, Any]) -> Configuration:
        """`values` with defaults for active parameters that it leaves out, and without inactive ones."""
        return self.active({**self.defaults(), **values})

    def check(self, configuration: Mapping[str, Any]) -> Configuration:
        """The configuration in the order of the space, whole floats made floats, rounding errors taken away.

        Raises:
            ConfigurationError: A value is missing, unknown, inactive or out of range; the message names all faults.
        """
        faults = [f"There is no parameter {n!r}." for n in configuration if n not in self.names]
        kept: Configuration = {}
        for p in self.parameters:
            is_active = p.when is None or p.when.holds(kept)
            if is_active and p.name not in configuration:
                faults.append(f"{p.name} has no value.")
            elif not is_active and p.name in configuration:
                faults.append(f"{p.name} has no effect here: it needs {_condition_text(p)}.")
            elif is_active:
                kept[p.name] = configuration[p.name]
                if why := p.why_invalid(configuration[p.name]):
                    faults.append(why)
                elif isinstance(p, Float):
                    kept[p.name] = p.snapped(configuration[p.name])
        if faults:
            raise ConfigurationError(" ".join(faults))
        return kept

    def distributions(self) -> dict[str, BaseDistribution]:
        return {p.name: p.distribution() for p in self.parameters}

    def to_unit(self, configurations: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Configurations as an (n, d) array in the unit cube; NaN where a parameter is inactive."""
        cube = np.full((len(configurations), len(self)), np.nan)
        for column, p in enumerate(self.parameters):
            for row, configuration in enumerate(configurations):
                if p.name in configuration:
                    cube[row, column] = p.unit(configuration[p.name])
        return cube

    def from_unit(self, point: Iterable[float]) -> Configuration:
        """The configuration at a point of the unit cube, shape (d,); coordinates of inactive parameters are ignored."""
        return self.active({p.name: p.from_unit(float(u)) for p, u in zip(self.parameters, point, strict=True)})

    def with_parameter(self, parameter: AnyParameter) -> SearchSpace:
        """A copy in which `parameter` replaces the one of the same name."""
        self[parameter.name]
        return replace(self, parameters=tuple(parameter if p.name == parameter.name else p for p in self.parameters))

    def narrowed(self, ranges: Mapping[str, Range]) -> SearchSpace:
        """A copy with new limits for some parameters: narrower, wider or locked; for child studies.

        A default that lies outside its new limits moves to the nearest value inside, for categories to the first
        choice that is left; `default()` then is no longer the library's own. A locked parameter stays, with one value.
        A parameter that can no longer become active is left out, and with it the limits given for it.

        Raises:
            UsageError: A name is unknown or limits cannot be; the message names all faults.
        """
        faults = [f"There is no parameter {name!r}." for name in ranges if name not in self.names]
        kept: dict[str, AnyParameter] = {}
        for p in self.parameters:
            try:
                parameter = narrowed_parameter(p, ranges.get(p.name, Range()))
            except UsageError as fault:
                faults.append(str(fault))
                parameter = p
            if p.when is None:
                kept[p.name] = parameter
            elif can_hold(p.when, kept):
                kept[p.name] = replace(parameter, when=narrowed_condition(p.when, kept))
        if faults:
            raise UsageError(" ".join(faults))
        return SearchSpace(tuple(kept.values()))

    def to_json(self) -> list[dict[str, Any]]:
        return [_parameter_to_json(p) for p in self.parameters]

    @staticmethod
    def from_json(rows: list[dict[str, Any]]) -> SearchSpace:
        """The space that `to_json` wrote.

        Raises:
            UsageError: The rows do not describe a search space.
        """
        try:
            return SearchSpace(tuple(_parameter_from_json(dict(row)) for row in rows))
        except UsageError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as fault:
            raise UsageError(f"This does not describe a search space: {fault}.") from fault


def configuration_digest(configuration: Mapping[str, Any]) -> str:
    """Ten hexadecimal digits that name a configuration, whatever trial holds it.

    >>> configuration_digest({"C": 1.0, "kernel": "rbf"}) == configuration_digest({"kernel": "rbf", "C": 1.0})
    True
    """
    text = json.dumps(dict(configuration), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()


def _condition_text(p: Parameter) -> str:
    assert p.when is not None
    return f"{p.when.parent} = {' or '.join(map(str, p.when.values))}"


def _parameter_to_json(p: AnyParameter) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": p.kind}
    for field in fields(p):
        value = getattr(p, field.name)
        if isinstance(value, Condition):
            value = {"parent": value.parent, "values": list(value.values)}
        row[field.name] = list(value) if isinstance(value, tuple) else value
    return row


def _parameter_from_json(row: dict[str, Any]) -> AnyParameter:
    kind = _KINDS[row.pop("kind")]
    if row.get("when"):
        row["when"] = Condition(row["when"]["parent"], tuple(row["when"]["values"]))
    if "choices" in row:
        row["choices"] = tuple(row["choices"])
    return kind(**row)
