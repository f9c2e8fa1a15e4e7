"""Searches of real models, judged on other folds than those that they chose by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import optuna

from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.models import MODELS
from hpo_core.options import with_options
from hpo_core.problem import Problem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import WHOLE, Schedule
from hpo_core.space import Configuration, Range, SearchSpace

_FRESH = 1000  # what the seed of other folds is further on

_MEMBERS, _TURNS, _EPOCHS, _FOLDS = 10, 10, 30, 2
_NETWORK = {"n_layers": 1, "units_1": 24, "max_iter": _EPOCHS, "batch_size": 64, "alpha": 1e-4, "momentum": 0.9}
_CHOSEN = {"activation": "relu", "solver": "sgd", "early_stopping": False}

_FURTHER_TRIALS = 15  # of AutoML, after the defaults
_MOST_ROWS = 10_000  # with more, families that take long are not tried by their defaults either


class Tried(NamedTuple):
    """A configuration, how far and along what it was trained, and its mean score; higher is better here."""

    configuration: Configuration
    schedule: Schedule
    score: float


def _searched(problem: Problem, method: str, seed: int, n: int, **options: object) -> list[tuple[Tried, dict]]:
    """So many trials of a method, each with what it thought."""
    sampler = with_options(METHODS[method], options).sampler_for(problem, seed)
    study = optuna.create_study(sampler=sampler, direction=problem.direction)
    found = []
    for _ in range(n):
        trial, configuration = propose(study, problem.space)
        thought = dict(thought_of(study.get_trials(deepcopy=False)[-1]))
        tried = _tried(problem, configuration, Schedule.of_thought(thought))
        study.tell(trial, _sign(problem) * tried.score)
        found.append((tried, thought))
    return found


def _tried(problem: Problem, configuration: Configuration, schedule: Schedule = WHOLE) -> Tried:
    return Tried(configuration, schedule, float(np.mean(_scores(problem, configuration, schedule))))


def _scores(problem: Problem, configuration: Configuration, schedule: Schedule = WHOLE) -> np.ndarray:
    """By fold, shape (k,), higher is better."""
    folds = range(problem.n_folds)
    return np.array([_sign(problem) * problem.fit(configuration, fold, schedule).score for fold in folds])


def _sign(problem: Problem) -> float:
    return 1.0 if problem.direction == "maximize" else -1.0


# Population-based training


class Losses(NamedTuple):
    """Log loss of the best schedule and of the best fixed value, on the folds of the search and on others."""

    chosen: tuple[float, float]
    fresh: tuple[float, float]


def schedule_against_fixed(data: str, seed: int) -> Losses:
    """Members in training with a learning rate that changes, and as many with one each, evenly spread: equal epochs.

    Each takes its best by the same folds. A schedule, and a value, are then trained anew on other folds.
    """
    problem, fresh = (_network(data, s) for s in (seed, seed + _FRESH))
    options = {"population": _MEMBERS, "turns": _TURNS}
    trials = _searched(problem, "population_based_training", seed, _MEMBERS * _TURNS, **options)
    whole = [tried for tried, _ in trials if tried.schedule.is_whole]
    rate = problem.space["learning_rate_init"]
    values = [rate.from_unit(u) for u in (np.arange(_MEMBERS) + 0.5) / _MEMBERS]
    fixed = [_tried(problem, {**problem.space.default(), rate.name: value}) for value in values]
    ours, theirs = (max(several, key=lambda tried: tried.score) for several in (whole, fixed))
    again = [_tried(fresh, tried.configuration, tried.schedule) for tried in (ours, theirs)]
    return Losses((-ours.score, -theirs.score), (-again[0].score, -again[1].score))


def _network(data: str, seed: int) -> Problem:
    """All but the learning rate is locked."""
    protocol = Protocol(folds=_FOLDS, seed=seed)
    space = make_problem(data, "neural_network", protocol=protocol).space
    locked = {name: Range(low=value, high=value) for name, value in _NETWORK.items()}
    chosen = {name: Range(choices=(value,)) for name, value in _CHOSEN.items()}
    space = space.narrowed(chosen).narrowed(locked)
    return make_problem(data, "neural_network", "log_loss", protocol=protocol, space=tuple(space.to_json()))


# AutoML


class Against(NamedTuple):
    """AutoML beside the best single default.

    Attributes:
        family, default: The model families that were chosen.
        chosen: Difference of the mean scores on the folds that both were chosen by; above 0 is better.
        fresh: The same on other folds.
        left_out: Families whose defaults were not tried.
    """

    data: str
    metric: str
    family: str
    default: str
    chosen: float
    fresh: Difference
    left_out: list[str]


def automl_against_defaults(data: str, seed: int) -> Against:
    """A search of AutoML, and the defaults of all model families."""
    problem = make_problem(data, "automl", protocol=Protocol(folds=3, seed=seed))
    trials = _searched(problem, "automl_portfolio", seed, len(problem.space["family"].choices) + _FURTHER_TRIALS)
    best = max((tried for tried, _ in trials), key=lambda tried: tried.score)
    defaults = {thought["family"]: tried.score for tried, thought in trials if thought["stage"] == "defaults"}
    others = [key for key in _families(problem) if key not in defaults]
    tries_others = problem.data.n_rows <= _MOST_ROWS
    defaults |= dict(_alone(problem, others)) if tries_others else {}
    winner = max(defaults, key=lambda key: defaults[key])
    protocol = Protocol(folds=5, repeats=2, seed=seed + _FRESH)
    ours = _scores(_again(problem, protocol), best.configuration)
    alone = make_problem(data, winner, protocol=protocol)
    return Against(
        data=data,
        metric=problem.spec.metric,
        family=best.configuration["family"],
        default=winner,
        chosen=best.score - defaults[winner],
        fresh=compare_folds(ours, _scores(alone, alone.space.default()), is_higher_better=True, overlap=1 / 4),
        left_out=[] if tries_others else others,
    )


def _families(problem: Problem) -> list[str]:
    return [m.key for m in MODELS if problem.data.task in m.tasks and not m.why_unavailable and m.key != "automl"]


def _alone(problem: Problem, families: list[str]) -> Iterator[tuple[str, float]]:
    for key in families:
        own = make_problem(problem.spec.data, key, protocol=problem.spec.protocol)
        yield key, _tried(own, own.space.default()).score


def _again(problem: Problem, protocol: Protocol) -> Problem:
    """The same space on other folds, as ranges may depend on the rows."""
    space: SearchSpace = problem.space
    return make_problem(problem.spec.data, problem.spec.model, protocol=protocol, space=tuple(space.to_json()))
