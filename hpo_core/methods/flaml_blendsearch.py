"""FLAML's blend of global and local search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.methods import Strengths
from hpo_core.methods._flaml import FlamlPeer
from hpo_core.methods._peer import Peer, PeerSearch, imported
from hpo_core.space import SearchSpace


@dataclass(frozen=True)
class FlamlBlendSearch(PeerSearch):
    """`flaml.BlendSearch` with its own global search, which is Optuna's TPE."""

    key: ClassVar[str] = "flaml_blendsearch"
    label: ClassVar[str] = "FLAML BlendSearch"
    purpose: ClassVar[str] = "FLAML's blend: a global search finds starts, local searches descend from the good ones."
    when_to_use: ClassVar[str] = (
        "To compare with FLAML where there may be several good regions. Conditions are not known to it: inactive "
        "values are drawn and ignored. All fits count as equally costly."
    )
    source: ClassVar[str] = (
        "Wang, Wu, Huang and Saied (2021), Economical Hyperparameter Optimization With Blended Search Strategy"
    )
    strengths: ClassVar[Strengths] = Strengths(fewest=40, is_peer=True)
    package: ClassVar[str] = "flaml"
    modules: ClassVar[tuple[str, ...]] = ("flaml", "optuna")

    def start(self, space: SearchSpace, seed: int) -> Peer:
        return FlamlPeer(imported("flaml").BlendSearch, space, seed)


FLAML_BLENDSEARCH = FlamlBlendSearch()
