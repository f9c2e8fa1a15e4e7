"""Gaussian-process regression over a search space, in NumPy and SciPy.

Matérn 5/2 kernel with one length scale per parameter, learned noise, and hyperparameters at the maximum of their
posterior (Rasmussen and Williams, 2006, Gaussian Processes for Machine Learning). The prior of the length scales grows
with the square root of the number of parameters, so that a model of many parameters is not too wiggly to learn from few
trials (Hvarfner, Hellsten and Nardi, 2024, Vanilla Bayesian Optimization Performs Great in High Dimensions).

Mixed and conditional parameters enter through an embedding into Euclidean space, so that any Matérn kernel of its
distances is positive definite. A category is a corner of a simplex: two different ones are at distance 1 (Hamming). An
inactive parameter is at the middle of its range and, on an axis of its own, away from all active values: configurations
in which it is inactive do not differ in it, and it lies at a bounded distance from those in which it is active. This is
the construction of Hutter and Osborne (2013), A Kernel for Hierarchical Parameter Spaces, with a line in place of
their arc.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve_triangular
from scipy.optimize import minimize
from scipy.spatial.distance import pdist
from threadpoolctl import ThreadpoolController

from hpo_core.errors import UsageError
from hpo_core.space import Categorical, SearchSpace
from hpo_core.warping import Prediction, Warp, WarpKind

Floats = NDArray[np.float64]
_INACTIVE_OFFSET = 0.5
_NOISE_FLOOR = 1e-6
_IGNORANT = math.sqrt(0.5)
_LENGTH_LIMITS = (math.log(0.03), math.log(30.0))
_SIGNAL_LIMITS = (-3.0, 3.0)
_NOISE_LIMITS = (math.log(1e-5), 0.0)


@dataclass(frozen=True, eq=False)
class GaussianProcess:
    """A fitted process. `fit` makes it; nothing in it changes afterwards.

    Attributes:
        space: The search space that the units belong to.
        units: Points that it was fitted on, shape (n, d); NaN where a parameter is inactive.
        targets: Their values after the warp, shape (n,).
        warp: From values to targets and back.
        theta: Logarithms of d length scales, of the signal's variance and of the noise's, shape (d + 2,).
    """

    space: SearchSpace
    units: Floats
    targets: Floats
    warp: Warp
    theta: Floats

    @property
    def length_scales(self) -> Floats:
        """Length scale of each parameter in widths of its range, shape (d,): the shorter, the more it matters."""
        return np.exp(self.theta[:-2])

    @property
    def noise(self) -> float:
        """Standard deviation of a value around the function, in the unit of the values, near their middle."""
        sd = math.sqrt(self._noise_variance)
        low, high = self.warp.inverse(np.array([-sd, sd]))
        return float(high - low) / 2

    @property
    def prior_sd(self) -> float:
        """Standard deviation of the function where nothing is known, in the unit of the values, near their middle."""
        sd = math.sqrt(self._signal_variance)
        low, high = self.warp.inverse(np.array([-sd, sd]))
        return float(high - low) / 2

    def is_ignorant(self, sd: Floats) -> NDArray[np.bool_]:
        """Where as much of the variance is unknown as is known, or more, shape as `sd`."""
        return np.asarray(sd >= _IGNORANT * self.prior_sd)

    def predict(self, units: Floats) -> Prediction:
        """The noise-free function at points of shape (m, d), in the unit of the values."""
        return self.warp.moments(*self.predict_target(units))

    def predict_target(self, units: Floats) -> Prediction:
        """The noise-free function at points of shape (m, d), on the scale of the targets."""
        cross = self._signal_variance * _matern(_distances_between(self._scaled(units), self._features))
        explained = solve_triangular(self._cholesky, cross.T, lower=True, check_finite=False)
        variance = self._signal_variance - np.einsum("ij,ij->j", explained, explained)
        return Prediction(cross @ self._weights, np.sqrt(np.maximum(variance, 1e-12)))

    def expected(self, units: Floats) -> Floats:
        """The mean of `predict` alone, at a third of its cost, shape (m,). Exact while the warp is linear."""
        cross = self._signal_variance * _matern(_distances_between(self._scaled(units), self._features))
        return self.warp.inverse(cross @ self._weights)

    def predict_average(self, groups: Floats) -> Prediction:
        """The mean of the noise-free function over each group of points, shape (groups, points, d), values unwarped.

        The standard deviation is that of the mean: points of a group that are wrong together count as such. Exact while
        the warp is linear.
        """
        n_groups, n_points, _ = groups.shape
        blocks = self._scaled(groups.reshape(n_groups * n_points, -1)).reshape(n_groups, n_points, -1)
        cross = np.array([_matern(_distances_between(block, self._features)).mean(axis=0) for block in blocks])
        own = np.array([_matern(_distances_between(block, block)).mean() for block in blocks])
        explained = solve_triangular(self._cholesky, self._signal_variance * cross.T, lower=True, check_finite=False)
        variance = self._signal_variance * own - np.einsum("ij,ij->j", explained, explained)
        mean = self._signal_variance * cross @ self._weights
        return self.warp.moments(mean, np.sqrt(np.maximum(variance, 1e-12)))

    def draws(self, units: Floats, n_draws: int, rng: np.random.Generator) -> Floats:
        """Values of functions drawn from the process at points of shape (m, d), in the unit of the values.

        Shape (n_draws, m). Values of one draw belong together: nearby points are high or low together.
        """
        features = self._scaled(units)
        cross = self._signal_variance * _matern(_distances_between(features, self._features))
        explained = solve_triangular(self._cholesky, cross.T, lower=True, check_finite=False)
        covariance = self._signal_variance * _matern(_distances_between(features, features)) - explained.T @ explained
        variances, axes = np.linalg.eigh(covariance)  # singular where points coincide, which Cholesky does not bear
        factor = axes * np.sqrt(np.maximum(variances, 0.0))
        return self.warp.inverse(cross @ self._weights + rng.standard_normal((n_draws, len(units))) @ factor.T)

    def fitted_targets(self) -> Floats:
        """Mean of the noise-free function at the points that it was fitted on, on the scale of the targets."""
        return self.targets - self._noise_variance * self._weights

    def leave_one_out(self) -> Prediction:
        """What each value was expected to be from all the others, noise included, in the unit of the values.

        Source: Rasmussen and Williams (2006), section 5.4.2. The hyperparameters are not learned again.
        """
        inverse, _ = lapack.dpotri(self._cholesky, lower=1)
        precision = np.diag(inverse)
        return self.warp.moments(self.targets - self._weights / precision, np.sqrt(1 / precision))

    def believing(self, units: Floats) -> GaussianProcess:
        """The process as if these points had been measured and had come out at their mean.

        For trials that are still running: nearby points promise less, and nothing else changes. Source: Ginsbourger, Le
        Riche and Carraro (2010), Kriging Is Well-Suited to Parallelize Optimization.
        """
        if not len(units):
            return self
        targets = np.concatenate([self.targets, self.predict_target(units).mean])
        return replace(self, units=np.vstack([self.units, units]), targets=targets)

    def drawn(self, rng: np.random.Generator) -> JointSample:
        """One function drawn at random from the process, on the scale of the targets."""
        whitened = solve_triangular(self._cholesky, self.targets, lower=True, check_finite=False)
        return JointSample(self, rng, self._features, self._cholesky, whitened)

    def kernel(self, a: Floats, b: Floats) -> Floats:
        """Prior covariance of the function between two sets of embedded points, shape (n, m)."""
        return self._signal_variance * _matern(_distances_between(a, b))

    def embedded(self, units: Floats) -> Floats:
        """Points as the kernel sees them: Euclidean coordinates in length scales, shape (m, k)."""
        return self._scaled(units)

    @property
    def _signal_variance(self) -> float:
        return math.exp(self.theta[-2])

    @property
    def _noise_variance(self) -> float:
        return math.exp(self.theta[-1]) + _NOISE_FLOOR

    @cached_property
    def _features(self) -> Floats:
        return self._scaled(self.units)

    @cached_property
    def _cholesky(self) -> Floats:
        covariance = self._signal_variance * _matern(_distances_between(self._features, self._features))
        covariance[np.diag_indices_from(covariance)] = self._signal_variance + self._noise_variance
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)

    @cached_property
    def _weights(self) -> Floats:
        weights, _ = lapack.dpotrs(self._cholesky, self.targets, lower=1)
        return np.asarray(weights)

    def _scaled(self, units: Floats) -> Floats:
        blocks = _embedding(self.space, units)
        return np.hstack([block / scale for block, scale in zip(blocks, self.length_scales, strict=True)])


class JointSample:
    """A function drawn from a process, revealed where it is asked for.

    Values at all points asked for so far are one joint sample: each call extends the Cholesky factor of the data and of
    what was drawn, so that later values agree with earlier ones. m points after n cost (n + m)^2 m.
    """

    def __init__(
        self, process: GaussianProcess, rng: np.random.Generator, places: Floats, cholesky: Floats, whitened: Floats
    ) -> None:
        self._process, self._rng = process, rng
        self._places, self._cholesky, self._whitened = places, cholesky, whitened

    def __call__(self, units: Floats) -> Floats:
        """Values of the function at points of shape (m, d), on the scale of the targets, shape (m,)."""
        places = self._process.embedded(units)
        n, m = len(self._places), len(places)
        known = solve_triangular(
            self._cholesky, self._process.kernel(self._places, places), lower=True, check_finite=False
        )
        rest = _factor(self._process.kernel(places, places) - known.T @ known)
        fresh = self._rng.standard_normal(m)
        values = known.T @ self._whitened + rest @ fresh
        grown = np.zeros((n + m, n + m))
        grown[:n, :n], grown[n:, :n], grown[n:, n:] = self._cholesky, known.T, rest
        self._places, self._cholesky = np.vstack([self._places, places]), grown
        self._whitened = np.concatenate([self._whitened, fresh])
        return np.asarray(values)


def _factor(covariance: Floats) -> Floats:
    """Cholesky factor of a covariance that may be singular to rounding: the diagonal is raised as little as needed."""
    size = max(float(np.diag(covariance).max()), _NOISE_FLOOR)
    for jitter in (1e-7, 1e-6, 1e-5, 1e-4):
        raised = covariance + jitter * size * np.eye(len(covariance))
        factor, fault = lapack.dpotrf(raised, lower=1, clean=1)
        if not fault:
            return np.asarray(factor)
    return np.diag(np.sqrt(np.maximum(np.diag(covariance), 0.0) + _NOISE_FLOOR))


def fit(
    space: SearchSpace,
    units: Floats,
    values: Floats,
    *,
    seed: int = 0,
    previous: GaussianProcess | None = None,
    warp: WarpKind = "none",
) -> GaussianProcess:
    """The process whose hyperparameters are the most probable, given these values.

    Args:
        space: The search space.
        units: Points as `space.to_unit` gives them, shape (n, d), n at least 1.
        values: Their values, shape (n,), all finite.
        seed: For the random second start of the optimiser.
        previous: A process fitted on fewer trials of the same space: the optimiser starts where that one ended.
        warp: Whether to bend the values towards a normal distribution before anything else.

    Raises:
        UsageError: The arrays do not fit together, or values are not finite.
    """
    units, values = np.asarray(units, dtype=np.float64), np.asarray(values, dtype=np.float64)
    _check(space, units, values)
    warping = Warp.learned(values, warp)
    targets = warping.forward(values)
    with one_thread():
        posterior = HyperPosterior.of(space, units, targets)
        theta = posterior.mode(_starts(space, seed, previous), n_steps=30 if previous is None else 12)
    return GaussianProcess(space=space, units=units, targets=targets, warp=warping, theta=theta)


def given(
    space: SearchSpace, units: Floats, values: Floats, theta: Floats, *, warp: WarpKind = "none"
) -> GaussianProcess:
    """The process with these hyperparameters, given these values; otherwise as `fit`, at a fraction of its cost."""
    warping = Warp.learned(values, warp)
    return GaussianProcess(space=space, units=units, targets=warping.forward(values), warp=warping, theta=theta)


def one_thread() -> AbstractContextManager[object]:
    """Keeps linear algebra on one thread: on busy cores, many small calls wait for threads longer than they work."""
    limit: AbstractContextManager[object] = _thread_pools().limit(limits=1, user_api="blas")
    return limit


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()


def _check(space: SearchSpace, units: Floats, values: Floats) -> None:
    if units.shape != (len(values), len(space)) or len(values) < 1:
        raise UsageError(
            f"A Gaussian process over {len(space)} parameters needs at least one point with {len(space)} coordinates, "
            f"and a value for each; got points of shape {units.shape} and values of shape {values.shape}."
        )
    if not np.isfinite(values).all():
        raise UsageError("A Gaussian process needs finite values; leave out trials that failed.")


def _starts(space: SearchSpace, seed: int, previous: GaussianProcess | None) -> list[Floats]:
    if previous is not None and len(previous.theta) == len(space) + 2:
        return [previous.theta]
    centre, _ = _hyper_prior(len(space))
    shift = np.append(0.5 * np.random.default_rng(seed).standard_normal(len(space)), [0.0, 0.0])
    return [centre, centre + shift]


def _hyper_prior(n_parameters: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the normal prior of theta."""
    length = 0.5 * math.log(max(n_parameters, 1)) - 0.3
    centre = np.array([*[length] * n_parameters, 0.0, math.log(5e-3)])
    return centre, np.array([1.0] * n_parameters + [1.0, 1.5])


