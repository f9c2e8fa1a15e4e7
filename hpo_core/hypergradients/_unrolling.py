"""Training of a multi-layer perceptron step by step, with the derivatives of its weights by hyperparameters.

Forward mode: beside the weights goes one tangent for each of a few hyperparameters, and every training step, a smooth
map of both, carries them on. The steps are those of scikit-learn 1.9 to the last digit: its starting weights, shuffles,
batches, updates and rule to stop. A tangent of shape (h, ...) belongs to a value of shape (...).

All weights of a network stand in one vector, which an update moves at once; layers are windows on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.utils import check_random_state, gen_batches, shuffle

from hpo_core.hypergradients._base import Floats


@dataclass(slots=True)
class Dual:
    """A value and its derivatives by h hyperparameters, shape (...) and (h, ...)."""

    value: Floats
    tangent: Floats


Layer = tuple[Dual, Dual]
_HIDDEN: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda z: np.maximum(z, 0.0),
    "tanh": np.tanh,
    "logistic": expit,
}
_BENDS: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda a: np.asarray(a > 0, dtype=np.float64),
    "tanh": lambda a: 1 - a**2,
    "logistic": lambda a: a * (1 - a),
}
_CURVES: dict[str, Callable[[Floats], Floats]] = {
    "relu": np.zeros_like,
    "tanh": lambda a: -2 * a,
    "logistic": lambda a: 1 - 2 * a,
}
_OUTPUT: dict[str, Callable[[Floats], Floats]] = {
    "identity": lambda z: z,
    "logistic": expit,
    "softmax": lambda z: np.asarray(softmax(z, axis=1)),
}


@dataclass(frozen=True, slots=True)
class Network:
    """A network in training. `names` are the hyperparameters that tangents belong to, `output` its last function."""

    model: Any
    names: tuple[str, ...]
    output: str

    def trained(self, x: Floats, y: Floats) -> list[Layer]:
        """The layers after training on rows, shape (n, d), and targets, shape (n, k)."""
        random, model = check_random_state(self.model.random_state), self.model
        sizes = [x.shape[1], *model.hidden_layer_sizes, y.shape[1]]
        weights = self.still(self._first_weights(sizes, random))
        optimiser = (_Adam if model.solver == "adam" else _Momentum)(self, weights)
        order, best, n_idle = np.arange(len(x)), np.inf, 0
        for _ in range(model.max_iter):
            order = shuffle(order, random_state=random)
            total = 0.0
            for batch in gen_batches(len(x), int(np.clip(model.batch_size, 1, len(x)))):
                rows = order[batch]
                loss, slopes = self._slopes(_layers(weights, sizes), x[rows], y[rows])
                total += loss * len(rows)
                weights = optimiser.moved(weights, slopes)
            loss = total / len(x)
            n_idle = n_idle + 1 if loss > best - model.tol else 0
            best = min(best, loss)
            if n_idle > model.n_iter_no_change or not np.isfinite(loss):
                break
        return _layers(weights, sizes)

    def predicted(self, layers: list[Layer], x: Floats) -> Dual:
        """What the network says of rows: numbers, or probabilities."""
        return self._passed(layers, x)[-1]

    def _first_weights(self, sizes: list[int], random: Any) -> Floats:
        parts = []
        for n_in, n_out in itertools.pairwise(sizes):
            bound = np.sqrt((2.0 if self.model.activation == "logistic" else 6.0) / (n_in + n_out))
            parts += [random.uniform(-bound, bound, n_in * n_out), random.uniform(-bound, bound, n_out)]
        return np.concatenate(parts)

    def still(self, value: Floats) -> Dual:
        return Dual(value, np.zeros((len(self.names), *value.shape)))

    def _passed(self, layers: list[Layer], x: Floats) -> list[Dual]:
        """The rows before each layer, and what comes out after the last."""
        seen = [self.still(x)]
        for i, (weights, bias) in enumerate(layers):
            a = seen[-1]
            z = a.value @ weights.value + bias.value
            dz = a.value @ weights.tangent + bias.tangent[:, None]
            if i:
                dz = dz + a.tangent @ weights.value
            if i < len(layers) - 1:
                bent = _HIDDEN[self.model.activation](z)
                seen.append(Dual(bent, dz * self._bend(bent)))
            else:
                seen.append(self._ended(z, dz))
        return seen

    def _ended(self, z: Floats, dz: Floats) -> Dual:
        p = _OUTPUT[self.output](z)
        if self.output == "identity":
            return Dual(p, dz)
        if self.output == "logistic":
            return Dual(p, p * (1 - p) * dz)
        return Dual(p, p * (dz - np.sum(p * dz, axis=-1, keepdims=True)))

    def _slopes(self, layers: list[Layer], x: Floats, y: Floats) -> tuple[float, Dual]:
        """The training loss of a batch, and its derivatives by all weights with their tangents."""
        seen, n, alpha = self._passed(layers, x), len(x), self.model.alpha
        by_alpha = self.unit("alpha")
        delta = Dual(seen[-1].value - y, seen[-1].tangent)
        slopes: list[Dual] = []
        for i in range(len(layers) - 1, -1, -1):
            weights, a = layers[i][0], seen[i]
            value = (a.value.T @ delta.value + alpha * weights.value) / n
            tangent = a.value.T @ delta.tangent + alpha * weights.tangent + by_alpha[:, None, None] * weights.value
            if i:
                tangent = tangent + a.tangent.transpose(0, 2, 1) @ delta.value
            bias = Dual(delta.value.mean(axis=0), delta.tangent.mean(axis=1))
            slopes = [Dual(value, tangent / n), bias, *slopes]
            if i:
                delta = self._carried_back(delta, weights, a)
        size = sum(float(np.sum(weights.value**2)) for weights, _ in layers)
        return self._loss(seen[-1].value, y) + 0.5 * alpha * size / n, self._joined(slopes)

    def _joined(self, parts: list[Dual]) -> Dual:
        """One vector of all, in the order of `_layers`."""
        tangents = [part.tangent.reshape(len(self.names), -1) for part in parts]
        return Dual(np.concatenate([part.value.ravel() for part in parts]), np.concatenate(tangents, axis=1))

    def _carried_back(self, delta: Dual, weights: Dual, a: Dual) -> Dual:
        back = delta.value @ weights.value.T
        tangent = delta.tangent @ weights.value.T + delta.value @ weights.tangent.transpose(0, 2, 1)
        bend = self._bend(a.value)
        return Dual(back * bend, tangent * bend + back * self._curve(a.value) * a.tangent)

    def _bend(self, a: Floats) -> Floats:
        """The derivative of the activation, from its value."""
        return _BENDS[self.model.activation](a)

    def _curve(self, a: Floats) -> Floats:
        """The derivative of `_bend` by the value of the activation."""
        return _CURVES[self.model.activation](a)

    def _loss(self, p: Floats, y: Floats) -> float:
        if self.output == "identity":
            return float(np.mean((p - y) ** 2) / 2)
        eps = np.finfo(p.dtype).eps
        p = np.clip(p, eps, 1 - eps)
        rest = np.sum((1 - y) * np.log(1 - p)) if self.output == "logistic" else 0.0
        return float(-(np.sum(y * np.log(p)) + rest) / len(p))

    def unit(self, name: str) -> Floats:
        """1 for the hyperparameter of this name, shape (h,)."""
        return np.array([float(n == name) for n in self.names])


class _Momentum:
    """Gradient descent with Nesterov's momentum."""

    def __init__(self, network: Network, weights: Dual) -> None:
        self._rate, self._momentum = network.model.learning_rate_init, network.model.momentum
        self._by_rate, self._by_momentum = network.unit("learning_rate_init"), network.unit("momentum")
        self._is_ahead = network.model.nesterovs_momentum
        self._velocity = network.still(np.zeros_like(weights.value))

    def moved(self, weights: Dual, slopes: Dual) -> Dual:
        self._velocity = self._pushed(self._velocity, slopes)
        return _added(weights, self._pushed(self._velocity, slopes) if self._is_ahead else self._velocity)

    def _pushed(self, velocity: Dual, slopes: Dual) -> Dual:
        tangent = self._momentum * velocity.tangent - self._rate * slopes.tangent
        tangent += self._by_momentum[:, None] * velocity.value - self._by_rate[:, None] * slopes.value
        return Dual(self._momentum * velocity.value - self._rate * slopes.value, tangent)


