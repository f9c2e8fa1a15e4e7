"""The runner: asks a method for configurations, has their folds fitted, prunes, tells and records; one run of one
study.

It searches on an in-memory Optuna study and writes finished trials through to the database. Results are told to the
sampler in the order of asking, and a fixed number of trials behind it (the lag), so that the same seed and number
of workers give the same trials again, however long each fit takes.
"""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

from hpo_core.errors import FitError, StorageError, StudyBusyError, TuningError, UsageError
from hpo_core.methods import METHODS, ResultsNeeded, SearchExhausted
from hpo_core.options import with_options
from hpo_core.problem import Problem
from hpo_core.pruning import pruning_rule
from hpo_core.search.executor import Executor, FitRequest, FitResults
from hpo_core.search.fits import FitStore
from hpo_core.search.flight import Flight
from hpo_core.search.memory import Memory
from hpo_core.search.recovery import rounded_fits, spent_of, waiting
from hpo_core.search.stop_watch import StopWatch
from hpo_core.search.suitability import why_not
from hpo_core.studies.run import Live, Pending, Run, Spent
from hpo_core.studies.study import Study

_CONTROL_SECONDS = 0.15
_PUBLISH_SECONDS = 0.3
_WAIT_SECONDS = 0.1
_STORAGE_PATIENCE_SECONDS = 60.0
_QUICK_SECONDS = 0.005
_ROUNDING = 1e-6

Progress = Callable[[Run], None]


