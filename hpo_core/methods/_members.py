"""The members of a population in training: at which turn each is, how good, and along which schedule it came there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpo_core.errors import ConfigurationError
from hpo_core.methods._base import thought_of
from hpo_core.schedule import Schedule, Segment
from hpo_core.space import Configuration, SearchSpace


@dataclass(frozen=True, slots=True)
class Member:
    """A member after one of its turns. `value` is to be minimised; infinite where the turn failed."""

    member: int
    turn: int
    configuration: Configuration
    past: tuple[Segment, ...]
    value: float

    @property
    def is_scored(self) -> bool:
        return math.isfinite(self.value)


def best_first(members: Iterable[Member]) -> list[Member]:
    """By value; of equals the one with the lower number comes first."""
    return sorted(members, key=lambda m: (m.value, m.member))


class Members:
    """All populations of one scheme, read incrementally from a study."""

    def __init__(self, space: SearchSpace, scheme: str) -> None:
        self._space, self._scheme = space, scheme
        self._n_settled = 0
        self._settled: set[int] = set()
        # By round and member, then by turn: a trial that was begun again takes the place of the lost one.
        self._finished: dict[tuple[int, int], dict[int, Member]] = {}
        self._running: dict[tuple[int, int], Member] = {}

    def read(self, study: Study, asking: FrozenTrial) -> None:
        """Take in what is new, leaving out the trial that is being asked for."""
        sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
        trials = study.get_trials(deepcopy=False)
        while self._n_settled < len(trials) and trials[self._n_settled].number in self._settled:
            self._n_settled += 1
        self._running = {}
        for trial in trials[self._n_settled :]:
            if trial.number not in self._settled and trial.number != asking.number:
                self._take(trial, sign)

    def newest_round(self) -> int:
        """The newest that has begun; 0 where none has."""
        return max((number for number, _ in (*self._finished, *self._running)), default=0)

    def n_turns(self, number: int, member: int) -> int:
        """How many turns it has ended without a gap; one that is in flight again does not count."""
        done, running = self._finished.get((number, member), {}), self._running.get((number, member))
        n = 0
        while n in done and not (running and n == running.turn):
            n += 1
        return n

    def is_running(self, number: int, member: int) -> bool:
        return (number, member) in self._running

    def at(self, number: int, turn: int) -> list[Member]:
        """The members as they were after one turn, those in flight there left out."""
        flying = self.flying(number, turn)
        done = [turns[turn] for place, turns in self._finished.items() if place[0] == number and turn in turns]
        return [member for member in done if all(member.member != other.member for other in flying)]

    def flying(self, number: int, turn: int) -> list[Member]:
        """The members that are training this turn, without a value."""
        return [m for place, m in self._running.items() if place[0] == number and m.turn == turn]

    def _take(self, trial: FrozenTrial, sign: float) -> None:
        is_running = trial.state in (TrialState.RUNNING, TrialState.WAITING)
        if not is_running:
            self._settled.add(trial.number)
        thought = thought_of(trial)
        if thought.get("scheme") != self._scheme:
            return
        try:
            place, turn = (int(thought["round"]), int(thought["member"])), int(thought["turn"])
            configuration = self._space.check(trial.params)
        except (ConfigurationError, KeyError, TypeError, ValueError):
            return
        member = Member(place[1], turn, configuration, Schedule.of_thought(thought).past, _value(trial, sign))
        if is_running:
            self._running[place] = member
        else:
            self._finished.setdefault(place, {})[turn] = member


def _value(trial: FrozenTrial, sign: float) -> float:
    is_scored = trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and trial.value is not None
    value = trial.value if is_scored and trial.value is not None else math.inf
    return sign * value if math.isfinite(value) else math.inf
