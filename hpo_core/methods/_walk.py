"""What walks along a gradient share: where they begin, what of a space may move, and how they are told apart."""

from __future__ import annotations

import json
import zlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.errors import ConfigurationError
from hpo_core.methods._base import History, SpaceSampler, record_thought, thought_of
from hpo_core.methods._descent import Floats
from hpo_core.space import AnyParameter, Configuration, Float, SearchSpace

_DRAWS = 200


def can_move(parameter: AnyParameter) -> bool:
    """Whether a parameter has a slope at all: a real number without steps that is not fixed."""
    return isinstance(parameter, Float) and parameter.step is None and parameter.low < parameter.high


class WalkSampler(SpaceSampler):
    """Proposes one walk after another; where the last one stands is read from the thoughts of its trials.

    Numbers of trials differ between a run and its resumption, so trials are known by walk and step.
    """

    def __init__(self, space: SearchSpace, seed: int, *, starts_at_best: bool) -> None:
        super().__init__(space, seed)
        self._starts_at_best = starts_at_best
        self._known = History(space)
        self._n_read = 0
        # Another space has another cube: places of a parent study say nothing here.
        self._mark = f"{zlib.crc32(json.dumps(space.to_json()).encode()):08x}"
        self.n_walks = 0

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._known.read(study, trial)
        self._read(study, trial)
        if "fixed_params" in trial.system_attrs:  # of a person: only what is left open is read from here
            return self.space.defaults()
        configuration, thought = self.step(study, trial)
        record_thought(study, trial, space=self._mark, **thought)
        return configuration

    @abstractmethod
    def step(self, study: Study, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        """The configuration to try, and the thought to keep with it."""

    @abstractmethod
    def take(self, trial: FrozenTrial, thought: Mapping[str, Any]) -> None:
        """Take in a trial of a walk."""

    @abstractmethod
    def moving(self, configuration: Mapping[str, Any]) -> tuple[str, ...]:
        """The parameters that a walk from this configuration may move."""

    def _read(self, study: Study, asking: FrozenTrial) -> None:
        for trial in study.get_trials(deepcopy=False)[self._n_read : asking.number]:
            thought = thought_of(trial)
            if thought.get("space") == self._mark and self._is_ours(trial):
                self.n_walks = max(self.n_walks, int(thought["walk"]) + 1)
                self.take(trial, thought)
        self._n_read = asking.number

    def _is_ours(self, trial: FrozenTrial) -> bool:
        """Whether a trial has the parameters of this space: the program that asked may have taken others."""
        try:
            return bool(self.space.check(trial.params))
        except ConfigurationError:
            return False

    def has_seen(self, configuration: Mapping[str, Any]) -> bool:
        """Whether a configuration was tried, or is in flight."""
        return self._known.has_seen(self.space.to_unit([configuration])[0])

    def moved(self, base: Mapping[str, Any], names: tuple[str, ...], units: Floats) -> Configuration:
        """The configuration with some parameters put to places in [0, 1]."""
        places = {name: self.space[name].from_unit(float(u)) for name, u in zip(names, units, strict=True)}
        return self.space.check({**base, **places})

    def units(self, configuration: Mapping[str, Any], names: tuple[str, ...]) -> Floats:
        """Places of some parameters, shape (m,)."""
        return np.array([self.space[name].unit(configuration[name]) for name in names])

    def named(self, names: tuple[str, ...], values: Floats) -> dict[str, float]:
        """Numbers by parameter, as thoughts hold them."""
        return {name: float(value) for name, value in zip(names, values, strict=True)}

    def first_configuration(self) -> tuple[Configuration, str]:
        """Where the first walk begins, and the sentence that says why there."""
        known = sorted(self._known.observations, key=lambda o: o.value) if self._starts_at_best else []
        for observation in known:
            configuration = self.space.from_unit(np.nan_to_num(observation.point, nan=0.5))
            configuration = self._without_rounding(configuration, observation.point)
            if self.moving(configuration):
                return configuration, "Begins at the best configuration that is known."
        return self.prepared(self.space.default()), "Begins at the default configuration."

    def _without_rounding(self, configuration: Configuration, point: Floats) -> Configuration:
        """A default that was tried is taken as it stands, not as its place in the cube turns it back."""
        default = self.space.default()
        is_default = np.allclose(self.space.to_unit([default])[0], point, rtol=0, atol=1e-12, equal_nan=True)
        return default if is_default else configuration

    def prepared(self, configuration: Configuration) -> Configuration:
        """The configuration made fit for a walk, where something can be done for that."""
        return configuration

    def draws(self, rng: np.random.Generator) -> Iterator[Configuration]:
        """Untried configurations at random: first those from where a walk is possible, then any."""
        drawn = [self.prepared(self.space.from_unit(rng.random(len(self.space)))) for _ in range(_DRAWS)]
        new = [c for c in drawn if not self.has_seen(c)]
        yield from (c for c in new if self.moving(c))
        yield from (c for c in new if not self.moving(c))
        yield drawn[-1]

    def why_anew(self, configuration: Mapping[str, Any], names: tuple[str, ...]) -> str:
        """The sentence with the first trial of a walk that follows another."""
        return "The last walk has come to its end: the next one begins at random." + self.resting(configuration, names)

    def resting(self, configuration: Mapping[str, Any], names: tuple[str, ...]) -> str:
        """A sentence about the parameters that have no slope; "" where all have."""
        still = [n for n in configuration if n not in names and not self.space.distributions()[n].single()]
        verb = "stays as it is" if len(still) == 1 else "stay as they are"
        return f" Without a slope, {', '.join(still)} {verb} until the next walk." if still else ""
