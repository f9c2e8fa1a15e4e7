"""Populations of network architectures from which the oldest leave, or the weakest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hpo_core.lessons._asking import asked_trials
from hpo_core.methods.regularised_evolution import RegularisedEvolution, mutated, name_of
from hpo_core.problem import make_problem
from hpo_core.space import Configuration, SearchSpace, configuration_digest

TOURNAMENT = 4
_WIDTH = RegularisedEvolution.width
_BENDS = {"silu": 0.0, "relu": 0.04, "tanh": 0.12}


@dataclass(frozen=True, slots=True)
class Life:
    """A network that was tried.

    Attributes:
        configuration: Its architecture.
        seen: Its loss as it looked.
        true: Its loss without noise.
        parent: The number of the trial that it is a child of; None for those drawn at random.
        born: The number of its own trial, from 0.
        left: The number of the trial with whose arrival it left; None while it lives.
    """

    configuration: Configuration
    seen: float
    true: float
    parent: int | None
    born: int
    left: int | None

    def is_alive(self, n_trials: int) -> bool:
        """Whether it lives when there are so many trials."""
        return self.born < n_trials and (self.left is None or self.left >= n_trials)

    @property
    def luck(self) -> float:
        """How much better it looks than it is."""
        return self.true - self.seen


@lru_cache(maxsize=1)
def architectures() -> SearchSpace:
    """The shape of a network, as the lab's own model family has it, without what concerns its training."""
    space = make_problem("moons", "architecture").space
    is_shape = [p.name in ("n_layers", "activation", "skip") or p.name.startswith("units_") for p in space.parameters]
    return SearchSpace(tuple(p for p, is_in in zip(space.parameters, is_shape, strict=True) if is_in))


def true_loss(configuration: Mapping[str, Any]) -> float:
    """Made up, so that it is known: best with four layers that grow narrower, smooth neurons, and skips if deep."""
    n_layers = configuration["n_layers"]
    widths = [math.log2(configuration[f"units_{i}"]) for i in range(1, n_layers + 1)]
    off = float(np.mean([(width - (7.0 - 0.75 * i)) ** 2 for i, width in enumerate(widths)]))
    skip = 0.05 if configuration["skip"] != (n_layers >= 4) else 0.0
    return float(0.4 + 0.04 * abs(n_layers - 4) + 0.03 * off + _BENDS[configuration["activation"]] + skip)


def oldest_leave(population: int, n_trials: int, noise: float, seed: int) -> list[Life]:
    """Regularised evolution, as the lab has it."""
    method, space = RegularisedEvolution(population=population, tournament=TOURNAMENT), architectures()
    trials = asked_trials(method.sampler(space, seed), space, lambda c, _: _look(c, noise, seed), n_trials)
    known: dict[str, int] = {}
    lives = []
    for number, trial in enumerate(trials):
        parents = trial.thought["parents"]
        left = number + population
        last = left if left < n_trials else None
        parent = known[parents[0]] if parents else None
        lives.append(Life(trial.configuration, trial.value, true_loss(trial.configuration), parent, number, last))
        known[name_of(trial.configuration)] = number
    return lives


def weakest_leave(population: int, n_trials: int, noise: float, seed: int) -> list[Life]:
    """The same tournaments and changes, but who looks worst leaves, however young."""
    space, rng = architectures(), np.random.default_rng(seed)
    tried: list[tuple[Configuration, float, int | None]] = []
    alive: list[int] = []
    left: dict[int, int] = {}
    for number in range(n_trials):
        parent: int | None = None
        child = space.from_unit(rng.random(len(space)))
        if len(alive) >= population:
            drawn = rng.choice(alive, size=min(TOURNAMENT, len(alive)), replace=False).tolist()
            parent = min(drawn, key=lambda i: tried[i][1])
            child, _ = mutated(space, tried[parent][0], _WIDTH, rng)
        tried.append((child, _look(child, noise, seed), parent))
        alive.append(number)
        if len(alive) > population:
            worst = max(alive, key=lambda i: tried[i][1])
            alive.remove(worst)
            left[worst] = number
    return [Life(c, seen, true_loss(c), parent, i, left.get(i)) for i, (c, seen, parent) in enumerate(tried)]


def _look(configuration: Configuration, noise: float, seed: int) -> float:
    """The loss as one training shows it; the same network looks the same again."""
    rng = np.random.default_rng([seed, int(configuration_digest(configuration), 16)])
    return true_loss(configuration) + noise * float(rng.standard_normal())
