"""A limit that is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from hpo_core.options import option
from hpo_core.pruning._base import PruningRule
from hpo_core.pruning._rivals import Floats, Rivals


@dataclass(frozen=True)
class ThresholdPruning(PruningRule):
    """What is worse than a given score is given up, whatever the other trials score."""

    key: ClassVar[str] = "threshold"
    label: ClassVar[str] = "Threshold"
    purpose: ClassVar[str] = "Gives up when the mean of the first folds is worse than a score that you give."
    when_to_use: ClassVar[str] = (
        "A score is known that is not worth going on for, such as the default's or a baseline's. It judges from the "
        "first trial on, and does not get stricter as the search gets better."
    )
    source: ClassVar[str] = "Akiba et al. (2019), Optuna: A Next-generation Hyperparameter Optimization Framework"
    place: ClassVar[int] = 4
    min_rivals: ClassVar[int] = 0
    required: ClassVar[tuple[str, ...]] = ("limit",)

    limit: float = option(0.0, "Score", "In the metric's own unit; trials whose first folds are worse are given up.")
    n_first: int = option(1, "Folds first", "How many folds are done before a trial is judged.", low=1, high=100)

    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        return bool(len(row) >= self.n_first and row.mean() > rivals.sign * self.limit)

    def suited_to(self, reference: float) -> ThresholdPruning:
        return replace(self, limit=float(f"{reference:.4g}"))


THRESHOLD = ThresholdPruning()
