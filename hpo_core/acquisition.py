"""How much a point promises under a model: what Bayesian optimisation maximises to choose its next trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr

from hpo_core.gaussian_process import GaussianProcess, JointSample
from hpo_core.warping import Prediction

Floats = NDArray[np.float64]
THOMPSON = "thompson"
KAPPA = 1.5


@dataclass(frozen=True, slots=True)
class Promise:
    """The promise of points under a process, on the scale of its targets: the higher, the better.

    Attributes:
        process: The fitted process; lower values are better.
        incumbent: What is to be beaten. The lowest mean at a point that was tried, not the lowest value, is robust to
            noise: a lucky value does not count.
        rule: A key of ACQUISITIONS.
        kappa: Of the bound: how many standard deviations below the mean.
    """

    process: GaussianProcess
    incumbent: float
    rule: str
    kappa: float = KAPPA

    def __call__(self, units: Floats) -> Floats:
        return score(self.process.predict_target(units), self.incumbent, self.rule, self.kappa)


@dataclass(frozen=True, slots=True)
class ThompsonPromise:
    """The promise of points as one draw from the process sees them: a candidate is chosen as often as it is the best.

    Source: Thompson (1933), On the Likelihood that One Unknown Probability Exceeds Another in View of the Evidence of
    Two Samples; for processes Kandasamy et al. (2018), Parallelised Bayesian Optimisation via Thompson Sampling.

    Attributes:
        draw: One function drawn from the process; it stays the same from call to call.
    """

    draw: JointSample

    def __call__(self, units: Floats) -> Floats:
        return -self.draw(units)


def score(prediction: Prediction, incumbent: float, rule: str, kappa: float = KAPPA) -> Floats:
    """The promise of points of which mean and standard deviation are known, by a rule of ACQUISITIONS."""
    if rule == "lcb":
        return lower_confidence_bound(prediction, incumbent, kappa)
    return ACQUISITIONS[rule](prediction, incumbent)


def log_expected_improvement(prediction: Prediction, incumbent: float) -> Floats:
    """Logarithm of the expected improvement, right also where the improvement itself is too small for a float.

    Source: Ament et al. (2023), Unexpected Improvements to Expected Improvement for Bayesian Optimization.
    """
    u = (incumbent - prediction.mean) / prediction.sd
    near, far = np.maximum(u, -1.0), np.minimum(u, -1.0)
    density = np.exp(-0.5 * near**2) / np.sqrt(2 * np.pi)
    log_near = np.log(density + near * ndtr(near))
    # Far out the difference is one of almost equal numbers; there it tends to 1 / u^2.
    shrink = np.where(far > -1e3, 1 + far * np.sqrt(np.pi / 2) * erfcx(-far / np.sqrt(2)), 1 / far**2)
    log_far = -0.5 * far**2 - 0.5 * np.log(2 * np.pi) + np.log(shrink)
    return np.asarray(np.log(prediction.sd) + np.where(u > -1, log_near, log_far))


def lower_confidence_bound(prediction: Prediction, incumbent: float, kappa: float = KAPPA) -> Floats:
    """Minus an optimistic bound, kappa standard deviations below the mean.

    Source: Srinivas, Krause, Kakade and Seeger (2010), Gaussian Process Optimization in the Bandit Setting.
    """
    return np.asarray(kappa * prediction.sd - prediction.mean)


def improvement_score(prediction: Prediction, incumbent: float) -> Floats:
    """The standard score of any improvement, which ranks points as its probability does.

    Source: Kushner (1964), A New Method of Locating the Maximum Point of an Arbitrary Multipeak Curve.
    """
    return np.asarray((incumbent - prediction.mean) / prediction.sd)


ACQUISITIONS: dict[str, Callable[[Prediction, float], Floats]] = {
    "log_ei": log_expected_improvement,
    "lcb": lower_confidence_bound,
    "pi": improvement_score,
}
