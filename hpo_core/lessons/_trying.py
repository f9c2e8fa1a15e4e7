"""Trying settings of a ground: fits in the lab's workers, the picture first, and all scores kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.analysis.noise import Difference, compare_folds, mean_interval
from hpo_core.errors import FitError
from hpo_core.fit_result import FitResult
from hpo_core.lessons._ground import FOLDS, Ground, Levels
from hpo_core.lessons._workshop import Report, Workshop
from hpo_core.search.executor import FitRequest

Floats = NDArray[np.float64]
OVERLAP = 1 / (FOLDS - 1)
N_REFERENCE = 8
_PICTURE_RANK, _FOLDS_RANK, _REFERENCE_RANK = 5, 6, 9  # behind every person's nudge, which have 0 to 4
_FOLDS_PATIENCE_SECONDS = 0.12  # the page is run anew where it has to wait, which takes as long
_LIMIT_SECONDS = 10.0  # of one fit: some settings never come to an end


@dataclass(frozen=True, eq=False)
class Tried:
    """What a setting gave.

    Attributes:
        levels: The setting.
        results: Of the folds that are done, the first one with a picture; empty when it cannot be fitted.
        fault: Why it cannot be fitted.
        is_whole: Whether all folds are done.
    """

    levels: Levels
    results: tuple[FitResult, ...] = ()
    fault: str = ""
    is_whole: bool = False

    @property
    def valid(self) -> Floats:
        """Scores on new rows, shape (k,)."""
        return np.array([result.score for result in self.results])

    @property
    def train(self) -> float:
        """Mean score on training rows."""
        return float(np.mean([result.train_score for result in self.results]))

    @property
    def mean(self) -> float:
        """Mean score on new rows."""
        return float(self.valid.mean())

    @property
    def half_width(self) -> float:
        """Half the 95 % interval of that; NaN with one fold."""
        return mean_interval(self.valid, overlap=OVERLAP)

    def against(self, other: Tried) -> Difference:
        """The difference to another setting on the same folds. Accuracy and R² are both better when higher."""
        return compare_folds(self.valid, other.valid, is_higher_better=True, overlap=OVERLAP)

    @property
    def gap(self) -> Difference:
        """Training rows against new rows, in pairs by fold."""
        train = [result.train_score for result in self.results]
        return compare_folds(train, self.valid, is_higher_better=True, overlap=OVERLAP)

    @property
    def overfits(self) -> bool:
        """Whether training rows score higher than new rows, beyond noise."""
        return self.gap.verdict == "better"


def try_setting(ground: Ground, levels: Levels, workshop: Workshop, patience: float) -> Tried | None:
    """What a setting gave as far as it is known; None before its picture is there.

    Args:
        ground: What is turned.
        levels: The setting.
        workshop: Where it is fitted when it is tried for the first time.
        patience: Seconds to wait for the picture.
    """
    key, folds = (ground, levels), range(1, ground.problem.n_folds)

    def draw(_report: Report) -> Tried:
        return _fitted(ground, levels, range(1), workshop, is_pictured=True, rank=_PICTURE_RANK)

    def score(_report: Report) -> Tried:
        return _fitted(ground, levels, folds, workshop, rank=_FOLDS_RANK)

    first = workshop.get((*key, "picture"), draw, patience)
    if first is None or first.fault:
        return first
    rest = workshop.get((*key, "folds"), score, min(patience, _FOLDS_PATIENCE_SECONDS))
    if rest is None:
        return first
    return Tried(levels, (*first.results, *rest.results), rest.fault, is_whole=not rest.fault)


def reference(ground: Ground, workshop: Workshop) -> Tried | None:
    """The best of some settings that the lab tries by itself; None as long as it does."""

    def make(report: Report) -> Tried:
        tried: list[Tried] = []
        for levels in ground.spread(N_REFERENCE):
            report(f"{len(tried)} of {N_REFERENCE}")
            tried.append(_fitted(ground, levels, range(ground.problem.n_folds), workshop, rank=_REFERENCE_RANK))
        return max(tried, key=lambda one: -math.inf if one.fault else one.mean)

    return workshop.get((ground, "reference"), make, patience=0.0)


def progress(ground: Ground, workshop: Workshop) -> str:
    """How far `reference` is; "" for nothing."""
    return workshop.progress((ground, "reference"))


def _fitted(ground: Ground, levels: Levels, folds: range, workshop: Workshop, **how: Any) -> Tried:
    """These folds of a setting, or the fault of the first that has one."""
    spec, configuration = ground.problem.spec, ground.configuration(levels)
    how |= {"spec": spec, "configuration": configuration, "seconds_limit": _LIMIT_SECONDS}
    futures = [workshop.executor.submit(FitRequest(folds=(fold,), **how)) for fold in folds]
    try:
        results = tuple(future.result()[0] for future in futures)
    except FitError as fault:
        for future in futures:
            workshop.executor.cancel(future)
        return Tried(levels, fault=str(fault))
    return Tried(levels, results, is_whole=len(futures) == ground.problem.n_folds)
