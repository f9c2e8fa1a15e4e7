"""Partial dependence: what one parameter does on average, with an interval that holds the surrogate's own doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpo_core import gaussian_process
from hpo_core.analysis.places import Places
from hpo_core.analysis.surrogate import Surrogate
from hpo_core.studies.table import Floats

WHOLE, TRIALS, BEST = "the whole space", "the trials", "the best trials"
_POINTS, _FEWEST_BEST = 256, 8


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """The expected value along one parameter, averaged over the others.

    Attributes:
        mean, sd: Of the average, shape (places,): points that are wrong together count as such.
        spread_low, spread_high: Between which nine in ten of the averaged configurations are expected, shape (places,).
        n_averaged: Configurations that were averaged.
        unknown: Share of these of which the surrogate knows little, see `GaussianProcess.is_ignorant`.
    """

    mean: Floats
    sd: Floats
    spread_low: Floats
    spread_high: Floats
    n_averaged: int
    unknown: float


def dependence(surrogate: Surrogate, name: str, at: Floats, over: str = WHOLE, *, seed: int = 0) -> Dependence:
    """The average of the surrogate over configurations, each with one parameter moved to each of some places.

    A search looks at promising places most, so that an average over its trials says what the parameter does there, and
    one over the whole space leans on places that were never tried: the interval is wider by as much as these matter.

    Sources: Friedman (2001), Greedy Function Approximation; the interval, from the joint posterior of all averaged
    points, is that of Moosbauer, Herbinger, Casalicchio, Lindauer and Bischl (2021), Explaining Hyperparameter
    Optimization via Partial Dependence Plots. In place of their tree, which looks for parts of the space
    that are known well, the best quarter of the trials serves: it is known well, and what matters.

    Args:
        surrogate: Of the study.
        name: A parameter that it `uses`.
        at: Places in [0, 1].
        over: Configurations that are spread evenly (WHOLE), those of the trials that use the parameter (TRIALS), or of
            the best quarter of these (BEST).
        seed: For the configurations.
    """
    places = Places(surrogate)
    groups = places.along(reference_points(places, name, over, seed=seed), name, at)
    process = surrogate.process
    with gaussian_process.one_thread():
        mean, sd = process.predict_average(groups)
        each = np.array([process.expected(group) for group in groups])
        doubts = process.predict(groups[len(at) // 2]).sd
    low, high = np.quantile(each, (0.05, 0.95), axis=1)
    return Dependence(mean, sd, low, high, groups.shape[1], float(process.is_ignorant(doubts).mean()))


def reference_points(places: Places, name: str, over: str, *, seed: int = 0) -> Floats:
    """The full points that are averaged, shape (n, d)."""
    if over == WHOLE:
        return places.drawn(_POINTS, seed, using=name)
    points, surrogate = places.of_learned(name, seed), places.surrogate
    if over == BEST:
        order = np.argsort(surrogate.table.sign * surrogate.values[places.users(name)], kind="stable")
        points = points[order[: max(len(order) // 4, _FEWEST_BEST)]]
    return points[:: -(-len(points) // _POINTS)]
