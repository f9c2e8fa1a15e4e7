"""CPU time of a suggestion, by how many trials are known."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import optuna
from optuna.samplers import BaseSampler

from hpo_core.hypergradients import HYPERGRADIENTS
from hpo_core.methods import METHODS, SearchExhausted, SearchMethod, propose
from hpo_core.models import MODELS
from hpo_core.problem import make_problem
from hpo_core.space import Categorical, Configuration, Float, Int, SearchSpace

_N_SUGGESTIONS = 12  # a multiple of three, as some methods change their way every other or third trial
_MOST_SECONDS = 2.0  # of CPU, to come to a number of trials by the method's own

SPACE = SearchSpace(
    (
        *(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(5)),
        Float(name="rate", low=1e-5, high=0.1, default=1e-3, log=True),
        Int(name="k", low=1, high=99, default=9),
        Categorical(name="family", choices=("a", "b", "c"), default="a"),  # by this name AutoML knows its families
    )
)


class Cost(NamedTuple):
    """Milliseconds of CPU per suggestion, telling its result included, and how many trials others have made."""

    milliseconds: float
    n_of_others: int


class Case(NamedTuple):
    """What is measured: a sampler on a space."""

    label: str
    space: SearchSpace
    sampler: Callable[[], BaseSampler]


def cases() -> list[Case]:
    """All methods on eight parameters of all kinds, and those that look into a problem on problems of their own."""
    plain = [Case(m.key, SPACE, _sampler(m)) for m in METHODS if not m.why_unavailable(SPACE)]
    return [
        *plain,
        *(_case_of("gradient", rule.key) for rule in HYPERGRADIENTS),
        _case_of("automl_portfolio", "automl"),
    ]


def left_out() -> dict[str, str]:
    """Of each method that is not measured, why."""
    return {m.key: why for m in METHODS if (why := m.why_unavailable(SPACE))}


def _sampler(method: SearchMethod) -> Callable[[], BaseSampler]:
    return lambda: method.sampler(SPACE, 0)


def _case_of(method: str, model: str) -> Case:
    data = "digits" if "classification" in MODELS[model].tasks else "diabetes"
    problem = make_problem(data, model)
    return Case(f"{method}: {model}, {data}", problem.space, lambda: METHODS[method].sampler_for(problem, 0))


def costs(case: Case, counts: tuple[int, ...]) -> list[Cost]:
    """At each number of finished trials; fewer where the method has no more to propose.

    The trials are the method's own as far as a few seconds go, and drawn at random beyond.
    """
    study = optuna.create_study(sampler=case.sampler())
    found, n_of_others = [], 0
    try:
        for n in counts:
            n_of_others += _grow(study, case.space, n - 1)
            _step(study, case.space)  # takes in what others have made
            start = time.process_time()
            for _ in range(_N_SUGGESTIONS):
                _step(study, case.space)
            found.append(Cost(1000 * (time.process_time() - start) / _N_SUGGESTIONS, n_of_others))
    except SearchExhausted:
        pass
    return found


def _grow(study: optuna.Study, space: SearchSpace, n: int) -> int:
    """Trials until there are n; how many of them were drawn at random."""
    end = time.process_time() + _MOST_SECONDS
    while (n_known := len(study.get_trials(deepcopy=False))) < n and time.process_time() < end:
        _step(study, space)
    distributions = space.distributions()
    for point in np.random.default_rng(1).random((max(0, n - n_known), len(space))):
        configuration = space.from_unit(point)
        known = {name: distributions[name] for name in configuration}
        study.add_trial(
            optuna.create_trial(params=configuration, distributions=known, value=_value(space, configuration))
        )
    return max(0, n - n_known)


def _step(study: optuna.Study, space: SearchSpace) -> None:
    trial, configuration = propose(study, space)
    study.tell(trial, _value(space, configuration))


def _value(space: SearchSpace, configuration: Configuration) -> float:
    """A bowl with its bottom off the middle, and a ripple."""
    point = np.nan_to_num(space.to_unit([configuration])[0], nan=0.5)
    return float(np.sum((point - 0.3) ** 2 + 0.02 * np.cos(20 * point)))
