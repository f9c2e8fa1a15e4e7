"""BOHB: Hyperband with a model of where good configurations lie."""

from __future__ import annotations

import contextlib
import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import RandomSampler, TPESampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from hpo_core.errors import ConfigurationError
from hpo_core.methods import Capabilities, Strengths, thought_of
from hpo_core.methods._rungs import Brackets, BracketSampler, RungMethod, hyperband_brackets, key_of
from hpo_core.options import option
from hpo_core.schedule import Schedule
from hpo_core.space import Configuration, SearchSpace

_GOOD_SHARE = 0.15
_MOST_DROPPED = 200
_MODEL_DRAWS = 3  # before a draw at random, when the model proposes what was tried


@dataclass(frozen=True)
class ModelledHyperband(RungMethod):
    """Hyperband whose new configurations come from TPE on the highest resource with enough trials."""

    key: ClassVar[str] = "bohb"
    label: ClassVar[str] = "BOHB"
    purpose: ClassVar[str] = "Hyperband that learns: its new configurations come from TPE instead of chance."
    when_to_use: ClassVar[str] = (
        "Models that take long to train, with budget for more than one round of brackets: Hyperband's quick start, and "
        "TPE's aim later on."
    )
    source: ClassVar[str] = (
        "Falkner, Klein and Hutter (2018), BOHB: Robust and Efficient Hyperparameter Optimization at Scale"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, fewest=60, is_partial=True, waits=True)
    cost: ClassVar[str] = "20 ms a trial at 100 trials, a quarter of a second at 1,000; most fits are partial."

    random_share: float = option(
        0.333,
        "Share at random",
        "Share of new configurations drawn at random, lest the model mislead.",
        low=0.0,
        high=1.0,
    )
    n_candidates: int = option(
        64, "Candidates", "How many candidates of the model are weighed for each configuration.", low=1, high=1000
    )

    def brackets(self) -> Brackets:
        """Hyperband's."""
        return hyperband_brackets(self.eta, self.smallest)

    def rung_sampler(self, space: SearchSpace, seed: int, noun: str) -> BracketSampler:
        return _ModelledSampler(space, seed, self.scheme(), noun, self)


class _ModelledSampler(BracketSampler):
    def __init__(self, space: SearchSpace, seed: int, scheme: str, noun: str, method: ModelledHyperband) -> None:
        super().__init__(space, seed, scheme, noun, method.brackets())
        self._method = method
        self._levels = _Levels(space)
        self._distributions = space.distributions()
        self._n_least = len(space) + 1  # trials that a density takes

    def newcomer(self, study: Study, trial: FrozenTrial, rng: np.random.Generator, attempt: int) -> Configuration:
        self._levels.read(study)
        by_chance = super().newcomer(study, trial, rng, attempt)
        resource = self._levels.highest(self._n_least + 2)
        if resource is None or rng.random() < self._method.random_share or attempt >= _MODEL_DRAWS:
            return by_chance
        # Some parameters are not modelled: inactive in all trials so far, or with one value only.
        found = self._modelled(resource, int(rng.integers(2**31)))
        return self.space.check(self.space.active({**self.space.defaults(), **by_chance, **found}))

    def _modelled(self, resource: float, seed: int) -> Configuration:
        scored = self._levels.at(resource)
        n_good = max(self._n_least, math.ceil(_GOOD_SHARE * len(scored)))
        known = optuna.create_study(sampler=RandomSampler(0))
        # Survivors alone look alike: without the dropped, what is bad would lie where what is good does.
        dropped = self._levels.dropped(resource, self._method.eta)
        for rank, configuration in enumerate([*(c for _, c in scored), *dropped[:_MOST_DROPPED]]):
            distributions = {name: self._distributions[name] for name in configuration}
            known.add_trial(optuna.create_trial(params=configuration, distributions=distributions, value=float(rank)))
        model = self._model(seed, n_good)
        asking = known.ask()
        frozen = known.get_trials(deepcopy=False)[asking.number]
        return model.sample_relative(known, frozen, model.infer_relative_search_space(known, frozen))

    def _model(self, seed: int, n_good: int) -> TPESampler:
        with warnings.catch_warnings():
            # Optuna 5.0 marks `group` as experimental; without it, conditional parameters are not modelled jointly.
            warnings.simplefilter("ignore", ExperimentalWarning)
            model = TPESampler(
                seed=seed,
                n_startup_trials=1,
                n_ei_candidates=self._method.n_candidates,
                multivariate=True,
                group=self.space.is_conditional,
            )
        model._gamma = lambda n: n_good  # as an argument, Optuna has deprecated it (4.9)
        return model


class _Levels:
    """The scored trials of a study by their resource, read incrementally; lower scores are better."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._taken: set[int] = set()
        self._n_settled = 0
        self._scores: dict[float, dict[str, tuple[float, Configuration]]] = {}

    def at(self, resource: float) -> list[tuple[float, Configuration]]:
        """Scores and configurations at one resource, best first."""
        return sorted(self._scores[resource].values(), key=lambda scored: scored[0])

    def dropped(self, resource: float, eta: int) -> list[Configuration]:
        """Those not among the best 1/eta of their level that came no further than below this one, highest first."""
        found: list[Configuration] = []
        reached = set(self._scores[resource])
        for level in sorted((r for r in self._scores if r < resource), reverse=True):
            ordered = self.at(level)
            found += [c for _, c in ordered[-(-len(ordered) // eta) :] if key_of(c) not in reached]
            reached |= set(self._scores[level])
        return found

    def highest(self, n_least: int) -> float | None:
        """The highest resource with so many configurations; None where there is none."""
        return max((resource for resource, scored in self._scores.items() if len(scored) >= n_least), default=None)

    def read(self, study: Study) -> None:
        """Take in what is new, leaving out trials in flight."""
        sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
        trials = study.get_trials(deepcopy=False)
        while self._n_settled < len(trials) and trials[self._n_settled].number in self._taken:
            self._n_settled += 1
        for trial in trials[self._n_settled :]:
            if trial.number not in self._taken and trial.state.is_finished():
                self._taken.add(trial.number)
                self._take(trial, sign)

    def _take(self, trial: FrozenTrial, sign: float) -> None:
        if trial.state == TrialState.FAIL or trial.value is None or not math.isfinite(trial.value):
            return
        with contextlib.suppress(ConfigurationError):
            configuration = self._space.check(trial.params)
            level = self._scores.setdefault(Schedule.of_thought(thought_of(trial)).resource, {})
            level[key_of(configuration)] = (sign * trial.value, configuration)


BOHB = ModelledHyperband()
