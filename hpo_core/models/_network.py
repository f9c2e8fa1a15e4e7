"""Small residual networks trained by Adam, as scikit-learn estimators.

Sources: He, Zhang, Ren and Sun (2016), Deep Residual Learning for Image Recognition (skips, projections where widths
differ); Kingma and Ba (2015), Adam; Srivastava et al. (2014), Dropout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]

_HELD_OUT = 0.1
_DECAY, _DECAY_OF_SQUARES, _TINY = 0.9, 0.999, 1e-8
_STEEPEST = 5.0  # norm above which a gradient is shortened


def activated(activation: str, z: Floats) -> Floats:
    """The output of neurons with these inputs."""
    if activation == "relu":
        return np.maximum(z, 0.0)
    return np.asarray(np.tanh(z) if activation == "tanh" else z * expit(z))


def slope(activation: str, z: Floats) -> Floats:
    """Derivative of `activated`."""
    if activation == "relu":
        return (z > 0).astype(np.float64)
    if activation == "tanh":
        return np.asarray(1.0 - np.tanh(z) ** 2)
    gate = expit(z)
    return np.asarray(gate * (1.0 + z * (1.0 - gate)))


@dataclass(frozen=True, slots=True)
class Design:
    """The shape of a network.

    Attributes:
        n_inputs, n_outputs: Columns in and out.
        widths: Neurons of each hidden layer.
        activation: "relu", "tanh" or "silu".
        skip: Whether each hidden layer adds its input to its output, projected where the widths differ.
        is_classifier: Softmax and cross-entropy instead of half the squared error.
        alpha: L2 penalty of all weights, divided by the rows of a batch.
    """

    n_inputs: int
    n_outputs: int
    widths: tuple[int, ...]
    activation: str
    skip: bool
    is_classifier: bool
    alpha: float

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of all arrays of weights: matrix, offset and, where there is one, projection of each layer; output last."""
        shapes: list[tuple[int, ...]] = []
        for n_in, n_out in self._steps():
            shapes += [(n_in, n_out), (n_out,)] + [(n_in, n_out)] * self._has_projection(n_in, n_out)
        n_last = self.widths[-1] if self.widths else self.n_inputs
        return [*shapes, (n_last, self.n_outputs), (self.n_outputs,)]

    def start(self, rng: np.random.Generator) -> list[Floats]:
        """Random weights that neither swell nor fade from layer to layer; offsets of 0."""
        return [rng.normal(0.0, math.sqrt(2.0 / (s[0] + s[1])), s) if len(s) == 2 else np.zeros(s) for s in self.shapes]

    def outputs(self, weights: Sequence[Floats], X: Floats) -> Floats:
        """Log odds of classes up to a constant, or numbers, shape (n, n_outputs)."""
        return self._forward(weights, X, None)[0]

    def loss_and_gradients(
        self, weights: Sequence[Floats], X: Floats, target: Floats, masks: Sequence[Floats] | None = None
    ) -> tuple[float, list[Floats]]:
        """Mean loss over the rows with its penalty, and its derivative by every weight.

        Args:
            weights: As `start` gives them.
            X: Shape (n, n_inputs).
            target: One-hot classes or numbers, shape (n, n_outputs).
            masks: What dropout multiplies each hidden layer by; None drops nothing.
        """
        out, layers = self._forward(weights, X, masks)
        n_rows = len(X)
        penalised = sum(float((w**2).sum()) for w in weights if w.ndim == 2)
        if self.is_classifier:
            loss = -float((target * log_softmax(out, axis=1)).sum()) / n_rows
            delta = (softmax(out, axis=1) - target) / n_rows
        else:
            loss = 0.5 * float(((out - target) ** 2).sum()) / n_rows
            delta = (out - target) / n_rows
        gradients = self._backward(weights, layers, delta, masks)
        for gradient, weight in zip(gradients, weights, strict=True):
            if weight.ndim == 2:
                gradient += self.alpha / n_rows * weight
        return loss + 0.5 * self.alpha / n_rows * penalised, gradients

    def _steps(self) -> list[tuple[int, int]]:
        return list(zip((self.n_inputs, *self.widths), self.widths, strict=False))

    def _has_projection(self, n_in: int, n_out: int) -> bool:
        return self.skip and n_in != n_out

    def _forward(
        self, weights: Sequence[Floats], X: Floats, masks: Sequence[Floats] | None
    ) -> tuple[Floats, list[tuple[Floats, Floats]]]:
        """The outputs, and of each hidden layer its input and its neurons' inputs; then the last layer's input."""
        layers: list[tuple[Floats, Floats]] = []
        h, place = X, 0
        for i, (n_in, n_out) in enumerate(self._steps()):
            z = h @ weights[place] + weights[place + 1]
            layers.append((h, z))
            place += 2
            a = activated(self.activation, z)
            a = a * masks[i] if masks is not None else a
            if self._has_projection(n_in, n_out):
                a = a + h @ weights[place]
                place += 1
            elif self.skip:
                a = a + h
            h = a
        layers.append((h, h))
        return h @ weights[-2] + weights[-1], layers

    def _backward(
        self,
        weights: Sequence[Floats],
        layers: list[tuple[Floats, Floats]],
        delta: Floats,
        masks: Sequence[Floats] | None,
    ) -> list[Floats]:
        last = layers[-1][0]
        gradients: list[Floats] = [delta.sum(axis=0), last.T @ delta]  # from the last to the first
        flow, place = delta @ weights[-2].T, len(weights) - 2
        for i in range(len(self.widths) - 1, -1, -1):
            h, z = layers[i]
            has_projection = self._has_projection(*self._steps()[i])
            place -= 2 + has_projection
            bent = flow * slope(self.activation, z)
            bent = bent * masks[i] if masks is not None else bent
            if has_projection:
                gradients.append(h.T @ flow)
            gradients += [bent.sum(axis=0), h.T @ bent]
            back = bent @ weights[place].T
            if has_projection:
                back = back + flow @ weights[place + 2].T
            flow = back + flow if self.skip and not has_projection else back
        return gradients[::-1]


