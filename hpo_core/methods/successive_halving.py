"""Successive halving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.methods import Capabilities, Strengths
from hpo_core.methods._rungs import BracketSampler, Rung, RungMethod, halving_rungs
from hpo_core.options import option
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class SuccessiveHalving(RungMethod):
    """A tournament of random configurations; when it is over, the next begins."""

    key: ClassVar[str] = "successive_halving"
    label: ClassVar[str] = "Successive halving"
    purpose: ClassVar[str] = "Trains many configurations a little, and again and again only the best of them longer."
    when_to_use: ClassVar[str] = (
        "Models that take long to train, when early scores foretell late ones. Where slow starters win in the end, "
        "take Hyperband; where a fit takes a blink, any method with whole fits."
    )
    source: ClassVar[str] = (
        "Jamieson and Talwalkar (2016), Non-stochastic Best Arm Identification and Hyperparameter Optimization; "
        "rungs as in scikit-learn's HalvingRandomSearchCV"
    )
    capabilities: ClassVar[Capabilities] = Capabilities()
    strengths: ClassVar[Strengths] = Strengths(fewest=40, is_partial=True, waits=True)
    cost: ClassVar[str] = "Little thought; most fits are partial ones."

    n_first: int = option(27, "Configurations", "How many configurations a tournament begins with.", low=2, high=10_000)

    def rungs(self) -> tuple[Rung, ...]:
        """The rungs of one tournament."""
        return halving_rungs(self.n_first, self.eta, self.smallest)

    def rung_sampler(self, space: SearchSpace, seed: int, noun: str) -> BracketSampler:
        return BracketSampler(space, seed, self.scheme(self.n_first), noun, (self.rungs(),))


SUCCESSIVE_HALVING = SuccessiveHalving()
