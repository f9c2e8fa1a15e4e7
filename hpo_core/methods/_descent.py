"""Step rules of gradient descent in the unit cube, replayed from the places that a walk has seen.

Every rule is free of the scale of the loss: it reads signs, or slopes relative to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LARGEST_STEP = 0.25
_GROWTH, _CUT = 1.3, 0.5
_PATIENCE, _LEAST_GAIN = 6, 1e-4
_SUFFICIENT = 1e-4  # share of the promised decrease that a step must bring (Armijo)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a walk has been: a point of the unit cube and a gradient, shape (m,), and a loss, infinite if unknown."""

    point: Floats
    loss: float
    gradient: Floats


@dataclass(frozen=True, slots=True)
class StepRule:
    """How a walk goes on.

    Attributes:
        name: One of `STEP_RULES`.
        first: Length of the first step, in widths of the ranges.
        momentum: How much of the last step goes into the next.
        finest: Steps shorter than this end the walk.
    """

    name: str
    first: float
    momentum: float
    finest: float

    def after(self, trail: Sequence[Place]) -> Floats | None:
        """The next point, inside the unit cube; None when the walk has converged, or nothing tells where to go."""
        if not np.isfinite(trail[0].loss) or _has_stalled(trail):
            return None
        here, point = STEP_RULES[self.name](self, _scaled(trail))
        point = np.clip(point, 0.0, 1.0)
        return point if np.abs(point - here).max(initial=0.0) >= self.finest else None


def _has_stalled(trail: Sequence[Place]) -> bool:
    """Whether the last few steps have brought next to nothing."""
    losses = np.array([place.loss for place in trail])
    if len(losses) <= _PATIENCE:
        return False
    before, after = losses[:-_PATIENCE].min(), losses[-_PATIENCE:].min()
    return bool(before - after <= _LEAST_GAIN * abs(before))


def _scaled(trail: Sequence[Place]) -> list[Place]:
    """The same walk with its steepest slope, and with it every loss, brought to 1."""
    steepest = max(float(np.abs(p.gradient).max(initial=0.0)) for p in trail if np.isfinite(p.loss)) or 1.0
    return [Place(p.point, p.loss / steepest, p.gradient / steepest) for p in trail]


def _by_signs(rule: StepRule, trail: Sequence[Place]) -> tuple[Floats, Floats]:
    """Each parameter has a step of its own: longer while its slope keeps its sign, half as long when that turns."""
    here, size = trail[0], np.full(len(trail[0].point), rule.first)
    for place in trail[1:]:
        if not np.isfinite(place.loss):
            size = size * _CUT
            continue
        turn = np.sign(here.gradient) * np.sign(place.gradient)
        size = np.minimum(size * np.select([turn > 0, turn < 0], [_GROWTH, _CUT], 1.0), _LARGEST_STEP)
        here = place
    return here.point, here.point - size * np.sign(here.gradient)


def _by_search(rule: StepRule, trail: Sequence[Place]) -> tuple[Floats, Floats]:
    """Along the gradient and the last step, from the best place; a step that brings too little is cut to half."""
    here, size, velocity = trail[0], rule.first, np.zeros(len(trail[0].point))
    for place in trail[1:]:
        move = place.point - here.point
        if place.loss <= here.loss + _SUFFICIENT * float(here.gradient @ move):
            here, size, velocity = place, min(size * _GROWTH, _LARGEST_STEP), move
        else:
            size, velocity = size * _CUT, np.zeros_like(velocity)
    length = float(np.linalg.norm(here.gradient)) or 1.0
    return here.point, here.point - size * here.gradient / length + rule.momentum * velocity


def _by_moments(rule: StepRule, trail: Sequence[Place]) -> tuple[Floats, Floats]:
    """Along the running mean of the gradient, over the root of its running square; steps shorten as t^-1/3."""
    first, second = np.zeros(len(trail[0].point)), np.zeros(len(trail[0].point))
    here, length, t, fade = trail[0], rule.first, 0, 0.9
    for place in trail:
        if not np.isfinite(place.loss):
            length *= _CUT
            continue
        t, here = t + 1, place
        first = rule.momentum * first + (1 - rule.momentum) * place.gradient
        second = fade * second + (1 - fade) * place.gradient**2
    mean, root = first / (1 - rule.momentum**t), np.sqrt(second / (1 - fade**t))
    return here.point, here.point - length / np.cbrt(t) * np.divide(mean, root, out=np.zeros_like(mean), where=root > 0)


# Riedmiller and Braun (1993); Armijo (1966) with Polyak's (1964) momentum; Kingma and Ba (2015).
STEP_RULES: dict[str, Callable[[StepRule, Sequence[Place]], tuple[Floats, Floats]]] = {
    "rprop": _by_signs,
    "line search": _by_search,
    "adam": _by_moments,
}
