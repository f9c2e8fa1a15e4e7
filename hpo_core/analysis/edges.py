"""Whether a configuration lies at an end of its search space, where better ones may lie just outside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hpo_core.space import AnyParameter, Categorical, Float, Int, Range, SearchSpace

_NEAR = 0.02


@dataclass(frozen=True, slots=True)
class Edge:
    """A parameter whose value lies at an end of its range.

    Attributes:
        end: The end itself.
        wider: A range that reaches half as far again beyond that end, on the parameter's own scale.
    """

    parameter: AnyParameter
    side: Literal["lower", "upper"]
    end: float
    wider: Range


def edges(space: SearchSpace, configuration: Mapping[str, Any]) -> tuple[Edge, ...]:
    """The parameters at whose ends a configuration lies and which can be widened there.

    An end beyond which values mean nothing is none: shares end at 0 and 1, counts at 1, and what cannot be negative
    at 0. A locked parameter has no ends.
    """
    found = [_edge(p, configuration[p.name]) for p in space.parameters if p.name in configuration]
    return tuple(edge for edge in found if edge is not None)


def _edge(p: AnyParameter, value: float) -> Edge | None:
    if isinstance(p, Categorical) or p.low == p.high:
        return None
    share = _share(p, value)
    if share >= 1 - _NEAR and not _is_share(p):
        return Edge(p, "upper", p.high, Range(high=_beyond(p, p.high, 1)))
    if share <= _NEAR and (p.log or p.low < 0):
        low = _beyond(p, p.low, -1)
        return Edge(p, "lower", p.low, Range(low=low)) if low < p.low else None
    return None


def _share(p: Float | Int, value: float) -> float:
    low, high, x = (math.log(v) if p.log else float(v) for v in (p.low, p.high, value))
    return (x - low) / (high - low)


def _is_share(p: Float | Int) -> bool:
    return isinstance(p, Float) and p.high == 1 and p.low >= 0


def _beyond(p: Float | Int, end: float, sign: int) -> float:
    """Half of the range further than an end; whole numbers and steps stay on what is allowed."""
    if p.log:
        further = end * (p.high / p.low) ** (sign * 0.5)
        rounded = 10 ** (math.floor(math.log10(further)) if sign < 0 else math.ceil(math.log10(further) - 1e-9))
        return max(1, int(rounded)) if isinstance(p, Int) else float(f"{rounded:.3g}")
    further = end + sign * (p.high - p.low) / 2
    if isinstance(p, Int):
        return end + sign * math.ceil(abs(further - end) / p.step) * p.step
    return end + sign * math.ceil(abs(further - end) / p.step) * p.step if p.step else float(f"{further:.3g}")
