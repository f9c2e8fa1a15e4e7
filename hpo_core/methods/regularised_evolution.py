"""Regularised evolution: a population that ages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import Capabilities, History, SearchMethod, SpaceSampler, Strengths, record_thought, thought_of
from hpo_core.options import option
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace, is_same

_TRIES = 30


class HasValue(Protocol):
    """Of which one may be better than another."""

    @property
    def value(self) -> float: ...


Scored = TypeVar("Scored", bound=HasValue)


@dataclass(frozen=True)
class RegularisedEvolution(SearchMethod):
    """A queue: the best of a few drawn members has a child with one change, and the oldest member dies."""

    key: ClassVar[str] = "regularised_evolution"
    label: ClassVar[str] = "Regularised evolution"
    purpose: ClassVar[str] = "Changes one thing at a time in good members of a population from which the oldest drop."
    when_to_use: ClassVar[str] = (
        "Network architectures and other spaces of many choices and conditions, with a hundred cheap trials or more. "
        "Members die of age, so a lucky score is not bred from for ever. With few trials TPE is ahead."
    )
    source: ClassVar[str] = (
        "Real, Aggarwal, Huang and Le (2019), Regularized Evolution for Image Classifier Architecture Search"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=100, surface="rough")

    population: int = option(
        20, "Population", "Newest trials that are alive; the first ones are drawn at random.", low=2, high=1000
    )
    tournament: int = option(
        5, "Tournament", "Of how many members drawn at random the best has a child; more is greedier.", low=1, high=1000
    )
    width: float = option(
        0.15, "Step", "Standard deviation of a change of a number, in widths of its range.", low=0.001, high=1.0
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return AgeingSampler(self, space, seed)


@dataclass(frozen=True, slots=True)
class Member:
    """A trial that lives.

    Attributes:
        number: Of its trial.
        name: A digest of its configuration, which stays when trials get other numbers.
        generation: Changes from the random member that it descends from; 0 for that one and for trials of others.
        value: Lower is better.
    """

    number: int
    name: str
    generation: int
    value: float
    configuration: Configuration


def name_of(configuration: Mapping[str, Any]) -> str:
    """The name of a member, the same in every process."""
    text = json.dumps(dict(configuration), sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=3).hexdigest()


class AgeingSampler(SpaceSampler):
    """All state is in the trials: the population are the newest that have a value, in the order of their numbers."""

    def __init__(self, method: RegularisedEvolution, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._options = method
        self._history = History(space)

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        rng, alive = self.rng(trial), self.alive(study)
        n_known = len(self._history.observations) + len(self._history.running)
        if not alive or n_known < self._options.population:
            why = f"One of the first {self._options.population}, drawn at random."
            return self._recorded(study, trial, self._random(rng), stage="first population", why=why)
        for _ in range(_TRIES):
            drawn = rng.choice(len(alive), size=min(self._options.tournament, len(alive)), replace=False)
            parent = min((alive[i] for i in drawn.tolist()), key=lambda member: member.value)
            child, what = mutated(self.space, parent.configuration, self._options.width, rng)
            if what and not self._is_seen(child):
                why = f"{what} in {parent.name}, best of {len(drawn)} drawn from {len(alive)} alive."
                return self._recorded(
                    study, trial, child, [parent], what, stage="evolution", why=why, oldest=alive[0].name
                )
        why = "All changes of the members drawn were tried already, so this one is drawn at random."
        return self._recorded(study, trial, self._random(rng), stage="fresh blood", why=why)

    def alive(self, study: Study) -> list[Member]:
        """The population, the oldest first."""
        known = sorted(self._history.observations, key=lambda o: o.number)
        trials = study.get_trials(deepcopy=False)
        return [self._member(trials[o.number], o.value) for o in self.survivors(known)]

    def survivors(self, known: Sequence[Scored]) -> list[Scored]:
        """Who lives after trials that came in this order, the oldest first."""
        return list(known[-self._options.population :])

    def _member(self, trial: FrozenTrial, value: float) -> Member:
        configuration = self.space.check(trial.params)
        generation = thought_of(trial).get("generation", 0)
        return Member(trial.number, name_of(configuration), generation, value, configuration)

    def _random(self, rng: np.random.Generator) -> Configuration:
        drawn = [self.space.from_unit(rng.random(len(self.space))) for _ in range(_TRIES)]
        return next((found for found in drawn if not self._is_seen(found)), drawn[0])

    def _is_seen(self, configuration: Configuration) -> bool:
        return self._history.has_seen(self.space.to_unit([configuration])[0])

    def _recorded(
        self,
        study: Study,
        trial: FrozenTrial,
        child: Configuration,
        parents: list[Member] | None = None,
        operator: str = "random",
        **thought: Any,
    ) -> Configuration:
        names = [parent.name for parent in parents or []]
        generation = parents[0].generation + 1 if parents else 0
        lineage = {
            "method": RegularisedEvolution.key,
            "id": name_of(child),
            "generation": generation,
            "parents": names,
            "operator": operator,
        }
        record_thought(study, trial, **lineage, **thought)
        return child


def mutated(
    space: SearchSpace, parent: Configuration, width: float, rng: np.random.Generator
) -> tuple[Configuration, str]:
    """The parent with one active parameter changed, and what was changed in words; "" when nothing can be.

    What the change makes active is drawn at random, what it makes inactive is dropped.
    """
    free = [space[name] for name in parent if not space[name].distribution().single()]
    if not free:
        return dict(parent), ""
    p = free[int(rng.integers(len(free)))]
    value = _changed(p, parent[p.name], width, rng)
    if is_same(value, parent[p.name]):
        return dict(parent), ""
    fresh = space.from_unit(rng.random(len(space)))
    drawn = {q.name: fresh.get(q.name, q.from_unit(float(rng.random()))) for q in space.parameters}
    return space.active({**drawn, **parent, p.name: value}), f"{p.name} changed"


def _changed(p: AnyParameter, value: Any, width: float, rng: np.random.Generator) -> Any:
    if isinstance(p, Categorical):
        others = [choice for choice in p.choices if not is_same(choice, value)]
        return others[int(rng.integers(len(others)))]
    moved = abs(p.unit(value) + width * float(rng.standard_normal())) % 2.0
    return p.from_unit(2.0 - moved if moved > 1.0 else moved)  # reflected at both ends


REGULARISED_EVOLUTION = RegularisedEvolution()
