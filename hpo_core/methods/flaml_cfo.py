"""FLAML's cost-frugal local search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.methods import Strengths
from hpo_core.methods._flaml import FlamlPeer
from hpo_core.methods._peer import Peer, PeerSearch, imported
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class FlamlCfo(PeerSearch):
    """`flaml.CFO`, begun at the best of what is known."""

    key: ClassVar[str] = "flaml_cfo"
    label: ClassVar[str] = "FLAML CFO"
    purpose: ClassVar[str] = (
        "FLAML's randomised local search: steps in random directions, restarts when it has settled."
    )
    when_to_use: ClassVar[str] = (
        "To compare with FLAML; good when the defaults are near something good. Conditions are not known to it: "
        "inactive values are drawn and ignored. All fits count as equally costly."
    )
    source: ClassVar[str] = "Wu, Wang and Huang (2021), Frugal Optimization for Cost-related Hyperparameters"
    strengths: ClassVar[Strengths] = Strengths(fewest=20, goes_on=True, is_peer=True)
    package: ClassVar[str] = "flaml"
    modules: ClassVar[tuple[str, ...]] = ("flaml",)

    def start(self, space: SearchSpace, seed: int) -> Peer:
        return FlamlPeer(imported("flaml").CFO, space, seed)


FLAML_CFO = FlamlCfo()
