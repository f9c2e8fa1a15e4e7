"""Schedules: how far a fit goes, on how many rows, and with which configurations it got there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from hpo_core.space import Configuration


@dataclass(frozen=True, slots=True)
class Segment:
    """Training with one configuration up to a resource, a share of the full one above 0 and at most 1."""

    configuration: Configuration
    until: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """How far a fit trains its own configuration, and the segments that were trained with others before.

    A schedule travels with a trial in its thought, under the names `resource`, `past` and `rows`.

    Attributes:
        resource: Share of the full resource, above 0 and at most 1, at which the fit is scored.
        past: What came before, each segment longer than the last; empty but for hyperparameters that change on the way.
        rows: Share of the training rows that it trains on, above 0 and at most 1, whatever the resource counts.
    """

    resource: float = 1.0
    past: tuple[Segment, ...] = ()
    rows: float = 1.0

    @staticmethod
    def of_thought(thought: Mapping[str, Any]) -> Schedule:
        """The schedule in a thought; a whole fit where it holds none, or something that is not one."""
        resource = thought.get("resource")
        if not is_share(resource):
            return WHOLE
        rows = thought.get("rows", 1.0)
        past = tuple(_segments(thought.get("past"), float(resource)))
        return Schedule(float(resource), past, float(rows) if is_share(rows) else 1.0)

    def to_thought(self) -> dict[str, Any]:
        """The values of `of_thought`; none for a whole fit."""
        thought: dict[str, Any] = {} if self == WHOLE else {"resource": self.resource}
        if self.past:
            thought["past"] = self.past_to_json()
        if self.rows != 1.0:
            thought["rows"] = self.rows
        return thought

    def past_to_json(self) -> list[list[Any]]:
        return [[dict(segment.configuration), segment.until] for segment in self.past]

    @staticmethod
    def from_json(resource: float, past: list[list[Any]], rows: float = 1.0) -> Schedule:
        """The schedule that a message of `resource`, `past_to_json` and `rows` holds."""
        return Schedule(resource, tuple(Segment(dict(configuration), until) for configuration, until in past), rows)

    def segments(self, configuration: Configuration) -> tuple[Segment, ...]:
        """All of the way, its own configuration last."""
        return (*self.past, Segment(configuration, self.resource))

    @property
    def is_whole(self) -> bool:
        """Whether the model is trained to the end, on all rows."""
        return self.resource == 1.0 and self.rows == 1.0

    @property
    def cost(self) -> float:
        """Share of a whole fit that a fit counts in a budget: what is trained with its own configuration."""
        return self.rows * (self.resource - (self.past[-1].until if self.past else 0.0))


WHOLE = Schedule()


def is_share(value: Any) -> TypeGuard[float]:
    """Whether this is a number above 0 and at most 1."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and 0 < value <= 1


def _segments(past: Any, end: float) -> Iterator[Segment]:
    """Segments that follow each other, up to the first that is none."""
    before = 0.0
    for entry in past if isinstance(past, list) else []:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], dict) and is_share(entry[1])):
            return
        if not before < entry[1] < end:
            return
        before = float(entry[1])
        yield Segment(dict(entry[0]), before)
