"""What a suite says: the same arms over many problems, their ranks, and who can be told from whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from hpo_core.analysis.duel import Outcome
from hpo_core.analysis.ranking import LEVEL, Ranking, SignedRank, fewest_problems, friedman, signed_ranks
from hpo_core.formats import format_count, format_list, round_significant
from hpo_core.studies.table import Floats

ADVISED = 10  # problems, below which Demšar (2006) calls the tests weak
_DIGITS = 12  # means of equal scores differ after these


@dataclass(frozen=True)
class Contest:
    """One problem of a suite.

    Attributes:
        title: The problem in one line.
        sign: +1 where lower scores are better, -1 where higher ones are.
        outcome: The verdict so far; None while no arm has a score. Its arms are those of the suite, in order.
        is_over: Whether all arms have come to their end there; only then the problem counts.
    """

    title: str
    sign: float
    outcome: Outcome | None
    is_over: bool


@dataclass(frozen=True, eq=False)
class Standing:
    """How the arms of a suite stand.

    Attributes:
        labels: Names of the arms.
        contests: One for each problem.
        ranks: 1 is best, equal scores share their mean rank, shape (problems, arms); NaN on problems that do not count.
        ranking: Over the problems that count; None for fewer than two.
        pairs: All pairs of arms by signed ranks; the differences are in units of what does not matter on a problem.
        sentences: What can be said, the most important first.
    """

    labels: tuple[str, ...]
    contests: tuple[Contest, ...]
    ranks: Floats
    ranking: Ranking | None
    pairs: tuple[SignedRank, ...]
    sentences: tuple[str, ...]

    @property
    def n_counted(self) -> int:
        return int(np.isfinite(self.ranks).all(axis=1).sum())

    @property
    def n_over(self) -> int:
        return sum(contest.is_over for contest in self.contests)

    def verdict_of(self, problem: int, arm: int) -> str:
        """How an arm stands against the leader of a problem: "leads", "worse", "equivalent", "cannot tell" or ""."""
        outcome = self.contests[problem].outcome
        if outcome is None or not outcome.order:
            return ""
        if arm == outcome.order[0]:
            return "leads"
        pair = next((pair for pair in outcome.pairs if pair.second == arm), None)
        if pair is None:
            return ""
        return {"better": "worse", "worse": "better"}.get(pair.judgement.verdict, pair.judgement.verdict)


def standing(labels: Sequence[str], contests: Sequence[Contest]) -> Standing:
    """The standing of the arms by Friedman's and Nemenyi's tests, and in pairs by Wilcoxon's with Holm's correction.

    Args:
        labels: Names of the arms, at least two.
        contests: The problems; those that are not over, and those where an arm has no score, do not count.

    Source: Demšar (2006), Statistical Comparisons of Classifiers over Multiple Data Sets.
    """
    scores = np.array([_higher_is_better(contest, len(labels)) for contest in contests]).reshape(-1, len(labels))
    ranks = np.full(scores.shape, math.nan)
    counts = np.isfinite(scores).all(axis=1)
    if counts.any():
        ranks[counts] = stats.rankdata(-round_significant(scores[counts], _DIGITS), axis=1)
    n = int(counts.sum())
    ranking = friedman(-ranks[counts]) if n > 1 else None
    units = np.array([_unit(contest) for contest in contests])
    rounded = round_significant(scores[counts] / units[counts, None], _DIGITS)
    pairs = signed_ranks(rounded) if n > 1 else ()
    said = _sentences(labels, ranking, pairs, len(contests), n)
    return Standing(tuple(labels), tuple(contests), ranks, ranking, pairs, tuple(said))


def _higher_is_better(contest: Contest, n_arms: int) -> Floats:
    if contest.outcome is None or not contest.is_over:
        return np.full(n_arms, math.nan)
    return -contest.sign * np.array(contest.outcome.means, dtype=float)


def _unit(contest: Contest) -> float:
    """Scores of different metrics are compared in units of the difference that does not matter."""
    rope = contest.outcome.rope if contest.outcome else math.nan
    return rope if math.isfinite(rope) and rope > 0 else 1.0


def _sentences(
    labels: Sequence[str], ranking: Ranking | None, pairs: Sequence[SignedRank], n_all: int, n: int
) -> list[str]:
    if ranking is None:
        counted = "none counts yet" if n == 0 else "one counts so far"
        return [f"Ranks need two problems on which all arms have come to their end; of {n_all}, {counted}."]
    return [_headline(labels, ranking), _power(len(labels), ranking), _in_pairs(labels, pairs, n)]


def _headline(labels: Sequence[str], ranking: Ranking) -> str:
    order = np.argsort(ranking.mean_ranks, kind="stable")
    best = order[0]
    over = f"over {format_count(ranking.n_problems, 'problem')}"
    first = f"{labels[best]} has the best mean rank, {ranking.mean_ranks[best]:.2f} {over}"
    if not ranking.is_told_apart:
        if np.ptp(ranking.mean_ranks) == 0:
            return f"All arms have the same mean rank {over}."
        return f"{first}, but the arms cannot be told apart: Friedman's test gives p = {ranking.p_value:.2g}."
    group = next(group for group in ranking.tied_groups() if best in group)
    others = [labels[i] for i in group if i != best]
    beaten = [labels[i] for i in order if i not in group]
    if not beaten:
        return f"{first}. The arms differ (Friedman's test: p = {ranking.p_value:.2g}), but not by enough to say which."
    tied = f"; it cannot be told from {format_list(others)}" if others else ""
    return f"{first}, and is ahead of {format_list(beaten)} by more than chance{tied}."


def _power(n_arms: int, ranking: Ranking) -> str:
    n, least = ranking.n_problems, fewest_problems(n_arms)
    distance = f"Mean ranks must differ by {ranking.critical_difference:.2f} to be told apart (Nemenyi, 5 %)"
    if n < least:
        return (
            f"{distance}: more than first and last can differ. With {format_count(n_arms, 'arm')} that takes at least "
            f"{least} problems."
        )
    if n < ADVISED:
        return f"{distance}. With fewer than {ADVISED} problems only large differences show."
    return f"{distance}."


def _in_pairs(labels: Sequence[str], pairs: Sequence[SignedRank], n: int) -> str:
    """What Wilcoxon's test finds, or that so few problems cannot find anything."""
    least = 2 ** (1 - n) * len(pairs)
    if least >= LEVEL:
        return (
            f"In pairs, signed ranks cannot settle anything on {format_count(n, 'problem')}: the smallest p that "
            f"Holm's correction leaves for {format_count(len(pairs), 'pair')} is {min(1.0, least):.2g}."
        )
    found = [_ahead(labels, pair) for pair in pairs if pair.adjusted < LEVEL]
    if not found:
        return "In pairs, by Wilcoxon's signed ranks with Holm's correction, no difference is beyond chance."
    return f"In pairs, by Wilcoxon's signed ranks with Holm's correction: {'; '.join(found)}."


def _ahead(labels: Sequence[str], pair: SignedRank) -> str:
    first, second = (pair.first, pair.second) if pair.lean >= 0 else (pair.second, pair.first)
    return f"{labels[first]} is ahead of {labels[second]} (p = {pair.adjusted:.2g})"
