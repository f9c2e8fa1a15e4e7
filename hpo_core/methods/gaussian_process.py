"""Bayesian optimisation with a Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from hpo_core import gaussian_process
from hpo_core.acquisition import ACQUISITIONS, KAPPA, THOMPSON, Promise, ThompsonPromise
from hpo_core.methods import Capabilities, History, SearchMethod, SpaceSampler, Strengths, record_thought
from hpo_core.methods._candidates import Candidates, without_disasters
from hpo_core.methods._reasons import model_thought
from hpo_core.options import option
from hpo_core.space import Configuration, SearchSpace

Floats = NDArray[np.float64]

# "nearby" asks no model: a guard against one that is wrong, as when it takes ripples for noise.
_MIX = ("log_ei", "lcb", "log_ei", "nearby", "log_ei", "pi", "log_ei", "nearby")
_MOST_TRIALS = 300
# In standard deviations of the warped values; less is not worth a trial. Without it, the search polishes the eighth
# digit of the best basin instead of looking for a better one (Lizotte, 2008, Practical Bayesian Optimization).
_LEAST_IMPROVEMENT = 0.01
_FULL_FIT_EVERY = 10
# A joint sample of n candidates costs n^3.
_THOMPSON_SHARE = 0.2


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
    strengths: ClassVar[Strengths] = Strengths(
        has_model=True, fewest=10, most=200, most_parameters=20, surface="smooth", goes_on=True
    )
    cost: ClassVar[str] = "Some 40 ms a trial at 100 trials, 130 ms at 1,000."

    acquisition: str = option(
        "mix",
        "Acquisition",
        "How promise is measured: expected improvement (log_ei), an optimistic bound (lcb), the chance of any "
        "improvement (pi), the bottom of one function drawn from the model (thompson), or the first three in turn with "
        "random changes to the best trials (mix).",
        choices=("mix", *ACQUISITIONS, THOMPSON),
    )
    kappa: float = option(
        KAPPA,
        "Optimism of the bound",
        "Only for the bound (lcb): how many standard deviations it lies beyond the mean; more explores more.",
        low=0.0,
        high=10.0,
    )
    xi: float = option(
        _LEAST_IMPROVEMENT,
        "Least improvement",
        "For log_ei and pi: by how many standard deviations of all values a trial must beat the best to count; more "
        "explores more.",
        low=0.0,
        high=3.0,
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
        self._acquisition, self._kappa, self._xi = method.acquisition, method.kappa, method.xi
        self._n_initial = method.n_initial or max(8, len(space) + 1)
        self._history = History(space)
        self._candidates = Candidates(space)
        self._process: gaussian_process.GaussianProcess | None = None

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        n_known = len(self._history.observations)
        if n_known < 2 or n_known + len(self._history.running) < self._n_initial:
            record_thought(study, trial, stage="spread", why=f"One of {self._n_initial} evenly spread trials first.")
            return self.space.from_unit(self._spread_point(trial))
        rng, rule = self.rng(trial), self._rule(trial)
        point = self._near_the_best(rng) if rule == "nearby" else None
        if point is None:
            with gaussian_process.one_thread():
                point, thought = self._most_promising(study, rng, "log_ei" if rule == "nearby" else rule)
        else:
            thought = {
                "stage": "nearby",
                "why": "A random change to one of the best trials, in case the model is wrong.",
            }
        record_thought(study, trial, **thought)
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

    def _most_promising(self, study: Study, rng: np.random.Generator, rule: str) -> tuple[Floats, dict[str, Any]]:
        """The point to try, and what to record of it."""
        process = self._fitted(rng)
        means = process.fitted_targets()
        imagined = process.believing(np.reshape(self._history.running, (-1, len(self.space))))
        promise: Promise | ThompsonPromise
        if rule == THOMPSON:
            promise, share = ThompsonPromise(imagined.drawn(rng)), _THOMPSON_SHARE
        else:
            promise, share = Promise(imagined, float(means.min()) - self._xi, rule, self._kappa), 1.0
        good = process.units[np.argsort(means)[:5]]
        point = self._first_unseen(self._candidates.ranked(promise, good, rng, share))
        if point is None:
            return rng.random(len(self.space)), {"stage": "random", "why": "All that the model weighed had been tried."}
        at = point[None]
        mean, sd = imagined.predict(at)
        best = min(observation.value for observation in self._history.observations)
        return point, model_thought(study, mean[0], sd[0], process.noise, promise(at)[0], rule, best)

    def _first_unseen(self, points: Floats) -> Floats | None:
        return next((point for point in points if not self._history.has_seen(point)), None)

    def _fitted(self, rng: np.random.Generator) -> gaussian_process.GaussianProcess:
        units = np.array([observation.point for observation in self._history.observations])
        values = np.array([observation.value for observation in self._history.observations])
        values = without_disasters(values, self._n_initial)
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


def _most_useful(values: Floats) -> NDArray[np.intp]:
    """Rows to fit on: all while they are few, then the better half of as many as can be afforded and others evenly."""
    if len(values) <= _MOST_TRIALS:
        return np.arange(len(values))
    order = np.argsort(values, kind="stable")
    half = _MOST_TRIALS // 2
    others = np.linspace(half, len(values) - 1, _MOST_TRIALS - half).round().astype(int)
    return np.sort(np.concatenate([order[:half], order[others]]))


GAUSSIAN_PROCESS = GaussianProcessSearch()
