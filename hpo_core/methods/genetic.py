"""Genetic algorithm."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._population import Child, Floats, GenerationSampler, Individual, reflected
from hpo_core.options import option
from hpo_core.space import SearchSpace

_BLEND = 0.5
_UNIFORM, _ONE_POINT = "uniform", "one_point"


@dataclass(frozen=True)
class GeneticAlgorithm(SearchMethod):
    """Generations with tournaments, crossover, mutation and an elite that lives on."""

    key: ClassVar[str] = "genetic"
    label: ClassVar[str] = "Genetic algorithm"
    purpose: ClassVar[str] = "Breeds configurations: the better ones are crossed and mutated, generation by generation."
    when_to_use: ClassVar[str] = (
        "Hundreds of cheap trials over many parameters of mixed kinds, categories and conditions included. It learns "
        "slowly: below some 100 trials a Gaussian process or TPE is ahead."
    )
    source: ClassVar[str] = (
        "Holland (1975), Adaptation in Natural and Artificial Systems; tournaments by Goldberg and Deb (1991), A "
        "Comparative Analysis of Selection Schemes; blend crossover by Eshelman and Schaffer (1993), Real-Coded "
        "Genetic Algorithms and Interval-Schemata"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=100, surface="rough")

    population: int = option(10, "Population", "Members of each generation.", low=4, high=1000)
    tournament: int = option(
        3,
        "Tournament",
        "Of how many members drawn at random the best becomes a parent; more is greedier.",
        low=1,
        high=50,
    )
    crossover: str = option(
        "blend",
        "Crossover",
        "How two parents are mixed: each parameter from either (uniform), the first ones from one and the rest from "
        "the other (one_point), or numbers anywhere between and a little beyond both (blend).",
        choices=(_UNIFORM, _ONE_POINT, "blend"),
    )
    crossover_rate: float = option(
        0.9,
        "Crossover rate",
        "Share of children with two parents; the others begin as a copy of one.",
        low=0.0,
        high=1.0,
    )
    mutation_rate: float = option(
        0.0,
        "Mutation rate",
        "Chance of each parameter to be changed; 0 changes one of each child on average.",
        low=0.0,
        high=1.0,
    )
    mutation_width: float = option(
        0.1, "Mutation width", "Standard deviation of a change, in widths of the range.", low=0.001, high=1.0
    )
    elite: int = option(1, "Elite", "How many of the best live on into the next generation.", low=0, high=50)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _GeneticSampler(self, space, seed)


class _GeneticSampler(GenerationSampler):
    def __init__(self, method: GeneticAlgorithm, space: SearchSpace, seed: int) -> None:
        super().__init__(method.key, space, seed)
        self._options = method
        self._n_elite = min(method.elite, method.population // 2)

    def open_generation(self) -> int:
        newest, size = self.lineage.newest, self._options.population
        return newest + (self.n_towards(newest, size) >= size - (self._n_elite if newest else 0))

    def child(self, generation: int, index: int, rng: np.random.Generator) -> Child:
        if generation == 0:
            return self.random_child(rng, "A member of the first population, drawn at random.")
        members = self.population(generation - 1)
        first, second = self._winner(members, rng), self._winner(members, rng)
        is_crossed = bool(rng.random() < self._options.crossover_rate) and first is not second
        genome = self._crossed(first.genome, second.genome, rng) if is_crossed else first.genome
        changed = self.places_to_mutate(self._options.mutation_rate, rng, at_least_one=not is_crossed)
        genome = np.where(changed, self._mutated(genome, rng), genome)
        parents = [first, second] if is_crossed else [first]
        how = f"{self._options.crossover.replace('_', '-')} crossover"
        names = " and ".join(parent.name for parent in parents)
        why = f"{names}, best of {self._n_in_tournament(members)} drawn from {len(members)}"
        return self.bred(genome, parents, how, changed, why)

    def population(self, generation: int) -> list[Individual]:
        """Those that may become parents after a generation: its own members, and the elite of all before."""
        size = self._options.population
        if generation == 0:
            own = self.lineage.own(0)
            others = [i for i in self.lineage.generations.get(0, ()) if i.is_immigrant]
            return own + heapq.nsmallest(max(size - len(own), 0), others, key=_value)
        elite = heapq.nsmallest(self._n_elite, self.lineage.before(generation), key=_value)
        return elite + heapq.nsmallest(size - len(elite), self.lineage.generations.get(generation, ()), key=_value)

    def _n_in_tournament(self, members: list[Individual]) -> int:
        return min(self._options.tournament, len(members))

    def _winner(self, members: list[Individual], rng: np.random.Generator) -> Individual:
        drawn = rng.choice(len(members), size=self._n_in_tournament(members), replace=False)
        best: Individual = min([members[i] for i in drawn.tolist()], key=_value)
        return best

    def _crossed(self, first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
        return crossed(self._options.crossover, first, second, self.is_category, rng)

    def _mutated(self, genome: Floats, rng: np.random.Generator) -> Floats:
        moved = reflected(genome + self._options.mutation_width * rng.standard_normal(len(genome)))
        return np.where(self.is_category, self.other_choices(genome, rng), moved)


def crossed(
    kind: str, first: Floats, second: Floats, is_category: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """A child of two genomes, shape (d,). A category is always one of the parents'."""
    d = len(first)
    if kind == _ONE_POINT:
        return np.where(np.arange(d) < (rng.integers(1, d) if d > 1 else rng.integers(2)), first, second)
    either = np.where(rng.random(d) < 0.5, first, second)
    if kind == _UNIFORM:
        return either
    low, high = np.minimum(first, second), np.maximum(first, second)
    blend = low - _BLEND * (high - low) + rng.random(d) * (1 + 2 * _BLEND) * (high - low)
    return np.where(is_category, either, reflected(blend))


def _value(individual: Individual) -> float:
    return individual.value


GENETIC = GeneticAlgorithm()
