"""Optuna's own Gaussian-process sampler, where torch is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.discovery import why_not_installed
from hpo_core.errors import UsageError
from hpo_core.methods import Capabilities, SearchMethod, Strengths
from hpo_core.options import option
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class OptunaGaussianProcess(SearchMethod):
    """Optuna's `GPSampler`; parameters that only some configurations use are drawn at random."""

    key: ClassVar[str] = "optuna_gp"
    label: ClassVar[str] = "Optuna's GPSampler"
    purpose: ClassVar[str] = "Optuna's Gaussian process with expected improvement, in torch; a peer for comparison."
    when_to_use: ClassVar[str] = (
        "To compare with Optuna itself, on spaces without conditions. It needs torch, and a third of a second for each "
        "proposal at 100 trials."
    )
    source: ClassVar[str] = (
        "Akiba et al. (2019), Optuna: A Next-generation Hyperparameter Optimization Framework; logarithm of the "
        "expected improvement after Ament et al. (2023)"
    )
    capabilities: ClassVar[Capabilities] = Capabilities()
    strengths: ClassVar[Strengths] = Strengths(
        has_model=True, fewest=10, most=100, most_parameters=20, surface="smooth", is_peer=True
    )
    cost: ClassVar[str] = "A third of a second a trial at 100 trials, and torch."

    n_startup: int = option(
        10, "Random trials first", "How many trials are drawn at random before the first surface.", low=1, high=1000
    )
    is_deterministic: bool = option(
        False, "No noise", "Whether the same configuration always gives the same value, as on a landscape."
    )

    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        import warnings

        from optuna.exceptions import ExperimentalWarning

        with warnings.catch_warnings():
            # Optuna 5.0 marks `deterministic_objective` as experimental.
            warnings.simplefilter("ignore", ExperimentalWarning)
            return _ResumableGPSampler(
                seed, n_startup_trials=self.n_startup, deterministic_objective=self.is_deterministic
            )

    def why_unavailable(self, space: SearchSpace) -> str | None:
        return why_not_installed("torch", package="torch")


class _ResumableGPSampler(GPSampler):
    """Draws each trial from a generator of its own: a resumed search does not propose its first trials again."""

    def __init__(self, seed: int, **options: Any) -> None:
        self._startup = RandomSampler(seed=seed)
        super().__init__(seed=seed, independent_sampler=self._startup, warn_independent_sampling=False, **options)
        self._seed = seed

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        # Optuna 5.0 has no public way to seed a sampler anew.
        model, startup = np.random.SeedSequence([self._seed, trial.number]).generate_state(2)
        self._rng.rng.seed(int(model))
        self._startup._rng.rng.seed(int(startup))
        # Its kernels are fitted from where the last fit ended, which a resumed search does not know.
        self._gprs_cache_list = None
        super().before_trial(study, trial)


OPTUNA_GP = OptunaGaussianProcess()
