"""Manual trials: a person's nudges, fitted outside the caller's process and recorded as trials of the arm "manual"."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hpo_core.errors import FitError, TuningError
from hpo_core.problem import Problem
from hpo_core.search.executor import Executor, FitRequest, FitResults
from hpo_core.search.fits import FitStore
from hpo_core.search.flight import Flight
from hpo_core.space import Configuration
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_KEPT_TABLES = 64  # of a class


class Nudge:
    """One configuration on its way through the folds. Thread-safe; read it while it runs.

    Attributes:
        configuration: What is scored.
        study: Where it is recorded; None if it is only scored.
        number: The number of the recorded trial, once it is recorded.
        storage_fault: Why it could not be recorded, or "".
    """

    def __init__(
        self,
        problem: Problem,
        configuration: Mapping[str, Any],
        arm: str,
        study: Study | None = None,
        suggested_by: str = "",
    ) -> None:
        self.problem, self.configuration, self.study = problem, dict(configuration), study
        self.number: int | None = None
        self.storage_fault = ""
        thought = {"suggested_by": suggested_by} if suggested_by else {}
        self.flight = Flight(self.configuration, arm, problem.n_folds, thought)
        self.changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self._is_cancelled = False
        self._began = time.monotonic()

    @property
    def is_default(self) -> bool:
        return self.flight.arm == "default"

    @property
    def fold_scores(self) -> tuple[float, ...]:
        """Scores of the folds done so far, in whatever order they ended; NaN where a fold is not done."""
        results = dict(self.flight.results)
        return tuple(results[f].score if f in results else math.nan for f in range(self.problem.n_folds))

    @property
    def n_done(self) -> int:
        return len(self.flight.results)

    @property
    def is_done(self) -> bool:
        return self.flight.is_settled or self._is_cancelled

    @property
    def is_over(self) -> bool:
        """Whether nothing about it changes any more: it is done, and recorded if it was to be."""
        is_kept = self.number is not None or bool(self.storage_fault) or self.study is None
        return self._is_cancelled or (self.flight.is_settled and is_kept)

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled

    @property
    def reason(self) -> str:
        """Why it failed, or ""."""
        return self.flight.reason

    @property
    def value(self) -> float:
        """Mean of the folds done so far; NaN before the first."""
        scores = [result.score for result in dict(self.flight.results).values()]
        return self.problem.value(tuple(scores)) if scores else math.nan

    @property
    def seconds_left(self) -> float:
        """Until the last fold, by the pace of those done so far; NaN before the first."""
        n_done = self.n_done
        if n_done == 0:
            return math.nan
        return (time.monotonic() - self._began) / n_done * (self.problem.n_folds - n_done)

    def wait(self, n_done: int, seconds: float) -> bool:
        """Waits until so many folds are done, or the nudge is; whether that came true in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_done or self.n_done >= n_done, timeout=seconds)

    def wait_until_over(self, seconds: float) -> bool:
        """Waits until nothing about it changes any more; whether that came true in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_over, timeout=seconds)

    @contextmanager
    def listener(self, call: Callable[[], None]) -> Iterator[None]:
        """Within it, `call` is called after each change, in whichever thread made it."""
        with self.changed:
            self._listeners.append(call)
        try:
            yield
        finally:
            with self.changed:
                self._listeners.remove(call)

    def tell(self) -> None:
        """Wakes all who wait for a change. The caller holds `changed`."""
        self.changed.notify_all()
        for call in self._listeners:
            call()

    def cancel(self) -> None:
        with self.changed:
            self._is_cancelled = True
            self.tell()


@dataclass(eq=False)
class _SharedFit:
    """A fit on its way, and how many nudges wait for it."""

    future: Future[FitResults]
    n_waiting: int = 1


class ManualArm:
    """Scores nudges for all people of one server. A newer nudge of the same person cancels the older one.

    The first folds of everybody are fitted before anybody's second ones, and people who ask for the same fit share it.

    Args:
        executor: Who does the fits.
        fits: Results of fits already done.
    """

    def __init__(self, executor: Executor, fits: FitStore) -> None:
        self._executor, self._fits = executor, fits
        self._running: dict[Hashable, Nudge] = {}
        self._under_way: dict[str, _SharedFit] = {}
        self._behind_default: dict[str, list[Nudge]] = {}
        self._lock = threading.Lock()
        self._recorder = _Recorder()

    def nudge(
        self,
        problem: Problem,
        configuration: Mapping[str, Any],
        *,
        who: Hashable,
        study: Study | None = None,
        arm: str = "manual",
        suggested_by: str = "",
    ) -> Nudge:
        """Begins to score a configuration and returns at once.

        Args:
            problem: What is tuned.
            configuration: One value for every active parameter.
            who: The person; their older nudge is cancelled.
            study: Where the trial is recorded when it is done; None only scores.
            arm: The arm of the trial. While a trial of the arm "default" is on its way into a study, the others of that
                study wait to be recorded after it.
            suggested_by: Key of the method whose suggestion the person runs; the trial says so.

        Raises:
            ConfigurationError: The configuration is not in the space.
        """
        nudge = Nudge(problem, problem.space.check(configuration), arm, study, suggested_by)
        with self._lock:
            older = self._running.get(who)
            self._running = {w: n for w, n in self._running.items() if not n.is_done} | {who: nudge}
            if study is not None and nudge.is_default:
                self._behind_default.setdefault(study.key, [])
        if older is not None:
            self.cancel(older)
        self._begin(nudge)
        return nudge

    def cancel(self, nudge: Nudge) -> None:
        """Gives a nudge up. It keeps the scores that it has, and is not recorded."""
        if not nudge.is_done:
            nudge.cancel()
            self._drop_fits(nudge)
            self._let_pass(nudge)

    def close(self) -> None:
        """Waits until everything is recorded. The executor is not shut down."""
        self._recorder.shutdown()

    # Fitting

    def _begin(self, nudge: Nudge) -> None:
        problem, flight = nudge.problem, nudge.flight
        flight.fit_keys = [problem.fit_key(nudge.configuration, fold) for fold in range(problem.n_folds)]
        flight.take_known(self._fits.get(flight.fit_keys))
        if not flight.has_fold_to_submit:
            return self._settle(nudge)
        for fold in flight.open_folds():
            self._ask_for(nudge, fold)
        if nudge.is_done:  # a newer nudge came, or a fit failed, while these were handed over
            self._drop_fits(nudge)
        return None

    def _ask_for(self, nudge: Nudge, fold: int) -> None:
        key = nudge.flight.fit_keys[fold]
        with self._lock:
            shared = self._under_way.get(key)
            if shared is not None:
                shared.n_waiting += 1
            else:
                spec, configuration = nudge.problem.spec, nudge.configuration
                request = FitRequest(spec=spec, configuration=configuration, folds=(fold,), rank=fold)
                shared = self._under_way[key] = _SharedFit(self._executor.submit(request))
            nudge.flight.futures[shared.future] = (fold,)
        shared.future.add_done_callback(lambda done: self._take_in(nudge, fold, done))

    def _take_in(self, nudge: Nudge, fold: int, future: Future[FitResults]) -> None:
        self._forget(nudge, future)
        if future.cancelled() or nudge.is_cancelled or nudge.flight.is_settled:
            return
        try:
            (result,) = future.result()
        except FitError as fault:
            nudge.flight.fail(str(fault))
            self._settle(nudge)
            self._drop_fits(nudge)
            return
        self._fits.put(nudge.flight.fit_keys[fold], result)
        with nudge.changed:
            nudge.flight.results[fold] = result
            is_last = nudge.n_done == nudge.problem.n_folds
            nudge.tell()
        if is_last:
            self._settle(nudge)

    def _forget(self, nudge: Nudge, future: Future[FitResults]) -> bool:
        """Takes a fit off a nudge; whether it was there, and nobody else waits for it."""
        with self._lock:
            folds = nudge.flight.futures.pop(future, None)
            if folds is None:
                return False
            key = nudge.flight.fit_keys[folds[0]]
            shared = self._under_way.get(key)
            if shared is None or shared.future is not future:
                return False
            shared.n_waiting -= 1
            if shared.n_waiting == 0 or future.done():
                del self._under_way[key]
            return shared.n_waiting == 0

    def _drop_fits(self, nudge: Nudge) -> None:
        for future in list(nudge.flight.futures):
            if self._forget(nudge, future):
                self._executor.cancel(future)

    # Recording

    def _settle(self, nudge: Nudge) -> None:
        with nudge.changed:
            nudge.flight.judge(None)
            nudge.tell()
        self._fits.flush()
        if not nudge.is_cancelled:
            self._record_in_turn(nudge)

    def _record_in_turn(self, nudge: Nudge) -> None:
        if nudge.study is None:
            return
        with self._lock:
            behind = self._behind_default.get(nudge.study.key)
            if behind is not None and not nudge.is_default:
                behind.append(nudge)
                return
        self._recorder.submit(nudge.study, nudge)
        self._let_pass(nudge)

    def _let_pass(self, default: Nudge) -> None:
        """Records what waited for the default's trial, which is in the recorder's queue by now, or given up."""
        if default.study is None or not default.is_default:
            return
        with self._lock:
            behind = self._behind_default.pop(default.study.key, [])
        for nudge in behind:
            self._recorder.submit(default.study, nudge)


class _Recorder:
    """Writes nudges into their studies, in a thread of its own: a busy storage must not hold up those who fit."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="manual-recorder")
        self._tables: OrderedDict[str, TrialTable] = OrderedDict()

    def submit(self, study: Study, nudge: Nudge) -> None:
        self._thread.submit(self._record, study, nudge)

    def shutdown(self) -> None:
        self._thread.shutdown()

    def _record(self, study: Study, nudge: Nudge) -> None:
        try:
            known = self._known_number(study, nudge.configuration)
            number = study.record(nudge.flight.finished(nudge.problem.value))[0] if known is None else known
        except TuningError as fault:
            nudge.storage_fault = str(fault)
        else:
            nudge.number = number
        with nudge.changed:
            nudge.tell()

    def _known_number(self, study: Study, configuration: Configuration) -> int | None:
        """The trial that tried this configuration before, whoever made it, if any.

        To go back to it is not a new trial, and to look at what the machine found does not make it the person's.
        """
        table = self._tables[study.key] = study.read(self._tables.pop(study.key, None))
        while len(self._tables) > _KEPT_TABLES:
            self._tables.popitem(last=False)
        rows = table.rows_of(configuration)
        rows = rows[table.is_complete[rows]]
        return int(table.numbers[rows[0]]) if len(rows) else None
