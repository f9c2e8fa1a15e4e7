"""The training loss of logistic regression with a mixed penalty: its optimum, and systems in its Hessian.

The loss is C l(W) + r |W|_1 + (1 - r) |W|²/2 with the weighted log loss l and the L1 share r, as in scikit-learn. W
holds a column for each class, one column for two classes, and the intercepts in its last row, which is not punished.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import logsumexp

from hpo_core.errors import FitError
from hpo_core.hypergradients._base import Floats

_ROUNDS, _PASSES = 7, 100  # each round has twice as many passes as the one before
_MOST_POLISHING = 60
_TOLERANCE, _SHARP = 1e-8, 1e-10  # largest slope at an optimum with L1 and without, per row
_MOST_SPARSE = 200  # weights; with more, an optimum with L1 takes longer than a trial


def probabilities(scores: Floats) -> Floats:
    """Of the second class for one column, else of each class."""
    if scores.shape[1] == 1:
        return np.asarray(0.5 * (1 + np.tanh(scores / 2)))
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """What a model is trained on.

    Attributes:
        x: Rows with a last column of ones, shape (n, d + 1).
        y: Ones and zeros, shape (n, k).
        rows: Weight of each row, C included, shape (n,).
        ratio: Share of the penalty that is L1.
    """

    x: Floats
    y: Floats
    rows: Floats
    ratio: float

    def slope(self, weights: Floats) -> Floats:
        """Of the loss without its L1 part."""
        pull = self.x.T @ (self.rows[:, None] * (probabilities(self.x @ weights) - self.y))
        return np.asarray(pull + (1 - self.ratio) * _without_intercepts(weights))

    def solved(self, weights: Floats, right: Floats, accuracy: float = 1e-9) -> Floats:
        """H v = right on the weights that are not zero, by conjugate gradients; v is zero elsewhere.

        `accuracy` is what may be missing, as a share of the right side.
        """
        shape, is_free = right.shape, _is_free(weights)
        p = probabilities(self.x @ weights)
        penalty = _without_intercepts(np.full(shape, 1 - self.ratio))

        def product(flat: Floats) -> Floats:
            v = np.where(is_free, flat.reshape(shape), 0.0)
            scores = self.x @ v
            mean = p * scores if shape[1] == 1 else np.sum(p * scores, axis=1, keepdims=True)
            curved = self.x.T @ (self.rows[:, None] * p * (scores - mean)) + penalty * v
            return np.asarray(np.where(is_free, curved, 0.0).ravel())

        diagonal = ((self.x**2).T @ (self.rows[:, None] * p * (1 - p)) + penalty).ravel() + 1e-300
        hessian = LinearOperator((right.size, right.size), matvec=product, dtype=np.float64)
        scaling = LinearOperator((right.size, right.size), matvec=lambda v: v / diagonal, dtype=np.float64)
        wanted = np.where(is_free, right, 0.0).ravel()
        solution, _ = cg(hessian, wanted, rtol=accuracy, maxiter=10 * right.size + 200, M=scaling)
        return np.asarray(solution).reshape(shape)

    def sharpened(self, weights: Floats) -> Floats:
        """The optimum without L1, by Newton's method from weights that are near it."""
        for _ in range(_MOST_POLISHING):
            slope = self.slope(weights)
            if np.abs(slope).max() <= _SHARP * self.rows.sum():
                break
            weights = weights - self.solved(weights, slope, accuracy=1e-3)
        return weights

    def optimum(self) -> Floats:
        """By proximal gradients with momentum until the weights that are zero are known, then by Newton's method.

        Raises:
            FitError: It was not reached, or would take too long.
        """
        if self.x.shape[1] * self.y.shape[1] > _MOST_SPARSE:
            raise FitError(f"With L1, logistic regression is differentiated up to {_MOST_SPARSE} weights only.")
        curvature = float(np.linalg.eigvalsh((self.x * self.rows[:, None]).T @ self.x)[-1])
        step = 1.0 / (curvature * (0.25 if self.y.shape[1] == 1 else 0.5) + 1 - self.ratio)
        weights = np.zeros((self.x.shape[1], self.y.shape[1]))
        for i in range(_ROUNDS):
            weights = self._descended(weights, step, _PASSES * 2**i)
            polished, is_optimal = self._polished(weights)
            if is_optimal:
                return polished
            weights = polished if self._loss(polished) < self._loss(weights) else weights
        raise FitError("The optimum of this penalty was not reached; a smaller C is easier.")

    def _loss(self, weights: Floats) -> float:
        scores, inner = self.x @ weights, weights[:-1]
        tops = np.logaddexp(0.0, scores) if scores.shape[1] == 1 else logsumexp(scores, axis=1, keepdims=True)
        fit = np.sum(self.rows[:, None] * tops) - np.sum(self.rows[:, None] * self.y * scores)
        return float(fit + self.ratio * np.abs(inner).sum() + (1 - self.ratio) / 2 * np.sum(inner**2))

    def _descended(self, weights: Floats, step: float, n_passes: int) -> Floats:
        """Beck and Teboulle (2009), with the restarts of O'Donoghue and Candès (2015)."""
        ahead, inertia = weights, 1.0
        for _ in range(n_passes):
            moved = self._shrunk(ahead - step * self.slope(ahead), step * self.ratio)
            if np.sum((ahead - moved) * (moved - weights)) > 0:
                inertia = 1.0
            grown = (1 + np.sqrt(1 + 4 * inertia**2)) / 2
            ahead = moved + (inertia - 1) / grown * (moved - weights)
            weights, inertia = moved, grown
        return weights

    def _shrunk(self, weights: Floats, by: float) -> Floats:
        shrunk = np.sign(weights) * np.maximum(np.abs(weights) - by, 0.0)
        shrunk[-1] = weights[-1]
        return np.asarray(shrunk)

    def _polished(self, weights: Floats) -> tuple[Floats, bool]:
        """Newton's method on the weights that are not zero; one that would change its sign stops at zero and stays.

        The flag says whether no weight that is zero wants to leave it, which makes this the optimum.
        """
        tolerance = _TOLERANCE * self.rows.sum()
        for _ in range(_MOST_POLISHING):
            pull = self.slope(weights)
            slope = np.where(_is_free(weights), pull + self.ratio * _without_intercepts(np.sign(weights)), 0.0)
            if np.abs(slope).max() <= tolerance:
                is_zero = weights[:-1] == 0
                return weights, bool((np.abs(pull[:-1])[is_zero] <= self.ratio + tolerance).all())
            weights = _moved(weights, -self.solved(weights, slope))
        return weights, False


def _moved(weights: Floats, move: Floats) -> Floats:
    """The weights after a move, or after the part of it that brings the first of them to zero."""
    turns = (weights[:-1] != 0) & (np.sign(weights[:-1] + move[:-1]) != np.sign(weights[:-1]))
    if not turns.any():
        return weights + move
    shares = np.where(turns, -weights[:-1] / np.where(turns, move[:-1], 1.0), np.inf)
    first = np.unravel_index(int(shares.argmin()), shares.shape)
    moved = np.asarray(weights + shares[first] * move)
    moved[first] = 0.0
    return moved


def _is_free(weights: Floats) -> NDArray[np.bool_]:
    """The weights that are not zero, and the intercepts."""
    is_free: NDArray[np.bool_] = weights != 0
    is_free[-1] = True
    return is_free


def _without_intercepts(weights: Floats) -> Floats:
    kept = weights.copy()
    kept[-1] = 0.0
    return kept
