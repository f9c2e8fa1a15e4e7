"""Partial dependence agrees with scikit-learn's and with integrals, and its interval holds the surrogate's doubt."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence

from hpo_core.analysis.dependence import BEST, TRIALS, WHOLE, dependence, reference_points
from hpo_core.analysis.places import Places
from hpo_core.analysis.surrogate import Surrogate, fit_surrogate
from hpo_core.studies.table import TrialTable
from tests.known_functions import crowded, table_of
from tests.trial_tables import build_table

AT = np.linspace(0, 1, 21)


class _Regressor(RegressorMixin, BaseEstimator):
    """A surrogate as scikit-learn takes it."""

    def __init__(self, surrogate: Surrogate) -> None:
        self.surrogate = surrogate

    def fit(self, X: np.ndarray, y: np.ndarray) -> _Regressor:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.surrogate.process.expected(X)


def wavy(units: np.ndarray) -> np.ndarray:
    """Average over x1: sin(3 x0) + 0.5 x0 + 1 / 3."""
    return np.sin(3 * units[:, 0]) + units[:, 0] * units[:, 1] + units[:, 1] ** 2


@pytest.mark.parametrize("over", [WHOLE, TRIALS, BEST])
def test_average_is_that_of_scikit_learn(over: str) -> None:
    surrogate = fit_surrogate(table_of(wavy, 60, 3, noise=0.05))
    points = reference_points(Places(surrogate), "x1", over)
    theirs = partial_dependence(
        _Regressor(surrogate), points, [1], method="brute", kind="average", custom_values={1: AT}
    )
    np.testing.assert_allclose(dependence(surrogate, "x1", AT, over).mean, theirs["average"][0], rtol=1e-9)


def test_average_over_the_whole_space_is_the_integral() -> None:
    found = dependence(fit_surrogate(table_of(wavy, 150, 2)), "x0", AT)
    np.testing.assert_allclose(found.mean, np.sin(3 * AT) + 0.5 * AT + 1 / 3, atol=0.01)


def test_interval_is_that_of_functions_drawn_from_the_surrogate() -> None:
    surrogate = fit_surrogate(table_of(wavy, 14, 2, noise=0.1))
    places = Places(surrogate)
    found = dependence(surrogate, "x0", AT[::5])
    groups = places.along(reference_points(places, "x0", WHOLE), "x0", AT[::5])
    for i, group in enumerate(groups):
        averages = surrogate.process.draws(group, 2000, np.random.default_rng(i)).mean(axis=1)
        assert averages.mean() == pytest.approx(found.mean[i], abs=4 * found.sd[i] / np.sqrt(2000))
        assert averages.std() == pytest.approx(found.sd[i], rel=0.08)


def test_search_that_crowded_around_its_best_is_sure_there_and_unsure_elsewhere() -> None:
    """Trials lie in the lower tenth of x1 alone: what x0 does elsewhere is guessed, and the interval says so."""
    surrogate = fit_surrogate(crowded(60))
    whole, near = (dependence(surrogate, "x0", AT, over) for over in (WHOLE, TRIALS))
    assert (whole.sd > 3 * near.sd).all()
    assert whole.unknown > 0.3
    assert near.unknown == 0


def test_best_trials_are_the_best_quarter() -> None:
    table = build_table(80)
    places = Places(fit_surrogate(table))
    points = reference_points(places, "C", BEST)
    assert len(points) == 20
    best = np.sort(table.params["gamma"][np.argsort(-table.values)[:20]])
    gammas = np.sort([places.space["gamma"].from_unit(float(unit)) for unit in points[:, 1]])
    np.testing.assert_allclose(gammas, best, rtol=1e-6)


def test_conditional_parameter_is_averaged_where_it_is_used() -> None:
    table = build_table(120)
    surrogate = fit_surrogate(table)
    places = Places(surrogate)
    groups = places.along(reference_points(places, "degree", WHOLE), "degree", np.array([0.2, 0.8]))
    assert np.isfinite(groups).all()
    assert dependence(surrogate, "degree", np.array([0.2, 0.8])).n_averaged == 256


def test_spread_of_the_averaged_configurations_holds_the_average() -> None:
    found = dependence(fit_surrogate(table_of(wavy, 60, 2)), "x0", AT)
    assert (found.spread_low < found.mean).all()
    assert (found.mean < found.spread_high).all()


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_direction_turns_the_average_over(direction: str) -> None:
    table: TrialTable = build_table(100, direction=direction)
    found = dependence(fit_surrogate(table), "C", AT)
    assert AT[np.argmin(table.sign * found.mean)] == pytest.approx(0.6, abs=0.1)