class Runner:
    """Executes one run. The run must have been claimed by this process.

    Args:
        study: Where finished trials go.
        run: The claimed run.
        problem: What is tuned.
        executor: Who does the fits; the runner does not shut it down.
        fits: Results of fits already done.
        on_progress: Called with the run about three times a second, for a progress bar.
    """

    def __init__(
        self,
        study: Study,
        run: Run,
        problem: Problem,
        executor: Executor,
        fits: FitStore,
        on_progress: Progress | None = None,
    ) -> None:
        self._study, self._run, self._problem = study, run, problem
        self._executor, self._fits, self._on_progress = executor, fits, on_progress
        method = with_options(METHODS[run.settings.method], run.settings.options)
        if why := why_not(method, problem):
            raise UsageError(why)
        self._pruning = pruning_rule(run.settings.pruning, run.settings.pruning_options)
        self._memory = Memory(study, problem, method, run.settings)
        self._stop_watch = StopWatch(study, problem, run.settings)
        self._flights: list[Flight] = []
        table = study.read()
        self._pending = waiting(run, table)
        self._arrivals: queue.SimpleQueue[tuple[Flight, Future[FitResults]]] = queue.SimpleQueue()
        # Enough open trials to keep every worker busy while the oldest one ends.
        self._lag = -(-(executor.n_workers - 1) // problem.n_folds)
        self._n_behind = self._lag  # trials that the sampler may not know of yet
        self._fits_per_worker = max(1, (self._lag + 1) * problem.n_folds // executor.n_workers)
        self._last_fit_seconds = math.inf
        self._spent = self._spent_before = spent_of(run, table)
        self._wanted, self._budget = run.wanted, run.budget
        self._is_exhausted = False
        self._message = ""
        self._clock = time.monotonic()
        self._next_control = self._next_publish = 0.0

    def run(self) -> Run:
        """Searches until the budget is spent, the method has no more to propose, or it is told to stop.

        Raises:
            StorageError: Finished trials cannot be written for a minute; they are done again from kept fits on resume.
        """
        self._queue_default()
        self._publish("running", force=True)
        try:
            while not self._is_over():
                self._look_at_control()
                self._fill()
                self._collect()
                self._record_settled()
                self._publish("paused" if self._is_paused else "running")
        except BaseException as fault:
            self._break_off(fault)
            raise
        self._abandon()
        return self._end()

    def _queue_default(self) -> None:
        default = self._problem.space.default()
        is_there = self._memory.knows(default) or any(p.configuration == default for p in self._pending)
        if self._run.settings.starts_with_default and not is_there:
            self._pending.insert(0, Pending(configuration=default, arm="default"))

    def stop(self) -> None:
        """Asks this run to stop; may be called from a signal handler."""
        self._wanted = "stopped"

    # When it is over

    def _is_over(self) -> bool:
        if self._wanted == "stopped" or self._seconds_are_spent():
            return True
        return not self._open and (self._is_exhausted or not self._has_budget())

    @property
    def _open(self) -> list[Flight]:
        """Trials that are not recorded yet."""
        return [f for f in self._flights if not f.is_recorded]

    def _seconds_are_spent(self) -> bool:
        return self._budget.kind == "seconds" and self._spent.seconds >= self._budget.amount

    def _has_budget(self) -> bool:
        """Whether one more trial may start."""
        if self._budget.kind == "trials":
            return self._spent.trials + len(self._open) < self._budget.amount
        if self._budget.kind == "fits":
            n_next = 1 + sum(f.schedule.cost for f in self._open)
            return self._spent.fits + n_next * self._problem.n_folds <= self._budget.amount + _ROUNDING
        return self._spent.seconds < self._budget.amount

    @property
    def _is_paused(self) -> bool:
        return self._wanted == "paused" and not any(f.futures for f in self._flights)

    # Control

    def _look_at_control(self) -> None:
        now = time.monotonic()
        if self._wanted != "paused":
            self._spent = Spent(
                trials=self._spent.trials, fits=self._spent.fits, seconds=self._spent.seconds + now - self._clock
            )
        self._clock = now
        if now < self._next_control:
            return
        self._next_control = now + _CONTROL_SECONDS
        with suppress(StorageError):  # a storage that is busy for long shows where trials are recorded
            self._obey(self._study.runs.current())

    def _obey(self, run: Run | None) -> None:
        if run is None or run.id != self._run.id or run.owner != self._run.owner:
            raise StudyBusyError(f"The study {self._study.name} was taken over by another runner, or deleted.")
        if self._wanted != "stopped":
            self._wanted = run.wanted
        if run.budget != self._budget:
            self._budget, self._is_exhausted = run.budget, False

    # Asking and fitting

    def _fill(self) -> None:
        if self._wanted != "running":
            return
        n_free = self._executor.n_workers - sum(len(f.futures) for f in self._flights)
        while n_free > 0:
            flight = next((f for f in self._flights if f.has_fold_to_submit), None) or self._open_flight()
            if flight is None:
                return
            if flight.has_fold_to_submit:
                self._submit(flight)
                n_free -= 1

    def _open_flight(self) -> Flight | None:
        """The next trial, with fits that are known already filled in; None when none may start now."""
        oldest = self._flights[: max(0, len(self._flights) - self._n_behind)]
        if not self._has_budget() or not all(f.is_recorded for f in oldest):
            return None
        self._memory.tell(oldest)
        self._flights, self._n_behind = self._flights[len(oldest) :], self._lag
        flight = self._pending_flight() or self._asked_flight()
        if flight is None:
            return None
        if flight.arm != "default":  # what all else is compared with goes through all folds
            flight.rivals = self._memory.rivals(flight.schedule.resource)
        flight.fit_keys = [
            self._problem.fit_key(flight.configuration, fold, flight.schedule) for fold in range(flight.n_folds)
        ]
        flight.take_known(self._fits.get(flight.fit_keys))
        self._judge(flight)
        self._flights.append(flight)
        return flight

    def _pending_flight(self) -> Flight | None:
        if not self._pending:
            return None
        first = self._pending.pop(0)
        ticket = self._memory.register(first.configuration, first.thought)
        return Flight(
            first.configuration,
            first.arm,
            self._problem.n_folds,
            thought=first.thought,
            ticket=ticket,
            tries=first.tries,
        )

    def _asked_flight(self) -> Flight | None:
        if self._is_exhausted:
            return None
        self._memory.take_in_others()
        try:
            ticket, configuration, thought = self._memory.ask()
        except SearchExhausted as reason:
            self._is_exhausted, self._message = True, str(reason)
            return None
        except ResultsNeeded as reason:
            # One more result each time, so that what is proposed does not depend on which fit ends first.
            self._n_behind = len(self._flights) - 1
            if not self._flights:
                self._is_exhausted, self._message = True, str(reason)
            return None
        return Flight(configuration, self._run.settings.method, self._problem.n_folds, thought=thought, ticket=ticket)

    def _submit(self, flight: Flight) -> None:
        folds = flight.open_folds()[: self._n_together()]
        future = self._executor.submit(
            FitRequest(
                spec=self._problem.spec,
                configuration=flight.configuration,
                folds=folds,
                schedule=flight.schedule,
                seconds_limit=self._run.settings.fit_seconds_limit,
            )
        )
        flight.futures[future] = folds
        future.add_done_callback(lambda done: self._arrivals.put((flight, done)))

    def _n_together(self) -> int:
        """Folds of one request: more than one where the way to the worker would cost more than the fit."""
        is_quick = self._last_fit_seconds < _QUICK_SECONDS and self._run.settings.fit_seconds_limit is None
        return self._fits_per_worker if is_quick else 1

    # Results

    def _collect(self) -> None:
        """Waits a moment for fits to end and takes in all that have."""
        try:
            # Trials are recorded in the order of asking, so only the oldest one is worth hurrying for.
            can_record = bool(self._open) and self._open[0].is_settled
            arrival = self._arrivals.get(timeout=0.0 if can_record else _WAIT_SECONDS)
            while True:
                self._take_in(*arrival)
                arrival = self._arrivals.get_nowait()
        except queue.Empty:
            return

    def _take_in(self, flight: Flight, future: Future[FitResults]) -> None:
        folds = flight.futures.pop(future, None)
        if folds is None:
            return
        try:
            results = future.result()
        except CancelledError:
            return
        except FitError as fault:
            flight.fail(str(fault))
        else:
            for fold, result in zip(folds, results, strict=False):  # the last folds may be left to do
                self._fits.put(flight.fit_keys[fold], result)
                flight.results[fold] = result
            self._last_fit_seconds = results[-1].fit_seconds + results[-1].predict_seconds
        self._judge(flight)

    def _judge(self, flight: Flight) -> None:
        flight.judge(self._pruning)
        if flight.is_settled:
            self._cancel(flight)

    def _cancel(self, flight: Flight) -> None:
        for future in list(flight.futures):
            del flight.futures[future]
            self._executor.cancel(future)

    def _record_settled(self) -> None:
        """Records settled trials in the order of asking."""
        for flight in self._open:
            if not flight.is_settled:
                return
            self._record(flight)

    def _record(self, flight: Flight) -> None:
        finished = flight.finished(self._problem.value)
        deadline = time.monotonic() + _STORAGE_PATIENCE_SECONDS
        while True:
            try:
                (number,) = self._study.record(finished)
                break
            except StorageError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        flight.is_recorded = True
        self._memory.note_recorded(flight, finished, number)
        self._spent = Spent(
            trials=self._spent.trials + 1,
            fits=rounded_fits(self._spent.fits + flight.n_counted),
            seconds=self._spent.seconds,
        )
        if why := self._stop_watch.why_stop(self._spent.trials):
            self._is_exhausted, self._message = True, why

    # Telling the world

    def _publish(self, state: Any, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now < self._next_publish:
            return
        self._next_publish = now + _PUBLISH_SECONDS
        self._fits.flush()
        with nullcontext() if force else suppress(StorageError):
            self._study.runs.publish(
                self._run.id, state=state, spent=self._spent, live=self._live(), message=self._message
            )
        if self._on_progress:
            self._on_progress(replace(self._run, state=state, spent=self._spent, live=self._live()))

    def _live(self) -> Live:
        in_flight = tuple(f.live() for f in self._open)
        return Live(in_flight=in_flight, pending=tuple(self._pending), seconds_left=self._seconds_left())

    def _seconds_left(self) -> float | None:
        if self._budget.kind == "seconds":
            return max(0.0, self._budget.amount - self._spent.seconds)
        kind = self._budget.kind
        total = float(getattr(self._spent, kind))
        done = total - float(getattr(self._spent_before, kind))
        if not done > 0:
            return None
        pace = (self._spent.seconds - self._spent_before.seconds) / done
        return max(0.0, (self._budget.amount - total) * pace)

    # The end

    def _abandon(self) -> None:
        """Cancels what is in flight, keeps what is done, and queues the rest first for the next run."""
        for flight in self._open:
            self._cancel(flight)
            if flight.is_settled:
                self._record(flight)
        left = self._open
        self._flights = []
        self._pending = [f.live().to_do() for f in left] + self._pending

    def _break_off(self, fault: BaseException) -> None:
        """Frees the workers, and keeps what is done where a study can still be written and is still ours."""
        if isinstance(fault, TuningError):
            for flight in self._open:
                self._cancel(flight)
            return
        with suppress(TuningError):
            self._abandon()
            self._publish("running", force=True)

    def _end(self) -> Run:
        state = "stopped" if self._wanted == "stopped" else "finished"
        self._study.runs.add_event("ended", {"state": state, "message": self._message})
        self._publish(state, force=True)
        ended = self._study.runs.current()
        assert ended is not None
        return ended
