"""AutoML: the defaults of every model family first, then a race between the families that are left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.errors import UsageError
from hpo_core.methods import Capabilities, History, SearchMethod, SpaceSampler, Strengths, record_thought
from hpo_core.methods._family_race import Racer, racers, winner_of
from hpo_core.methods.gaussian_process import GaussianProcessSearch
from hpo_core.methods.tpe import TreeParzen
from hpo_core.models import MODELS
from hpo_core.options import option
from hpo_core.space import Categorical, Configuration, Float, Range, SearchSpace

Distributions = dict[str, BaseDistribution]

_CHOICE = "family"
_FIRST_IN_FAMILY = 4  # spread trials, the default among them, before the first surface of a family
_MOST_DRAWS = 50


@dataclass(frozen=True)
class AutoML(SearchMethod):
    """A portfolio of defaults, a bandit over families, a model of each family's own space, TPE over all of them."""

    key: ClassVar[str] = "automl_portfolio"
    label: ClassVar[str] = "AutoML"
    purpose: ClassVar[str] = "Tries every family's defaults, cheap ones first, then gives trials to those in the race."
    when_to_use: ClassVar[str] = (
        "The model AutoML, where the kind of model is part of the search, and at least twice as many trials as there "
        "are families. It works on no other search space: take the Gaussian process or TPE there."
    )
    source: ClassVar[str] = (
        "Li, Jiang, Gao, Shao, Zhang and Cui (2020), Efficient Automatic CASH via Rising Bandits; defaults first after "
        "Feurer et al. (2015), Efficient and Robust Automated Machine Learning"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(has_model=True, fewest=40)
    cost: ClassVar[str] = "Some 30 ms a trial at 100 trials, three times that at 1,000."

    n_kept: int = option(
        3, "Families kept", "So many families stay in the race at least, even when one is ahead.", low=1, high=20
    )
    horizon: int = option(
        15, "Horizon", "Trials ahead for which a family's recent gain is carried on; more drops later.", low=1, high=200
    )
    between: int = option(
        6,
        "Trials between families",
        "Every so manieth trial is drawn by TPE over all families; 0 draws none.",
        low=0,
        high=100,
    )
    within: str = option(
        "gaussian_process",
        "Within a family",
        "What looks for better parameters of one family.",
        choices=("gaussian_process", "tpe"),
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return _AutoMLSampler(self, space, seed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        if any(p.name == _CHOICE and p.when is None and isinstance(p, Categorical) for p in space.parameters):
            return None
        return (
            "AutoML chooses between model families, and this search space has none to choose from: take the model "
            "AutoML, or another method such as the Gaussian process."
        )


class _AutoMLSampler(SpaceSampler):
    def __init__(self, method: AutoML, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        choice = space[_CHOICE]
        assert isinstance(choice, Categorical)
        self._method = method
        self._families: tuple[Any, ...] = choice.choices
        self._column = space.names.index(_CHOICE)
        self._history = History(space)
        self._within: dict[str, SpaceSampler] = {}
        self._parzen = _ParzenOfFamilies(space, seed, self._families)

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._history.read(study, trial)
        configuration, thought = self._default_left() or self._raced(study, trial)
        if self._is_seen(configuration):
            configuration = self._unseen_near(configuration[_CHOICE], self.rng(trial)) or configuration
        record_thought(study, trial, **thought, family=configuration[_CHOICE])
        return configuration

    def _default_left(self) -> tuple[Configuration, dict[str, Any]] | None:
        for place, family in enumerate(self._families):
            default = default_of(self.space, family)
            if not self._is_seen(default):
                where = f"{place + 1} of {len(self._families)}, cheap ones first"
                return default, {"stage": "defaults", "why": f"The defaults of {_label(family)}, {where}."}
        return None

    def _raced(self, study: Study, trial: FrozenTrial) -> tuple[Configuration, dict[str, Any]]:
        every, field = self._method.between, self._field()
        standing = {str(r.family): r.is_in for r in field}
        if every and trial.number % every == every - 1:
            why = "TPE over all families, so that one that was dropped may come back."
            return self._parzen.configuration(study, trial), {
                "stage": "between families",
                "why": why,
                "in_race": standing,
            }
        chosen = winner_of(field)
        thought = {"stage": "race", "why": chosen.reason(_label(chosen.family)), "in_race": standing}
        return self._in_family(chosen.family, study, trial), thought

    def _field(self) -> list[Racer]:
        place = self.space[_CHOICE]
        running = np.array([point[self._column] for point in self._history.running])
        values = {family: self._values_of(place.unit(family)) for family in self._families}
        flights = {family: int(np.sum(running == place.unit(family))) for family in self._families}
        return racers(values, flights, n_kept=self._method.n_kept, horizon=self._method.horizon)

    def _values_of(self, unit: float) -> NDArray[np.float64]:
        known = sorted((o for o in self._history.observations if o.point[self._column] == unit), key=lambda o: o.number)
        return np.array([observation.value for observation in known])

    def _in_family(self, family: Any, study: Study, trial: FrozenTrial) -> Configuration:
        if self._method.within == "tpe":
            return self._parzen.configuration(study, trial, family)
        if family not in self._within:
            method = GaussianProcessSearch(n_initial=_FIRST_IN_FAMILY)
            self._within[family] = method.sampler(_space_of(self.space, family), self.seed)
        return self._within[family].proposal(study, trial)

    def _is_seen(self, configuration: Configuration) -> bool:
        return self._history.has_seen(self.space.to_unit([configuration])[0])

    def _unseen_near(self, family: Any, rng: np.random.Generator) -> Configuration | None:
        """A random configuration of the family that was not tried; of any family when there is none."""
        for i in range(2 * _MOST_DRAWS):
            point = rng.random(len(self.space))
            if i < _MOST_DRAWS:
                point[self._column] = self.space[_CHOICE].unit(family)
            if not self._is_seen(found := self.space.from_unit(point)):
                return found
        return None


class _ParzenOfFamilies:
    """TPE that draws the family and what all share first, then the parameters of that family alone."""

    def __init__(self, space: SearchSpace, seed: int, families: tuple[Any, ...]) -> None:
        self._space = space
        self._sampler = TreeParzen(n_startup=1).sampler(space, seed)
        self._names = {family: set(_space_of(space, family).names) for family in families}
        self._shared = set.intersection(*self._names.values())

    def configuration(self, study: Study, trial: FrozenTrial, family: Any = None) -> Configuration:
        """A configuration of this family, or of the one that it draws."""
        self._sampler.before_trial(study, trial)
        known = self._sampler.infer_relative_search_space(study, trial)
        drawn = self._drawn(study, trial, known, self._shared)
        if family is not None:
            drawn[_CHOICE] = family
        elif _CHOICE not in drawn:
            drawn[_CHOICE] = self._alone(study, trial, _CHOICE)
        drawn |= self._drawn(study, trial, known, self._names[drawn[_CHOICE]] - self._shared)
        found: Configuration = {}
        for p in self._space.parameters:
            if p.when is None or p.when.holds(found):
                value = drawn[p.name] if p.name in drawn else self._alone(study, trial, p.name)
                found[p.name] = p.snapped(value) if isinstance(p, Float) else value
        return found

    def _drawn(self, study: Study, trial: FrozenTrial, known: Distributions, names: set[str]) -> Configuration:
        return self._sampler.sample_relative(study, trial, {name: d for name, d in known.items() if name in names})

    def _alone(self, study: Study, trial: FrozenTrial, name: str) -> Any:
        parameter, distribution = self._space[name], self._space[name].distribution()
        if distribution.single():  # nothing to draw, and no width for densities
            return parameter.default
        return self._sampler.sample_independent(study, trial, name, distribution)


def _space_of(space: SearchSpace, family: Any) -> SearchSpace:
    return space.narrowed({_CHOICE: Range(choices=(family,))})


def default_of(space: SearchSpace, family: Any) -> Configuration:
    """The configuration that is the family's own default: with the scaling that this family comes with."""
    values = {_CHOICE: family}
    if family in MODELS and "scaler" in space.names:
        scaler = "standard" if MODELS[family].needs_scaling else "none"
        if space["scaler"].why_invalid(scaler) is None:
            values["scaler"] = scaler
    return space.completed(values)


def _label(family: Any) -> str:
    return MODELS[family].label if family in MODELS else str(family)


AUTOML = AutoML()
