"""Halton search."""

from typing import ClassVar

from scipy.stats import qmc

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._sequence import SequenceSampler
from hpo_core.space import SearchSpace


class HaltonSearch(SearchMethod):
    """A scrambled Halton sequence: each parameter counts in a prime base of its own, with its digits permuted."""

    key: ClassVar[str] = "halton"
    label: ClassVar[str] = "Halton"
    purpose: ClassVar[str] = "Spreads configurations evenly by counting backwards in another prime base per parameter."
    when_to_use: ClassVar[str] = (
        "As Sobol, and even after any number of trials, not only after 16, 32 or 64. Above some 10 parameters Sobol "
        "spreads better. It learns nothing from results."
    )
    source: ClassVar[str] = (
        "Halton (1960), On the efficiency of certain quasi-random sequences of points; scrambling by Owen (2017), A "
        "randomized Halton algorithm in R"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(learns=False, is_multi_objective=True)
    strengths: ClassVar[Strengths] = Strengths(most_parameters=10)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return SequenceSampler(space, seed, qmc.Halton(max(len(space), 1), rng=seed))


HALTON = HaltonSearch()
