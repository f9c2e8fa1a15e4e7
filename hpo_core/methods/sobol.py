"""Sobol search."""

from typing import ClassVar

from scipy.stats import qmc

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler
from hpo_core.methods._sequence import SequenceSampler
from hpo_core.space import SearchSpace


class SobolSearch(SearchMethod):
    """A scrambled Sobol sequence over the whole cube; the trial's number is the position in the sequence."""

    key: ClassVar[str] = "sobol"
    label: ClassVar[str] = "Sobol"
    purpose: ClassVar[str] = "Spreads configurations evenly: each new one goes where the earlier ones left a gap."
    when_to_use: ClassVar[str] = (
        "A first look at a space, and surfaces without holes: covers better than random at the same cost. It learns "
        "nothing from results."
    )
    source: ClassVar[str] = (
        "Sobol (1967), On the distribution of points in a cube; scrambling by Owen (1998), Scrambling Sobol and "
        "Niederreiter-Xing Points"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(learns=False, is_multi_objective=True)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return SequenceSampler(space, seed, qmc.Sobol(max(len(space), 1), rng=seed))


SOBOL = SobolSearch()
