"""Training of a multi-layer perceptron step by step, with the derivatives of its weights by hyperparameters.

Forward mode: beside the weights goes one tangent for each of a few hyperparameters, and every training step, a smooth
map of both, carries them on. The steps are those of scikit-learn 1.9 to the last digit: its starting weights, shuffles,
batches, updates and rule to stop. A tangent of shape (h, ...) belongs to a value of shape (...).
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
        random = check_random_state(self.model.random_state)
        layers = self._first_layers([x.shape[1], *self.model.hidden_layer_sizes, y.shape[1]], random)
        optimiser = (_Adam if self.model.solver == "adam" else _Momentum)(self, layers)
        order, best, n_idle = np.arange(len(x)), np.inf, 0
        for _ in range(self.model.max_iter):
            order = shuffle(order, random_state=random)
            total = 0.0
            for batch in gen_batches(len(x), int(np.clip(self.model.batch_size, 1, len(x)))):
                rows = order[batch]
                loss, slopes = self._slopes(layers, x[rows], y[rows])
                total += loss * len(rows)
                layers = optimiser.moved(layers, slopes)
            loss = total / len(x)
            n_idle = n_idle + 1 if loss > best - self.model.tol else 0
            best = min(best, loss)
            if n_idle > self.model.n_iter_no_change or not np.isfinite(loss):
                break
        return layers

    def predicted(self, layers: list[Layer], x: Floats) -> Dual:
        """What the network says of rows: numbers, or probabilities."""
        return self._passed(layers, x)[-1]

    def _first_layers(self, sizes: list[int], random: Any) -> list[Layer]:
        layers = []
        for n_in, n_out in itertools.pairwise(sizes):
            bound = np.sqrt((2.0 if self.model.activation == "logistic" else 6.0) / (n_in + n_out))
            weights = random.uniform(-bound, bound, (n_in, n_out))
            layers.append((self.still(weights), self.still(random.uniform(-bound, bound, n_out))))
        return layers

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

    def _slopes(self, layers: list[Layer], x: Floats, y: Floats) -> tuple[float, list[Layer]]:
        """The training loss of a batch, and its derivatives by the weights with their tangents."""
        seen, n, alpha = self._passed(layers, x), len(x), self.model.alpha
        by_alpha = self.unit("alpha")
        delta = Dual(seen[-1].value - y, seen[-1].tangent)
        slopes: list[Layer] = []
        for i in range(len(layers) - 1, -1, -1):
            weights, a = layers[i][0], seen[i]
            value = (a.value.T @ delta.value + alpha * weights.value) / n
            tangent = a.value.T @ delta.tangent + alpha * weights.tangent + by_alpha[:, None, None] * weights.value
            if i:
                tangent = tangent + a.tangent.transpose(0, 2, 1) @ delta.value
            bias = Dual(delta.value.mean(axis=0), delta.tangent.mean(axis=1))
            slopes.insert(0, (Dual(value, tangent / n), bias))
            if i:
                delta = self._carried_back(delta, weights, a)
        size = sum(float(np.sum(weights.value**2)) for weights, _ in layers)
        return self._loss(seen[-1].value, y) + 0.5 * alpha * size / n, slopes

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

    def __init__(self, network: Network, layers: list[Layer]) -> None:
        self._rate, self._momentum = network.model.learning_rate_init, network.model.momentum
        self._by_rate, self._by_momentum = network.unit("learning_rate_init"), network.unit("momentum")
        self._is_ahead = network.model.nesterovs_momentum
        self._velocities = [tuple(network.still(np.zeros_like(w.value)) for w in layer) for layer in layers]

    def moved(self, layers: list[Layer], slopes: list[Layer]) -> list[Layer]:
        self._velocities = [
            tuple(self._pushed(v, s) for v, s in zip(*pair, strict=True))
            for pair in zip(self._velocities, slopes, strict=True)
        ]
        steps = self._velocities
        if self._is_ahead:
            steps = [
                tuple(self._pushed(v, s) for v, s in zip(*pair, strict=True))
                for pair in zip(self._velocities, slopes, strict=True)
            ]
        return [_added(layer, step) for layer, step in zip(layers, steps, strict=True)]

    def _pushed(self, velocity: Dual, slope: Dual) -> Dual:
        ones = (-1, *[1] * velocity.value.ndim)
        tangent = self._momentum * velocity.tangent - self._rate * slope.tangent
        tangent += self._by_momentum.reshape(ones) * velocity.value - self._by_rate.reshape(ones) * slope.value
        return Dual(self._momentum * velocity.value - self._rate * slope.value, tangent)


class _Adam:
    """Kingma and Ba (2015), Adam: A Method for Stochastic Optimization."""

    def __init__(self, network: Network, layers: list[Layer]) -> None:
        self._model, self._by_rate, self._n_steps = network.model, network.unit("learning_rate_init"), 0
        self._first = [tuple(network.still(np.zeros_like(w.value)) for w in layer) for layer in layers]
        self._second = [tuple(network.still(np.zeros_like(w.value)) for w in layer) for layer in layers]

    def moved(self, layers: list[Layer], slopes: list[Layer]) -> list[Layer]:
        self._n_steps += 1
        moved = []
        for i, (layer, slope) in enumerate(zip(layers, slopes, strict=True)):
            self._first[i] = tuple(self._faded(m, s) for m, s in zip(self._first[i], slope, strict=True))
            self._second[i] = tuple(self._faded_square(v, s) for v, s in zip(self._second[i], slope, strict=True))
            step = tuple(self._step(m, v) for m, v in zip(self._first[i], self._second[i], strict=True))
            moved.append(_added(layer, step))
        return moved

    def _faded(self, mean: Dual, slope: Dual) -> Dual:
        b = self._model.beta_1
        return Dual(b * mean.value + (1 - b) * slope.value, b * mean.tangent + (1 - b) * slope.tangent)

    def _faded_square(self, mean: Dual, slope: Dual) -> Dual:
        b = self._model.beta_2
        tangent = b * mean.tangent + (1 - b) * 2 * slope.value * slope.tangent
        return Dual(b * mean.value + (1 - b) * slope.value**2, tangent)

    def _step(self, first: Dual, second: Dual) -> Dual:
        t, model = self._n_steps, self._model
        scale = np.sqrt(1 - model.beta_2**t) / (1 - model.beta_1**t)
        root = np.sqrt(second.value)
        # Where no gradient ever came, nothing moves, whatever the hyperparameters.
        root_tangent = np.divide(second.tangent, 2 * root, out=np.zeros_like(second.tangent), where=root > 0)
        direction = first.value / (root + model.epsilon)
        turned = first.tangent / (root + model.epsilon) - direction * root_tangent / (root + model.epsilon)
        by_rate = self._by_rate.reshape(-1, *[1] * direction.ndim) * direction
        rate = model.learning_rate_init
        return Dual(-rate * scale * direction, -scale * (by_rate + rate * turned))


def _added(layer: Any, step: Any) -> Any:
    return tuple(Dual(w.value + s.value, w.tangent + s.tangent) for w, s in zip(layer, step, strict=True))
