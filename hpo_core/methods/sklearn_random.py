"""The draws of scikit-learn's RandomizedSearchCV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from scipy.stats import loguniform, randint, uniform
from sklearn.model_selection import ParameterGrid, ParameterSampler

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._listed import ListedSampler
from hpo_core.methods._peer_space import configuration_at, n_levels
from hpo_core.space import AnyParameter, Categorical, Configuration, SearchSpace


@dataclass(frozen=True)
class SklearnRandom(SearchMethod):
    """`sklearn.model_selection.ParameterSampler` over SciPy's distributions."""

    key: ClassVar[str] = "sklearn_random"
    label: ClassVar[str] = "scikit-learn random"
    purpose: ClassVar[str] = "RandomizedSearchCV's draws: SciPy's distributions, and choices without repeating any."
    when_to_use: ClassVar[str] = (
        "To compare with RandomizedSearchCV, or to repeat what it did with the same seed. It learns nothing. Inactive "
        "values are drawn and ignored."
    )
    source: ClassVar[str] = (
        "Pedregosa et al. (2011), Scikit-learn: Machine Learning in Python; Bergstra and Bengio (2012), Random Search "
        "for Hyper-Parameter Optimization"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(learns=False)
    strengths: ClassVar[Strengths] = Strengths(is_peer=True)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return ListedSampler(
            space, seed, sklearn_draws(space, seed), "Every combination of the choices has been tried."
        )


def sklearn_distributions(space: SearchSpace) -> dict[str, Any]:
    """The param_distributions that a person would write; steps are counted from 0 on, choices are their indices."""
    return {p.name: _distribution(p) for p in space.varying}


def _distribution(p: AnyParameter) -> Any:
    n = n_levels(p)
    if isinstance(p, Categorical):
        return list(range(len(p.choices)))
    if n is not None:
        return randint(0, n)
    if p.kind == "int":  # rounded, so that each whole number has an interval of its own
        return loguniform(p.low - 0.5, p.high + 0.5)
    return loguniform(p.low, p.high) if p.log else uniform(p.low, p.high - p.low)


def sklearn_draws(space: SearchSpace, seed: int) -> Iterator[Configuration]:
    """The configurations that RandomizedSearchCV tries; without an end, except where all parameters are choices."""
    distributions = sklearn_distributions(space)
    has_only_choices = all(isinstance(p, Categorical) for p in space.varying)
    n_draws = len(ParameterGrid(distributions)) if has_only_choices else 2**62
    for drawn in ParameterSampler(distributions, n_draws, random_state=seed % 2**32):
        yield configuration_at(space, drawn)


SKLEARN_RANDOM = SklearnRandom()
