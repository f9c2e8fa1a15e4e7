"""Ranges and defaults that depend on the data."""

import math

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.linear_model import Lasso

from hpo_core.models import MODELS, DataFacts


def facts(task="classification", **values):
    return DataFacts(**{"task": task, "n_rows": 200, "n_features": 10, "n_classes": 3, **values})


@pytest.mark.parametrize("n_features", [1, 2, 3, 7, 10, 64, 99, 100, 784, 3001, 30_000, 999_999])
def test_forest_looks_at_as_many_columns_as_sqrt_by_default(n_features):
    share = MODELS["random_forest"].space(facts(n_features=n_features))["max_features"]
    assert int(share.default * n_features) == max(1, math.isqrt(n_features))
    assert int(share.low * n_features) == 1
    assert share.high == 1.0


@pytest.mark.parametrize("scale", [1e-3, 0.5, 77.0, 2e5])
def test_range_of_alpha_reaches_from_no_effect_to_no_model(scale):
    X, y = make_regression(200, 10, noise=1.0, random_state=0)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = y / y.std() * scale
    alpha = MODELS["lasso"].space(facts("regression", target_scale=scale))["alpha"]
    assert not Lasso(alpha=alpha.high).fit(X, y).coef_.any()
    assert Lasso(alpha=alpha.low).fit(X, y).score(X, y) > 0.9
    assert alpha.low <= 1.0 <= alpha.high


@pytest.mark.parametrize(("n_features", "variance"), [(64, 0.9375), (2, 1.0), (10_000, 1.0), (3, 1e8), (3, 1e-8)])
def test_gamma_starts_at_what_the_library_computes(n_features, variance):
    gamma = MODELS["svm"].space(facts(n_features=n_features, feature_variance=variance))["gamma"]
    assert gamma.default == pytest.approx(1 / (n_features * variance), rel=1e-3)
    assert gamma.low * 10 <= gamma.default <= gamma.high / 10


def test_epsilon_of_svm_is_asked_for_in_regression_only():
    svm = MODELS["svm"]
    assert "epsilon" in svm.space(facts("regression")).names
    assert "epsilon" not in svm.space(facts()).names


def test_neighbours_never_outnumber_the_rows():
    family = MODELS["nearest_neighbours"]
    assert family.space(facts(n_rows=3)).default()["n_neighbors"] == 3
    assert family.space(facts(n_rows=60))["n_neighbors"].high == 30
    assert family.build({"n_neighbors": 50, "weights": "uniform", "p": 2}, facts(n_rows=7), 0).n_neighbors == 7


def test_network_has_a_width_for_each_of_its_layers_and_no_other():
    family = MODELS["neural_network"]
    space = family.space(facts())
    chosen = space.completed({"n_layers": 3, "units_1": 8, "units_2": 16, "units_3": 32, "units_4": 64})
    assert "units_4" not in chosen
    assert family.build(chosen, facts(), 0).hidden_layer_sizes == (8, 16, 32)


def test_early_stopping_is_offered_where_a_tenth_of_the_rows_holds_every_class():
    space = MODELS["neural_network"].space
    assert "early_stopping" in space(facts(n_rows=21)).names
    assert "early_stopping" not in space(facts(n_rows=20)).names


def test_batch_is_cut_to_the_rows_that_early_stopping_leaves():
    family = MODELS["neural_network"]
    chosen = family.space(facts()).completed({"early_stopping": True, "batch_size": 200})
    assert family.build(chosen, facts(), 0).batch_size == 180


@pytest.mark.parametrize(("subsample", "frequency"), [(1.0, 0), (0.5, 1)])
def test_lightgbm_draws_rows_where_a_share_is_asked_for(subsample, frequency):
    family = MODELS["lightgbm"]
    chosen = family.space(facts()).completed({"subsample": subsample})
    assert family.build(chosen, facts(), 0).subsample_freq == frequency


def test_limited_depth_is_handed_to_the_tree_and_unlimited_is_none():
    family = MODELS["decision_tree"]
    space = family.space(facts())
    assert family.build(space.default(), facts(), 0).max_depth is None
    limited = space.completed({"depth": "limited", "max_depth": 4})
    assert family.build(limited, facts(), 0).max_depth == 4


def test_pruning_of_a_regression_tree_is_in_squares_of_the_target():
    high = [MODELS["decision_tree"].space(facts("regression", target_scale=s))["ccp_alpha"].high for s in (1.0, 100.0)]
    assert high[1] == pytest.approx(1e4 * high[0])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("key", ["svm", "neural_network", "sgd"])
def test_regression_does_not_depend_on_the_unit_of_the_target(key):
    X, y = make_regression(150, 4, noise=5.0, random_state=0)
    family, known = MODELS[key], facts("regression", n_rows=150, n_features=4)
    chosen = family.space(known).default() | ({"max_iter": 30} if key == "neural_network" else {})
    small, large = (family.build(chosen, known, 0).fit(X, k * y).predict(X) / k for k in (1.0, 1e6))
    np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-3 * y.std())
