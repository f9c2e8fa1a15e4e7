"""Ensembles made in the background, each in a process of its own: `python -m hpo_core.search.mixing FD STUDY TOP`.

The process writes one JSON object a line: {"done", "total", "seconds_left"} after each trial that was fitted again, at
the end {"ensemble", "n_trials"} or {"fault"}.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Lock, Semaphore, Thread
from typing import IO, Any

import numpy as np

from hpo_core.analysis.noise import Difference
from hpo_core.analysis.selection import best_rows
from hpo_core.errors import TuningError
from hpo_core.search.launch import URL_VARIABLE, problem_of
from hpo_core.search.study_ensemble import Member, StudyEnsemble, ensemble_of
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from hpo_core.worker import THREAD_LIMITS, die_with_parent, limit_memory

TOP = 20
_KEPT = 32
_NICENESS = 5  # nudges and searches go first
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class MixProgress:
    """How far an ensemble is.

    Attributes:
        done: Trials that were fitted again.
        total: Of so many; 0 before the study is read.
        seconds_left: Until all are fitted, by the times of their first fits; None where unknown.
    """

    done: int = 0
    total: int = 0
    seconds_left: float | None = None


class Mix:
    """One ensemble, being made or made. Read from any thread.

    Attributes:
        progress: How far it is.
        ensemble: What came of it; None before, and where nothing did.
        n_trials: Complete trials of the study when it was made.
        fault: The sentence why nothing came of it, else "".
        is_cancelled: Whether somebody gave it up.
    """

    def __init__(self) -> None:
        self.progress = MixProgress()
        self.ensemble: StudyEnsemble | None = None
        self.n_trials = 0
        self.fault = ""
        self.is_cancelled = False
        self.pid: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._over = Event()
        self._lock = Lock()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it is over and its process gone; False if it is not after so long."""
        return self._over.wait(seconds)

    def cancel(self) -> None:
        """Gives it up: its process is killed at once."""
        with self._lock:
            self.is_cancelled = True
            if self._process is not None:
                self._process.kill()

    def run(self, start: Callable[[int], subprocess.Popen[bytes]]) -> None:
        """Does it, to the end. `start` makes the process, which writes to the pipe that it is given."""
        try:
            self._follow(start)
        except OSError as fault:
            self.fault = f"No process could be started to make the ensemble: {fault}"
        finally:
            self._over.set()

    def _follow(self, start: Callable[[int], subprocess.Popen[bytes]]) -> None:
        read, write = os.pipe()
        with open(read) as lines:
            try:
                with self._lock:
                    if self.is_cancelled:
                        return
                    self._process = start(write)
                    self.pid = self._process.pid
            finally:
                os.close(write)
            for line in lines:
                self._take(line)
            code = self._process.wait()
        if self.ensemble is None and not self.fault and not self.is_cancelled:
            self.fault = _death_sentence(code)

    def _take(self, line: str) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return  # the last words of a process that was killed
        if "ensemble" in message:
            self.n_trials = message["n_trials"]
            self.ensemble = _from_json(message["ensemble"])
        elif "fault" in message:
            self.fault = message["fault"]
        else:
            self.progress = MixProgress(**message)