@dataclass(frozen=True, eq=False)
class HyperPosterior:
    """Minus the log posterior density of theta, up to a constant, with its gradient.

    Pairs of points are kept once each, in the order of `scipy.spatial.distance.pdist`: half the work of whole matrices.

    Attributes:
        distances: Squared distance of each pair in each parameter at length scale 1, shape (d, n (n - 1) / 2).
        targets: Shape (n,).
        pairs: Position of each pair in a flattened (n, n) matrix.
    """

    distances: Floats
    targets: Floats
    pairs: NDArray[np.intp]

    @staticmethod
    def of(space: SearchSpace, units: Floats, targets: Floats) -> HyperPosterior:
        n = len(targets)
        rows, columns = np.triu_indices(n, 1)
        blocks = [pdist(block, "sqeuclidean") if n > 1 else np.empty(0) for block in _embedding(space, units)]
        return HyperPosterior(np.reshape(blocks, (len(space), -1)), targets, rows * n + columns)

    def mode(self, starts: list[Floats], n_steps: int) -> Floats:
        """The most probable theta that L-BFGS-B finds from these starts."""
        n_parameters = len(self.distances)
        limits = [_LENGTH_LIMITS] * n_parameters + [_SIGNAL_LIMITS, _NOISE_LIMITS]
        objective: Callable[[Floats], tuple[float, Floats]] = self
        runs = [
            minimize(objective, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": n_steps})
            for start in starts
        ]
        return np.asarray(min(runs, key=lambda run: float(run.fun)).x)

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        """The value and its gradient, shape (d + 2,), at theta."""
        n = len(self.targets)
        inverse_squares = np.exp(-2 * theta[:-2])
        signal, noise = math.exp(theta[-2]), math.exp(theta[-1])
        r = np.sqrt(5 * (inverse_squares @ self.distances))
        decay = signal * np.exp(-r)
        covariance = (1 + r * (1 + r / 3)) * decay

        matrix = np.zeros((n, n))
        matrix.ravel()[self.pairs] = covariance
        matrix[np.diag_indices(n)] = signal + noise + _NOISE_FLOOR
        # LAPACK wants columns: the transposed view of an upper triangle in rows is the lower one in columns.
        cholesky, _ = lapack.dpotrf(matrix.T, lower=1, overwrite_a=1)
        weights, _ = lapack.dpotrs(cholesky, self.targets, lower=1)
        value = 0.5 * self.targets @ weights + np.log(np.diag(cholesky)).sum()
        inverse, _ = lapack.dpotri(cholesky, lower=1, overwrite_c=1)

        pull = np.outer(weights, weights).ravel()[self.pairs] - inverse.T.ravel()[self.pairs]
        pull_diagonal = float(weights @ weights - np.trace(inverse))
        gradient = np.empty_like(theta)
        gradient[:-2] = -5 / 3 * inverse_squares * (self.distances @ (pull * (1 + r) * decay))
        gradient[-2] = -(pull @ covariance) - 0.5 * signal * pull_diagonal
        gradient[-1] = -0.5 * noise * pull_diagonal
        centre, width = _hyper_prior(len(self.distances))
        deviation = (theta - centre) / width
        return float(value + 0.5 * deviation @ deviation), gradient + deviation / width


def _embedding(space: SearchSpace, units: Floats) -> list[Floats]:
    """Euclidean coordinates of points, one block of shape (n, k) for each parameter; see the module's docstring."""
    blocks: list[Floats] = []
    for p, unit in zip(space.parameters, np.asarray(units).T, strict=True):
        is_active = ~np.isnan(unit)
        if isinstance(p, Categorical):
            corners = np.eye(len(p.choices)) * math.sqrt(0.5)
            index = np.minimum(np.where(is_active, unit, 0.0) * len(p.choices), len(p.choices) - 1).astype(int)
            blocks.append(corners[index] * is_active[:, None])
        elif p.when is None:
            blocks.append(unit[:, None])
        else:
            blocks.append(np.column_stack([np.where(is_active, unit, 0.5), _INACTIVE_OFFSET * is_active]))
    return blocks


def _distances_between(a: Floats, b: Floats) -> Floats:
    """Euclidean distances, shape (n, m), by one matrix product."""
    squares = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _matern(distances: Floats) -> Floats:
    r = math.sqrt(5.0) * distances
    return np.asarray((1 + r * (1 + r / 3)) * np.exp(-r))