class _Adam:
    """Kingma and Ba (2015), Adam: A Method for Stochastic Optimization."""

    def __init__(self, network: Network, weights: Dual) -> None:
        self._model, self._by_rate, self._n_steps = network.model, network.unit("learning_rate_init"), 0
        self._first, self._second = (network.still(np.zeros_like(weights.value)) for _ in range(2))

    def moved(self, weights: Dual, slopes: Dual) -> Dual:
        self._n_steps += 1
        self._first = self._faded(self._first, slopes)
        self._second = self._faded_square(self._second, slopes)
        return _added(weights, self._step())

    def _faded(self, mean: Dual, slopes: Dual) -> Dual:
        b = self._model.beta_1
        return Dual(b * mean.value + (1 - b) * slopes.value, b * mean.tangent + (1 - b) * slopes.tangent)

    def _faded_square(self, mean: Dual, slopes: Dual) -> Dual:
        b = self._model.beta_2
        tangent = b * mean.tangent + (1 - b) * 2 * slopes.value * slopes.tangent
        return Dual(b * mean.value + (1 - b) * slopes.value**2, tangent)

    def _step(self) -> Dual:
        t, model, first, second = self._n_steps, self._model, self._first, self._second
        scale = np.sqrt(1 - model.beta_2**t) / (1 - model.beta_1**t)
        root = np.sqrt(second.value)
        # Where no gradient ever came, nothing moves, whatever the hyperparameters.
        root_tangent = np.divide(second.tangent, 2 * root, out=np.zeros_like(second.tangent), where=root > 0)
        direction = first.value / (root + model.epsilon)
        turned = first.tangent / (root + model.epsilon) - direction * root_tangent / (root + model.epsilon)
        rate = model.learning_rate_init
        return Dual(-rate * scale * direction, -scale * (self._by_rate[:, None] * direction + rate * turned))


def _layers(weights: Dual, sizes: list[int]) -> list[Layer]:
    """Windows on the vector of all weights: of each layer its weights, shape (n_in, n_out), and its biases."""
    layers, start = [], 0
    for n_in, n_out in itertools.pairwise(sizes):
        middle, end = start + n_in * n_out, start + (n_in + 1) * n_out
        matrix = Dual(
            weights.value[start:middle].reshape(n_in, n_out),
            weights.tangent[:, start:middle].reshape(-1, n_in, n_out),
        )
        layers.append((matrix, Dual(weights.value[middle:end], weights.tangent[:, middle:end])))
        start = end
    return layers


def _added(weights: Dual, step: Dual) -> Dual:
    return Dual(weights.value + step.value, weights.tangent + step.tangent)
