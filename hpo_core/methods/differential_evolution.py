"""Differential evolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._population import Child, Floats, GenerationSampler, Individual, reflected
from hpo_core.options import option
from hpo_core.space import SearchSpace

_RANDOM, _BEST = "rand/1/bin", "best/1/bin"
_FEWEST = 4


@dataclass(frozen=True)
class DifferentialEvolution(SearchMethod):
    """Trial vectors from differences of members; each competes with one member for its place."""

    key: ClassVar[str] = "differential_evolution"
    label: ClassVar[str] = "Differential evolution"
    purpose: ClassVar[str] = (
        "Moves along differences between good configurations; a child replaces its rival if better."
    )
    when_to_use: ClassVar[str] = (
        "Hundreds of cheap trials over numbers, rough or with several basins; robust without tuning of its own. "
        "Categories are taken over or drawn anew, without a direction; with few trials a Gaussian process is ahead."
    )
    source: ClassVar[str] = (
        "Storn and Price (1997), Differential Evolution: A Simple and Efficient Heuristic for Global Optimization over "
        "Continuous Spaces"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=100, surface="rough")

    population: int = option(12, "Population", "Members, each with a place of its own.", low=_FEWEST, high=1000)
    strategy: str = option(
        _BEST,
        "Strategy",
        "What the difference is added to: a member drawn at random, which explores, or the best, which is quicker.",
        choices=(_RANDOM, _BEST),
    )
    scale: float = option(0.6, "F", "What the difference of two members is multiplied by.", low=0.0, high=2.0)
    crossover: float = option(
        0.8, "CR", "Chance of each parameter to come from the mutant instead of the rival.", low=0.0, high=1.0
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _DifferentialEvolutionSampler(self, space, seed)


class _DifferentialEvolutionSampler(GenerationSampler):
    """A generation asks once for each place. Places whose first member failed are drawn again at random."""

    def __init__(self, method: DifferentialEvolution, space: SearchSpace, seed: int) -> None:
        super().__init__(method.key, space, seed)
        self._options = method

    def open_generation(self) -> int:
        newest = self.lineage.newest
        return newest + (len(self.lineage.asked.get(newest, ())) >= self._options.population)

    def slot(self, generation: int, index: int) -> int:
        return index

    def child(self, generation: int, index: int, rng: np.random.Generator) -> Child:
        if generation == 0:
            return self.random_child(rng, "A member of the first population, drawn at random.")
        members = self.population(generation)
        others = [member for place, member in members.items() if place != index]
        if index not in members or len(others) < _FEWEST - 1:
            return self.random_child(rng, "Drawn at random, as there are too few members with a value.")
        best = min(members.values(), key=lambda member: member.value)
        donors = [others[i] for i in rng.choice(len(others), size=3, replace=False)]
        base = best if self._options.strategy == _BEST else donors[0]
        return self._made_of(members[index], base, donors[1:], rng)

    def population(self, generation: int) -> dict[int, Individual]:
        """By place, the best before a generation. Trials of others that are better take the places of the worst."""
        members: dict[int, Individual] = {}
        strangers = []
        for individual in self.lineage.before(generation):
            rival = members.get(individual.slot)
            if individual.is_immigrant:
                strangers.append(individual)
            elif individual.slot < self._options.population and (rival is None or individual.value <= rival.value):
                members[individual.slot] = individual
        for stranger in sorted(strangers, key=lambda s: s.value)[: self._options.population // 2]:
            worst = max(members, key=lambda place: members[place].value, default=0)
            if members and stranger.value < members[worst].value:
                members[worst] = stranger
        return dict(sorted(members.items()))

    def _made_of(
        self, rival: Individual, base: Individual, donors: Sequence[Individual], rng: np.random.Generator
    ) -> Child:
        first, second = (donor.genome for donor in donors)
        mutant = reflected(mutant_vector(base.genome, first, second, self._options.scale))
        mutant = np.where(self.is_category, self._category(base.genome, first, second, rng), mutant)
        genome = crossed_binomially(rival.genome, mutant, self._options.crossover, rng)
        names = [base.name, *(donor.name for donor in donors)]
        f = f"{self._options.scale:g}"
        why = f"{names[0]} + {f} ({names[1]} - {names[2]}), crossed with {rival.name}, whose place it takes if better."
        return Child(genome, self._options.strategy, [rival.name, *names], why)

    def _category(self, base: Floats, first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
        """Choices have no difference to scale: where two members disagree, the base's may change, with chance F."""
        disagree = (first * self.n_choices).astype(int) != (second * self.n_choices).astype(int)
        is_changed = disagree & (rng.random(len(base)) < self._options.scale)
        return np.where(is_changed, self.other_choices(base, rng), base)


def mutant_vector(base: Floats, first: Floats, second: Floats, scale: float) -> Floats:
    """v = base + F (first - second), shape (d,); it may lie outside the cube."""
    return np.asarray(base + scale * (first - second))


def crossed_binomially(target: Floats, mutant: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """u: of each coordinate the mutant's with chance CR, and of one drawn at random in any case; else the target's."""
    d = len(target)
    from_mutant: NDArray[np.bool_] = rng.random(d) < rate
    if d:
        from_mutant[rng.integers(d)] = True
    return np.where(from_mutant, mutant, target)


DIFFERENTIAL_EVOLUTION = DifferentialEvolution()
