"""Any method first, then a local search around the best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from hpo_core.errors import UsageError
from hpo_core.formats import format_count
from hpo_core.methods import METHODS, Capabilities, SearchExhausted, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._stages import Stage, StagedSampler
from hpo_core.options import option
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace

_FINEST_STEP = 1e-3
_DRAWS = 20
_FIRST = ("tpe", "random", "sobol", "halton", "latin_hypercube", "grid", "gaussian_process", "cma_es")


@dataclass(frozen=True)
class ThenLocal(SearchMethod):
    """A global method for a number of trials, then pattern search around the best: a step up and down each number and
    another choice of each category; to the best when it is better, half the step when none is.
    """

    key: ClassVar[str] = "then_local"
    label: ClassVar[str] = "Then local"
    purpose: ClassVar[str] = "Lets another method find a good region, then improves the best by ever smaller steps."
    when_to_use: ClassVar[str] = (
        "Cheap fits with little noise, when the last digits count: random or grid search first, steps after. With "
        "noisy scores the small steps chase luck, and a Gaussian process is the better choice."
    )
    source: ClassVar[str] = (
        "Hooke and Jeeves (1961), Direct Search Solution of Numerical and Statistical Problems; Kolda, Lewis and "
        "Torczon (2003), Optimization by Direct Search: New Perspectives on Some Classical and Modern Methods"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=30, surface="smooth", goes_on=True)

    first: str = option("tpe", "First", "The method that finds the region.", choices=_FIRST)
    n_first: int = option(
        25,
        "Trials of the first",
        "After so many trials of the first method the local search begins.",
        low=1,
        high=10_000,
    )
    step: float = option(0.1, "First step", "Length of the first steps, in widths of the ranges.", low=0.002, high=0.5)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return _ThenLocalSampler(self, space, seed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        return METHODS[self.first].why_unavailable(space)


class _ThenLocalSampler(StagedSampler):
    """Decides on the stage before a trial, and leaves the trial to the first method's own sampler in its stage."""

    def __init__(self, method: ThenLocal, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed, method.key)
        self._method = method
        self._label = METHODS[method.first].label
        self._first = METHODS[method.first].sampler(space, seed)
        self._is_exhausted = False
        self._stage: Stage | None = None
        self._own: Configuration | None = None

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._raise_error_if_multi_objective(study)
        self._stage = self._own = None
        if "fixed_params" not in trial.system_attrs:
            self._decide(study, trial)
        if self._own is None:
            self._first.before_trial(study, trial)

    def _decide(self, study: Study, trial: FrozenTrial) -> None:
        self.read(study, trial)
        self._stage, found = self.step(trial)
        if not self._is_first(self._stage):
            self._own = found
            return
        try:
            self._first.before_trial(study, trial)
        except SearchExhausted:
            self._is_exhausted = True
            self._stage, self._own = self.step(trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        if self._own is None:
            return self._first.infer_relative_search_space(study, trial)
        return super().infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        self._raise_error_if_multi_objective(study)
        found = self._own if self._own is not None else self._first.sample_relative(study, trial, search_space)
        if self._stage is not None:
            self.log.record(study, trial, self._stage)
        return found

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        self._raise_error_if_multi_objective(study)
        if self._own is None:
            return self._first.sample_independent(study, trial, param_name, param_distribution)
        return super().sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Any) -> None:
        self._first.after_trial(study, trial, state, values)

    def first_stage(self) -> Stage:
        count = format_count(self._method.n_first, "trial")
        return Stage(self._label, f"{self._label} looks for a good region first, for {count}.", {"first": self._label})

    def next_stage(self, stage: Stage) -> Stage:
        best = self.best
        if best is None:
            return stage.then(self._label, "No trial has a value yet to start from, so it goes on.", first=self._label)
        found = f"the best so far is {self.in_words(best)}"
        if self._is_first(stage):
            why = f"{self._label} has had its trials and {found}, so steps of {self._method.step:.2g} of the ranges "
            return self._local(stage, self._method.step, f"{why}are tried from there.")
        step = stage.plan["step"] / 2
        if step < _FINEST_STEP:
            why = f"Steps of {_FINEST_STEP:g} of the ranges make it no better and {found}, so {self._label} goes on."
            return stage.then(self._label, why, first=self._label)
        why = f"No step of {stage.plan['step']:.2g} of the ranges makes it better; {found}. The step is halved."
        return self._local(stage, step, why)

    def candidate(self, stage: Stage, trial: FrozenTrial) -> Configuration | None:
        if self._is_first(stage):
            is_over = self._is_exhausted or self.log.n_trials(stage) >= self._method.n_first
            return None if is_over else {}
        centre, step = stage.plan["centre"], stage.plan["step"]
        numbers = [c for c in self._steps(centre, step) if self.is_untried(c)]
        if numbers:
            return numbers[int(self.rng(trial).integers(len(numbers)))]
        others = (c for c in self._switches(centre) if self.is_untried(c))
        return next(others, None) or self._while_waiting(centre, step, trial)

    def interrupted(self, stage: Stage) -> Stage:
        """From a better trial, whoever made it, with the same step."""
        best = self.best
        if best is None or "step" not in stage.plan or self.configuration(best) == stage.plan["centre"]:
            return stage
        why = f"There is a better trial, {self.in_words(best)}, so the steps start from there."
        return self._local(stage, stage.plan["step"], why)

    def _is_first(self, stage: Stage) -> bool:
        return "step" not in stage.plan and not stage.plan.get("is_last")

    def _local(self, stage: Stage, step: float, why: str) -> Stage:
        assert self.best is not None
        return stage.then(f"steps of {step:.2g}", why, step=step, centre=self.configuration(self.best))

    def _steps(self, centre: Configuration, step: float) -> Iterator[Configuration]:
        """The centre with one number a step up or down, to the next legal value at least."""
        for p in self.space.parameters:
            if p.name in centre and not isinstance(p, Categorical):
                for way in (-1, 1):
                    value = _stepped(p, centre[p.name], way * step)
                    if value != centre[p.name]:
                        yield self.space.completed({**centre, p.name: value})

    def _switches(self, centre: Configuration) -> Iterator[Configuration]:
        """The centre with another choice of one category, and defaults for what this makes active."""
        for p in self.space.parameters:
            if p.name in centre and isinstance(p, Categorical):
                yield from (self.space.completed({**centre, p.name: choice}) for choice in p.choices)

    def _while_waiting(self, centre: Configuration, step: float, trial: FrozenTrial) -> Configuration | None:
        """A random step of all numbers at once while results of single steps are still to come."""
        if not self.history.running:
            return None
        rng, middle = self.rng(trial), self.space.to_unit([centre])[0]
        for _ in range(_DRAWS):
            moved = np.nan_to_num(middle, nan=0.5) + step * rng.standard_normal(len(middle)) * self._is_number
            found = self.space.from_unit(np.clip(moved, 0.0, 1.0))
            if self.is_untried(found):
                return found
        return None

    @property
    def _is_number(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.array([not isinstance(p, Categorical) for p in self.space.parameters], dtype=bool)


def _stepped(p: AnyParameter, value: Any, step: float) -> Any:
    """The value a step away on the scale of a number; the next legal one where the step is too short for any."""
    assert not isinstance(p, Categorical)
    found = p.from_unit(p.unit(value) + step)
    if found == value and p.step:
        neighbour = value + p.step * (1 if step > 0 else -1)
        return p.from_unit(p.unit(min(max(neighbour, p.low), p.high)))
    return found


THEN_LOCAL = ThenLocal()
