"""Starting runs: in this process, or in a detached runner process that outlives its parent."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hpo_core.analysis.stopping import why_no_stop
from hpo_core.errors import TuningError, UsageError
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.problem import Problem, ProblemSpec, open_problem
from hpo_core.pruning import pruning_rule
from hpo_core.search.executor import Executor
from hpo_core.search.fits import FitStore
from hpo_core.search.local import LocalExecutor
from hpo_core.search.recovery import recover
from hpo_core.search.runner import Progress, Runner
from hpo_core.search.suitability import why_not
from hpo_core.search.workers import ONE_THREAD, ROOT_FOLDER, begin_program, keep_copy
from hpo_core.studies.run import Budget, Owner, Run, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study

URL_VARIABLE = "TUNING_LAB_RUNNER_STORAGE"  # not an argument: it may hold a password, and arguments are public


def problem_of(study: Study) -> Problem:
    """The problem that a study was made for, in the search space that it was made with.

    A family may have gained parameters since: they stay at the library's defaults.

    Raises:
        UsageError: The study was made by another program.
        DataError: Its data are gone or have changed.
    """
    if "problem" not in study.attributes:
        raise UsageError(f"The study {study.name!r} was made by another program: its problem is not known here.")
    spec, space = ProblemSpec.from_json(study.attributes["problem"]), study.space()
    problem = open_problem(spec)
    if space is None or space == problem.space:
        return problem
    return open_problem(replace(spec, space=tuple(space.to_json())))


def check_run(problem: Problem, settings: RunSettings, budget: Budget) -> None:
    """Refuses settings that cannot work, before anything is started.

    Raises:
        UsageError: Names what is wrong.
    """
    method = with_options(METHODS[settings.method], settings.options)
    if why := why_not(method, problem):
        raise UsageError(why)
    if not 1 <= settings.workers <= 256:
        raise UsageError(f"Workers must be a whole number from 1 to 256; got {settings.workers}.")
    if not 0 <= settings.seed < 2**32:
        raise UsageError(f"A seed must be a whole number from 0 to {2**32 - 1}; got {settings.seed}.")
    pruning_rule(settings.pruning, settings.pruning_options)
    if (why := why_no_stop(settings.stops_when)) is not None:
        raise UsageError(why)
    if problem.spec.second and settings.pruning != "none":
        raise UsageError("Pruning ends trials by their score alone. With a second objective choose no pruning.")
    if settings.fit_seconds_limit is not None and not 0 < settings.fit_seconds_limit < float("inf"):
        raise UsageError(f"The limit of a fit must be above 0 seconds; got {settings.fit_seconds_limit}.")
    _check_budget(problem, budget)


def _check_budget(problem: Problem, budget: Budget) -> None:
    if budget.kind != "seconds" and budget.amount != int(budget.amount):
        raise UsageError(f"A budget of {budget.kind} must be a whole number; got {budget.amount:g}.")
    if budget.kind == "fits" and budget.amount < problem.n_folds:
        raise UsageError(
            f"A budget of {budget.amount:g} fits is less than one trial, which takes {problem.n_folds}. Raise it."
        )


def execute(
    study: Study, run: Run, folder: Path, on_progress: Progress | None = None, executor: Executor | None = None
) -> Run:
    """Claims a run, does it in this process, and returns it as it ended. Ctrl-C and SIGTERM stop it in order.

    Args:
        study: Whose run it is.
        run: Waits to be claimed.
        folder: The data folder.
        on_progress: Called with the run a few times a second.
        executor: Does the fits; by default workers of its own, which end with the run.

    Raises:
        TuningError: It could not be run; the run is marked failed with the sentence.
    """
    claimed = study.runs.claim(run.id, Owner.of_this_process())
    try:
        return _execute(study, claimed, folder, on_progress, executor)
    except Exception as fault:
        sentence = str(fault) if isinstance(fault, TuningError) else _unexpected(fault)
        with contextlib.suppress(TuningError):
            study.runs.publish(claimed.id, state="failed", message=sentence)
        if isinstance(fault, TuningError):
            raise
        raise TuningError(sentence) from fault


def _execute(study: Study, run: Run, folder: Path, on_progress: Progress | None, lent: Executor | None) -> Run:
    # First: workers take time to start.
    executor = lent or LocalExecutor(run.settings.workers, log_file=folder / "workers.log")
    fits = FitStore(folder / "fits.db")
    try:
        runner = Runner(study, run, problem_of(study), executor, fits, on_progress)
        with _stopping_on_signals(runner):
            return runner.run()
    finally:
        if lent is None:
            executor.shutdown()
        fits.close()


@contextlib.contextmanager
def _stopping_on_signals(runner: Runner) -> Iterator[None]:
    """SIGINT and SIGTERM stop the run; outside the main thread Python delivers none, so nothing is set there."""
    names = (signal.SIGINT, signal.SIGTERM)
    try:
        before = [signal.signal(name, lambda *_: runner.stop()) for name in names]
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


def start_run(study: Study, settings: RunSettings, budget: Budget) -> Run:
    """A new run that waits for `execute` or `start_detached`. What a dead runner left is recovered first.

    Raises:
        StudyBusyError: A run of this study is active.
        UsageError: The settings cannot work.
    """
    check_run(problem_of(study), settings, budget)
    recover(study)
    return study.runs.begin(settings, budget)


def resume_run(study: Study, budget: Budget | None = None) -> Run:
    """The newest run made ready to go on, with a new total budget if given.

    Raises:
        StudyBusyError: It is active.
        UsageError: The study has no run, or the budget cannot work.
    """
    if budget is not None:
        _check_budget(problem_of(study), budget)
    recover(study)
    return study.runs.resume_with(budget)


def start_detached(storage: StudyStorage, study: Study, run: Run, folder: Path) -> int:
    """Starts a runner process of its own session for a waiting run; returns its process id."""
    return spawn("hpo_core.search.detached", (study.name, str(run.id), str(folder)), storage, folder)


def spawn(module: str, arguments: Sequence[str], storage: StudyStorage, folder: Path) -> int:
    """Starts `main` of a module in a process of its own session, which outlives this one; returns its id.

    It finds the URL of the storage in its environment, and its log is in the data folder.
    """
    environment = {**os.environ, **ONE_THREAD, URL_VARIABLE: storage.url}
    with (folder / "runner.log").open("ab") as log:
        if (pid := begin_program(module, arguments, environment, log)) is not None:
            return pid
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            close_fds=True,
            cwd=ROOT_FOLDER,
            env=environment,
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that no dead runner stays behind as a zombie
    return process.pid


def begin_spawned(what: str) -> StudyStorage:
    """In a process that `spawn` started: opens its log, in which it is called `what`, and its storage.

    Call it first: workers are forks of the process as it is then.

    Raises:
        StorageError: The storage cannot be opened.
    """
    line = f"%(asctime)s {what} %(process)d %(message)s"
    logging.basicConfig(format=line, stream=sys.stderr, level=logging.INFO, force=True)
    keep_copy()
    return StudyStorage.open(os.environ.pop(URL_VARIABLE))


def _unexpected(fault: Exception) -> str:
    mark = uuid.uuid4().hex[:8]
    logging.exception("run failed, %s", mark)
    return f"The search broke off with {type(fault).__name__}: {fault} (trace in the log under {mark})."
