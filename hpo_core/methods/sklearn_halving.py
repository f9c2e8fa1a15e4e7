"""The tournament of scikit-learn's HalvingRandomSearchCV."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import floor, log
from typing import ClassVar

from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._rungs import Brackets, BracketSampler, Place, Rung
from hpo_core.methods.sklearn_random import sklearn_draws
from hpo_core.options import option
from hpo_core.problem import ModelProblem, Problem
from hpo_core.space import Configuration, SearchSpace

_MOST_REPEATS = 10_000  # in a row, before the draws count as having nothing new


@dataclass(frozen=True, slots=True)
class Units:
    """What a whole fit is counted in: whole units, and the fewest that a fit may have with "smallest"."""

    fewest: int
    most: int


_HUNDREDTHS = Units(1, 100)  # where a fit has no units of its own


@dataclass(frozen=True)
class SklearnHalving(SearchMethod):
    """Rungs, survivors and draws of `HalvingRandomSearchCV`; what its refit is, is a last rung of one whole fit."""

    key: ClassVar[str] = "sklearn_halving"
    label: ClassVar[str] = "scikit-learn halving"
    purpose: ClassVar[str] = "HalvingRandomSearchCV's tournament: its draws, its resources and its survivors."
    when_to_use: ClassVar[str] = (
        "To compare with HalvingRandomSearchCV, or to repeat what it did. Its resources are whole rows, trees or "
        "epochs, and its last rung may fall short of a whole fit: our successive halving ends with whole fits."
    )
    source: ClassVar[str] = (
        "Pedregosa et al. (2011), Scikit-learn: Machine Learning in Python; Jamieson and Talwalkar (2016), "
        "Non-stochastic Best Arm Identification and Hyperparameter Optimization"
    )
    capabilities: ClassVar[Capabilities] = Capabilities()
    strengths: ClassVar[Strengths] = Strengths(fewest=40, is_partial=True, waits=True, is_peer=True)
    cost: ClassVar[str] = "Little thought; most fits are partial ones."

    n_candidates: int = option(
        27,
        "Candidates",
        "How many configurations a tournament begins with; 0 is exhaust: as many as let the last rung use all.",
        low=0,
        high=10_000,
    )
    factor: int = option(
        3, "Factor", "Only the best 1/factor of a rung goes on, with factor times the resource.", low=2, high=16
    )
    min_resources: str = option(
        "exhaust",
        "Least resource",
        "smallest begins with as little as can be trained on, exhaust with so much that the last rung uses most.",
        choices=("exhaust", "smallest"),
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return self._sampler(space, seed, "resource", _HUNDREDTHS)

    def sampler_for(self, problem: Problem, seed: int) -> SpaceSampler:
        return self._sampler(problem.space, seed, problem.resource_noun, units_of(problem))

    def _sampler(self, space: SearchSpace, seed: int, noun: str, units: Units) -> SpaceSampler:
        settings = (self.key, self.n_candidates, self.factor, self.min_resources, units.fewest, units.most)
        return _SklearnHalvingSampler(space, seed, " ".join(map(str, settings)), noun, (self.rungs(units),))

    def rungs(self, units: Units = _HUNDREDTHS) -> tuple[Rung, ...]:
        """The rungs of one tournament, and one whole fit of the best where the last is short of that.

        0 candidates begin with the fewest units, as scikit-learn forbids "exhaust" for both.
        """
        n = self.n_candidates or units.most // units.fewest
        n_required = 1 + floor(log(n, self.factor))  # in floating point, as scikit-learn counts
        least = units.fewest
        if self.min_resources == "exhaust" and self.n_candidates:
            least = max(least, units.most // self.factor ** (n_required - 1))
        n_possible = 1 + floor(log(units.most // least, self.factor))
        rungs = []
        for i in range(min(n_required, n_possible)):
            rungs.append(Rung(n, self.factor**i * least / units.most))
            n = -(-n // self.factor)
        return tuple(rungs) if rungs[-1].resource == 1.0 else (*rungs, Rung(1, 1.0))


def units_of(problem: Problem) -> Units:
    """Rows as scikit-learn counts them, or the epochs or trees of the default configuration."""
    if not isinstance(problem, ModelProblem):
        return _HUNDREDTHS
    if problem.family.resource:
        return Units(1, problem.space.defaults()[problem.family.resource.parameter])
    fewest = 2 * problem.n_folds * max(1, problem.data.n_classes)
    return Units(min(fewest, problem.n_development), problem.n_development)


class _SklearnHalvingSampler(BracketSampler):
    """Newcomers come from one row of draws, which the next tournament takes up where the last one left it."""

    def __init__(self, space: SearchSpace, seed: int, scheme: str, noun: str, brackets: Brackets) -> None:
        super().__init__(space, seed, scheme, noun, brackets)
        self._draws = sklearn_draws(space, seed)

    def _fresh(self, study: Study, trial: FrozenTrial, place: Place) -> Configuration:
        self._history.read(study, trial)
        for drawn in islice(self._draws, _MOST_REPEATS):
            if not self._history.has_seen(self.space.to_unit([drawn])[0]):
                return drawn
        self._draws = iter(())
        return super()._fresh(study, trial, place)


SKLEARN_HALVING = SklearnHalving()