class _Network(BaseEstimator):  # type: ignore[misc]
    """What the classifier and the regressor share; `partial_fit` goes through the rows once."""

    def __init__(
        self,
        hidden_widths: tuple[int, ...] = (64, 64),
        activation: str = "relu",
        skip: bool = False,
        dropout: float = 0.0,
        learning_rate_init: float = 1e-3,
        batch_size: int = 64,
        max_iter: int = 100,
        alpha: float = 1e-4,
        early_stopping: bool = False,
        n_iter_no_change: int = 10,
        random_state: int = 0,
    ) -> None:
        self.hidden_widths = hidden_widths
        self.activation = activation
        self.skip = skip
        self.dropout = dropout
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.alpha = alpha
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state

    def _begin(self, n_inputs: int, n_outputs: int) -> None:
        is_classifier = isinstance(self, ClassifierMixin)
        widths = tuple(self.hidden_widths)
        self.design_ = Design(n_inputs, n_outputs, widths, self.activation, self.skip, is_classifier, self.alpha)
        self.n_features_in_ = n_inputs
        self._rng = np.random.default_rng(self.random_state)
        self.weights_ = self.design_.start(self._rng)
        self._means = [np.zeros_like(w) for w in self.weights_]
        self._squares = [np.zeros_like(w) for w in self.weights_]
        self.n_steps_ = self.n_iter_ = 0

    def _train(self, X: Floats, target: Floats) -> None:
        self._begin(X.shape[1], target.shape[1])
        if not self.early_stopping:
            for _ in range(self.max_iter):
                self._epoch(X, target)
            return
        held = np.zeros(len(X), dtype=bool)
        held[self._rng.permutation(len(X))[: max(1, math.ceil(_HELD_OUT * len(X)))]] = True
        if held.all():
            held[:] = False
        self._train_until_no_gain(X[~held], target[~held], X[held], target[held])

    def _train_until_no_gain(self, X: Floats, target: Floats, held_X: Floats, held_target: Floats) -> None:
        """Keeps the weights that were best on the rows held out."""
        best, best_weights, n_without = math.inf, self.weights_, 0
        for _ in range(self.max_iter):
            self._epoch(X, target)
            loss, _ = self.design_.loss_and_gradients(self.weights_, held_X, held_target)
            if loss < best - 1e-4:
                best, best_weights, n_without = loss, [w.copy() for w in self.weights_], 0
            else:
                n_without += 1
            if n_without >= self.n_iter_no_change:
                break
        self.weights_ = best_weights

    def _epoch(self, X: Floats, target: Floats) -> None:
        order = self._rng.permutation(len(X))
        size = max(1, min(self.batch_size, len(X)))
        for start in range(0, len(X), size):
            rows = order[start : start + size]
            loss, gradients = self.design_.loss_and_gradients(
                self.weights_, X[rows], target[rows], self._masks(len(rows))
            )
            if not math.isfinite(loss):
                raise ValueError("training diverged; lower the learning rate")
            self._step(gradients)
        self.n_iter_ += 1

    def _masks(self, n_rows: int) -> list[Floats] | None:
        if not self.dropout:
            return None
        kept = 1.0 - self.dropout
        return [(self._rng.random((n_rows, width)) < kept) / kept for width in self.design_.widths]

    def _step(self, gradients: list[Floats]) -> None:
        """One step of Adam."""
        self.n_steps_ += 1
        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
        shorter = min(1.0, _STEEPEST / norm) if norm > 0 else 1.0
        rate = self.learning_rate_init * math.sqrt(1 - _DECAY_OF_SQUARES**self.n_steps_) / (1 - _DECAY**self.n_steps_)
        for weight, gradient, mean, square in zip(self.weights_, gradients, self._means, self._squares, strict=True):
            gradient *= shorter
            mean += (1 - _DECAY) * (gradient - mean)
            square += (1 - _DECAY_OF_SQUARES) * (gradient**2 - square)
            weight -= rate * mean / (np.sqrt(square) + _TINY)

    def _outputs(self, X: Any) -> Floats:
        check_is_fitted(self, "weights_")
        return self.design_.outputs(self.weights_, np.asarray(X, dtype=np.float64))


