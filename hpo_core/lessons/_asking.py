"""A search method asked and told in memory, with what it thinks of each of its trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from hpo_core.methods import SearchExhausted, propose, thought_of
from hpo_core.space import Configuration, SearchSpace

Floats = NDArray[np.float64]
Score = Callable[[Configuration, Mapping[str, Any]], float]


@dataclass(frozen=True, slots=True, eq=False)
class AskedTrial:
    """A trial that a method asked for.

    Attributes:
        configuration: What was tried.
        point: Its place in the unit cube, shape (d,).
        thought: What the method recorded with it.
        value: What it was told, lower being better.
    """

    configuration: Configuration
    point: Floats
    thought: Mapping[str, Any]
    value: float


def asked_trials(
    sampler: BaseSampler, space: SearchSpace, score: Score, n_trials: int, known: Sequence[FrozenTrial] = ()
) -> list[AskedTrial]:
    """The trials that a sampler asks for, one after the other; fewer where it runs out of configurations.

    Args:
        sampler: A fresh one.
        space: What it searches.
        score: The value of a configuration, lower being better, given the thought that goes with it.
        n_trials: How many are asked for at most.
        known: Trials that were made before.
    """
    study = optuna.create_study(sampler=sampler)
    study.add_trials(known)
    asked: list[AskedTrial] = []
    while len(asked) < n_trials:
        try:
            trial, configuration = propose(study, space)
        except SearchExhausted:
            break
        thought = thought_of(study.get_trials(deepcopy=False)[-1])
        value = score(configuration, thought)
        study.tell(trial, value)
        asked.append(AskedTrial(configuration, space.to_unit([configuration])[0], thought, value))
    return asked
