"""Studies as other people's Optuna scripts leave them: everything that a view must open without an exception."""

from __future__ import annotations

import math
from collections.abc import Callable

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

Fill = Callable[[optuna.Study], None]
_X = FloatDistribution(0.0, 1.0)


def _trial(value: float | None, x: float = 0.5, state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    return create_trial(state=state, value=value, params={"x": x}, distributions={"x": _X})


def _add(study: optuna.Study, *trials: FrozenTrial) -> None:
    study.add_trials(trials)


def _no_trials(study: optuna.Study) -> None:
    pass


def _one_trial(study: optuna.Study) -> None:
    _add(study, _trial(1.0))


def _all_failed(study: optuna.Study) -> None:
    _add(study, *(_trial(None, i / 9, TrialState.FAIL) for i in range(10)))


def _all_pruned(study: optuna.Study) -> None:
    _add(study, *(_trial(None, i / 9, TrialState.PRUNED) for i in range(10)))


def _all_running(study: optuna.Study) -> None:
    for _ in range(3):
        study.ask({"x": _X})


def _infinite_values(study: optuna.Study) -> None:
    _add(study, *(_trial(v, i / 9) for i, v in enumerate((math.inf, -math.inf, 1.0, 2.0, math.inf, -3.0, 1e300, 0.0))))


def _same_value(study: optuna.Study) -> None:
    _add(study, *(_trial(0.25, i / 29) for i in range(30)))


def _constant_parameter(study: optuna.Study) -> None:
    def objective(trial: optuna.Trial) -> float:
        return trial.suggest_float("fixed", 2.0, 2.0) + trial.suggest_float("x", 0.0, 1.0)

    study.optimize(objective, n_trials=30)


def _no_parameters(study: optuna.Study) -> None:
    study.optimize(lambda trial: trial.number / 10, n_trials=5)


def _forty_parameters(study: optuna.Study) -> None:
    space: dict[str, BaseDistribution] = {f"p{i:02}": FloatDistribution(1e-3, 1.0, log=i % 2 == 0) for i in range(40)}
    for _ in range(30):
        trial = study.ask(space)
        study.tell(trial, sum(trial.params.values()))


def _conditional(study: optuna.Study) -> None:
    def objective(trial: optuna.Trial) -> float:
        if trial.suggest_categorical("model", ("svm", "forest")) == "svm":
            return trial.suggest_float("C", 1e-3, 1e3, log=True)
        return float(trial.suggest_int("trees", 10, 100))

    study.optimize(objective, n_trials=40)


def _dynamic_ranges(study: optuna.Study) -> None:
    """The range of a parameter, and even its kind, changes between trials."""
    for i in range(30):
        trial = study.ask({"x": FloatDistribution(0.0, 1.0 + i)})
        study.tell(trial, trial.params["x"])
    for i in range(5):
        trial = study.ask({"n": IntDistribution(1, 5 + i)})
        study.tell(trial, trial.params["n"])


def _many_categories(study: optuna.Study) -> None:
    space: dict[str, BaseDistribution] = {
        "city": CategoricalDistribution([f"city {i}" for i in range(50)]),
        "odd": CategoricalDistribution([None, True, 1.5, "", "a" * 200]),
    }
    for _ in range(60):
        trial = study.ask(space)
        study.tell(trial, float(trial.number % 7))


def _markup_in_names(study: optuna.Study) -> None:
    space: dict[str, BaseDistribution] = {
        "<img src=x onerror=alert(1)>": _X,
        "=cmd|' /C calc'!A0": IntDistribution(0, 9),
        "🦊 `$x$` **b** [a](b)": CategoricalDistribution(("<script>alert(2)</script>", "%{x}", "ok")),
    }
    for _ in range(25):
        trial = study.ask(space)
        study.tell(trial, float(trial.number))


def _huge_numbers(study: optuna.Study) -> None:
    space: dict[str, BaseDistribution] = {
        "big": IntDistribution(0, 2**53),
        "tiny": FloatDistribution(1e-300, 1e-290, log=True),
    }
    for _ in range(25):
        trial = study.ask(space)
        study.tell(trial, trial.params["tiny"])


def _reported_steps(study: optuna.Study) -> None:
    """Another program's reports are no folds, and their steps may be anything."""
    for _ in range(12):
        trial = study.ask({"x": _X})
        for step in (1, 500, 10_000_000):
            trial.report(trial.params["x"], step)
        study.tell(trial, None if trial.number % 3 == 0 else 1.0, TrialState.PRUNED if trial.number % 3 == 0 else None)


def _still_running(study: optuna.Study) -> None:
    _add(study, *(_trial(i / 10, i / 10) for i in range(8)))
    study.ask({"x": _X})
    study.enqueue_trial({"x": 0.3})


def _two_objectives(study: optuna.Study) -> None:
    for _ in range(30):
        trial = study.ask({"x": _X, "y": FloatDistribution(0.0, 2.0)})
        study.tell(trial, [trial.params["x"], 2 - trial.params["y"]])


ODD_STUDIES: dict[str, Fill] = {
    "no trials": _no_trials,
    "one trial": _one_trial,
    "all failed": _all_failed,
    "all pruned": _all_pruned,
    "all running": _all_running,
    "infinite values": _infinite_values,
    "same value": _same_value,
    "constant parameter": _constant_parameter,
    "no parameters": _no_parameters,
    "forty parameters": _forty_parameters,
    "conditional": _conditional,
    "dynamic ranges": _dynamic_ranges,
    "many categories": _many_categories,
    "<b>markup</b> & 🦊": _markup_in_names,
    "huge numbers": _huge_numbers,
    "reported steps": _reported_steps,
    "still running": _still_running,
    "two objectives": _two_objectives,
}


def add_odd_study(storage: str, name: str) -> None:
    """Makes one of `ODD_STUDIES` in a storage, through Optuna's own interface."""
    directions = ["minimize", "maximize"] if name == "two objectives" else ["minimize"]
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(study_name=name, storage=storage, directions=directions, sampler=sampler)
    ODD_STUDIES[name](study)
