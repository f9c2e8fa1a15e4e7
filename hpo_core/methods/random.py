"""Random search."""

from typing import ClassVar

from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler
from hpo_core.space import Configuration, SearchSpace


class RandomSearch(SearchMethod):
    """Every parameter uniformly on its own scale."""

    key: ClassVar[str] = "random"
    label: ClassVar[str] = "Random"
    purpose: ClassVar[str] = "Draws every configuration at random, each parameter evenly on its own scale."
    when_to_use: ClassVar[str] = (
        "The fair baseline: never misled by noise, and good when few of many parameters matter. It learns nothing."
    )
    source: ClassVar[str] = "Bergstra and Bengio (2012), Random Search for Hyper-Parameter Optimization"
    capabilities: ClassVar[Capabilities] = Capabilities(learns=False, is_multi_objective=True)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _RandomSampler(space, seed)


class _RandomSampler(SpaceSampler):
    is_multi_objective = True

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        return self.space.from_unit(self.rng(trial).random(len(self.space)))


RANDOM = RandomSearch()
