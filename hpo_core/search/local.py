"""The local executor: a pool of warm worker processes, one thread each, that survives what a fit does to its worker."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import json
import os
import selectors
import signal
import subprocess
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

from hpo_core.errors import FitError
from hpo_core.fit_result import FitResult
from hpo_core.problem import ProblemSpec
from hpo_core.search.executor import FitRequest, FitResults
from hpo_core.search.workers import Nursery

_GRACE_SECONDS = 0.1  # a cancelled fit may end by itself for so long: a new worker must read the data again
_TICK_SECONDS = 0.1
_STARTS_WITHOUT_READY = 3


@dataclass(eq=False)
class _Job:
    request: FitRequest
    order: int
    future: Future[FitResults] = field(default_factory=Future)
    began: float = 0.0
    cancelled: float | None = None
    is_second_try: bool = False  # the first one ended with the nursery

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands among those that wait."""
        return self.request.rank, self.order


class _Worker:
    """One process, the number that it goes by where it came from, and the socket to it."""

    def __init__(self, number: int, connection: Connection) -> None:
        self.number, self.connection = number, connection
        self.pid: int | None = None  # known when it is ready
        self.job: _Job | None = None
        self.is_opening = self.is_gone = False
        self._spec: ProblemSpec | None = None

    @property
    def is_ready(self) -> bool:
        return self.pid is not None

    def start(self, job: _Job) -> None:
        self.job, job.began = job, time.monotonic()
        if job.request.spec is not self._spec and job.request.spec != self._spec:
            self.is_opening = True
            self._send({"spec": job.request.spec.to_json()})
        self._spec = job.request.spec
        fit = {
            "configuration": dict(job.request.configuration),
            "folds": job.request.folds,
            "resource": job.request.schedule.resource,
            "past": job.request.schedule.past_to_json(),
            "rows": job.request.schedule.rows,
            "is_pictured": job.request.is_pictured,
        }
        self._send({"fit": fit})

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # a dead worker is noticed where its replies are read
            self.connection.send_bytes(json.dumps(message).encode())

    def receive(self) -> dict[str, Any] | None:
        """The next reply, or None when the process is gone."""
        try:
            reply: dict[str, Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            return None
        return reply


class LocalExecutor:
    """Worker processes on this machine. Thread-safe; one thread of its own moves jobs to workers and results back.

    Args:
        n_workers: Fits done at the same time.
        n_spare: Further warm processes, so that a killed worker is replaced at once.
        log_file: Where workers write traces of fits that broke off; None drops them.
    """

    def __init__(self, n_workers: int, n_spare: int = 0, log_file: Path | None = None) -> None:
        self.n_workers = n_workers
        self._queue: list[_Job] = []
        self._order = itertools.count()
        self._jobs: dict[Future[FitResults], _Job] = {}
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._why_closed = ""
        self._is_shut_down = False
        self._failed_starts = 0
        self._log: IO[bytes] | int = log_file.open("ab") if log_file else subprocess.DEVNULL
        self._sources = selectors.DefaultSelector()
        self._sources.register(self._wake_read, selectors.EVENT_READ)
        self._workers: list[_Worker] = []
        self._numbers = itertools.count()
        self._n_wanted = n_workers + n_spare
        self._open_nursery()
        self._thread = threading.Thread(target=self._serve, name="local-executor", daemon=True)
        self._thread.start()

    def submit(self, request: FitRequest) -> Future[FitResults]:
        job = _Job(request, next(self._order))
        with self._lock:
            if self._why_closed:
                raise FitError(self._why_closed)
            bisect.insort(self._queue, job, key=_place)
            self._jobs[job.future] = job
        self._wake()
        return job.future

    def cancel(self, future: Future[FitResults]) -> None:
        with self._lock:
            job = self._jobs.get(future)
            if job is None:
                return
            job.cancelled = time.monotonic()
            is_queued = job in self._queue
            if is_queued:
                self._queue.remove(job)
                del self._jobs[future]
        _drop(future, is_over=is_queued)
        self._wake()

    def shutdown(self) -> None:
        with self._lock:
            self._why_closed = self._why_closed or "The executor is shut down."
        self._wake()
        self._thread.join()
        with self._lock:
            if self._is_shut_down:
                return
            self._is_shut_down = True
            self._sources.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            left = list(self._jobs)
            self._jobs.clear()
        self._nursery.close()
        for worker in self._workers:
            worker.connection.close()
        for future in left:
            _drop(future, is_over=True)
        if not isinstance(self._log, int):
            self._log.close()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are ready, busy or idle."""
        return tuple(w.pid for w in self._workers if w.pid is not None)

    def _wake(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._is_shut_down:
                os.write(self._wake_write, b"x")

    def _serve(self) -> None:
        while not self._why_closed:
            self._hand_out()
            for source, _ in self._sources.select(self._patience()):
                if source.data is None:
                    os.read(self._wake_read, 4096)
                elif isinstance(source.data, Nursery):
                    self._hear_nursery()
                elif source.data in self._workers:  # not one that was removed for what was heard just now
                    self._hear(source.data)
            self._end_overdue()

    def _patience(self) -> float | None:
        """How long to wait for replies: for ever, unless a running fit has a limit or was cancelled."""
        is_timed = any(w.job and (w.job.request.seconds_limit or w.job.cancelled) for w in self._workers)
        return _TICK_SECONDS if is_timed else None

    def _hand_out(self) -> None:
        with self._lock:
            free = [w for w in self._workers if w.is_ready and not w.is_gone and w.job is None]
            n_busy = sum(w.job is not None for w in self._workers)
            for worker in free[: self.n_workers - n_busy]:
                if not self._queue:
                    return
                worker.start(self._queue.pop(0))

    def _hear(self, worker: _Worker) -> None:
        reply = worker.receive()
        if reply is None:
            self._sources.unregister(worker.connection)
            worker.is_gone = True  # the nursery says how
        elif "ready" in reply:
            worker.pid, self._failed_starts = reply["ready"], 0
            if len(self._workers) < self._n_wanted:
                self._start_worker()
        elif "opened" in reply and worker.job is not None:
            worker.job.began = time.monotonic()
            worker.is_opening = False
        else:
            self._finish(worker, reply)

    def _hear_nursery(self) -> None:
        messages = self._nursery.receive()
        if messages is None:
            self._replace_nursery()
        for message in messages or ():
            worker = next((w for w in self._workers if w.number == message["ended"]), None)
            if worker is not None:
                self._replace(worker, _death_sentence(message["code"]))

    def _finish(self, worker: _Worker, reply: dict[str, Any]) -> None:
        job, worker.job = worker.job, None
        assert job is not None
        if "results" in reply:
            self._settle(job, results=tuple(FitResult(**figures) for figures in reply["results"]))
        else:
            self._settle(job, fault=FitError(reply["error"]))

    def _settle(self, job: _Job, results: FitResults = (), fault: FitError | None = None) -> None:
        with self._lock:
            self._jobs.pop(job.future, None)
        if not job.future.set_running_or_notify_cancel():
            return
        if fault is None:
            job.future.set_result(results)
        else:
            job.future.set_exception(fault)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.job is None:
                continue
            limit = worker.job.request.seconds_limit
            if worker.job.cancelled and now - worker.job.cancelled > _GRACE_SECONDS:
                self._replace(worker, "The fit was cancelled.")
            elif limit and not worker.is_opening and now - worker.job.began > limit:
                self._replace(worker, f"The fit ran past its limit of {limit:g} s and was stopped.")

    def _replace(self, worker: _Worker, sentence: str) -> None:
        """Removes a worker that died or must die, fails its fit alone, and starts another in its place."""
        self._nursery.kill(worker.number)
        self._remove(worker, sentence)
        self._failed_starts += not worker.is_ready
        if not worker.is_ready and self._failed_starts >= _STARTS_WITHOUT_READY:
            self._give_up()
        else:
            self._start_worker()

    def _replace_nursery(self) -> None:
        """Opens another where the first one is gone, and with it all of its workers, whose fits are tried once more."""
        self._sources.unregister(self._nursery)
        was_open = self._nursery.is_open
        self._nursery.close()
        for worker in list(self._workers):
            job = worker.job
            if job is not None and not job.is_second_try and not job.cancelled:
                job.is_second_try, worker.job = True, None
                self._queue_again(job)
            self._remove(worker, "The process that workers come from ended during this fit.")
        self._failed_starts += not was_open
        if not was_open and self._failed_starts >= _STARTS_WITHOUT_READY:
            self._give_up()
        else:
            self._open_nursery()

    def _remove(self, worker: _Worker, sentence: str) -> None:
        with contextlib.suppress(KeyError):  # where its end was heard of, it is not listened to any more
            self._sources.unregister(worker.connection)
        worker.connection.close()
        self._workers.remove(worker)
        if worker.job is not None:
            self._blame(worker.job, FitError(sentence))

    def _blame(self, job: _Job, fault: FitError) -> None:
        """Fails the fit of a worker that is gone; of several nobody knows which it was, so the first is tried alone."""
        if len(job.request.folds) == 1 or job.cancelled:
            return self._settle(job, fault=fault)
        job.request = replace(job.request, folds=job.request.folds[:1])
        return self._queue_again(job)

    def _queue_again(self, job: _Job) -> None:
        with self._lock:
            bisect.insort(self._queue, job, key=_place)

    def _open_nursery(self) -> None:
        self._nursery = Nursery(self._log)
        self._sources.register(self._nursery, selectors.EVENT_READ, self._nursery)
        for _ in range(max(1, self._n_wanted // 2)):  # each brings another: programs that start leave no core free
            self._start_worker()

    def _start_worker(self) -> None:
        number = next(self._numbers)
        worker = _Worker(number, self._nursery.start(number))
        self._workers.append(worker)
        self._sources.register(worker.connection, selectors.EVENT_READ, worker)

    def _give_up(self) -> None:
        """No worker starts any more (no memory, a broken installation): fail what waits instead of trying for ever."""
        sentence = "Worker processes do not start on this machine; the log says why."
        with self._lock:
            waiting = list(self._queue)
            self._queue.clear()
            if not self._workers:
                self._why_closed = sentence
        for job in waiting:
            self._settle(job, fault=FitError(sentence))


_place = attrgetter("place")


def _drop(future: Future[FitResults], *, is_over: bool) -> None:
    """Cancels a future; one that no worker has is over at once, also for those who wait for it."""
    if future.cancel() and is_over:
        future.set_running_or_notify_cancel()


def _death_sentence(code: int) -> str:
    if code == -signal.SIGKILL:
        return "The worker process was killed during this fit, most often for want of memory."
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"The worker process ended {how} during this fit."
