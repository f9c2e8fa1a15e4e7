"""How much a point promises."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from hpo_core.acquisition import ACQUISITIONS, log_expected_improvement
from hpo_core.warping import Prediction


def _prediction(mean: float, sd: float) -> Prediction:
    return Prediction(np.array([mean]), np.array([sd]))


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (-1.0, 0.3), (1.0, 0.5), (2.0, 0.8)])
def test_log_expected_improvement_agrees_with_the_integral(mean: float, sd: float) -> None:
    integral, _ = quad(lambda y: (0.2 - y) * norm.pdf(y, mean, sd), mean - 12 * sd, 0.2, epsabs=0)
    assert log_expected_improvement(_prediction(mean, sd), 0.2)[0] == pytest.approx(np.log(integral), rel=1e-6)


def test_log_expected_improvement_is_finite_and_falls_steadily_however_hopeless_the_point() -> None:
    means = np.concatenate([np.linspace(-3, 40, 2000), np.logspace(2, 7, 200)])
    promise = log_expected_improvement(Prediction(means, np.ones_like(means)), 0.0)
    assert np.isfinite(promise).all()
    assert (np.diff(promise) < 0).all()


@pytest.mark.parametrize("rule", ACQUISITIONS)
def test_lower_mean_promises_more(rule: str) -> None:
    promise = ACQUISITIONS[rule](Prediction(np.array([-0.5, 0.0, 0.5]), np.ones(3)), 0.0)
    assert (np.diff(promise) < 0).all()


@pytest.mark.parametrize("rule", ACQUISITIONS)
def test_more_doubt_promises_more_where_the_mean_is_no_better_than_the_incumbent(rule: str) -> None:
    promise = ACQUISITIONS[rule](Prediction(np.full(3, 0.5), np.array([0.1, 0.5, 1.0])), 0.0)
    assert (np.diff(promise) > 0).all()
