"""Bayesian optimisation with a Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from hpo_core import gaussian_process
from hpo_core.acquisition import ACQUISITIONS, Promise
from hpo_core.cube import Cube
from hpo_core.methods import Capabilities, History, SearchMethod, SpaceSampler
from hpo_core.options import option
from hpo_core.space import Categorical, Configuration, SearchSpace

Floats = NDArray[np.float64]

# "nearby" asks no model: a guard against one that is wrong, as when it takes ripples for noise.
_MIX = ("log_ei", "lcb", "log_ei", "nearby", "log_ei", "pi", "log_ei", "nearby")
_MOST_TRIALS = 300
# In standard deviations of the warped values; less is not worth a trial. Without it, the search polishes the eighth
# digit of the best basin instead of looking for a better one (Lizotte, 2008, Practical Bayesian Optimization).
_LEAST_IMPROVEMENT = 0.01
_MOST_ENUMERATED = 2000
_FULL_FIT_EVERY = 10
_REFINEMENTS = (0.15, 0.07, 0.03, 0.015)


@dataclass(frozen=True)
class GaussianProcessSearch(SearchMethod):
    """A process over the whole space, conditions included, and the candidate that promises most under it."""

    key: ClassVar[str] = "gaussian_process"
    label: ClassVar[str] = "Gaussian process"
    purpose: ClassVar[str] = "Fits a smooth surface with error bars to the results, and tries where it promises most."
    when_to_use: ClassVar[str] = (
        "Costly fits: it needs the fewest trials, up to some 200 of them and some 20 parameters. Beyond that TPE is as "
        "good and quicker to decide."
    )
    source: ClassVar[str] = (
        "Jones, Schonlau and Welch (1998), Efficient Global Optimization; logarithm of the expected improvement after "
        "Ament et al. (2023), Unexpected Improvements to Expected Improvement"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)

    acquisition: str = option(
        "mix",
        "Acquisition",
        "How promise is measured: expected improvement (log_ei), an optimistic bound (lcb), the chance of any "
        "improvement (pi), or these in turn with random changes to the best trials (mix).",
        choices=("mix", *ACQUISITIONS),
    )
    n_initial: int = option(
        0,
        "Trials first",
        "Evenly spread trials before the first surface; 0 takes one more than there are parameters, and 8 at least.",
        low=0,
        high=1000,
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _GaussianProcessSampler(self, space, seed)


class _GaussianProcessSampler(SpaceSampler):
    def __init__(self, method: GaussianProcessSearch, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._acquisition = method.acquisition
        self._n_initial = method.n_initial or max(8, len(space) + 1)
        self._history = History(space)
        self._candidates = _Candidates(space)
        self._process: gaussian_process.GaussianProcess | None = None

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        n_known = len(self._history.observations)
        if n_known < 2 or n_known + len(self._history.running) < self._n_initial:
            return self.space.from_unit(self._spread_point(trial))
        rng, rule = self.rng(trial), self._rule(trial)
        point = self._near_the_best(rng) if rule == "nearby" else None
        if point is None:
            with gaussian_process.one_thread():
                point = self._most_promising(rng, "log_ei" if rule == "nearby" else rule)
        return self.space.from_unit(np.nan_to_num(point, nan=0.5))

    def _spread_point(self, trial: FrozenTrial) -> Floats:
        sequence = qmc.Sobol(max(len(self.space), 1), rng=self.seed)
        if trial.number:
            sequence.fast_forward(trial.number)
        return np.asarray(sequence.random(1)[0][: len(self.space)])

    def _rule(self, trial: FrozenTrial) -> str:
        return _MIX[trial.number % len(_MIX)] if self._acquisition == "mix" else self._acquisition

    def _near_the_best(self, rng: np.random.Generator) -> Floats | None:
        """One of the best tenth of the trials with a few parameters changed at random."""
        known = sorted(self._history.observations, key=lambda observation: observation.value)
        best = np.array([observation.point for observation in known[: min(max(len(known) // 10, 2), 10)]])
        return self._first_unseen(self._candidates.nearby(best, 50, 0.1, rng))

    def _most_promising(self, rng: np.random.Generator, rule: str) -> Floats:
        process = self._fitted(rng)
        means = process.fitted_targets()
        imagined = process.believing(np.reshape(self._history.running, (-1, len(self.space))))
        promise = Promise(imagined, incumbent=float(means.min()) - _LEAST_IMPROVEMENT, rule=rule)
        good = process.units[np.argsort(means)[:5]]
        point = self._first_unseen(self._candidates.ranked(promise, good, rng))
        return rng.random(len(self.space)) if point is None else point

    def _first_unseen(self, points: Floats) -> Floats | None:
        return next((point for point in points if not self._history.has_seen(point)), None)

    def _fitted(self, rng: np.random.Generator) -> gaussian_process.GaussianProcess:
        units = np.array([observation.point for observation in self._history.observations])
        values = np.array([observation.value for observation in self._history.observations])
        values = _without_disasters(values, self._n_initial)
        chosen = _most_useful(values)
        is_due = len(values) % _FULL_FIT_EVERY == 0
        self._process = gaussian_process.fit(
            self.space,
            units[chosen],
            values[chosen],
            seed=int(rng.integers(2**32)),
            previous=None if is_due else self._process,
            warp="yeo_johnson",
        )
        return self._process


class _Candidates:
    """Legal points to weigh: all of a small finite space; else random ones and neighbours of good ones, refined."""

    def __init__(self, space: SearchSpace) -> None:
        self._cube = Cube(space)
        self._all = self._cube.all_points(_MOST_ENUMERATED)
        self._is_categorical = np.array([isinstance(p, Categorical) for p in space.parameters], dtype=bool)

    def ranked(self, promise: Promise, good: Floats, rng: np.random.Generator) -> Floats:
        """Candidates by falling promise; `good` are the best known points, best first."""
        if self._all is not None:
            return self._all[np.argsort(-promise(self._all), kind="stable")]
        points = np.vstack(
            [
                self._cube.snap(rng.random((700, good.shape[1]))),
                self.nearby(good, 400, 0.2, rng),
                self.nearby(good[:1], 200, 0.08, rng),
            ]
        )
        scores = promise(points)
        for width in _REFINEMENTS:
            top = np.argsort(-scores)[:6]
            closer = self.nearby(points[top], 150, width, rng)
            points, scores = np.vstack([points[top], closer]), np.concatenate([scores[top], promise(closer)])
        return points[np.argsort(-scores, kind="stable")]

    def nearby(self, centres: Floats, n: int, width: float, rng: np.random.Generator) -> Floats:
        """Centres with a few coordinates moved: numbers by a normal step, half of them a short one; categories anew."""
        d = centres.shape[1]
        anywhere = rng.random((n, d))
        start = centres[rng.integers(len(centres), size=n)]
        start = np.where(np.isnan(start), anywhere, start)
        is_moved = rng.random((n, d)) < max(1.5 / d, 0.25)
        is_moved[np.arange(n), rng.integers(d, size=n)] = True
        step = rng.standard_normal((n, d)) * width * np.where(rng.random((n, 1)) < 0.5, 1.0, 0.25)
        moved = np.where(self._is_categorical, anywhere, _reflected(start + step))
        return self._cube.snap(np.where(is_moved, moved, start))


def _reflected(units: Floats) -> Floats:
    """Points beyond a face of the cube, mirrored back into it."""
    return np.asarray(1 - np.abs(1 - np.abs(units) % 2))


def _without_disasters(values: Floats, n_first: int) -> Floats:
    """Values with the very bad ones cut: a model that diverged must not set the scale for all others.

    The limit lies ten times as far above the median of the first trials as that lies above the best. The first trials
    are spread out; later ones crowd around the best, and would draw the limit down with them.
    """
    best = values.min()
    for middle in (np.median(values[:n_first]), np.quantile(values, 0.9)):
        if middle > best:
            return np.asarray(np.minimum(values, middle + 10 * (middle - best)))
    return values


def _most_useful(values: Floats) -> NDArray[np.intp]:
    """Rows to fit on: all while they are few, then the better half of as many as can be afforded and others evenly."""
    if len(values) <= _MOST_TRIALS:
        return np.arange(len(values))
    order = np.argsort(values, kind="stable")
    half = _MOST_TRIALS // 2
    others = np.linspace(half, len(values) - 1, _MOST_TRIALS - half).round().astype(int)
    return np.sort(np.concatenate([order[:half], order[others]]))


GAUSSIAN_PROCESS = GaussianProcessSearch()
