"""Runs of a search in this process, on a pool that is there already."""

from __future__ import annotations

import threading
from typing import Any

from hpo_core.methods import METHODS, SearchMethod
from hpo_core.problem import Problem, make_problem
from hpo_core.search import make_study
from hpo_core.search.executor import Executor
from hpo_core.search.fits import FitStore
from hpo_core.search.runner import Progress, Runner
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace
from hpo_core.studies.run import Budget, Owner, Run, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

MIXED = (
    Float(name="x", low=0.0, high=1.0, default=0.5),
    Int(name="k", low=1, high=64, default=8, log=True),
    Categorical(name="mood", choices=("calm", "idle"), default="calm"),
    Float(name="extra", low=0.0, high=1.0, default=0.2, when=Condition("mood", ("idle",))),
)


def methods_for_mixed() -> list[SearchMethod]:
    """The methods that can search a landscape over the parameters above."""
    problem = make_problem("hartmann6", noise=0.1, space=tuple(SearchSpace(MIXED).to_json()))
    return [method for method in METHODS if not method.why_unsuitable(problem)]


class Bench:
    """A place where searches run: a storage, workers and a store of fits.

    `search` runs one to its end; `start` begins one in a thread and hands out what steers it.
    """

    def __init__(self, storage: StudyStorage, executor: Executor, fits: FitStore) -> None:
        self.storage, self.executor, self.fits = storage, executor, fits

    def search(self, problem: Problem, method: str = "random", *, trials: float = 10, **settings: Any) -> Study:
        study, run = self.begun(problem, method, Budget("trials", trials), **settings)
        self.runner(study, run, problem).run()
        return study

    def begun(self, problem: Problem, method: str, budget: Budget, **settings: Any) -> tuple[Study, Run]:
        study = make_study(self.storage, problem)
        return study, study.runs.begin(RunSettings(method=method, **settings), budget)

    def runner(self, study: Study, run: Run, problem: Problem, on_progress: Progress | None = None) -> Runner:
        claimed = study.runs.claim(run.id, Owner.of_this_process())
        return Runner(study, claimed, problem, self.executor, self.fits, on_progress)

    def go_on(self, study: Study, problem: Problem, budget: Budget | None = None) -> Run:
        """Resumes a run that has ended, to its end."""
        return self.runner(study, study.runs.resume_with(budget), problem).run()

    def start(self, problem: Problem, method: str = "random", *, trials: float = 1000, **settings: Any) -> Background:
        study, run = self.begun(problem, method, Budget("trials", trials), **settings)
        return Background(self.runner(study, run, problem), study)


class Background:
    """A runner in a thread. Leaving the context stops it."""

    def __init__(self, runner: Runner, study: Study) -> None:
        self.study = study
        self.fault: BaseException | None = None
        self.run: Run | None = None
        self._runner = runner
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Background:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop()
        self.join()

    def join(self, seconds: float = 60.0) -> None:
        """Waits for the end of the run."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the runner does not end"

    def current(self) -> Run:
        run = self.study.runs.current()
        assert run is not None
        return run

    @property
    def n_trials(self) -> int:
        return len(self.study.read())

    def _work(self) -> None:
        try:
            self.run = self._runner.run()
        except BaseException as fault:
            self.fault = fault


def rows(table: TrialTable) -> list[tuple[Any, ...]]:
    """What a trial is, without its times: configuration, state, value, fold scores, arm."""
    return [
        (
            table.configuration(i),
            int(table.states[i]),
            repr(float(table.values[i])),
            table.fold_scores[i].tolist().__repr__(),
            str(table.arms[i]),
        )
        for i in range(len(table))
    ]
