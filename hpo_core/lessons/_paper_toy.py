"""The toy of Jaderberg et al. (2017), figure 2: two weights, two hyperparameters, and a quality that none sees.

The quality is Q(w) = 1.2 - w0^2 - w1^2. Training climbs another one, 1.2 - h0 w0^2 - h1 w1^2, whose hyperparameters say
how much of each weight it sees: with h = (1, 0) the second weight never moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from hpo_core.lessons._asking import asked_trials
from hpo_core.methods import with_thought
from hpo_core.methods.population_based_training import PopulationBasedTraining
from hpo_core.space import Configuration, Float, SearchSpace

Floats = NDArray[np.float64]
SPACE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in ("h0", "h1")))
FIXED = ({"h0": 1.0, "h1": 0.0}, {"h0": 0.0, "h1": 1.0})  # the two workers of the paper
HIGHEST = 1.2
TURNS = 25
_START = (0.9, 0.9)
_STEPS, _RATE = 4, 0.05  # of gradient ascent, in each turn


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One turn of one member.

    Attributes:
        member, turn: Which, from 0.
        values: The hyperparameters that it trained with, shape (2,).
        weights: Before its first step and after each of them, shape (5, 2).
        source: The member whose weights it began with.
    """

    member: int
    turn: int
    values: Floats
    weights: Floats
    source: int

    @property
    def is_copy(self) -> bool:
        return self.source != self.member

    @property
    def quality(self) -> float:
        """After the turn."""
        return quality(self.weights[-1])


def quality(weights: Floats) -> float:
    """What is to be made large; it is not what training sees."""
    return HIGHEST - float((np.asarray(weights) ** 2).sum())


def trained(weights: Floats, values: Floats) -> Floats:
    """The weights before the first step of a turn and after each, shape (5, 2)."""
    way = [np.asarray(weights, dtype=np.float64)]
    for _ in range(_STEPS):
        way.append(way[-1] - _RATE * 2 * values * way[-1])
    return np.array(way)


def fixed_way(configuration: Configuration) -> Floats:
    """The weights of a member that keeps its hyperparameters through all turns, shape (n, 2)."""
    way = np.array([_START])
    for _ in range(TURNS):
        way = np.vstack([way, trained(way[-1], _values(configuration))[1:]])
    return way


class Population:
    """Members that train as population-based training says, or only by a half of what it says."""

    def __init__(self, *, does_exploit: bool, does_explore: bool) -> None:
        self._does_exploit, self._does_explore = does_exploit, does_explore
        self.turns: dict[tuple[int, int], Turn] = {}

    def train(self, configuration: Configuration, thought: Mapping[str, Any]) -> float:
        """Trains a member for a turn; minus its quality."""
        member, turn, values = thought["member"], thought["turn"], _values(configuration)
        if turn == 0:
            made = Turn(member, 0, values, trained(np.array(_START), values), member)
        else:
            made = self._go_on(member, turn, thought["parent"][0], values)
        self.turns[member, turn] = made
        return -made.quality

    def _go_on(self, member: int, turn: int, winner: int, varied: Floats) -> Turn:
        own, other = self.turns[member, turn - 1], self.turns[winner, turn - 1]
        is_loser = winner != member
        base = other if is_loser and self._does_exploit else own
        values = varied if is_loser and self._does_explore else base.values
        return Turn(member, turn, values, trained(base.weights[-1], values), base.member)


def played(*, does_exploit: bool, does_explore: bool, seed: int) -> list[Turn]:
    """All turns of the paper's two workers, in the order in which the method asked for them.

    Args:
        does_exploit: Whether a loser copies the weights and hyperparameters of a winner.
        does_explore: Whether a loser takes the varied hyperparameters.
        seed: Of everything random.
    """
    method = PopulationBasedTraining(population=len(FIXED), turns=TURNS)
    population = Population(does_exploit=does_exploit, does_explore=does_explore)
    known = [_first(member, configuration, method, population) for member, configuration in enumerate(FIXED)]
    n_left = len(FIXED) * (TURNS - 1)
    asked_trials(method.sampler(SPACE, seed), SPACE, population.train, n_left, known)
    return list(population.turns.values())


def line_to_best(turns: Sequence[Turn]) -> list[Turn]:
    """The turns that the best member at the end has come through, whoever made them."""
    by_place = {(turn.member, turn.turn): turn for turn in turns}
    last = max((turn for turn in turns if turn.turn == TURNS - 1), key=lambda turn: turn.quality)
    line = [last]
    while line[-1].turn:
        line.append(by_place[line[-1].source, line[-1].turn - 1])
    return line[::-1]


def _first(
    member: int, configuration: Configuration, method: PopulationBasedTraining, population: Population
) -> FrozenTrial:
    thought = {"scheme": method.scheme, "round": 0, "member": member, "turn": 0, "resource": 1 / TURNS}
    value = population.train(configuration, thought)
    return optuna.create_trial(
        params=configuration, value=value, distributions=SPACE.distributions(), user_attrs=with_thought(thought)
    )


def _values(configuration: Configuration) -> Floats:
    return np.array([configuration["h0"], configuration["h1"]])
