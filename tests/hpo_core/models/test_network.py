"""The residual network: its gradient, its training, and what scikit-learn expects of an estimator."""

import itertools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from hpo_core.models._network import Design, ResidualClassifier, ResidualRegressor


@pytest.mark.parametrize(
    ("activation", "skip", "is_classifier", "widths", "has_masks"),
    [
        *itertools.product(("relu", "tanh", "silu"), (False, True), (False, True), ((5, 5, 3),), (False, True)),
        ("tanh", True, True, (4,), False),  # as wide as the input: a skip without projection
        ("tanh", True, False, (), False),
    ],
)
def test_gradient_agrees_with_finite_differences(activation, skip, is_classifier, widths, has_masks):
    rng = np.random.default_rng(0)
    n_outputs = 3 if is_classifier else 1
    design = Design(4, n_outputs, widths, activation, skip, is_classifier, 0.7)
    weights = [w + 0.1 * rng.normal(size=w.shape) for w in design.start(rng)]
    X = rng.normal(size=(6, 4))
    target = np.eye(3)[rng.integers(3, size=6)] if is_classifier else rng.normal(size=(6, 1))
    masks = [(rng.random((6, width)) < 0.7) / 0.7 for width in widths] if has_masks else None
    _, gradients = design.loss_and_gradients(weights, X, target, masks)
    assert [g.shape for g in gradients] == design.shapes
    step = 1e-6
    for weight, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(weight.shape):
            kept = weight[place]
            losses = []
            for value in (kept + step, kept - step):
                weight[place] = value
                losses.append(design.loss_and_gradients(weights, X, target, masks)[0])
            weight[place] = kept
            assert gradient[place] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("skip", [False, True])
def test_digits_are_learned(skip):
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=0.3, random_state=0)
    model = ResidualClassifier((64, 64), skip=skip, max_iter=30).fit(parts[0], parts[2])
    assert model.score(parts[1], parts[3]) > 0.95
    probabilities = model.predict_proba(parts[1])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(parts[1])).all()


def test_skip_carries_the_signal_past_layers_that_do_nothing():
    X = np.random.default_rng(0).normal(size=(30, 4))
    for skip in (False, True):
        design = Design(4, 1, (4, 4, 4), "tanh", skip, False, 0.0)
        silent = [np.zeros(shape) for shape in design.shapes]
        silent[-2][:] = [[1.0], [2.0], [0.0], [0.0]]
        expected = X[:, [0]] + 2 * X[:, [1]] if skip else np.zeros((30, 1))
        np.testing.assert_allclose(design.outputs(silent, X), expected)


def test_partial_fits_are_the_epochs_of_a_fit():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(90, 4)), rng.integers(3, size=90)
    whole = ResidualClassifier((8,), dropout=0.2, max_iter=4).fit(X, y)
    stepwise = ResidualClassifier((8,), dropout=0.2)
    for _ in range(4):
        stepwise.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(whole.predict_proba(X), stepwise.predict_proba(X))
    assert whole.n_iter_ == stepwise.n_iter_ == 4


def test_early_stopping_ends_sooner_and_keeps_the_best_weights():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(120, 4)), rng.normal(size=120)  # nothing to learn
    model = ResidualRegressor((64,), max_iter=400, learning_rate_init=0.01, early_stopping=True, n_iter_no_change=5)
    assert model.fit(X, y).n_iter_ < 100
    long = clone(model).set_params(early_stopping=False).fit(X, y)
    fresh = rng.normal(size=(500, 4))
    assert np.var(model.predict(fresh)) < np.var(long.predict(fresh))


def test_training_that_diverges_says_so():
    X, y = np.full((20, 2), 1e200), np.zeros(20)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="lower the learning rate"):
        ResidualRegressor((4,)).fit(X, y)
