"""How much a point promises."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from hpo_core import gaussian_process
from hpo_core.acquisition import ACQUISITIONS, ThompsonPromise, log_expected_improvement, score
from hpo_core.space import Float, SearchSpace
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


def test_kappa_is_how_far_the_bound_lies_below_the_mean() -> None:
    for kappa in (0.0, 2.5):
        assert score(_prediction(1.0, 0.4), 0.0, "lcb", kappa)[0] == pytest.approx(kappa * 0.4 - 1.0)


LINE = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.5),))
SEEN = np.array([[0.1], [0.3], [0.35], [0.6]])


def _process() -> gaussian_process.GaussianProcess:
    return gaussian_process.fit(LINE, SEEN, np.array([0.3, -0.4, -0.3, 1.0]))


def test_drawn_functions_have_the_mean_and_the_covariance_of_the_process() -> None:
    process, at = _process(), np.array([[0.32], [0.5], [0.52], [0.95]])
    draws = np.array([process.drawn(np.random.default_rng(seed))(at) for seed in range(4000)])
    mean, sd = process.predict_target(at)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.06)
    features, data = process.embedded(at), process.embedded(SEEN)
    noisy = process.kernel(data, data) + (np.exp(process.theta[-1]) + 1e-6) * np.eye(4)
    cross = process.kernel(features, data)
    covariance = process.kernel(features, features) - cross @ np.linalg.solve(noisy, cross.T)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.06)


def test_one_drawn_function_agrees_with_itself_from_call_to_call() -> None:
    """Drawn in two parts, the values at close points are as alike as when drawn at once; a place keeps its value."""
    process, first = _process(), np.linspace(0, 1, 40)[:, None]
    for seed in range(5):
        draw = process.drawn(np.random.default_rng(seed))
        values = draw(first)
        again = draw(first)
        np.testing.assert_allclose(again, values, atol=0.02)
        between = draw(first[:-1] + 0.5 / 39)
        np.testing.assert_allclose(between, (values[1:] + values[:-1]) / 2, atol=0.1)


def test_thompson_chooses_a_candidate_as_often_as_it_is_the_best() -> None:
    process, at = _process(), np.array([[0.3], [0.8], [1.0]])
    draws = np.array([process.drawn(np.random.default_rng([1, seed]))(at) for seed in range(2000)])
    chosen = [
        int(np.argmax(ThompsonPromise(process.drawn(np.random.default_rng([2, seed])))(at))) for seed in range(2000)
    ]
    expected = np.bincount(draws.argmin(axis=1), minlength=3) / 2000
    np.testing.assert_allclose(np.bincount(chosen, minlength=3) / 2000, expected, atol=0.05)
