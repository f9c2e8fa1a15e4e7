"""What a search knows: the in-memory Optuna study that its sampler reads, and what was tried at which resource."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from hpo_core.errors import TuningError
from hpo_core.methods import SearchExhausted, SearchMethod, propose, thought_of, with_thought
from hpo_core.problem import Problem
from hpo_core.pruning import FoldHistory, Rivals
from hpo_core.schedule import WHOLE, Schedule
from hpo_core.search.flight import Flight
from hpo_core.space import Configuration
from hpo_core.studies.run import RunSettings
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from hpo_core.studies.trial import FinishedTrial

optuna.logging.set_verbosity(optuna.logging.WARNING)

_READ_SECONDS = 0.25
_DRAWS = 100  # without a new configuration, before the space counts as exhausted


class Memory:
    """Knowledge of one run. What the study holds already is taken in at the start; None is a study without trials."""

    def __init__(self, study: Study | None, problem: Problem, method: SearchMethod, settings: RunSettings) -> None:
        self._study, self._problem, self._settings = study, problem, settings
        self._distributions = problem.space.distributions()
        self._trials = InMemoryStorage()
        self._sampler = method.sampler_for(problem, settings.seed)
        self._sampled = optuna.create_study(storage=self._trials, directions=problem.directions, sampler=self._sampler)
        self._sign = 1.0 if problem.direction == "minimize" else -1.0
        self._histories: dict[float, FoldHistory] = {}
        self._values: dict[str, float] = {}
        self._costs: dict[str, float] = {}
        self._own_numbers: set[int] = set()
        self._table: TrialTable | None = None
        self._n_read = 0
        self._next_read = 0.0
        self.take_in_others()

    def knows(self, configuration: Mapping[str, Any]) -> bool:
        return _key(configuration, WHOLE) in self._values

    def rivals(self, resource: float) -> Rivals:
        """The trials with all folds at this resource that the sampler has been told of."""
        return self._history(resource).snapshot()

    def register(self, configuration: Configuration, thought: Mapping[str, Any]) -> int:
        """Lets the sampler know that a configuration of others is in flight; the number of its trial there."""
        self._values.setdefault(_key(configuration, Schedule.of_thought(thought)), math.nan)
        self._add(configuration, [math.nan], thought, TrialState.RUNNING)
        return len(self._sampled.get_trials(deepcopy=False)) - 1

    def ask(self) -> tuple[int, Configuration, Mapping[str, Any]]:
        """A configuration that has not been tried at its resource, its number, and what the sampler thought.

        The sampler is told at once of configurations that have been tried.

        Raises:
            SearchExhausted: The method has no more, or 100 proposals in a row were known already.
        """
        for _ in range(_DRAWS):
            trial, configuration = propose(self._sampled, self._problem.space)
            thought = thought_of(self._trials.get_trial(trial._trial_id))
            key = _key(configuration, Schedule.of_thought(thought))
            if key not in self._values:
                self._values[key] = math.nan
                return trial.number, configuration, thought
            self._tell(trial.number, self._objectives(key))
        raise SearchExhausted(f"The last {_DRAWS} proposals had all been tried: nothing new was found in this space.")

    def refuse(self, configuration: Configuration, thought: Mapping[str, Any]) -> None:
        """Lets the sampler know that a configuration is not wanted, as if it had failed, whole and as it was meant."""
        for schedule in (WHOLE, Schedule.of_thought(thought)):
            self._values.setdefault(_key(configuration, schedule), math.nan)
        self._add(configuration, [math.nan], thought)

    def tell(self, flights: Sequence[Flight]) -> None:
        """Tells the sampler of recorded trials, in the order of asking."""
        for flight in flights:
            if flight.has_all_scores:
                self._history(flight.schedule.resource).add(flight.fold_prefix())
            # Not before: what is proposed must not depend on which of two trials in flight ends first.
            self._values[_key(flight.configuration, flight.schedule)] = flight.value
            if flight.ticket is not None:
                self._tell(flight.ticket, self._objectives(_key(flight.configuration, flight.schedule)))

    def note_recorded(self, flight: Flight, finished: FinishedTrial, number: int) -> None:
        """Keeps the value of a trial of this run; the sampler is told of it later."""
        self._own_numbers.add(number)
        flight.value = math.nan if finished.value is None else finished.value
        if second := self._problem.spec.second:
            self._costs[_key(flight.configuration, flight.schedule)] = finished.mean_of(second)

    def take_in_others(self) -> None:
        """Makes trials known that this run did not make: earlier ones, and the person's new ones."""
        now = time.monotonic()
        if self._study is None or now < self._next_read:
            return
        self._next_read = now + _READ_SECONDS
        self._table = self._study.read(self._table)
        for row in range(self._n_read, len(self._table)):
            if int(self._table.numbers[row]) not in self._own_numbers and self._may_learn(str(self._table.arms[row])):
                self._add_row(self._table, row)
        self._n_read = len(self._table)

    def _may_learn(self, arm: str) -> bool:
        return self._settings.learns_from_manual or arm in ("default", self._settings.method)

    def _add_row(self, table: TrialTable, row: int) -> None:
        try:
            configuration = self._problem.space.check(table.configuration(row))
        except TuningError:
            return  # made in another space
        value = math.nan if table.is_failed[row] else float(table.values[row])
        thought = table.thought(row)
        schedule = Schedule.of_thought(thought)
        key = _key(configuration, schedule)
        self._values[key] = value
        if second := self._problem.spec.second:
            self._costs[key] = float(table.mean_of(second)[row])
        self._add(configuration, self._objectives(key), thought)
        if table.is_complete[row] or (table.is_pruned[row] and not schedule.is_whole):
            self._history(schedule.resource).add(tuple(table.fold_scores[row]))

    def _history(self, resource: float) -> FoldHistory:
        """Trials at one resource: those at another do not compare."""
        return self._histories.setdefault(resource, FoldHistory(self._problem.n_folds, self._sign))

    def _objectives(self, key: str) -> list[float]:
        """The values of all objectives of a configuration; NaN where unknown."""
        return [self._values[key], *([self._costs.get(key, math.nan)] if self._problem.spec.second else [])]

    def _add(
        self,
        configuration: Configuration,
        values: list[float],
        thought: Mapping[str, Any],
        unknown: TrialState = TrialState.FAIL,
    ) -> None:
        """Also trials without a value: samplers count them, so that a search that goes on draws new configurations."""
        is_known = all(map(math.isfinite, values))
        self._sampled.add_trial(
            optuna.create_trial(
                state=TrialState.COMPLETE if is_known else unknown,
                params=configuration,
                distributions={name: self._distributions[name] for name in configuration},
                values=values if is_known else None,
                user_attrs=with_thought(thought),
            )
        )

    def _tell(self, number: int, values: list[float]) -> None:
        """What `Study.tell` does, without its deep copy of the trial: which costs more than all the rest (5.0)."""
        trial = self._trials.get_trial(number)  # its id is its number, as there is one study in this storage
        is_known = all(map(math.isfinite, values))
        state, told = (TrialState.COMPLETE, values) if is_known else (TrialState.FAIL, None)
        self._sampler.after_trial(self._sampled, trial, state, told)
        self._trials.set_trial_state_values(number, state, told)


def _key(configuration: Mapping[str, Any], schedule: Schedule) -> str:
    return json.dumps([dict(configuration), schedule.to_thought()], sort_keys=True)