class ResidualClassifier(ClassifierMixin, _Network):  # type: ignore[misc]
    """A network for classes, with softmax and cross-entropy."""

    def fit(self, X: Any, y: Any) -> Self:
        self.classes_ = np.unique(y)
        self._train(np.asarray(X, dtype=np.float64), self._one_hot(y))
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """One epoch more; `classes` are all that will come, needed at the first call if `y` lacks any."""
        rows = np.asarray(X, dtype=np.float64)
        if not hasattr(self, "weights_"):
            self.classes_ = np.unique(y if classes is None else classes)
            self._begin(rows.shape[1], len(self.classes_))
        self._epoch(rows, self._one_hot(y))
        return self

    def _one_hot(self, y: Any) -> Floats:
        return np.asarray(np.asarray(y)[:, None] == self.classes_, dtype=np.float64)

    def predict_proba(self, X: Any) -> Floats:
        return np.asarray(softmax(self._outputs(X), axis=1))

    def predict(self, X: Any) -> NDArray[Any]:
        return np.asarray(self.classes_[self._outputs(X).argmax(axis=1)])


class ResidualRegressor(RegressorMixin, _Network):  # type: ignore[misc]
    """A network for numbers, with the squared error."""

    def fit(self, X: Any, y: Any) -> Self:
        self._train(np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64).reshape(-1, 1))
        return self

    def partial_fit(self, X: Any, y: Any) -> Self:
        """One epoch more."""
        rows = np.asarray(X, dtype=np.float64)
        if not hasattr(self, "weights_"):
            self._begin(rows.shape[1], 1)
        self._epoch(rows, np.asarray(y, dtype=np.float64).reshape(-1, 1))
        return self

    def predict(self, X: Any) -> Floats:
        return np.asarray(self._outputs(X)[:, 0])
