"""Populations of the evolutionary methods, read from the trials of a study.

A method proposes one child at a time, for the generation that is open. What it was made of goes with the trial: its own
name such as "g3.7", which stays the same when trials get other numbers, its generation, slot, genome, parents and the
operator. All generations are read back from there, so that a search which was killed goes on as if nothing had been.
Trials of others are immigrants of the generation that was open when they came; they have a name made of their values.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import History, SpaceSampler, record_thought, thought_of
from hpo_core.space import Categorical, Configuration, SearchSpace, configuration_digest

Floats = NDArray[np.float64]

_DIGITS = 7
_TRIES = 20
_IMMIGRANT = "x"


@dataclass(frozen=True, slots=True, eq=False)
class Individual:
    """A trial with its values, as a member of a generation.

    Attributes:
        number: Of its trial.
        name: "g3.7" for the eighth of generation 3; for immigrants "x" and a digest of the configuration.
        generation: The one that it was made for, or that was open when it came.
        slot: The place in the population that it competes for; -1 without one.
        genome: Its position in the unit cube, inactive parameters included, shape (d,).
        values: Of all objectives, lower being better, shape (m,).
    """

    number: int
    name: str
    generation: int
    slot: int
    genome: Floats
    values: Floats

    @property
    def value(self) -> float:
        return float(self.values[0])

    @property
    def is_immigrant(self) -> bool:
        return self.name.startswith(_IMMIGRANT)


@dataclass(frozen=True, slots=True, eq=False)
class Child:
    """What a method proposes.

    Attributes:
        genome: A position in the unit cube, shape (d,).
        operator: What made it, in two or three words.
        parents: Names of the individuals that it was made of.
        why: A sentence.
        memory: What else the method wants to read back, JSON values.
    """

    genome: Floats
    operator: str
    parents: Sequence[str] = ()
    why: str = ""
    memory: Mapping[str, Any] = field(default_factory=dict)


class Lineage:
    """The generations of one method in one study, read incrementally.

    Attributes:
        generations: Individuals with values by generation, in the order of their trials.
        asked: What went with each own trial, whatever became of it, by generation, in the order of asking.
    """

    def __init__(self, method: str, space: SearchSpace) -> None:
        self.generations: dict[int, list[Individual]] = {}
        self.asked: dict[int, list[Mapping[str, Any]]] = {}
        self._method, self._space = method, space
        self._history = History(space)
        self._thoughts: dict[int, Mapping[str, Any]] = {}
        self._began: list[tuple[int, int]] = []
        self._n_trials = 0

    @property
    def newest(self) -> int:
        """The generation that was asked for last."""
        return max(self.asked, default=0)

    def read(self, study: Study, asking: FrozenTrial) -> None:
        """Take in what is new, leaving out the trial that is being asked for."""
        n_known = len(self._history.observations)
        self._history.read(study, asking)
        for trial in study.get_trials(deepcopy=False)[self._n_trials : asking.number]:
            self._note(trial)
        self._n_trials = max(self._n_trials, asking.number)
        new = zip(self._history.observations[n_known:], self._history.objectives[n_known:], strict=True)
        for (number, point, _), values in new:
            found = self._individual(number, point, values)
            insort(self.generations.setdefault(found.generation, []), found, key=lambda i: i.number)

    def has_seen(self, genome: Floats) -> bool:
        """Whether the configuration at a position was tried or is in flight."""
        return self._history.has_seen(self._point(genome))

    def own(self, generation: int) -> list[Individual]:
        """Those with values that the method made for a generation."""
        return [i for i in self.generations.get(generation, ()) if not i.is_immigrant]

    def before(self, generation: int) -> list[Individual]:
        """All with values that belong to earlier generations, immigrants included."""
        return [i for g in sorted(self.generations) if g < generation for i in self.generations[g]]

    def _note(self, trial: FrozenTrial) -> None:
        thought = thought_of(trial)
        if thought.get("method") != self._method or len(thought["genome"]) != len(self._space):
            return
        self._thoughts[trial.number] = thought
        self.asked.setdefault(thought["generation"], []).append(thought)
        if not self._began or thought["generation"] > self._began[-1][1]:
            self._began.append((trial.number, thought["generation"]))

    def _individual(self, number: int, point: Floats, values: Floats) -> Individual:
        thought = self._thoughts.get(number)
        if thought is not None:
            genome = np.array(thought["genome"])
            # Not so where a person fixed the parameters, or where the trial was carried over from another space.
            if np.allclose(self._point(genome), point, rtol=0.0, atol=1e-9, equal_nan=True):
                return Individual(number, thought["id"], thought["generation"], thought["slot"], genome, values)
        open_then = [generation for first, generation in self._began if first < number]
        name = immigrant_name(self._space.from_unit(np.nan_to_num(point)))
        hidden = np.random.default_rng(int(name[1:], 16)).random(len(point))
        genome = np.where(np.isnan(point), hidden, point)
        return Individual(number, name, open_then[-1] if open_then else 0, -1, genome, values)

    def _point(self, genome: Floats) -> Floats:
        point: Floats = self._space.to_unit([self._space.from_unit(genome)])[0]
        return point


class GenerationSampler(SpaceSampler):
    """Proposes children of a population. Derive from it and write `open_generation` and `child`."""

    def __init__(self, method: str, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self.lineage = Lineage(method, space)
        self.is_category = np.array([isinstance(p, Categorical) for p in space.parameters], dtype=bool)
        self.n_choices = np.array([len(p.choices) if isinstance(p, Categorical) else 1 for p in space.parameters])
        self._method = method

    @abstractmethod
    def open_generation(self) -> int:
        """The generation that the next child is for."""

    @abstractmethod
    def child(self, generation: int, index: int, rng: np.random.Generator) -> Child:
        """A child for a generation; `index` counts those that were asked for before."""

    def slot(self, generation: int, index: int) -> int:
        """The place in the population that the child competes for."""
        return -1

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self.lineage.read(study, trial)
        generation = self.open_generation()
        index = len(self.lineage.asked.get(generation, ()))
        child = self._unseen(generation, index, np.random.default_rng([self.seed, generation, index]))
        genome = np.round(child.genome, _DIGITS)
        if "fixed_params" not in trial.system_attrs:  # a person queued it: it is nobody's child
            self._record(study, trial, child, generation, index)
        return self.space.from_unit(genome)

    def _record(self, study: Study, trial: FrozenTrial, child: Child, generation: int, index: int) -> None:
        record_thought(
            study,
            trial,
            method=self._method,
            id=f"g{generation}.{index}",
            generation=generation,
            slot=self.slot(generation, index),
            genome=np.round(child.genome, _DIGITS).tolist(),
            parents=list(child.parents),
            operator=child.operator,
            stage=f"generation {generation}",
            why=child.why,
            **child.memory,
        )

    def n_towards(self, generation: int, size: int) -> int:
        """How many with values a generation has; up to half of a first population may be immigrants."""
        n_own = len(self.lineage.own(generation))
        if generation:
            return n_own
        return n_own + min(len(self.lineage.generations.get(0, ())) - n_own, size // 2)

    def random_child(self, rng: np.random.Generator, why: str) -> Child:
        return Child(rng.random(len(self.space)), "random", why=why)

    def places_to_mutate(self, rate: float, rng: np.random.Generator, *, at_least_one: bool) -> NDArray[np.bool_]:
        """Each parameter with chance `rate`; 0 stands for one of all on average."""
        d = len(self.space)
        changed = rng.random(d) < (rate or 1 / max(d, 1))
        if at_least_one and d and not changed.any():
            changed[rng.integers(d)] = True
        return changed

    def bred(
        self, genome: Floats, parents: Sequence[Individual], how: str, changed: NDArray[np.bool_], why: str
    ) -> Child:
        """A child of one parent or two, with these parameters mutated."""
        operators = [how] * (len(parents) > 1) + ["mutation"] * bool(changed.any())
        names = [parent.name for parent in parents]
        mutated = f"; {_names_of(self.space, changed)} mutated." if changed.any() else "."
        return Child(genome, " + ".join(operators) or "copy", names, f"Child of {why}{mutated}")

    def other_choices(self, genome: Floats, rng: np.random.Generator) -> Floats:
        """For every category another choice at random, as positions; of the numbers nothing is meant."""
        own = np.minimum((genome * self.n_choices).astype(int), self.n_choices - 1)
        shift = 1 + (rng.random(len(genome)) * (self.n_choices - 1)).astype(int)
        return np.asarray(((own + shift) % self.n_choices + 0.5) / self.n_choices)

    def _unseen(self, generation: int, index: int, rng: np.random.Generator) -> Child:
        """A child that was not tried yet, as long as one is found."""
        for _ in range(_TRIES):
            child = self.child(generation, index, rng)
            if not self.lineage.has_seen(np.round(child.genome, _DIGITS)):
                return child
        for n_changed in range(1, _TRIES):
            genome = self._shaken(child.genome, n_changed, rng)
            if not self.lineage.has_seen(np.round(genome, _DIGITS)):
                why = f"{child.why} It had been tried already, so parts of it were drawn anew."
                return Child(genome, f"{child.operator}, redrawn", child.parents, why, child.memory)
        return child

    def _shaken(self, genome: Floats, n_changed: int, rng: np.random.Generator) -> Floats:
        d = len(genome)
        changed = rng.permutation(d)[: 1 + n_changed * d // _TRIES]
        shaken = genome.copy()
        shaken[changed] = rng.random(len(changed))
        return shaken


def immigrant_name(configuration: Mapping[str, Any]) -> str:
    """The name of a trial that no generation made: the same whatever its number."""
    return _IMMIGRANT + configuration_digest(configuration)


def reflected(genome: Floats) -> Floats:
    """A position beyond a face of the unit cube, mirrored back into it."""
    return np.asarray(1 - np.abs(1 - np.abs(genome) % 2))


def _names_of(space: SearchSpace, changed: NDArray[np.bool_], most: int = 3) -> str:
    """The parameters at these places, in words."""
    names = [name for name, is_changed in zip(space.names, changed, strict=True) if is_changed]
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"
