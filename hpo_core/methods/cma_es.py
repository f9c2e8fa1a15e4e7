"""Covariance matrix adaptation evolution strategy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from cmaes import CMA, get_warm_start_mgd
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.errors import UsageError
from hpo_core.methods import Capabilities, History, SearchMethod, SpaceSampler, Strengths, record_thought, thought_of
from hpo_core.options import option
from hpo_core.space import Categorical, Configuration, SearchSpace

Floats = NDArray[np.float64]

# A generation narrower than this, in widths of the ranges, has found its minimum for any purpose of tuning.
_FINEST_WIDTH = 1e-4
_MOST_AXES = 20
_DIGITS = 6


@dataclass(frozen=True)
class CmaEs(SearchMethod):
    """CMA-ES over the numeric parameters that are always active; the others are drawn at random."""

    key: ClassVar[str] = "cma_es"
    label: ClassVar[str] = "CMA-ES"
    purpose: ClassVar[str] = "Moves a cloud of configurations downhill and learns its shape from the better half."
    when_to_use: ClassVar[str] = (
        "Numeric parameters that interact, and hundreds of cheap trials. Categories and conditional parameters are "
        "drawn at random, so use another method when these matter."
    )
    source: ClassVar[str] = (
        "Hansen and Ostermeier (2001), Completely Derandomized Self-Adaptation in Evolution Strategies; restarts by "
        "Auger and Hansen (2005), A Restart CMA Evolution Strategy With Increasing Population Size; start from known "
        "trials by Nomura et al. (2021), Warm Starting CMA-ES for Hyperparameter Optimization"
    )
    strengths: ClassVar[Strengths] = Strengths(fewest=100, surface="smooth")
    capabilities: ClassVar[Capabilities] = Capabilities(kinds=("float", "int"))

    sigma: float = option(
        0.25, "First step", "Standard deviation of the first cloud, in widths of the ranges.", low=0.01, high=1.0
    )
    population: int = option(
        0,
        "Population",
        "Trials in each generation, at least 4; 0 chooses by the number of parameters.",
        low=0,
        high=1000,
    )
    growth: int = option(
        2, "Growth at restarts", "What the population is multiplied by when the cloud has converged.", low=1, high=10
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return _CmaEsSampler(self, space, seed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        n_usable = len(_usable_columns(space))
        if n_usable >= 2:
            return None
        return (
            "CMA-ES learns how numeric parameters vary together, so it needs at least two that are always active and "
            f"not fixed; this search space has {n_usable}. Use another method, or widen the search space."
        )


def _usable_columns(space: SearchSpace) -> list[int]:
    return [
        column
        for column, p in enumerate(space.parameters)
        if not isinstance(p, Categorical) and p.when is None and not p.distribution().single()
    ]


class _CmaEsSampler(SpaceSampler):
    """Tells a generation as soon as enough of the trials that it asked for have come back, in whatever order.

    Trials that others made (a person, an earlier run of this search) are not told: one far from the cloud would blow it
    up. They set where the first cloud lies, and move it when they are better than everything before.
    """

    def __init__(self, method: CmaEs, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._method = method
        self._columns = _usable_columns(space)
        self._history = History(space)
        self._n_read = 0
        self._n_clouds = 0
        self._generation: int | None = None
        self._recorded = (0, 0)
        self._best = math.inf
        self._asked: dict[int, Floats] = {}
        self._results: list[tuple[Floats, float]] = []
        self._cloud: CMA | None = None
        self._has_converged = False

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        self._learn()
        rng = self.rng(trial)
        cloud = self._cloud or self._cloud_around_history()
        if self._has_converged or cloud.should_stop():
            cloud = self._cloud_elsewhere(cloud.population_size, rng)
        self._cloud = cloud
        cloud.reseed_rng(int(rng.integers(2**32)))
        self._asked[trial.number] = cloud.ask()
        point = rng.random(len(self.space))
        point[self._columns] = self._asked[trial.number]
        self._record(study, trial, cloud)
        return self.space.from_unit(point)

    def _learn(self) -> None:
        """Hand over what has come back since the last time."""
        news, self._n_read = self._history.observations[self._n_read :], len(self._history.observations)
        for number, _, value in sorted(news, key=lambda observation: observation.number):
            if number in self._asked:
                self._tell(self._asked.pop(number), value)
            elif value < self._best:
                self._cloud = None
            self._best = min(self._best, value)
        if self._cloud is None:
            self._asked, self._results = {}, []

    def _tell(self, x: Floats, value: float) -> None:
        self._results.append((x, value))
        if self._cloud is not None and len(self._results) >= self._cloud.population_size:
            n = self._cloud.population_size
            generation, self._results = self._results[:n], self._results[n:]
            self._has_converged = bool(np.ptp([x for x, _ in generation], axis=0).max() < _FINEST_WIDTH)
            self._cloud.tell(generation)

    def _record(self, study: Study, trial: FrozenTrial, cloud: CMA) -> None:
        """The generation; with its first trial also the cloud that all of it are drawn from."""
        now = (self._n_clouds, cloud.generation)
        is_first = self._generation is None or now != self._recorded
        if self._generation is None:
            self._generation = _newest_generation(study, self._method.key) + 1
        elif is_first:
            self._generation += 1
        self._recorded = now
        stage, why = f"generation {self._generation}", _reason(cloud, is_new=is_first and cloud.generation == 0)
        shape = self._shape(cloud) if is_first else {}
        basics = {"method": self._method.key, "generation": self._generation, "operator": "cloud"}
        record_thought(study, trial, **basics, stage=stage, why=why, **shape)

    def _shape(self, cloud: CMA) -> dict[str, Any]:
        """Mean and spread in the unit cube; with few parameters also the covariance, sigma^2 C, row by row."""
        # cmaes 0.13 has no public way to read sigma and C.
        shape = {
            "axes": [self.space.names[column] for column in self._columns],
            "mean": np.round(cloud.mean, _DIGITS).tolist(),
            "sigma": round(float(cloud._sigma), _DIGITS),
        }
        if len(self._columns) <= _MOST_AXES:
            covariance = cloud._sigma**2 * cloud._C
            shape["covariance"] = [[float(f"{entry:.4g}") for entry in row] for row in covariance.tolist()]
        return shape

    def _cloud_around_history(self) -> CMA:
        population = max(self._method.population, 4) if self._method.population else None
        known = [(point[self._columns], value) for _, point, value in self._history.observations]
        if len(known) < 2 * len(self._columns):
            best = min(known, key=lambda pair: pair[1])[0] if known else np.full(len(self._columns), 0.5)
            return self._new_cloud(best, self._method.sigma, None, population)
        n_best = max(len(self._columns), len(known) // 10)
        mean, sigma, covariance = get_warm_start_mgd(known, gamma=(n_best + 0.5) / len(known))
        return self._new_cloud(mean, sigma, covariance, population)

    def _cloud_elsewhere(self, population: int, rng: np.random.Generator) -> CMA:
        self._asked, self._results = {}, []
        mean = rng.random(len(self._columns))
        return self._new_cloud(mean, self._method.sigma, None, population * self._method.growth)

    def _new_cloud(self, mean: Floats, sigma: float, covariance: Floats | None, population: int | None) -> CMA:
        self._has_converged = False
        self._n_clouds += 1
        bounds = np.tile([0.0, 1.0], (len(mean), 1))
        return CMA(
            mean=np.clip(mean, 0.0, 1.0), sigma=sigma, bounds=bounds, cov=covariance, population_size=population, seed=0
        )


def _newest_generation(study: Study, key: str) -> int:
    thoughts = [thought_of(trial) for trial in study.get_trials(deepcopy=False)]
    return max((int(t["generation"]) for t in thoughts if t.get("method") == key), default=-1)


def _reason(cloud: CMA, *, is_new: bool) -> str:
    if is_new:
        return (
            f"The first of a new cloud of {cloud.population_size} a generation, {cloud._sigma:.2g} of the ranges wide."
        )
    return f"Drawn from a cloud {cloud._sigma:.2g} of the ranges wide, moved {cloud.generation} times so far."


CMA_ES = CmaEs()
