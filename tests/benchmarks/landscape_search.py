"""Searches on the landscapes until a resource is spent, how far from the minimum they end, and whether random search
ends further from it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import optuna
from scipy.stats import wilcoxon

from hpo_core.landscapes import LANDSCAPES
from hpo_core.methods import METHODS, SearchExhausted, SearchMethod, propose, thought_of
from hpo_core.problem import make_problem
from hpo_core.schedule import Schedule

_ROUNDING = 1e-6


class Found(NamedTuple):
    """Normalised regret at each checkpoint, and the CPU seconds that the method took for its proposals."""

    regrets: np.ndarray
    seconds: float


class _Look(NamedTuple):
    spent: float
    lacking: float  # of the whole resource
    seen: float
    height: float


def searched(key: str, place: str, number: int, checkpoints: Sequence[int], noise: float = 0.0) -> Found:
    """Searches until as much is spent as the last checkpoint says; a look at a share of the resource counts that share.

    Regret is the true height of the configuration that looked best so far, whole looks before partial ones, in units in
    which the median height of the landscape is 1 and its minimum is 0. Noise is normal, in units of the landscape's
    scale. The seeds of a number differ by landscape, as random search would else try the same points on all of them.
    """
    landscape, problem, seed = LANDSCAPES[place], make_problem(place), 1000 * LANDSCAPES.keys.index(place) + number
    study = optuna.create_study(sampler=METHODS[key].sampler_for(problem, seed))
    rng = np.random.default_rng([seed, 1])
    looks: list[_Look] = []
    spent = seconds = 0.0
    while True:
        start = time.process_time()
        try:
            trial, configuration = propose(study, landscape.space)
        except SearchExhausted:
            break
        seconds += time.process_time() - start
        schedule = Schedule.of_thought(thought_of(study.get_trials(deepcopy=False)[-1]))
        spent += schedule.cost
        if spent > checkpoints[-1] + _ROUNDING:
            break
        seen = problem.fit(configuration, 0, schedule).score + noise * landscape.scale * rng.standard_normal()
        study.tell(trial, seen)
        looks.append(_Look(spent, 1 - schedule.resource, seen, landscape.function(configuration)))
    chosen = [min(look[1:] for look in looks if look.spent <= n + _ROUNDING)[-1] for n in checkpoints]
    return Found((np.array(chosen) - landscape.minimum) / (_median_height(place) - landscape.minimum), seconds)


@cache
def _median_height(place: str) -> float:
    landscape = LANDSCAPES[place]
    points = np.random.default_rng(0).random((2000, len(landscape.space)))
    return float(np.median([landscape.function(landscape.space.from_unit(point)) for point in points]))


def why_not_searched(method: SearchMethod) -> str | None:
    """Why a method that learns from results cannot be compared on the landscapes, or None."""
    if why := method.why_not_installed():
        return why
    if method.capabilities.is_finite:
        return "Its search ends before the resource is spent."
    return next(filter(None, (method.why_unsuitable(make_problem(place)) for place in LANDSCAPES.keys)), None)


def chances(learned: Sequence[np.ndarray], random: np.ndarray) -> list[float]:
    """For each method the chance that it would look so much better than random search if it were not.

    Wilcoxon's signed-rank test of regrets, one-sided, in pairs of seed and landscape; the chances are corrected for the
    number of methods (Holm, 1979). A method may have fewer pairs than random search: the first ones.
    """
    alone = [float(wilcoxon(found, random[: len(found)], alternative="less").pvalue) for found in learned]
    order = np.argsort(alone)
    stepped = np.maximum.accumulate(np.array(alone)[order] * np.arange(len(alone), 0, -1))
    corrected = np.empty(len(alone))
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(p) for p in corrected]
