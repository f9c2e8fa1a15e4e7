"""Arms over several problems: their mean ranks, who can be told from whom, and the same by signed ranks in pairs."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hpo_core.analysis.judgement import holm
from hpo_core.errors import UsageError
from hpo_core.studies.table import Floats

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Ranking:
    """Arms ranked over several problems.

    Attributes:
        mean_ranks: By arm, 1 is best, shape (arms,).
        chi_square: Friedman's statistic, corrected for ties.
        p_value: Of the hypothesis that all arms are alike.
        critical_difference: Mean ranks that differ by less are not told apart, at 5 % for all pairs together.
        n_problems: How many were ranked.
    """

    mean_ranks: Floats
    chi_square: float
    p_value: float
    critical_difference: float
    n_problems: int

    @property
    def is_told_apart(self) -> bool:
        """Whether Friedman's test rejects that all arms are alike; only then are pairs looked at (Demšar 2006)."""
        return self.p_value < LEVEL

    def tied_groups(self) -> tuple[tuple[int, ...], ...]:
        """Largest groups of arms whose mean ranks differ by less than the critical difference.

        Places of arms, best first, in each group and from group to group. Groups may share arms; an arm that is told
        apart from all others is a group of its own. Where Friedman's test does not reject, all are one group.
        """
        order = np.argsort(self.mean_ranks, kind="stable")
        if not self.is_told_apart:
            return (tuple(order.tolist()),)
        ranks = self.mean_ranks[order]
        ends = np.searchsorted(ranks, ranks + self.critical_difference, side="left")
        starts_group = np.diff(ends, prepend=0) > 0
        return tuple(tuple(order[i : ends[i]].tolist()) for i in np.flatnonzero(starts_group))


def friedman(scores: ArrayLike) -> Ranking:
    """Ranks arms over problems, and tests whether they are alike at all.

    The p-value is that of the F correction by Iman and Davenport, but never below the chance that arms that are alike
    come in the same order on all problems, which F calls impossible. The critical difference is Nemenyi's at 5 %.

    Args:
        scores: Higher is better, shape (problems, arms); arms that are equal on a problem share their mean rank.
            Problems where a score is NaN are left out.

    Raises:
        UsageError: There are fewer than two arms, or fewer than two problems that all arms have a score on.

    Source: Demšar (2006), Statistical Comparisons of Classifiers over Multiple Data Sets; Iman and Davenport (1980),
    Approximations of the critical region of the Friedman statistic; ties as in Conover (1999), Practical
    Nonparametric Statistics.
    """
    table = np.asarray(scores, dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise UsageError(f"A ranking needs a table of problems by two or more arms; got the shape {table.shape}.")
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < 2:
        raise UsageError(f"A ranking needs two or more problems on which all arms have a score; got {n}.")
    ranks = stats.rankdata(-table, axis=1)
    mean_ranks = ranks.mean(axis=0)
    between = n * float(((mean_ranks - (k + 1) / 2) ** 2).sum())
    total = float(((ranks - (k + 1) / 2) ** 2).sum())
    return Ranking(
        mean_ranks=mean_ranks,
        chi_square=n * (k - 1) * between / total if total else 0.0,
        p_value=_iman_davenport(between, total, n, k),
        critical_difference=_nemenyi_quantile(k) * math.sqrt(k * (k + 1) / (6 * n)),
        n_problems=n,
    )


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Two arms over several problems; above 0 the first is ahead.

    Attributes:
        first, second: Places of the arms.
        median: Of the differences, in their unit.
        lean: Share of the ranks above 0 less the share below, from -1 to 1 (Kerby 2014, The Simple Difference Formula).
        p_value: Of Wilcoxon's signed-rank test, two-sided.
        adjusted: The same after Holm's correction for all pairs.
    """

    first: int
    second: int
    median: float
    lean: float
    p_value: float
    adjusted: float


def fewest_problems(n_arms: int) -> int:
    """How many problems Nemenyi's test needs to tell an arm that is always first from one that is always last.

    >>> [fewest_problems(n) for n in (2, 4, 5, 10)]
    [4, 3, 3, 3]
    """
    quantile = _nemenyi_quantile(n_arms)
    return math.floor(quantile**2 * n_arms * (n_arms + 1) / (6 * (n_arms - 1) ** 2)) + 1


def signed_ranks(scores: ArrayLike) -> tuple[SignedRank, ...]:
    """Wilcoxon's signed-rank test for all pairs of arms, with Holm's correction.

    Args:
        scores: Higher is better, in a unit that is comparable from problem to problem, shape (problems, arms).
            Problems where a score is NaN are left out.

    Source: Wilcoxon (1945), Individual Comparisons by Ranking Methods; recommended for two arms over several problems
    by Demšar (2006).
    """
    table = np.asarray(scores, dtype=float)
    table = table[~np.isnan(table).any(axis=1)]
    pairs = list(itertools.combinations(range(table.shape[1]), 2))
    if not len(table):
        return ()
    gaps = [table[:, i] - table[:, j] for i, j in pairs]
    chances = [signed_rank_p(gap) for gap in gaps]
    found = zip(pairs, gaps, chances, holm(chances), strict=True)
    return tuple(SignedRank(i, j, float(np.median(gap)), _lean(gap), p, float(q)) for (i, j), gap, p, q in found)


def signed_rank_p(gaps: ArrayLike) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test, exact also where gaps are equal or 0.

    The signs of all gaps that are not 0 are equally likely: the distribution of the sum of the ranks above 0 is
    counted out. Zeros are ranked, and then left out.

    Args:
        gaps: Differences, shape (n,), finite.

    Source: Wilcoxon (1945); zeros as in Pratt (1959), Remarks on Zeros and Ties in the Wilcoxon Signed Rank Procedures.

    >>> signed_rank_p([1, 2, 3, 4, 5, 6])
    0.03125
    """
    values = np.asarray(gaps, dtype=float)
    doubled = np.rint(2 * stats.rankdata(np.abs(values))).astype(int)  # ranks of ties are halves
    moved = values != 0
    chances = np.ones(1)
    for rank in doubled[moved]:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    above = int(doubled[values > 0].sum())
    tail = min(float(chances[: above + 1].sum()), float(chances[above:].sum()))
    return min(1.0, 2 * tail)


def _lean(gaps: Floats) -> float:
    signed = stats.rankdata(np.abs(gaps)) * np.sign(gaps)
    total = float(np.abs(signed).sum())
    return float(signed.sum()) / total if total else 0.0


def _nemenyi_quantile(n_arms: int) -> float:
    return float(stats.studentized_range.ppf(1 - LEVEL, n_arms, math.inf)) / math.sqrt(2)


def _iman_davenport(between: float, total: float, n: int, k: int) -> float:
    """From the sums of squares of mean ranks and of all ranks: F as in an analysis of variance of ranks."""
    if not total:
        return 1.0
    within = total - between
    same_order = math.exp(-(n - 1) * math.lgamma(k + 1))
    if within <= 1e-12 * total:
        return same_order
    return max(float(stats.f.sf((n - 1) * between / within, k - 1, (k - 1) * (n - 1))), same_order)
