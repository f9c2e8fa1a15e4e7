"""NSGA-II."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._population import Child, Floats, GenerationSampler, Individual
from hpo_core.options import option
from hpo_core.pareto import crowding_distances, non_dominated_ranks
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class Nsga2(SearchMethod):
    """Survivors by front and crowding, simulated binary crossover, polynomial mutation."""

    key: ClassVar[str] = "nsga2"
    label: ClassVar[str] = "NSGA-II"
    purpose: ClassVar[str] = "Breeds a population that spreads along the best trade-offs between several objectives."
    when_to_use: ClassVar[str] = (
        "Several objectives, such as score and fit time, with hundreds of trials. With one objective it is a plain "
        "genetic algorithm whose best members all live on."
    )
    source: ClassVar[str] = (
        "Deb, Pratap, Agarwal and Meyarivan (2002), A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True, is_multi_objective=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=100, surface="rough")

    population: int = option(16, "Population", "Survivors of each generation, and children.", low=4, high=1000)
    crossover_rate: float = option(
        0.9,
        "Crossover rate",
        "Share of children with two parents; the others begin as a copy of one.",
        low=0.0,
        high=1.0,
    )
    crossover_index: float = option(
        10.0, "Crossover index", "How near to its parents a child stays; higher is nearer.", low=0.0, high=100.0
    )
    mutation_rate: float = option(
        0.0,
        "Mutation rate",
        "Chance of each parameter to be changed; 0 changes one of each child on average.",
        low=0.0,
        high=1.0,
    )
    mutation_index: float = option(
        10.0, "Mutation index", "How small changes are; higher is smaller.", low=0.0, high=100.0
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _Nsga2Sampler(self, space, seed)


class Ranked(NamedTuple):
    """A survivor with its front, from 0, and its crowding distance; first come those that are better."""

    individual: Individual
    front: int
    distance: float

    @property
    def order(self) -> tuple[int, float]:
        return self.front, -self.distance


class _Nsga2Sampler(GenerationSampler):
    is_multi_objective = True

    def __init__(self, method: Nsga2, space: SearchSpace, seed: int) -> None:
        super().__init__(method.key, space, seed)
        self._options = method
        self._known: dict[int, tuple[int, list[Ranked]]] = {}

    def open_generation(self) -> int:
        newest, size = self.lineage.newest, self._options.population
        return newest + (self.n_towards(newest, size) >= size)

    def child(self, generation: int, index: int, rng: np.random.Generator) -> Child:
        if generation == 0:
            return self.random_child(rng, "A member of the first population, drawn at random.")
        members = self.population(generation - 1)
        first, second = self._winner(members, rng), self._winner(members, rng)
        is_crossed = bool(rng.random() < self._options.crossover_rate) and first is not second
        genome = self._crossed(first.individual.genome, second.individual.genome, rng) if is_crossed else None
        genome = first.individual.genome if genome is None else genome
        changed = self.places_to_mutate(self._options.mutation_rate, rng, at_least_one=not is_crossed)
        genome = np.where(changed, self._mutated(genome, rng), genome)
        parents = [first, second] if is_crossed else [first]
        names = " and ".join(f"{p.individual.name} of front {p.front + 1}" for p in parents)
        return self.bred(genome, [p.individual for p in parents], "simulated binary crossover", changed, names)

    def population(self, generation: int) -> list[Ranked]:
        """Survivors of a generation: the best of the survivors before it and its own members."""
        survivors: list[Ranked] = []
        n_upto = 0
        for g in range(generation + 1):
            members = self.lineage.generations.get(g, [])
            n_upto += len(members)
            known = self._known.get(g)
            if known is None or known[0] != n_upto:
                pool = [ranked.individual for ranked in survivors] + members
                known = self._known[g] = (n_upto, survivors_of(pool, self._options.population))
            survivors = known[1]
        return survivors

    def _winner(self, members: list[Ranked], rng: np.random.Generator) -> Ranked:
        drawn = rng.choice(len(members), size=min(2, len(members)), replace=False)
        best: Ranked = min([members[i] for i in drawn.tolist()], key=lambda ranked: ranked.order)
        return best

    def _crossed(self, first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
        mixed = simulated_binary(first, second, self._options.crossover_index, rng)
        either = np.where(rng.random(len(first)) < 0.5, first, second)
        # As in the authors' program, each coordinate is crossed with an even chance.
        return np.where(self.is_category | (rng.random(len(first)) < 0.5), either, mixed)

    def _mutated(self, genome: Floats, rng: np.random.Generator) -> Floats:
        moved = polynomial(genome, self._options.mutation_index, rng)
        return np.where(self.is_category, self.other_choices(genome, rng), moved)


def survivors_of(pool: list[Individual], size: int) -> list[Ranked]:
    """The best fronts, and of the last one that fits in part those with the most room around them."""
    if not pool:
        return []
    values = np.array([individual.values for individual in pool])
    fronts = non_dominated_ranks(values, enough=size)
    distances = np.empty(len(pool))
    for front in range(int(fronts.max()) + 1):
        here = fronts == front
        distances[here] = crowding_distances(values[here])
    ranked = [Ranked(*row) for row in zip(pool, fronts.tolist(), distances.tolist(), strict=True)]
    return sorted(ranked, key=lambda r: r.order)[:size]


def simulated_binary(first: Floats, second: Floats, index: float, rng: np.random.Generator) -> Floats:
    """One of the two children of Deb and Agrawal (1995), each as likely, cut at the faces of the cube."""
    u = rng.random(len(first))
    beta = np.where(u <= 0.5, 2 * u, 1 / (2 * (1 - u))) ** (1 / (index + 1))
    side = np.where(rng.random(len(first)) < 0.5, 1.0, -1.0)
    return np.clip(((first + second) + side * beta * (first - second)) / 2, 0.0, 1.0)


def polynomial(genome: Floats, index: float, rng: np.random.Generator) -> Floats:
    """The bounded polynomial mutation of Deb and Goyal (1996) for the unit cube."""
    u, power = rng.random(len(genome)), index + 1
    down = (2 * u + (1 - 2 * u) * (1 - genome) ** power) ** (1 / power) - 1
    up = 1 - (2 * (1 - u) + 2 * (u - 0.5) * genome**power) ** (1 / power)
    return np.clip(genome + np.where(u < 0.5, down, up), 0.0, 1.0)


NSGA2 = Nsga2()
