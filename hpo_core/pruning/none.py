"""No pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.pruning._base import PruningRule
from hpo_core.pruning._rivals import Floats, Rivals


@dataclass(frozen=True)
class NoPruning(PruningRule):
    """Every trial goes through all of its folds."""

    key: ClassVar[str] = "none"
    label: ClassVar[str] = "None"
    purpose: ClassVar[str] = "Gives up nothing: all folds of every trial."
    when_to_use: ClassVar[str] = "Quick fits, and wherever the scores of bad trials are wanted as well."
    source: ClassVar[str] = "Stone (1974), Cross-validatory Choice and Assessment of Statistical Predictions"
    place: ClassVar[int] = 0

    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        return False

    def caution(self, n_folds: int) -> str:
        return ""


NONE = NoPruning()
