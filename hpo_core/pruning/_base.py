"""The manual of pruning rules: giving up a trial that its first folds already show to be worse.

A rule is a frozen dataclass: class variables say what it is, fields declared with `option(...)` are its options. All
configurations of a problem share their folds, so fold scores are compared in pairs. The folds are judged in order, and
with the trials that were known when the trial began, so that the verdict does not depend on which of two parallel fits
ends first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from hpo_core.pruning._rivals import Floats, Rivals


@dataclass(frozen=True)
class PruningRule(ABC):
    """How a trial is judged between its folds. A file in this folder binds an instance with default options.

    Class attributes:
        key: Plain name on the command line and in records.
        label: Name on screen.
        purpose: One line: what it gives up.
        when_to_use: One or two sentences: where it is strong, and where it is not.
        source: Paper (author, year, title).
        place: Where it stands in a list.
        min_rivals: Complete trials that must be known before it judges.
        required: Options without a default that would suit any problem: whoever chooses the rule must give them.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    when_to_use: ClassVar[str]
    source: ClassVar[str]
    place: ClassVar[int] = 100
    min_rivals: ClassVar[int] = 4  # fewer say too little about the noise
    required: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def gives_up(self, row: Floats, rivals: Rivals) -> bool:
        """Whether a trial is hopeless.

        Args:
            row: Scores of its first folds, signed so that lower is better, shape (k,), k below the number of folds.
            rivals: The complete trials to compare with, at least `min_rivals`.
        """

    def suited_to(self, reference: float) -> Self:
        """The rule with first values of its `required` options, for a problem whose default scores `reference`."""
        return self

    def caution(self, n_folds: int) -> str:
        """A sentence on what it cannot do with so many folds, or ""."""
        return "" if n_folds > 1 else "With one fold there is nothing to give up: a trial is one fit."


def is_hopeless(rule: PruningRule, fold_scores: tuple[float, ...], rivals: Rivals) -> bool:
    """Whether a trial with these first folds should be given up.

    Args:
        rule: How to judge.
        fold_scores: Scores of folds 0..k-1; never hopeless unless k is above 0 and below the number of folds.
        rivals: Complete trials so far.
    """
    if len(rivals) < rule.min_rivals or not 0 < len(fold_scores) < rivals.n_folds:
        return False
    return rule.gives_up(rivals.sign * np.asarray(fold_scores), rivals)
