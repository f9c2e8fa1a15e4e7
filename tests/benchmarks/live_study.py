"""A large study, written without searching, and a search on it that is as fast as a benchmark wants it to be."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import numpy as np
from optuna.trial import TrialState

from hpo_core.problem import Problem, make_problem
from hpo_core.search import make_study
from hpo_core.space import Categorical, Configuration, Float, Int, SearchSpace
from hpo_core.studies.run import Budget, Owner, RunSettings, Spent
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.trial import FinishedTrial

N_FOLDS = 5
_AT_ONCE = 1000
_PUBLISH_SECONDS = 0.3
_LOWEST = -10.0  # lower than the landscape
_SPACE = SearchSpace(
    (
        *(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(1, 7)),
        Int(name="size", low=1, high=1000, default=30, log=True),
        Categorical(name="kind", choices=("a", "b", "c"), default="a"),
    )
)


class LiveStudy:
    """A study of n trials with 8 mixed parameters and 5 folds, most of them by the machine, a tenth by a person."""

    def __init__(self, storage: StudyStorage, n_trials: int) -> None:
        self.problem: Problem = make_problem("hartmann6", noise=0.1, space=tuple(_SPACE.to_json()))
        self.study: Study = make_study(storage, self.problem)
        self.n_trials = n_trials
        self._random = np.random.default_rng(0)
        self._best = 0.0
        self._began = time.time() - n_trials
        for first in range(0, n_trials, _AT_ONCE):
            self.study.record(*(self._trial(i) for i in range(first, min(n_trials, first + _AT_ONCE))))

    def record_best(self) -> int:
        """Records one more trial, better than all before; its number."""
        self._best -= 0.001
        configuration = _SPACE.from_unit(self._random.random(len(_SPACE)))
        value = _LOWEST + self._best
        (number,) = self.study.record(_finished(configuration, (value,) * N_FOLDS, "tpe", time.time() - 0.5))
        self.n_trials += 1
        return number

    def _trial(self, index: int) -> FinishedTrial:
        default = index == 0
        configuration = _SPACE.default() if default else _SPACE.from_unit(self._random.random(len(_SPACE)))
        scores = self._height(configuration) + self._random.normal(0.0, 0.05, N_FOLDS)
        arm = "default" if default else "manual" if index % 10 == 1 else "tpe"
        return _finished(configuration, tuple(map(float, scores)), arm, self._began + index)

    def _height(self, configuration: Configuration) -> float:
        return self.problem.fit(configuration, 0).score


def _finished(configuration: Configuration, scores: tuple[float, ...], arm: str, started: float) -> FinishedTrial:
    return FinishedTrial(
        configuration=configuration,
        state=TrialState.COMPLETE,
        value=float(np.mean(scores)),
        arm=arm,
        started=started,
        completed=started + 0.5,
        fold_scores=scores,
        train_scores=scores,
        fit_seconds=(0.09,) * N_FOLDS,
        predict_seconds=(0.01,) * N_FOLDS,
        model_bytes=(1000,) * N_FOLDS,
    )


class Search:
    """A run of the study that says to be running for as long as the context lasts, and records on demand."""

    def __init__(self, live: LiveStudy) -> None:
        self._study = live.study
        run = live.study.runs.begin(RunSettings(method="tpe"), Budget("trials", live.n_trials + 10_000))
        self._run = live.study.runs.claim(run.id, Owner.of_this_process())
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._publish)

    def __enter__(self) -> Search:
        self._thread.start()
        return self

    def __exit__(self, _kind: type | None, _fault: BaseException | None, _trace: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()
        self._study.runs.publish(self._run.id, state="stopped")

    def _publish(self) -> None:
        began = time.time()
        while not self._is_over.wait(_PUBLISH_SECONDS):
            self._study.runs.publish(self._run.id, state="running", spent=Spent(seconds=time.time() - began))
