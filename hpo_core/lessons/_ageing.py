"""Populations of network architectures from which the oldest leave, or the weakest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hpo_core.lessons._asking import asked_trials
from hpo_core.lessons._networks import architectures, seen_loss, true_loss
from hpo_core.methods.regularised_evolution import AgeingSampler, RegularisedEvolution, Scored, name_of
from hpo_core.space import Configuration

TOURNAMENT = 4


@dataclass(frozen=True, slots=True)
class Life:
    """A network that was tried.

    Attributes:
        configuration: Its architecture.
        seen: Its loss on the folds that were looked at.
        true: Its loss on all folds.
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


def oldest_leave(population: int, n_trials: int, n_folds: int, seed: int) -> list[Life]:
    """Regularised evolution, as the lab has it; each network is looked at on so many folds of its own."""
    return _lives(AgeingSampler, population, n_trials, n_folds, seed)


def weakest_leave(population: int, n_trials: int, n_folds: int, seed: int) -> list[Life]:
    """The same, but who looks worst leaves, however young."""
    return _lives(_WeakestLeave, population, n_trials, n_folds, seed)


class _WeakestLeave(AgeingSampler):
    def survivors(self, known: Sequence[Scored]) -> list[Scored]:
        alive: list[Scored] = []
        for newest in known:
            alive.append(newest)
            if len(alive) > self._options.population:
                alive.remove(max(alive, key=lambda one: one.value))
        return alive


def _lives(kind: type[AgeingSampler], population: int, n_trials: int, n_folds: int, seed: int) -> list[Life]:
    space = architectures()
    sampler = kind(RegularisedEvolution(population=population, tournament=TOURNAMENT), space, seed)
    trials = asked_trials(sampler, space, lambda c, _: seen_loss(c, n_folds, seed), n_trials)
    alive = [set(map(id, sampler.survivors(trials[: n + 1]))) for n in range(n_trials)]
    known = {name_of(trial.configuration): number for number, trial in enumerate(trials)}
    lives = []
    for number, trial in enumerate(trials):
        parents = trial.thought["parents"]
        left = next((n for n in range(number, n_trials) if id(trial) not in alive[n]), None)
        parent = known[parents[0]] if parents else None
        lives.append(Life(trial.configuration, trial.value, true_loss(trial.configuration), parent, number, left))
    return lives
