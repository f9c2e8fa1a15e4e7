"""Descent along a gradient that is estimated from pairs of trials to both sides of a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods._descent import Floats, Place, StepRule
from hpo_core.methods._walk import WalkSampler, can_move
from hpo_core.space import Configuration, SearchSpace

_MOST_VOID = 4  # pairs without a result, before a walk is given up
_OFF_THE_END = 1.25
_SIDES = {"plus": 1.0, "minus": -1.0}


@dataclass(slots=True)
class _Stop:
    """A place of a walk: its trial, and the pairs of trials around it.

    Attributes:
        centre: Its point, shape (m,).
        arrived: The place before it as it was known when this one was proposed.
        number: Its trial; None where that is of somebody else.
        pairs: By number of the pair, trial and point of each side.
    """

    centre: Floats
    arrived: Place | None = None
    number: int | None = None
    pairs: dict[int, dict[str, tuple[int, Floats]]] = field(default_factory=dict)


class ProbingSampler(WalkSampler):
    """Tries a place and pairs of points around it, estimates the gradient from their values, and steps.

    All of this are ordinary trials. While results are awaited, it tries further pairs around the same place.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        rule: StepRule,
        *,
        starts_at_best: bool,
        width: float,
        is_simultaneous: bool,
    ) -> None:
        super().__init__(space, seed, starts_at_best=starts_at_best)
        self._rule, self._width, self._is_simultaneous = rule, width, is_simultaneous
        self._values: dict[int, float] = {}
        self._n_valued = 0
        self._stops: dict[int, _Stop] = {}
        self._base: Configuration = {}
        self._names: tuple[str, ...] = ()
        self._walk = -1

    def moving(self, configuration: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(p.name for p in self.space.parameters if p.name in configuration and can_move(p))

    def take(self, trial: FrozenTrial, thought: Mapping[str, Any]) -> None:
        if thought["walk"] < self._walk:
            return
        if thought["walk"] > self._walk:
            self._walk, self._stops = thought["walk"], {}
        self._base, self._names = dict(trial.params), tuple(thought["centre"])
        stop = self._stops.setdefault(thought["step_number"], _Stop(np.array(list(thought["centre"].values()))))
        if side := thought.get("side"):
            point = self.units(trial.params, self._names)
            stop.pairs.setdefault(thought["pair"], {})[side] = (trial.number, point)
        else:
            stop.number = trial.number
            if "gradient" in thought:
                stop.arrived = Place(
                    np.array(list(thought["at"].values())),
                    thought["loss"],
                    np.array(list(thought["gradient"].values())),
                )

    def step(self, study: Study, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        for observation in self._known.observations[self._n_valued :]:
            self._values[observation.number] = observation.value
        self._n_valued = len(self._known.observations)
        if not self._stops:
            return self._begun(trial)
        number = max(self._stops)
        stop = self._stops[number]
        return self._probed(study, trial, stop, number) or self._stepped(stop, number) or self._restarted(trial)

    def _begun(self, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        start, why = self.first_configuration()
        names = self.moving(start)
        if not self.has_seen(start):
            return start, self._thought(start, names, stage="start", why=why + self.resting(start, names))
        self._base, self._names, self._walk = start, names, 0
        self._stops = {0: _Stop(self.units(start, names))} if names else {}
        return (self._side(trial, self._stops[0], 0, 0, "plus") if names else None) or self._restarted(trial)

    def _probed(
        self, study: Study, trial: FrozenTrial, stop: _Stop, number: int
    ) -> tuple[Configuration, dict[str, Any]] | None:
        """The next probe of this place; None when enough are known to step, or too many failed."""
        for pair, sides in stop.pairs.items():
            for side in _SIDES:
                if side not in sides:
                    return self._side(trial, stop, number, pair, side)
        is_enough = len(self._complete(stop)) >= self._n_needed
        if is_enough or not self._names or self._n_void(study, stop) > _MOST_VOID:
            return None
        return self._side(trial, stop, number, len(stop.pairs), "plus")

    @property
    def _n_needed(self) -> int:
        return 1 if self._is_simultaneous else len(self._names)

    def _complete(self, stop: _Stop) -> list[tuple[Floats, float, float]]:
        """Of each pair with two values the way from minus to plus, the difference and the mean of the values."""
        found = []
        for sides in stop.pairs.values():
            if len(sides) == 2 and all(number in self._values for number, _ in sides.values()):
                (plus, to), (minus, since) = sides["plus"], sides["minus"]
                high, low = (float(np.clip(self._values[n], -1e200, 1e200)) for n in (plus, minus))
                found.append((to - since, high - low, (high + low) / 2))
        return found

    def _n_void(self, study: Study, stop: _Stop) -> int:
        trials = study.get_trials(deepcopy=False)
        numbers = [[number for number, _ in sides.values()] for sides in stop.pairs.values()]
        return sum(any(trials[n].state.is_finished() and n not in self._values for n in pair) for pair in numbers)

    def _side(
        self, trial: FrozenTrial, stop: _Stop, number: int, pair: int, side: str
    ) -> tuple[Configuration, dict[str, Any]] | None:
        """One side of a pair. Near an end of a range the pair lies a little further in, off the end itself: a walk that
        stands there has seen it."""
        direction, reach = self._probe_of(number, pair)
        for shrink in (1.0, *self.rng(trial).uniform(0.4, 0.9, 5)):
            width = reach * shrink
            middle = np.clip(stop.centre, _OFF_THE_END * width, 1 - _OFF_THE_END * width)
            configuration = self.moved(self._base, self._names, middle + _SIDES[side] * width * direction)
            if not self.has_seen(configuration):
                how = "all parameters at once" if self._is_axis(pair) is None else self._is_axis(pair)
                why = f"Probes the slope around step {number}: {how} a little to the {side} side."
                thought = self._thought(configuration, self._names, stage="probe", why=why, centre=stop.centre)
                return configuration, {**thought, "walk": self._walk, "step_number": number, "pair": pair, "side": side}
        return None

    def _is_axis(self, pair: int) -> str | None:
        """The one parameter that a pair moves; None where it moves all."""
        return None if self._is_simultaneous or pair >= len(self._names) else self._names[pair]

    def _probe_of(self, number: int, pair: int) -> tuple[Floats, float]:
        """Direction and width of a pair. Widths vary a little, so that a ripple of one length does not mislead."""
        rng = np.random.default_rng([self.seed, self._walk, number, pair])
        width = self._width * float(rng.uniform(0.8, 1.2))
        if self._is_axis(pair):
            return np.eye(len(self._names))[pair], width
        return np.asarray(rng.choice([-1.0, 1.0], len(self._names))), width

    def _stepped(self, stop: _Stop, number: int) -> tuple[Configuration, dict[str, Any]] | None:
        """A step against the estimated gradient; None when the walk is at its end."""
        pairs = self._complete(stop)
        if len(pairs) < self._n_needed or not self._names:
            return None
        # With one pair: simultaneous perturbation. With one along each axis: central differences.
        ways, rises = np.array([way for way, _, _ in pairs]), np.array([rise for _, rise, _ in pairs])
        gradient = np.linalg.lstsq(ways, rises, rcond=None)[0]
        loss = self._values.get(stop.number if stop.number is not None else -1, float(np.mean([p[2] for p in pairs])))
        here = Place(stop.centre, loss, gradient)
        arrived = [self._stops[i].arrived for i in sorted(self._stops)]
        point = self._rule.after([*(place for place in arrived if place is not None), here])
        configuration = None if point is None else self.moved(self._base, self._names, point)
        if point is None or configuration is None or self.has_seen(configuration):
            return None
        told = {"at": here.point, "gradient": here.gradient, "step": point - here.point}
        why = f"Against the slope that {len(pairs)} pair{'s' * (len(pairs) > 1)} of trials show."
        why += self.resting(configuration, self._names)
        thought = self._thought(configuration, self._names, stage="step", why=why)
        named = {key: self.named(self._names, value) for key, value in told.items()}
        return configuration, {**thought, "walk": self._walk, "step_number": number + 1, "loss": loss, **named}

    def _restarted(self, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        start = next(self.draws(self.rng(trial)))
        names = self.moving(start)
        thought = self._thought(start, names, stage="restart", why=self.why_anew(start, names))
        return start, {**thought, "walk": max(self.n_walks, self._walk + 1)}

    def _thought(
        self,
        configuration: Configuration,
        names: tuple[str, ...],
        *,
        stage: str,
        why: str,
        centre: Floats | None = None,
    ) -> dict[str, Any]:
        place = self.units(configuration, names) if centre is None else centre
        return {"stage": stage, "why": why, "walk": 0, "step_number": 0, "centre": self.named(names, place)}