class Mixer:
    """Makes ensembles of studies, of each study one at a time, and keeps what came of the last ones. Thread-safe.

    Args:
        storage: Where the studies are.
        n_processes: Ensembles made at the same time; further ones wait.
        log_file: Where the processes write; None drops it.
    """

    def __init__(self, storage: StudyStorage, n_processes: int = 1, log_file: Path | None = None) -> None:
        self._storage, self._log_file = storage, log_file
        self._turns = Semaphore(n_processes)
        self._mixes: OrderedDict[str, Mix] = OrderedDict()
        self._lock = Lock()

    def start(self, study: Study, top: int = TOP) -> Mix:
        """Begins the ensemble of a study's best trials; the one under way if there is one."""
        with self._lock:
            known = self._mixes.get(_key(study))
            if known is not None and not known.is_over and not known.is_cancelled:
                return known
            mix = self._mixes[_key(study)] = Mix()
            self._mixes.move_to_end(_key(study))
            self._drop_oldest()
        Thread(target=self._run, args=(mix, study.name, top), name="mix", daemon=True).start()
        return mix

    def of(self, study: Study) -> Mix | None:
        """The last ensemble of a study, made or being made; None without any."""
        with self._lock:
            return self._mixes.get(_key(study))

    def forget(self, study: Study) -> None:
        """Drops the last ensemble of a study, cancelled if it is being made."""
        with self._lock:
            mix = self._mixes.pop(_key(study), None)
        if mix is not None:
            mix.cancel()

    def shutdown(self) -> None:
        """Cancels what is being made."""
        with self._lock:
            mixes = list(self._mixes.values())
        for mix in mixes:
            mix.cancel()
        for mix in mixes:
            mix.wait()

    def _drop_oldest(self) -> None:
        over = [key for key, mix in self._mixes.items() if mix.is_over]
        for key in over[: max(0, len(self._mixes) - _KEPT)]:
            del self._mixes[key]

    def _run(self, mix: Mix, name: str, top: int) -> None:
        with self._turns:
            mix.run(lambda pipe: self._start_process(pipe, name, top))

    def _start_process(self, pipe: int, name: str, top: int) -> subprocess.Popen[bytes]:
        log: IO[bytes] | int = self._log_file.open("ab") if self._log_file else subprocess.DEVNULL
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "hpo_core.search.mixing", str(pipe), name, str(top)],
                pass_fds=[pipe],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_ROOT,
                env={**os.environ, **THREAD_LIMITS, URL_VARIABLE: self._storage.url},
                process_group=0,
            )
        finally:
            if not isinstance(log, int):
                log.close()


def _key(study: Study) -> str:
    return study.key or study.name


def _from_json(data: dict[str, Any]) -> StudyEnsemble:
    members = tuple(Member(**member) for member in data["members"])
    faults = {int(number): why for number, why in data["faults"].items()}
    return StudyEnsemble(**{**data, "members": members, "checked": Difference(**data["checked"]), "faults": faults})


def _death_sentence(code: int) -> str:
    how = "was killed, most often for want of memory" if code == -9 else f"ended with exit code {code}"
    return f"The process that made the ensemble {how}. Try again."


def main(pipe: int, name: str, top: int) -> None:
    """Makes the ensemble of a study and writes it to the pipe."""
    die_with_parent(os.getppid())
    limit_memory()
    os.nice(_NICENESS)
    with open(pipe, "w", buffering=1) as lines:
        try:
            _mix(StudyStorage.open(os.environ.pop(URL_VARIABLE)).study(name), top, lines)
        except TuningError as fault:
            _write(lines, fault=str(fault))
        except Exception as fault:  # the worker's edge: whatever a library raises ends this ensemble alone
            mark = uuid.uuid4().hex[:8]
            logging.exception("ensemble failed, %s", mark)
            kind = type(fault).__name__
            _write(lines, fault=f"The ensemble broke off with {kind}: {fault} (trace in the log under {mark}).")


def _write(lines: IO[str], **message: Any) -> None:
    lines.write(json.dumps(message) + "\n")


def _mix(study: Study, top: int, lines: IO[str]) -> None:
    table = study.read()
    clock = _Clock(table, best_rows(table, top))
    _write(lines, **clock.progress(0))

    def on_progress(done: int, _: int) -> None:
        study.read(table)  # raises once somebody has deleted the study
        _write(lines, **clock.progress(done))

    found = ensemble_of(problem_of(study), table, top=top, on_progress=on_progress)
    _write(lines, ensemble=asdict(found), n_trials=int(table.is_complete.sum()))


class _Clock:
    """Time left: what the trials took at first, at the pace of those that were fitted again."""

    def __init__(self, table: TrialTable, rows: list[int]) -> None:
        self._seconds = np.nansum(table.fit_seconds[rows] + table.predict_seconds[rows], axis=1)
        self._began = time.monotonic()

    def progress(self, done: int) -> dict[str, Any]:
        before, after = float(self._seconds[:done].sum()), float(self._seconds[done:].sum())
        pace = (time.monotonic() - self._began) / before if before > 0 else 1.0
        is_known = bool((self._seconds > 0).all())
        return {"done": done, "total": len(self._seconds), "seconds_left": pace * after if is_known else None}


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s ensemble %(process)d %(message)s", stream=sys.stderr)
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
