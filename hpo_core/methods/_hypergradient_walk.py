"""Descent along the exact gradient of a smooth validation loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.formats import format_value
from hpo_core.hypergradients import ValidationLoss
from hpo_core.methods._descent import Floats, Place, StepRule
from hpo_core.methods._walk import WalkSampler
from hpo_core.space import Configuration, Float, SearchSpace

_MOST_DRAWN = 20  # starts that are drawn for one whose gradient is cheap
_MOST_STARTS = 5  # losses that are looked at for a start where training does not diverge


class HypergradientSampler(WalkSampler):
    """Computes loss and gradient of each configuration that it proposes, so that a walk need not wait for scores.

    A thought holds the place of its own trial: `at`, `gradient` and `step` by parameter in the unit cube, and `loss`.
    The first step from a configuration of somebody else holds that one's place as `origin`.
    """

    def __init__(
        self, space: SearchSpace, seed: int, loss: ValidationLoss, rule: StepRule, *, starts_at_best: bool
    ) -> None:
        super().__init__(space, seed, starts_at_best=starts_at_best)
        self._loss, self._rule = loss, rule
        self._trail: dict[int, Place] = {}
        self._base: Configuration = {}
        self._names: tuple[str, ...] = ()
        self._walk = -1

    def take(self, trial: FrozenTrial, thought: Mapping[str, Any]) -> None:
        if thought["walk"] < self._walk:
            return
        if thought["walk"] > self._walk:
            self._walk, self._trail = thought["walk"], {}
        self._base, self._names = dict(trial.params), tuple(thought["at"])
        if "origin" in thought:
            self._trail[0] = _place(thought["origin"])
        self._trail[thought["step_number"]] = _place(thought)

    def moving(self, configuration: Mapping[str, Any]) -> tuple[str, ...]:
        return self._loss.names(configuration)

    def prepared(self, configuration: Configuration) -> Configuration:
        """With the values that make the model differentiable, where the space allows them."""
        demand = {n: v for n, v in self._loss.rule.demand.items() if n in self.space.names}
        allowed = {n: v for n, v in demand.items() if self.space[n].why_invalid(v) is None}
        return self.space.completed({**configuration, **allowed})

    def step(self, study: Study, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        if not self._trail:
            return self._begun(trial)
        return self._onward([self._trail[i] for i in sorted(self._trail)], {}) or self._restarted(trial)

    def _begun(self, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        start, why = self.first_configuration()
        names = self.moving(start)
        if not self.has_seen(start):
            return start, self._thought(start, names, stage="start", why=why + self.resting(start, names))
        self._base, self._names, self._walk = start, names, 0
        origin = self._seen(start, names)
        found = self._onward([origin], {"origin": self._told(origin)}) if names else None
        return found or self._restarted(trial)

    def _onward(self, trail: list[Place], more: dict[str, Any]) -> tuple[Configuration, dict[str, Any]] | None:
        """One step further, or None when the walk is at its end."""
        point = self._rule.after(trail)
        if point is None:
            return None
        configuration = self.moved(self._base, self._names, point)
        if self.has_seen(configuration):
            return None
        before = next(place for place in reversed(trail) if math.isfinite(place.loss))
        why = self._direction(configuration, point - before.point) + self.resting(configuration, self._names)
        thought = self._thought(configuration, self._names, stage="step", why=why, walk=self._walk, number=len(trail))
        return configuration, {**thought, "step": self.named(self._names, point - before.point), **more}

    def _restarted(self, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        drawn = sorted(islice(self.draws(self.rng(trial)), _MOST_DRAWN), key=self._loss.is_long)
        start = next((c for c in drawn[:_MOST_STARTS] if math.isfinite(self._seen(c, self.moving(c)).loss)), drawn[0])
        names = self.moving(start)
        return start, self._thought(
            start, names, stage="restart", why=self.why_anew(start, names), walk=max(self.n_walks, self._walk + 1)
        )

    def _seen(self, configuration: Configuration, names: tuple[str, ...]) -> Place:
        """Loss and gradient in the unit cube."""
        point = self.units(configuration, names)
        if not names:
            return Place(point, math.inf, point)
        loss = self._loss.at(configuration)
        widths = np.array([_width(self.space[name], configuration[name]) for name in names])
        gradient = np.array([loss.gradient.get(name, 0.0) for name in names]) * widths
        return Place(point, loss.value, gradient)

    def _thought(
        self,
        configuration: Configuration,
        names: tuple[str, ...],
        *,
        stage: str,
        why: str,
        walk: int = 0,
        number: int = 0,
    ) -> dict[str, Any]:
        place = self._seen(configuration, names)
        told = {"at": self.named(names, place.point), **self._told(place, names)}
        seen = self._loss.left_out(configuration)
        left_out = {"seen": seen} if seen else {}
        about = {
            "stage": stage,
            "why": why,
            "walk": walk,
            "step_number": number,
            "differentiated": self._loss.label,
        }
        return {**about, **told, **left_out}

    def _told(self, place: Place, names: tuple[str, ...] | None = None) -> dict[str, Any]:
        names = self._names if names is None else names
        loss = place.loss if math.isfinite(place.loss) else None
        return {
            "at": self.named(names, place.point),
            "gradient": self.named(names, place.gradient if loss is not None else np.zeros(len(names))),
            "loss": loss,
        }

    def _direction(self, configuration: Configuration, move: Floats) -> str:
        parts = [
            f"{name} {'up' if moved > 0 else 'down'} to {format_value(configuration[name])}"
            for name, moved in zip(self._names, move, strict=True)
            if moved
        ]
        return f"Against the gradient of the {self._loss.label}: {', '.join(parts)}."


def _place(told: Mapping[str, Any]) -> Place:
    point, gradient = (np.array(list(told[key].values()), dtype=float) for key in ("at", "gradient"))
    return Place(point, math.inf if told["loss"] is None else float(told["loss"]), gradient)


def _width(parameter: Any, value: float) -> float:
    """How fast a parameter changes with its place in the unit cube."""
    assert isinstance(parameter, Float)
    return value * math.log(parameter.high / parameter.low) if parameter.log else parameter.high - parameter.low
