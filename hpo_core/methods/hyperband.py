"""Hyperband."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.methods import Capabilities, Strengths
from hpo_core.methods._rungs import Brackets, BracketSampler, RungMethod, hyperband_brackets
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class Hyperband(RungMethod):
    """Tournaments that differ in how many configurations begin with how little; after the last, the first again."""

    key: ClassVar[str] = "hyperband"
    label: ClassVar[str] = "Hyperband"
    purpose: ClassVar[str] = "Successive halving in several brackets, from many tiny fits to a few whole ones."
    when_to_use: ClassVar[str] = (
        "Models that take long to train, when nobody knows how early a score can be trusted. It draws at random; BOHB "
        "learns as well."
    )
    source: ClassVar[str] = (
        "Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar (2018), Hyperband: A Novel Bandit-Based Approach to "
        "Hyperparameter Optimization"
    )
    capabilities: ClassVar[Capabilities] = Capabilities()
    strengths: ClassVar[Strengths] = Strengths(fewest=40, is_partial=True, waits=True)
    cost: ClassVar[str] = "Little thought; most fits are partial ones."

    def brackets(self) -> Brackets:
        """The brackets of one round, the one with most configurations first."""
        return hyperband_brackets(self.eta, self.smallest)

    def rung_sampler(self, space: SearchSpace, seed: int, noun: str) -> BracketSampler:
        return BracketSampler(space, seed, self.scheme(), noun, self.brackets())


HYPERBAND = Hyperband()
