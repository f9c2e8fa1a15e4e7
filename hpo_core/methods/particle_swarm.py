"""Particle swarm optimisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._population import Child, Floats, GenerationSampler, Individual
from hpo_core.options import option
from hpo_core.space import SearchSpace

_DIGITS = 7
_LEAST_CHANGE = 0.02


@dataclass(frozen=True)
class ParticleSwarm(SearchMethod):
    """Particles with a velocity, pulled to their own best place and to the best of all."""

    key: ClassVar[str] = "particle_swarm"
    label: ClassVar[str] = "Particle swarm"
    purpose: ClassVar[str] = (
        "Flies a swarm of configurations, each pulled to its own best place and to the best of all."
    )
    when_to_use: ClassVar[str] = (
        "Hundreds of cheap trials over numbers without many basins. Your own better trials pull the swarm to them. "
        "Categories are only taken over from the best; with few trials a Gaussian process is ahead."
    )
    source: ClassVar[str] = (
        "Kennedy and Eberhart (1995), Particle Swarm Optimization; inertia by Shi and Eberhart (1998), A Modified "
        "Particle Swarm Optimizer; its weights by Clerc and Kennedy (2002), The Particle Swarm: Explosion, Stability, "
        "and Convergence"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=100, surface="smooth", goes_on=True)

    particles: int = option(10, "Particles", "How many fly at once.", low=2, high=1000)
    inertia: float = option(0.73, "Inertia", "Share of its velocity that a particle keeps.", low=0.0, high=1.2)
    own_pull: float = option(1.5, "Pull of its own best", "How strongly its own best place pulls.", low=0.0, high=4.0)
    swarm_pull: float = option(1.5, "Pull of the swarm", "How strongly the best place of all pulls.", low=0.0, high=4.0)
    fastest: float = option(
        0.3, "Fastest", "Longest way of one step along a parameter, in widths of its range.", low=0.01, high=1.0
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _ParticleSwarmSampler(self, space, seed)


class _ParticleSwarmSampler(GenerationSampler):
    """A generation moves each particle once; a particle flies on from where its last trial was, failed or not."""

    def __init__(self, method: ParticleSwarm, space: SearchSpace, seed: int) -> None:
        super().__init__(method.key, space, seed)
        self._options = method

    def open_generation(self) -> int:
        newest = self.lineage.newest
        return newest + (len(self.lineage.asked.get(newest, ())) >= self._options.particles)

    def slot(self, generation: int, index: int) -> int:
        return index

    def child(self, generation: int, index: int, rng: np.random.Generator) -> Child:
        last = self._last(generation, index)
        if last is None:
            genome = rng.random(len(self.space))
            return self._flown(
                genome, self._limited((rng.random(len(genome)) - genome) / 2), "random", [], "It begins."
            )
        place, velocity = np.array(last["genome"]), np.array(last["velocity"])
        known = [*self.lineage.before(generation), *self.lineage.generations.get(generation, ())]
        own = min((i for i in known if i.slot == index), key=lambda i: i.value, default=None)
        best = min(known, key=lambda i: i.value, default=None)
        pulls = [best.genome if best else place, own.genome if own else place]
        return self._step(place, velocity, pulls, _parents(last, own, best), rng)

    def _last(self, generation: int, index: int) -> Mapping[str, Any] | None:
        """What went with the newest trial of a particle."""
        for before in range(generation - 1, -1, -1):
            for thought in self.lineage.asked.get(before, ()):
                if thought["slot"] == index:
                    return thought
        return None

    def _step(
        self, place: Floats, velocity: Floats, pulls: list[Floats], parents: list[str], rng: np.random.Generator
    ) -> Child:
        best, own = pulls
        weights = (self._options.inertia, self._options.own_pull, self._options.swarm_pull)
        velocity = self._limited(next_velocity(place, velocity, own, best, weights, rng))
        genome = np.clip(place + velocity, 0.0, 1.0)
        velocity = np.where(genome == place + velocity, velocity, 0.0)  # a wall takes the way that led into it
        genome = np.where(self.is_category, self._category(place, own, best, rng), genome)
        why = f"{parents[0]} flown on, pulled to {parents[1]}, its own best, and {parents[2]}, the best of all."
        return self._flown(genome, velocity, "flight", parents, why)

    def _category(self, place: Floats, own: Floats, best: Floats, rng: np.random.Generator) -> Floats:
        """Choices have no way between them: one is kept or taken over, with chances as the weights are."""
        weights = np.array([self._options.inertia, self._options.own_pull, self._options.swarm_pull, _LEAST_CHANGE])
        drawn = rng.choice(4, size=len(place), p=weights / weights.sum())
        taken_over = np.where(drawn == 1, own, np.where(drawn == 2, best, self.other_choices(place, rng)))
        return np.where(drawn == 0, place, taken_over)

    def _limited(self, velocity: Floats) -> Floats:
        return np.asarray(np.round(np.clip(velocity, -self._options.fastest, self._options.fastest), _DIGITS))

    def _flown(self, genome: Floats, velocity: Floats, operator: str, parents: list[str], why: str) -> Child:
        return Child(genome, operator, parents, why, {"velocity": velocity.tolist()})


def _parents(last: Mapping[str, Any], own: Individual | None, best: Individual | None) -> list[str]:
    here = str(last["id"])
    return [here, own.name if own else here, best.name if best else here]


def next_velocity(
    place: Floats,
    velocity: Floats,
    own: Floats,
    best: Floats,
    weights: tuple[float, float, float],
    rng: np.random.Generator,
) -> Floats:
    """w v + c1 r1 (own - x) + c2 r2 (best - x), shape (d,), with r1 and r2 uniform for each coordinate."""
    inertia, own_pull, swarm_pull = weights
    to_own = own_pull * rng.random(len(place)) * (own - place)
    to_best = swarm_pull * rng.random(len(place)) * (best - place)
    return np.asarray(inertia * velocity + to_own + to_best)


PARTICLE_SWARM = ParticleSwarm()
