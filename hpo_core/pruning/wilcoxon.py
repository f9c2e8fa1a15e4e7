"""Wilcoxon's signed-rank test against the best trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from scipy.stats import wilcoxon

from hpo_core.options import option
from hpo_core.pruning._base import PruningRule
from hpo_core.pruning._rivals import Floats, Rivals


@dataclass(frozen=True)
class WilcoxonPruning(PruningRule):
    """A one-sided signed-rank test of the paired differences, on the folds that a trial has done.

    After k folds that are all worse the p-value is 2 to the power of -k, and no set of k folds gives less.
    """

    key: ClassVar[str] = "wilcoxon"
    label: ClassVar[str] = "Wilcoxon"
    purpose: ClassVar[str] = "Gives up when a signed-rank test finds the first folds worse than the best trial's."
    when_to_use: ClassVar[str] = (
        "Ten folds or more, such as repeated cross-validation. With 5 folds it rarely prunes and saves one fit at "
        "most, with 3 never: a rank test has nothing to go on."
    )
    source: ClassVar[str] = (
        "Wilcoxon (1945), Individual Comparisons by Ranking Methods; as WilcoxonPruner in Akiba et al. (2019), Optuna"
    )
    place: ClassVar[int] = 5

    p_value: float = option(
        0.1,
        "p-value",
        "A trial is given up below this chance of being so far behind by luck; lower gives up less.",
        low=0.0001,
        high=0.5,
    )

    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        gap = row - rivals.incumbent[: len(row)]
        if not gap.mean() > 0:  # ranks alone must not give up what is no worse
            return False
        return bool(wilcoxon(gap, alternative="greater", zero_method="zsplit").pvalue < self.p_value)

    def caution(self, n_folds: int) -> str:
        needed = next(k for k in range(1, 20) if 0.5**k < self.p_value)
        if needed < n_folds - 1:
            return ""
        if needed >= n_folds:
            return (
                f"With {n_folds} folds this test can never give up a trial: it needs {needed} folds of at least "
                f"{needed + 1}. Choose race, or more folds."
            )
        return f"With {n_folds} folds this test saves one fit of a trial at most. Choose race, or more folds."


WILCOXON = WilcoxonPruning()
