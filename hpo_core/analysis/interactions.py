"""Which parameters act together: shares of pairs beyond each alone, and what chance alone would make of them.

The shares are those of `variance_forest`. Trees cut a smooth sum of two effects into steps, which looks a little like
an interaction: what such a forest finds in values without any is learned from values that are made so, the sum of the
single effects plus the residuals in random order. Source: Friedman and Popescu (2008), Predictive Learning via Rule
Ensembles, section 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hpo_core.analysis.importance import WEAK, Share, learned_trials, share_of
from hpo_core.analysis.variance_forest import forest_shares
from hpo_core.studies.table import TrialTable

MOST_PAIRED = 8
_RESAMPLES, _NULL_RESAMPLES = 20, 8
_TINY, _SURE = 0.01, 0.95


@dataclass(frozen=True, slots=True)
class Pair:
    """What two parameters do together beyond each alone.

    Attributes:
        share: Its share of the values' variance.
        threshold: Shares up to here say nothing: chance, or less than a hundredth.
    """

    share: Share
    threshold: float

    @property
    def is_beyond_chance(self) -> bool:
        return self.share.median > self.threshold


@dataclass(frozen=True, slots=True)
class Interactions:
    """Single parameters and pairs of a study.

    Attributes:
        singles: Shares of the parameters that are paired, the largest first; over all trials.
        pairs: All pairs of these, the largest first.
        single_threshold: Shares of single parameters up to here say nothing.
        left_out: Parameters that matter less alone and were not paired.
        rest: Share that neither single parameters nor these pairs account for, at least 0.
        r2: Share of the variance of trials left out of a resample that the forest explains; at most 1.
        n_trials, n_usable: Trials that were learned from, and finished trials.
    """

    singles: tuple[Share, ...]
    pairs: tuple[Pair, ...]
    single_threshold: float
    left_out: tuple[str, ...]
    rest: float
    r2: float
    n_trials: int
    n_usable: int

    @property
    def is_weak(self) -> bool:
        """Whether the trials say next to nothing about what matters."""
        return self.r2 < WEAK

    def is_clear(self, pair: Pair) -> bool:
        """Whether two parameters act together more than chance has it."""
        return not self.is_weak and pair.is_beyond_chance


def interactions(table: TrialTable, *, seed: int = 0) -> Interactions:
    """Shares of pairs, for a table for which `why_no_importance` is None and which has two parameters that move.

    A parameter that only some trials use is drawn at random where it is not used, so that it tells nothing there: what
    it does where it is used is an interaction with the parameter on which it depends.
    """
    usable, rows, names, units, values = learned_trials(table)
    found = forest_shares(units, values, _RESAMPLES, seed, paired=MOST_PAIRED)
    paired = sorted({column for pair in found.pairs for column in pair})
    residuals = np.random.default_rng(seed).permutation(values - found.additive)
    null = forest_shares(units, found.additive + residuals, _NULL_RESAMPLES, seed, paired=paired)
    singles = [share_of((names[i],), column, len(rows)) for i, column in enumerate(found.single.T)]
    singles.sort(key=lambda share: -share.median)
    pairs = [
        Pair(
            share_of((names[i], names[j]), column, len(rows)),
            max(_TINY, float(null.pairs[i, j].max())),
        )
        for (i, j), column in found.pairs.items()
    ]
    explained = sum(share.median for share in singles) + sum(pair.share.median for pair in pairs)
    return Interactions(
        singles=tuple(singles[:MOST_PAIRED]),
        pairs=tuple(sorted(pairs, key=lambda pair: -pair.share.median)),
        single_threshold=max(_TINY, float(np.quantile(found.chance, _SURE))),
        left_out=tuple(share.names[0] for share in singles[MOST_PAIRED:]),
        rest=max(0.0, 1 - explained),
        r2=found.r2,
        n_trials=len(rows),
        n_usable=len(usable),
    )
