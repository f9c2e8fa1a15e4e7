"""Nested cross-validation of a study's search, in a process of its own.

`python -m hpo_core.search.nesting STUDY FOLDER`, the storage in the environment; what is repeated stands in the order.
In each outer fold the same method with the same budget searches the other rows anew; the outer fold then scores what it
chose, which is its best trial. The searches live in a storage of their own that is dropped at the end; what came of
each is kept with the study. The locked rows stay locked.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hpo_core.analysis.nested import Nested, OuterFold
from hpo_core.errors import FitError, TuningError, UsageError
from hpo_core.methods import METHODS
from hpo_core.problem import ModelProblem, Problem, ProblemSpec, open_problem
from hpo_core.search.errand import CalledOff, Errand, Progress
from hpo_core.search.executor import FitRequest
from hpo_core.search.launch import begin_spawned, execute, problem_of, resume_run, spawn, start_run
from hpo_core.search.local import LocalExecutor
from hpo_core.search.simple import study_for
from hpo_core.studies.run import Budget, Run, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

OUTER = 5
_KIND, _RESULT = "nested", "nested"
_FEWEST_TRIALS = 2


def nesting(study: Study) -> Errand:
    """The errand of a nested cross-validation of a study."""
    return Errand(study, _KIND)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a nested cross-validation takes: fits, and about how many seconds; NaN where no fit times are known."""

    fits: float
    seconds: float


def why_not_nested(study: Study) -> str:
    """The sentence why a study's search cannot be repeated within outer folds, or ""."""
    if not study.key or "problem" not in study.attributes:
        return f"The study {study.name!r} was made by another program: its problem is not known here."
    spec = ProblemSpec.from_json(study.attributes["problem"])
    if not spec.model:
        return "A landscape has no rows to keep out of a search."
    if spec.second:
        return "Nested cross-validation judges one score; this study has two objectives."
    run = study.runs.current()
    if run is None:
        return "Nested cross-validation repeats a search, and this study has none yet. Start one first."
    if run.is_active:
        return "The search is still on. Nested cross-validation repeats it when it is over."
    return ""


def nested_cost(table: TrialTable, run: Run, problem: Problem, outer: int) -> Cost:
    """What it would take to repeat a run in so many outer folds, from the study's own fits.

    Args:
        table: The study.
        run: What is repeated.
        problem: Of the study.
        outer: Number of outer folds.
    """
    done = np.isfinite(table.fold_scores)
    own = done.any(axis=1) & (table.arms == run.settings.method)
    per_trial = float(done[own].sum(axis=1).mean()) if own.any() else float(problem.n_folds)
    seconds = (table.fit_seconds + table.predict_seconds)[own]
    seconds = seconds[np.isfinite(seconds)]
    each = float(seconds.mean()) if len(seconds) else math.nan
    workers, extra = run.settings.workers, 2 * outer
    if run.budget.kind == "seconds":
        fits = outer * run.budget.amount * workers / each if each > 0 else math.nan
        return Cost(fits + extra, outer * run.budget.amount + extra * (0.0 if math.isnan(each) else each))
    fits = outer * run.budget.amount * (per_trial if run.budget.kind == "trials" else 1.0)
    return Cost(fits + extra, each * (fits / workers + extra))


def nested_of(study: Study) -> Nested | None:
    """What the last nested cross-validation of a study has found so far; None without a finished outer fold."""
    row = study.attributes.get(_RESULT)
    if not row or not row["folds"]:
        return None
    numbers = ("own_best", "score", "default")
    folds = [{**fold, **{n: math.nan for n in numbers if fold[n] is None}} for fold in row["folds"]]
    budget = Budget(**row["plan"]["budget"])
    return Nested(
        folds=tuple(OuterFold(**fold) for fold in folds),
        n_outer=row["plan"]["outer"],
        direction=study.direction,
        method=row["plan"]["settings"]["method"],
        budget=f"{budget.amount:g} {budget.kind}",
        study_best=math.nan if row["study_best"] is None else row["study_best"],
        n_study_trials=row["n_study_trials"],
    )


def ask_to_nest(study: Study, outer: int = OUTER) -> None:
    """Orders the nested cross-validation of a study's newest run. Outer folds of the same plan that are done are kept.

    Raises:
        UsageError: It cannot be done, or the rows do not suffice for so many outer folds.
        StudyBusyError: It is being done.
    """
    if why := why_not_nested(study):
        raise UsageError(why)
    run, problem = study.runs.current(), problem_of(study)
    assert run is not None
    assert isinstance(problem, ModelProblem)
    for protocol in problem.spec.protocol.nested(outer):
        protocol.split(problem.data)
    plan = {"outer": outer, "settings": asdict(run.settings), "budget": asdict(run.budget)}
    nesting(study).ask(plan=plan)
    known = study.attributes.get(_RESULT)
    if not known or known["plan"] != plan or len(known["folds"]) == outer:
        table = study.read()
        best = table.best()
        value = None if best is None else float(table.values[best])
        first: dict[str, Any] = {
            "plan": plan,
            "folds": [],
            "study_best": value,
            "n_study_trials": int(table.is_complete.sum()),
        }
        study.set_attribute(_RESULT, first)


def start_nesting(storage: StudyStorage, study: Study, folder: Path) -> None:
    """Has what was ordered done in a process that outlives this one."""
    spawn("hpo_core.search.nesting", (study.name, str(folder)), storage, folder)


