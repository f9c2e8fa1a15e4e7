"""Tree-structured Parzen estimator."""

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import Capabilities, SearchMethod, Strengths
from hpo_core.options import option
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class TreeParzen(SearchMethod):
    """Optuna's sampler, joint over the parameters, and over each branch of a conditional space."""

    key: ClassVar[str] = "tpe"
    label: ClassVar[str] = "TPE"
    purpose: ClassVar[str] = "Learns where good and where bad configurations lie, and goes where good outweighs bad."
    when_to_use: ClassVar[str] = (
        "Spaces with many categories and conditions, more than 20 parameters, or more than some 200 trials. With fewer "
        "trials a Gaussian process is usually ahead."
    )
    source: ClassVar[str] = (
        "Bergstra, Bardenet, Bengio and Kégl (2011), Algorithms for Hyper-Parameter Optimization; joint over "
        "parameters after Falkner, Klein and Hutter (2018), BOHB"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True, is_multi_objective=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, fewest=25)
    cost: ClassVar[str] = "Some 10 ms a trial at 100 trials, 20 ms at 1,000."

    n_startup: int = option(
        10, "Random trials first", "How many trials are drawn at random before the method learns.", low=1, high=1000
    )
    n_candidates: int = option(
        24, "Candidates", "How many candidates are weighed for each trial; more makes it greedier.", low=1, high=1000
    )
    is_joint: bool = option(
        True, "Joint", "Whether parameters are modelled together, so that combinations count, or each on its own."
    )

    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            # Optuna 5.0 marks `group` as experimental; without it, conditional parameters are not modelled jointly.
            warnings.simplefilter("ignore", ExperimentalWarning)
            return _ResumableTPESampler(
                seed,
                n_startup_trials=self.n_startup,
                n_ei_candidates=self.n_candidates,
                multivariate=self.is_joint,
                group=self.is_joint and space.is_conditional,
            )


class _ResumableTPESampler(TPESampler):
    """Draws each trial from a generator of its own: a resumed search does not propose its first trials again."""

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(seed=seed, **options)
        self._seed = seed

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        # Optuna 5.0 has no public way to seed a sampler anew.
        model, startup = np.random.SeedSequence([self._seed, trial.number]).generate_state(2)
        self._rng.rng.seed(int(model))
        self._random_sampler._rng.rng.seed(int(startup))


TPE = TreeParzen()
