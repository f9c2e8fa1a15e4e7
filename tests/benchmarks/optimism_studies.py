"""Studies of generated problems with so many further rows that what the best trial is really worth can be told, and how
near raw and corrected values come to that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
from optuna.trial import TrialState
from scipy import stats
from sklearn.datasets import make_classification, make_friedman1, make_regression

from hpo_core.analysis.optimism import Corrected, corrected_best
from hpo_core.errors import FitError
from hpo_core.methods import METHODS, propose
from hpo_core.problem import ModelProblem, make_problem, open_problem
from hpo_core.protocol import Protocol
from hpo_core.pruning import PRUNING, FoldHistory, is_hopeless
from hpo_core.ranges import Range
from tests.trial_tables import build_table

N_NEW = 4000
_TASKS = ("classification", "classification", "regression")
_MODELS = {
    "classification": ("svm", "decision_tree", "nearest_neighbours", "logistic_regression"),
    "regression": ("decision_tree", "nearest_neighbours", "elastic_net", "kernel_ridge"),
}
_METRICS = {"classification": ("accuracy", "accuracy", "roc_auc"), "regression": ("r2", "mae")}
_METHODS = ("random", "tpe", "auto", "genetic")
_ROWS = (50, 80, 150, 300)
_FOLDS = (3, 5, 5, 5, 10)
_TRIALS = (10, 20, 40, 80)
_NOISE = (0.0, 0.1, 0.3, 1.0)  # 1: the target has nothing to do with the columns


@dataclass(frozen=True)
class Setting:
    """One study: its data and how it is searched. Noise is the share of the target that is drawn anew; a raced trial
    ends after the folds that show it to be worse than the best."""

    task: str
    model: str
    metric: str
    method: str
    n_rows: int
    n_folds: int
    n_trials: int
    noise: float
    seed: int
    is_raced: bool = False


class Known(NamedTuple):
    """A study whose truth is known.

    Attributes:
        scores: By trial and fold, shape (n, k); NaN where a trial had lost before.
        sign: -1 where higher is better.
        truth: Mean score on the new rows of the models that the best trial's folds have trained.
        refitted: Score on them of the best configuration trained on all rows of the study.
    """

    scores: np.ndarray
    sign: float
    truth: float
    refitted: float

    @property
    def of_whole_trials(self) -> Known:
        """The study without the trials that lost."""
        return self._replace(scores=self.scores[np.isfinite(self.scores).all(axis=1)])

    @property
    def corrected(self) -> Corrected:
        """As the lab has it for a study of these trials."""
        direction = "minimize" if self.sign > 0 else "maximize"
        n, n_folds = self.scores.shape
        is_whole = np.isfinite(self.scores).all(axis=1)
        states = np.where(is_whole, int(TrialState.COMPLETE), int(TrialState.PRUNED))
        table = build_table(
            n, n_folds=n_folds, fold_scores=self.scores, values=np.nanmean(self.scores, axis=1), direction=direction,
            states=states,
        )  # fmt: skip
        found = corrected_best(table)
        assert found is not None
        return found


class Mean(NamedTuple):
    """A mean over studies and half its 95 % interval."""

    mean: float
    half_width: float


class Side(NamedTuple):
    """How far values lie from the truth: on the flattering side, above 0 being too good, and by absolute error."""

    bias: Mean
    error: Mean


class Comparison(NamedTuple):
    """Raw against corrected values over studies.

    Attributes:
        raw, corrected: How far each lies off.
        gain: By how much the absolute error of the corrected value is smaller.
        p_value: Of no such gain: Wilcoxon's signed-rank test over studies, one-sided.
        coverage: Share of studies whose truth is in the interval of the corrected value.
    """

    raw: Side
    corrected: Side
    gain: Mean
    p_value: float
    coverage: float


def compare(studies: Sequence[Known], truth_of: Callable[[Known], float]) -> Comparison:
    """Compares both values of the best trials with a truth."""
    found = [known.corrected for known in studies]
    sign = np.array([known.sign for known in studies])
    truth = np.array([truth_of(known) for known in studies])
    raw = np.array([one.raw for one in found]) - truth
    corrected = np.array([one.value for one in found]) - truth
    gain = np.abs(raw) - np.abs(corrected)
    half = np.array([one.half_width for one in found])
    return Comparison(
        raw=Side(_mean(-sign * raw), _mean(np.abs(raw))),
        corrected=Side(_mean(-sign * corrected), _mean(np.abs(corrected))),
        gain=_mean(gain),
        p_value=float(stats.wilcoxon(gain, alternative="greater").pvalue),
        coverage=float((np.abs(corrected) <= half).mean()),
    )


def _mean(values: np.ndarray) -> Mean:
    error = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return Mean(float(values.mean()), float(error))


def settings(n: int, seed: int, *, is_raced: bool = False) -> list[Setting]:
    """So many settings, drawn so that every noise and every number of rows comes equally often."""
    rng = np.random.default_rng(seed)

    def pick(choices: Sequence[Any]) -> Any:
        return choices[rng.integers(len(choices))]

    found = []
    for i in range(n):
        task = pick(_TASKS)
        model = pick(_MODELS[task])
        found.append(
            Setting(
                task=task,
                model=model,
                metric=pick(_METRICS[task]),
                method=pick(_METHODS),
                n_rows=_ROWS[i % len(_ROWS)],
                n_folds=pick(_FOLDS),
                n_trials=pick(_TRIALS),
                noise=_NOISE[i // len(_ROWS) % len(_NOISE)],
                seed=seed * 1000 + i,
                is_raced=is_raced,
            )
        )
    return found


def known(setting: Setting, folder: Path) -> Known:
    """Searches a generated problem and scores the best trial on the rows that nothing was chosen by."""
    x, y = _generated(setting)
    path = folder / f"{setting.seed}-{setting.is_raced}.csv"
    pd.DataFrame(x[: setting.n_rows]).add_prefix("x").assign(y=y[: setting.n_rows]).to_csv(path, index=False)
    protocol = Protocol(folds=setting.n_folds, test_fraction=0.0, seed=setting.seed)
    problem = make_problem(str(path), setting.model, setting.metric, target="y", task=setting.task, protocol=protocol)
    if setting.model == "svm":  # with a polynomial some of its fits never end
        space = problem.space.narrowed({"kernel": Range(choices=("rbf",))})
        problem = open_problem(replace(problem.spec, space=tuple(space.to_json())))
    assert isinstance(problem, ModelProblem)
    new = pd.DataFrame(x[setting.n_rows :]).add_prefix("x")
    configurations, scores = _searched(problem, setting)
    sign = -1.0 if problem.direction == "maximize" else 1.0
    is_whole = np.isfinite(scores).all(axis=1)
    best = configurations[int(np.where(is_whole, sign * scores.mean(axis=1), np.inf).argmin())]
    every = np.arange(setting.n_rows)
    rows = [*(train for train, _ in problem.split.folds), every]
    *by_fold, refitted = (_score(problem, best, part, new, y[setting.n_rows :]) for part in rows)
    return Known(scores, sign, float(np.mean(by_fold)), refitted)


def _searched(problem: ModelProblem, setting: Setting) -> tuple[list[dict[str, Any]], np.ndarray]:
    """The default configuration and the trials of the method that could be fitted, with their fold scores."""
    sampler = METHODS[setting.method].sampler_for(problem, setting.seed)
    study = optuna.create_study(sampler=sampler, direction=problem.direction)
    study.enqueue_trial(problem.space.default())
    history = FoldHistory(problem.n_folds, -1.0 if problem.direction == "maximize" else 1.0)
    configurations, scores = [], []
    for _ in range(setting.n_trials):
        trial, configuration = propose(study, problem.space)
        try:
            found = _fold_scores(problem, configuration, history if setting.is_raced else None)
        except FitError:
            study.tell(trial, state=TrialState.FAIL)
            continue
        study.tell(trial, history.snapshot().estimate(found) if len(found) < problem.n_folds else float(np.mean(found)))
        history.add(found)
        configurations.append(configuration)
        scores.append(found + (np.nan,) * (problem.n_folds - len(found)))
    return configurations, np.array(scores)


def _fold_scores(problem: ModelProblem, configuration: dict[str, Any], race: FoldHistory | None) -> tuple[float, ...]:
    """Scores of the first folds, as far as a race goes; of all without one."""
    found: tuple[float, ...] = ()
    for fold in range(problem.n_folds):
        if race is not None and is_hopeless(PRUNING["race"], found, race.snapshot()):
            break
        found += (problem.fit(configuration, fold).score,)
    return found


def _score(problem: ModelProblem, configuration: dict[str, Any], rows: np.ndarray, x: pd.DataFrame, y: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = problem.pipeline(problem.space.check(configuration))
        pipeline.fit(problem.features.iloc[rows], problem.data.target[rows])
        return problem.metric.evaluate(pipeline, x, y, problem.data.n_classes)


def _generated(setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Columns and target of the study's rows and of the new ones; numbers have a variance of about 1."""
    rng, n = np.random.default_rng(setting.seed), setting.n_rows + N_NEW
    state = int(rng.integers(2**31))
    n_columns = int(rng.choice([6, 10, 20]))
    if setting.task == "classification":
        x, y = make_classification(
            n, n_columns, n_informative=4, n_clusters_per_class=2, class_sep=float(rng.uniform(0.5, 1.2)),
            flip_y=0.0, random_state=state,
        )  # fmt: skip
        is_drawn = rng.random(n) < setting.noise
        return x, np.where(is_drawn, rng.integers(0, 2, n), y)
    if rng.random() < 0.5:
        x, y = make_friedman1(n, n_features=n_columns, random_state=state)
    else:
        x, y = make_regression(n, n_columns, n_informative=4, random_state=state)
    signal = (y - y.mean()) / y.std()
    return x, np.sqrt(1 - setting.noise) * signal + np.sqrt(max(setting.noise, 0.02)) * rng.standard_normal(n)
