"""Auto: chooses among the lab's samplers trial by trial, and says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from hpo_core.cube import Cube
from hpo_core.methods import Capabilities, History, SearchMethod, Strengths, record_thought, thought_of
from hpo_core.methods.gaussian_process import GaussianProcessSearch
from hpo_core.methods.sobol import SobolSearch
from hpo_core.methods.tpe import TreeParzen
from hpo_core.options import option
from hpo_core.space import SearchSpace

_SOBOL, _PROCESS, _TPE = "Sobol", "Gaussian process", "TPE"
_MOST_PARAMETERS = 20
_MOST_TRIALS = 300
_MOST_BRANCHES = 4
_PROBES = 512
_TPE_EVERY = 3


class _Choice(NamedTuple):
    stage: str
    why: str


@dataclass(frozen=True)
class Auto(SearchMethod):
    """Evenly spread points, then a Gaussian process and TPE in turn on one history; TPE alone where it is better.

    Trials race against the best, fold by fold, and the best of them are scored again on fresh folds at the end.
    """

    key: ClassVar[str] = "auto"
    label: ClassVar[str] = "Auto"
    purpose: ClassVar[str] = "Chooses the method for each trial by the space and what is known, and says why."
    when_to_use: ClassVar[str] = (
        "Whenever there is no reason for another: it starts evenly spread, then mixes a Gaussian process with TPE, and "
        "leaves large or much branched spaces to TPE."
    )
    source: ClassVar[str] = (
        "A recipe of this lab from Sobol (1967), On the distribution of points in a cube; Jones, Schonlau and Welch "
        "(1998), Efficient Global Optimization; Bergstra, Bardenet, Bengio and Kégl (2011), Algorithms for "
        "Hyper-Parameter Optimization"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, goes_on=True)
    cost: ClassVar[str] = "Some 40 ms a trial, and the finalists round at the end."
    pruning: ClassVar[str] = "race"

    n_initial: int = option(
        0,
        "Trials first",
        "Evenly spread trials before any model; 0 takes one more than there are parameters, and 8 at least.",
        low=0,
        high=1000,
    )
    finalists: int = option(
        3,
        "Finalists",
        "So many of the best are scored again on fresh folds when the budget is spent, with the default and the "
        "person's best; these fits come on top of the budget. 0 leaves it out.",
        low=0,
        high=20,
    )

    @property
    def n_finalists(self) -> int:
        return self.finalists

    def sampler(self, space: SearchSpace, seed: int) -> BaseSampler:
        return _AutoSampler(self, space, seed)


def n_branches(space: SearchSpace) -> int:
    """How many different sets of active parameters configurations of the space have, as far as 512 of them show."""
    if not space.is_conditional:
        return 1
    points = Cube(space).snap(np.random.default_rng(0).random((_PROBES, len(space))))
    return len(np.unique(np.isnan(points), axis=0))


class _AutoSampler(BaseSampler):
    """Hands each trial to one of three samplers, which all read the same study."""

    def __init__(self, method: Auto, space: SearchSpace, seed: int) -> None:
        self._n_first = method.n_initial or max(8, len(space) + 1)
        self._history = History(space)
        self._default = space.to_unit([space.default()])[0]
        self._why_always_tpe = _why_always_tpe(space)
        self._samplers: dict[str, BaseSampler] = {
            _SOBOL: SobolSearch().sampler(space, seed),
            _PROCESS: GaussianProcessSearch(n_initial=self._n_first).sampler(space, seed),
            _TPE: TreeParzen().sampler(space, seed),
        }
        self._choices: dict[int, _Choice] = {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._choices[trial.number] = self._choice(study, trial)
        self._sampler_of(trial).before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler_of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        proposed = self._sampler_of(trial).sample_relative(study, trial, search_space)
        stage, why = self._choices[trial.number]
        # The process has recorded its prediction and its own reason: they stay, behind the reason for choosing it.
        reason = _thought_so_far(study, trial).get("why", "") if stage == _PROCESS else ""
        record_thought(study, trial, stage=stage, why=f"{why} {reason}".strip())
        return proposed

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        self._raise_error_if_multi_objective(study)
        return self._sampler_of(trial).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._sampler_of(trial).after_trial(study, trial, state, values)
        self._choices.pop(trial.number, None)

    def _sampler_of(self, trial: FrozenTrial) -> BaseSampler:
        choice = self._choices.get(trial.number)
        return self._samplers[choice.stage if choice else _SOBOL]

    def _choice(self, study: Study, trial: FrozenTrial) -> _Choice:
        if self._why_always_tpe:
            return _Choice(_TPE, f"TPE alone: {self._why_always_tpe}.")
        self._history.read(study, trial)
        n_known = len(self._history.observations)
        if n_known > _MOST_TRIALS:
            return _Choice(_TPE, f"TPE alone: more than {_MOST_TRIALS} trials are known.")
        n_spread = n_known + len(self._history.running) - self._history.has_seen(self._default)
        if n_known < 2 or n_spread < self._n_first:
            return _Choice(_SOBOL, f"Sobol: evenly spread, until {self._n_first} trials beside the default are known.")
        if _n_modelled(study, trial) % _TPE_EVERY == _TPE_EVERY - 1:
            return _Choice(_TPE, "TPE: every third trial, as a second opinion on the same history.")
        return _Choice(_PROCESS, "Gaussian process: it learns most from few trials.")


def _thought_so_far(study: Study, trial: FrozenTrial) -> Mapping[str, Any]:
    """What was recorded of a trial since it was handed to the sampler, whose copy of it does not change."""
    return thought_of(study.get_trials(deepcopy=False)[trial.number])


def _why_always_tpe(space: SearchSpace) -> str | None:
    if len(space) > _MOST_PARAMETERS:
        return f"{len(space)} parameters are more than {_MOST_PARAMETERS}"
    branches = n_branches(space)
    return f"the space has {branches} branches, more than {_MOST_BRANCHES}" if branches > _MOST_BRANCHES else None


def _n_modelled(study: Study, asking: FrozenTrial) -> int:
    """How many trials of the study were proposed by the two models in turn, in this search or before."""
    trials = study.get_trials(deepcopy=False)
    return sum(thought_of(t).get("stage") in (_PROCESS, _TPE) for t in trials if t.number != asking.number)


AUTO = Auto()
