"""Methods that go through stages: which one a search is in, what it found, and why the next one starts.

The stage stands with every trial that was proposed in it, so a search that goes on, in whatever process, goes on in the
same stage: the one with the highest number among the trials of this method. Trials of others take part in none.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from hpo_core.errors import ConfigurationError
from hpo_core.formats import format_score, format_value
from hpo_core.methods import History, SpaceSampler, record_thought, thought_of
from hpo_core.methods._base import Observation
from hpo_core.space import Configuration, SearchSpace

_MOST_CHANGES = 40
_DRAWS = 100
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a search.

    Attributes:
        name: A word or two; stages of the same name that follow each other are one to a reader.
        why: The sentence why it begins, with what the one before found.
        plan: What it works by, as JSON values.
        number: Its place among the stages, from 0.
    """

    name: str
    why: str
    plan: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    def then(self, name: str, why: str, **plan: Any) -> Stage:
        """The stage after this one."""
        return Stage(name, why, plan, self.number + 1)


class StageLog:
    """The stages of one method in the trials of a study, read incrementally.

    Attributes:
        current: The latest stage; None before the first.
    """

    def __init__(self, method: str) -> None:
        self.current: Stage | None = None
        self._method = method
        self._n_read = 0
        self._counts: Counter[int] = Counter()

    def read(self, study: Study, asking: FrozenTrial) -> None:
        """Take in the trials before the one that is being asked for; a thought stands from the moment of asking."""
        trials = study.get_trials(deepcopy=False)
        for trial in trials[self._n_read : asking.number]:
            if (stage := self._stage_of(trial)) is not None:
                self._counts[stage.number] += 1
                if self.current is None or stage.number > self.current.number:
                    self.current = stage
        self._n_read = max(self._n_read, asking.number)

    def n_trials(self, stage: Stage) -> int:
        """How many trials were proposed in a stage."""
        return self._counts[stage.number]

    def record(self, study: Study, trial: FrozenTrial, stage: Stage) -> None:
        record_thought(
            study,
            trial,
            stage=stage.name,
            why=stage.why,
            plan={"method": self._method, "number": stage.number, **stage.plan},
        )

    def _stage_of(self, trial: FrozenTrial) -> Stage | None:
        thought = thought_of(trial)
        plan = thought.get("plan")
        if not isinstance(plan, Mapping) or plan.get("method") != self._method or "number" not in plan:
            return None
        own = {key: value for key, value in plan.items() if key not in ("method", "number")}
        return Stage(str(thought.get("stage")), str(thought.get("why")), own, int(plan["number"]))


class StagedSampler(SpaceSampler):
    """Proposes what the current stage wants, and opens the next one when it wants no more."""

    def __init__(self, space: SearchSpace, seed: int, method: str) -> None:
        super().__init__(space, seed)
        self.history = History(space)
        self.log = StageLog(method)
        self._sign = 1.0

    @abstractmethod
    def first_stage(self) -> Stage:
        """The stage that a search begins with."""

    @abstractmethod
    def next_stage(self, stage: Stage) -> Stage:
        """The stage after one that is finished."""

    @abstractmethod
    def candidate(self, stage: Stage, trial: FrozenTrial) -> Configuration | None:
        """An untried configuration of a stage; None when it is finished."""

    def interrupted(self, stage: Stage) -> Stage:
        """The stage itself, or another one when results that came in meanwhile call for it."""
        return stage

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self.read(study, trial)
        stage, found = self.step(trial)
        self.log.record(study, trial, stage)
        return found

    def read(self, study: Study, trial: FrozenTrial) -> None:
        """Take in what is new in the study."""
        self._sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
        self.history.read(study, trial)
        self.log.read(study, trial)

    def step(self, trial: FrozenTrial) -> tuple[Stage, Configuration]:
        """The stage of a trial and what is tried in it; at random where no stage has anything left."""
        stage = self._current()
        if stage.plan.get("is_last"):
            return stage, self.drawn(trial)
        for _ in range(_MOST_CHANGES):
            stage = self.interrupted(stage)
            if (found := self.candidate(stage, trial)) is not None:
                return stage, found
            stage = self.next_stage(stage)
        why = "Everything that its stages would try has been tried, so it draws at random."
        return stage.then("random", why, is_last=True), self.drawn(trial)

    def _current(self) -> Stage:
        """The stage that the search is in; anew from the first one when it was planned for another space."""
        current, first = self.log.current, self.first_stage()
        if current is None:
            return first
        return current if self._is_of_this_space(current) else current.then(first.name, first.why, **first.plan)

    def _is_of_this_space(self, stage: Stage) -> bool:
        try:
            self.space.check(stage.plan.get("centre", self.space.default()))
        except ConfigurationError:
            return False
        return True

    def drawn(self, trial: FrozenTrial) -> Configuration:
        """A configuration at random, an untried one where a hundred draws find one."""
        rng = self.rng(trial)
        found = self.space.from_unit(rng.random(len(self.space)))
        for _ in range(_DRAWS):
            if self.is_untried(found):
                break
            found = self.space.from_unit(rng.random(len(self.space)))
        return found

    def is_untried(self, configuration: Configuration) -> bool:
        return not self.history.has_seen(self.space.to_unit([configuration])[0])

    @property
    def best(self) -> Observation | None:
        """The best trial so far, whoever made it; the earliest of equals."""
        return min(self.history.observations, key=lambda known: (known.value, known.number), default=None)

    def configuration(self, known: Observation) -> Configuration:
        return self.space.from_unit(np.nan_to_num(known.point, nan=0.5))

    def in_words(self, known: Observation) -> str:
        """A result, such as "0.9530 at C 1.2, gamma 0.05"."""
        settings = [f"{name} {format_value(value)}" for name, value in self.configuration(known).items()]
        more = f" and {len(settings) - _MOST_NAMED} more" if len(settings) > _MOST_NAMED else ""
        place = ", ".join(settings[:_MOST_NAMED]) + more
        return format_score(self._sign * known.value) + (f" at {place}" if place else "")
