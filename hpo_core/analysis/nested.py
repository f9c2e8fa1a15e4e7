"""What a nested cross-validation has found: what a search is worth on rows that had no part in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.analysis.noise import Difference, compare_folds, mean_interval
from hpo_core.studies.table import Direction, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterFold:
    """One outer fold: a search on the other rows, and what its choice scores on these.

    Attributes:
        fold: From 0.
        own_best: Value of the best trial on the folds that the search chose by; NaN where it found none.
        score: Of that configuration, trained on all other rows, on this fold; NaN where it could not be fitted.
        default: The same of the default configuration.
        n_trials: Complete trials of the search.
        configuration: What was chosen.
    """

    fold: int
    own_best: float
    score: float
    default: float
    n_trials: int
    configuration: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Nested:
    """A nested cross-validation, as far as it has come.

    The inner folds choose and the outer fold judges, so that what was chosen by luck is not rewarded.

    Source: Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection; Cawley and
    Talbot (2010), On over-fitting in model selection and subsequent selection bias in performance evaluation.

    Attributes:
        folds: Those that are done.
        n_outer: Of so many.
        direction: Of the metric.
        method: Key of the search method that was repeated.
        budget: Of each search, in words.
        study_best: What the study's own best said when this was begun.
        n_study_trials: Complete trials of the study then.
    """

    folds: tuple[OuterFold, ...]
    n_outer: int
    direction: Direction
    method: str
    budget: str
    study_best: float
    n_study_trials: int

    @property
    def is_complete(self) -> bool:
        return len(self.folds) == self.n_outer

    @property
    def score(self) -> float:
        """Mean score of what was chosen on the outer folds; NaN without any."""
        return _mean(self._column("score"))

    @property
    def half_width(self) -> float:
        """Half the 95 % interval of that mean, corrected for training rows that outer folds share."""
        return mean_interval(self._column("score"), overlap=self._overlap)

    @property
    def own_best(self) -> float:
        """What the best trials of the searches said on average of themselves."""
        return _mean(self._column("own_best"))

    @property
    def default(self) -> float:
        """Mean score of the default configuration on the outer folds."""
        return _mean(self._column("default"))

    @property
    def to_default(self) -> Difference:
        """What tuning gained on the outer folds."""
        return compare_folds(
            self._column("score"),
            self._column("default"),
            is_higher_better=self.direction == "maximize",
            overlap=self._overlap,
        )

    @property
    def _overlap(self) -> float:
        return 1 / (self.n_outer - 1)

    def _column(self, name: str) -> Floats:
        return np.array([getattr(fold, name) for fold in self.folds], dtype=float)


def _mean(scores: Sequence[float] | Floats) -> float:
    known = np.asarray(scores, dtype=float)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else math.nan
