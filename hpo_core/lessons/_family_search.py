"""AutoML at work: the real method, asked and told over real fits of every model family on a bundled data set."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.errors import FitError
from hpo_core.lessons._asking import AskedTrial, asked_trials
from hpo_core.lessons._workshop import Report
from hpo_core.methods.automl_portfolio import AutoML
from hpo_core.problem import ModelProblem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.search.executor import Executor, FitRequest
from hpo_core.space import Configuration, Range, SearchSpace

Floats = NDArray[np.float64]
KnownFits = dict[str, tuple[float, ...]]
FOLDS = 5
# Those whose fits take no time worth speaking of on small data: a learner waits for all of them.
_QUICK = frozenset(
    {
        "decision_tree",
        "elastic_net",
        "kernel_ridge",
        "logistic_regression",
        "naive_bayes",
        "nearest_neighbours",
        "ridge",
        "svm",
    }
)
_LAST = 9  # of those that wait for a worker, behind every person's nudge
_LIMIT_SECONDS = 5.0  # of one fit


@dataclass(frozen=True, slots=True, eq=False)
class FamilyTrial:
    """A trial of the search.

    Attributes:
        configuration: What was tried.
        folds: Its scores, shape (FOLDS,); empty when it could not be fitted.
        score: Their mean; NaN without any.
        why: Why it was its family's turn.
        in_race: Whether each family was still in the race, by its key; empty while the defaults are tried.
    """

    configuration: Configuration
    folds: Floats
    score: float
    why: str
    in_race: Mapping[str, bool]

    @property
    def family(self) -> str:
        return str(self.configuration["family"])

    def against(self, other: FamilyTrial, *, is_higher_better: bool) -> Difference:
        """The difference to another trial on the same folds."""
        return compare_folds(self.folds, other.folds, is_higher_better=is_higher_better, overlap=1 / (FOLDS - 1))


@dataclass(frozen=True)
class FamilySearch:
    """A search over all model families.

    Attributes:
        data: Key of the data set.
        n_kept: Families that stay in the race whatever happens.
        n_trials: How many trials there are after the defaults.
        seed: Of the method.
    """

    data: str
    n_kept: int
    n_trials: int
    seed: int

    @property
    def problem(self) -> ModelProblem:
        problem = make_problem(self.data, "automl", protocol=Protocol(folds=FOLDS))
        assert isinstance(problem, ModelProblem)
        return problem

    @property
    def families(self) -> tuple[str, ...]:
        """Their keys, the cheap ones first."""
        return tuple(family for family in self.problem.space["family"].levels(0) if family in _QUICK)

    @property
    def space(self) -> SearchSpace:
        """What AutoML searches, without what takes long: other families, and kernels that may never settle."""
        return self.problem.space.narrowed(
            {"family": Range(choices=self.families), "svm.kernel": Range(choices=("rbf",))}
        )

    def run(self, executor: Executor, known: KnownFits, report: Report) -> list[FamilyTrial]:
        """Its trials in order.

        Args:
            executor: Where the fits are done.
            known: Scores of configurations on this data that were fitted before; those of this search are added.
            report: Told how far it is.
        """
        problem, n_all = self.problem, len(self.families) + self.n_trials
        sign = -1.0 if problem.direction == "maximize" else 1.0
        done = 0

        def loss(configuration: Configuration, _thought: Mapping[str, Any]) -> float:
            nonlocal done
            report(f"{done} of {n_all} trials are done")
            done += 1
            folds = _scores(problem, configuration, executor, known)
            return sign * float(np.mean(folds)) if folds else math.inf

        method = AutoML(n_kept=self.n_kept)
        asked = asked_trials(method.sampler(self.space, self.seed), self.space, loss, n_all)
        return [_trial(one, known) for one in asked]


def _scores(
    problem: ModelProblem, configuration: Configuration, executor: Executor, known: KnownFits
) -> tuple[float, ...]:
    """The scores of all folds; none when one cannot be fitted."""
    key = _key(configuration)
    if key not in known:
        asked = [
            FitRequest(
                spec=problem.spec, configuration=configuration, folds=(fold,), seconds_limit=_LIMIT_SECONDS, rank=_LAST
            )
            for fold in range(FOLDS)
        ]
        futures = [executor.submit(request) for request in asked]
        try:
            known[key] = tuple(future.result()[0].score for future in futures)
        except FitError:
            for future in futures:
                executor.cancel(future)
            known[key] = ()
    return known[key]


def _trial(asked: AskedTrial, known: KnownFits) -> FamilyTrial:
    folds = np.array(known[_key(asked.configuration)])
    score = float(folds.mean()) if len(folds) else math.nan
    return FamilyTrial(
        asked.configuration, folds, score, asked.thought.get("why", ""), asked.thought.get("in_race", {})
    )


def _key(configuration: Configuration) -> str:
    return json.dumps(configuration, sort_keys=True)
