"""A trial in flight: its configuration, the fits that are done, the fits that run, and what became of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from optuna.trial import TrialState

from hpo_core.fit_result import FitResult
from hpo_core.pruning import PruningRule, Rivals, is_hopeless
from hpo_core.schedule import Schedule
from hpo_core.search.executor import FitResults
from hpo_core.space import Configuration
from hpo_core.studies.run import LiveTrial
from hpo_core.studies.trial import FinishedTrial


@dataclass(eq=False)
class Flight:
    """Mutable, owned by one runner.

    Attributes:
        thought: What the method recorded when it proposed the trial.
        ticket: Number of the sampler's own trial; None where no sampler is told.
        tries: How often a runner died on it.
        rivals: The complete trials that were known when it was opened; pruning compares with these alone. None lets it
            go through all folds.
        fit_keys: Of each fold, see `Problem.fit_key`.
        results: By fold.
        futures: Fits that run or wait, with the folds of each request.
        state: RUNNING until it is settled.
        estimate: Expected value of a trial that was pruned between its folds.
        value: What the sampler is told; NaN for a failed trial.
    """

    configuration: Configuration
    arm: str
    n_folds: int
    thought: Mapping[str, Any] = field(default_factory=dict)
    ticket: int | None = None
    tries: int = 0
    rivals: Rivals | None = None
    started: float = field(default_factory=time.time)
    fit_keys: Sequence[str] = ()
    results: dict[int, FitResult] = field(default_factory=dict)
    futures: dict[Future[FitResults], tuple[int, ...]] = field(default_factory=dict)
    state: TrialState = TrialState.RUNNING
    reason: str = ""
    estimate: float = math.nan
    value: float = math.nan
    is_recorded: bool = False
    _n_judged: int = 0

    @property
    def is_settled(self) -> bool:
        return self.state != TrialState.RUNNING

    @property
    def has_fold_to_submit(self) -> bool:
        return not self.is_settled and bool(self.open_folds())

    @cached_property
    def schedule(self) -> Schedule:
        """How far its fits train; said by the method in its thought."""
        return Schedule.of_thought(self.thought)

    @property
    def n_counted(self) -> float:
        """Fits that count against the budget, known ones included; a partial fit counts as its share."""
        return len(self.results) * self.schedule.cost

    @property
    def has_all_scores(self) -> bool:
        """Whether it was settled by all of its folds."""
        return self.state in (TrialState.COMPLETE, TrialState.PRUNED) and self._n_judged == self.n_folds

    def open_folds(self) -> tuple[int, ...]:
        """Folds that are neither done nor asked for, in order."""
        taken = {*self.results, *chain.from_iterable(self.futures.values())}
        return tuple(fold for fold in range(self.n_folds) if fold not in taken)

    def take_known(self, known: Mapping[str, FitResult]) -> None:
        """Fills in fits that were done before."""
        self.results |= {fold: known[key] for fold, key in enumerate(self.fit_keys) if key in known}

    def fail(self, reason: str) -> None:
        if not self.is_settled:
            self.state, self.reason = TrialState.FAIL, reason

    def judge(self, rule: PruningRule | None) -> None:
        """Settles the trial when all folds are done, or when the folds so far, in order, show it to be hopeless."""
        prefix = self.fold_prefix()
        while not self.is_settled and self._n_judged < len(prefix):
            self._n_judged += 1
            if self._n_judged == self.n_folds:
                # Pruned where its fits were partial, so that it never counts as best.
                self.state = TrialState.COMPLETE if self.schedule.is_whole else TrialState.PRUNED
            elif (
                self.rivals is not None
                and rule is not None
                and is_hopeless(rule, prefix[: self._n_judged], self.rivals)
            ):
                self._prune(prefix[: self._n_judged], self.rivals)

    def _prune(self, scores: tuple[float, ...], rivals: Rivals) -> None:
        self.state, self.estimate = TrialState.PRUNED, rivals.estimate(scores)
        self.results = {fold: self.results[fold] for fold in range(len(scores))}

    def fold_prefix(self) -> tuple[float, ...]:
        """Scores of folds 0, 1, ... up to the first that is not done."""
        scores = []
        for fold in range(self.n_folds):
            if fold not in self.results:
                break
            scores.append(self.results[fold].score)
        return tuple(scores)

    def live(self) -> LiveTrial:
        return LiveTrial(
            configuration=self.configuration,
            arm=self.arm,
            fold_scores=self.fold_prefix(),
            started=self.started,
            tries=self.tries,
            thought=dict(self.thought),
        )

    def finished(self, value: Callable[[tuple[float, ...]], float]) -> FinishedTrial:
        """The settled trial as it is recorded; `value` turns fold scores into the value of a complete trial."""
        return FinishedTrial(
            configuration=self.configuration,
            state=self.state,
            value=self._value(value),
            arm=self.arm,
            started=self.started,
            completed=time.time(),
            fold_scores=self._by_fold("score"),
            train_scores=self._by_fold("train_score"),
            fit_seconds=self._by_fold("fit_seconds"),
            predict_seconds=self._by_fold("predict_seconds"),
            model_bytes=self._by_fold("model_bytes"),
            reason=self.reason,
            thought=self.thought,
        )

    def _value(self, value: Callable[[tuple[float, ...]], float]) -> float | None:
        if self.has_all_scores:
            return value(self.fold_prefix())
        return self.estimate if self.state == TrialState.PRUNED else None

    def _by_fold(self, figure: str) -> tuple[Any, ...]:
        n_done = max(self.results, default=-1) + 1
        return tuple(
            float(getattr(self.results[fold], figure)) if fold in self.results else math.nan for fold in range(n_done)
        )