def nest(study: Study, folder: Path) -> None:
    """Does what was ordered, in this process, until it is done or called off; nothing where another one is at it.

    Raises:
        TuningError: It could not be done; the sentence stands in the errand, too.
    """
    errand = nesting(study)
    if not errand.hold():
        return
    try:
        with _own_storage(folder, study) as storage, _workers(errand, folder) as executor:
            _Nest(study, errand, storage, folder, executor).do()
    except CalledOff:
        errand.release()
    except BaseException as fault:
        errand.release(str(fault) if isinstance(fault, TuningError) else f"It broke off: {type(fault).__name__}.")
        raise
    else:
        errand.release()


class _Nest:
    """The searches of one order, one after the other."""

    def __init__(
        self, study: Study, errand: Errand, storage: StudyStorage, folder: Path, executor: LocalExecutor
    ) -> None:
        self._study, self._errand, self._storage = study, errand, storage
        self._folder, self._executor = folder, executor
        self._plan = errand.state().order["plan"]
        self._settings, self._budget = RunSettings(**self._plan["settings"]), Budget(**self._plan["budget"])
        self._began = time.monotonic()
        self._share_before: float | None = None

    def do(self) -> None:
        outer = int(self._plan["outer"])
        for fold, spec in enumerate(_specs(problem_of(self._study), outer)):
            if fold not in {row["fold"] for row in self._done()}:
                self._errand.check(force=True)
                found = self._fold(fold, spec)
                record = {**self._study.attributes[_RESULT], "folds": [*self._done(), _plain(asdict(found))]}
                self._study.set_attribute(_RESULT, record)

    def _done(self) -> list[dict[str, Any]]:
        done: list[dict[str, Any]] = self._study.attributes[_RESULT]["folds"]
        return done

    def _fold(self, fold: int, spec: ProblemSpec) -> OuterFold:
        problem = open_problem(spec)
        table = self._searched(fold, problem)
        best = table.best()
        chosen = {} if best is None else table.configuration(best)
        self._tell(fold, 1.0, "scoring what was chosen")
        opened = replace(problem.spec, protocol=problem.spec.protocol.opened())
        default = self._score(opened, problem.space.default())
        score = math.nan if best is None else self._score(opened, chosen)
        own = math.nan if best is None else float(table.values[best])
        n_trials = int(table.is_complete.sum())
        return OuterFold(fold=fold, own_best=own, score=score, default=default, n_trials=n_trials, configuration=chosen)

    def _searched(self, fold: int, problem: Problem) -> TrialTable:
        """The trials of the search within one outer fold, which goes on where it was broken off."""
        study = study_for(self._storage, problem, f"outer fold {fold + 1}")
        run = study.runs.current()
        if run is None:
            settings = replace(self._settings, seed=(self._settings.seed + fold) % 2**32)
            run = start_run(study, settings, self._budget)
        elif run.state != "finished":
            run = resume_run(study)

        def follow(now: Run) -> None:
            spent = float(getattr(now.spent, now.budget.kind))
            words = f"{METHODS[now.settings.method].label}: {spent:.0f} of {now.budget.amount:g} {now.budget.kind}"
            self._tell(fold, min(1.0, spent / now.budget.amount), words)

        if run.state != "finished":
            run = execute(study, run, self._folder, follow, self._executor)
        if run.state != "finished":
            raise CalledOff("It was interrupted.")
        return study.read()

    def _score(self, spec: ProblemSpec, configuration: Mapping[str, Any]) -> float:
        try:
            return self._errand.score(self._executor, FitRequest(spec=spec, configuration=configuration, folds=(0,)))
        except FitError:
            return math.nan

    def _tell(self, fold: int, share: float, doing: str) -> None:
        """The share of one search that is done; time left by the pace since this process began."""
        outer = int(self._plan["outer"])
        whole = (len(self._done()) + share) / outer
        if self._share_before is None:
            self._share_before = whole
        gained, passed = whole - self._share_before, time.monotonic() - self._began
        left = (1 - whole) * passed / gained if gained > 0 else None
        doing = f"outer fold {fold + 1} of {outer} · {doing}"
        self._errand.tell(Progress(done=len(self._done()), total=outer, seconds_left=left, share=whole, doing=doing))


def _specs(problem: Problem, outer: int) -> list[ProblemSpec]:
    """The problem within each outer fold."""
    assert isinstance(problem, ModelProblem)
    return [replace(problem.spec, protocol=protocol) for protocol in problem.spec.protocol.nested(outer)]


@contextlib.contextmanager
def _workers(errand: Errand, folder: Path) -> Iterator[LocalExecutor]:
    executor = LocalExecutor(errand.state().order["plan"]["settings"]["workers"], log_file=folder / "workers.log")
    try:
        yield executor
    finally:
        executor.shutdown()


@contextlib.contextmanager
def _own_storage(folder: Path, study: Study) -> Iterator[StudyStorage]:
    """A storage for the searches of a study's outer folds. Only a process that was killed leaves it behind: the next
    one goes on with it.
    """
    path = folder / f"nested-{study.key}.db"
    storage = StudyStorage.open(str(path))
    try:
        yield storage
    finally:
        storage.close()
        for file in folder.glob(f"{path.name}*"):
            file.unlink(missing_ok=True)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Without NaN, which JSON does not have."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def main(name: str, folder: str) -> int:
    """Does what was ordered for a study."""
    try:
        nest(begin_spawned("nested").study(name), Path(folder))
    except TuningError as fault:
        logging.error("%s: %s", name, fault)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
