"""What a suite says: ranks by problem, the bars of the paper, and no more than so few problems can carry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hpo_core.analysis.duel import Outcome, Pair
from hpo_core.analysis.judgement import judge
from hpo_core.analysis.suite import Contest, standing
from tests.hpo_core.analysis.test_ranking import DEMSAR

NAMES = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")


def contest(means, *, sign=-1.0, is_over=True, rope=0.01):
    means = tuple(float(mean) for mean in means)
    order = sorted((i for i, m in enumerate(means) if math.isfinite(m)), key=lambda i: sign * means[i])
    return Contest("a problem", sign, Outcome((), tuple(order), means, (), True, rope), is_over)


def test_example_of_demsar_comes_out_as_in_the_paper():
    """Mean ranks, critical difference and the one group: no pair of the four is told apart but by the F test."""
    found = standing(NAMES, [contest(-ranks) for ranks in DEMSAR])
    assert found.ranks == pytest.approx(DEMSAR)
    assert found.ranking.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.ranking.critical_difference == pytest.approx(1.25, abs=0.005)
    assert found.sentences[0].startswith("C4.5+m+cf has the best mean rank, 1.96 over 14 problems. The arms differ")
    assert "1.25 to be told apart (Nemenyi, 5 %)." in found.sentences[1]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_rank_1_is_the_best_whatever_the_direction(sign):
    found = standing("abc", [contest(-sign * np.array([3.0, 2.0, 1.0]) + i, sign=sign) for i in range(8)])
    assert found.ranking.mean_ranks.tolist() == [1, 2, 3]
    best = "a has the best mean rank, 1.00 over 8 problems"
    assert found.sentences[0] == f"{best}, and is ahead of c by more than chance; it cannot be told from b."


def test_problems_that_are_not_over_or_lack_a_score_do_not_count():
    contests = [contest([2, 1]), contest([1, 2], is_over=False), contest([2, math.nan]), contest([3, 1])]
    contests.append(Contest("not begun", -1.0, None, False))
    found = standing("ab", contests)
    assert (found.n_counted, found.n_over) == (2, 3)
    assert found.ranking.mean_ranks.tolist() == [1, 2]
    assert np.isnan(found.ranks[[1, 2, 4]]).all()


@pytest.mark.parametrize(("n", "words"), [(0, "of 3, none counts yet"), (1, "of 3, one counts so far")])
def test_nothing_is_ranked_over_fewer_than_two_problems(n, words):
    found = standing("ab", [contest([2, 1], is_over=i < n) for i in range(3)])
    assert found.ranking is None
    assert found.pairs == ()
    assert words in found.sentences[0]


def test_what_rounding_leaves_of_equal_scores_is_a_tie():
    found = standing("ab", [contest([0.1 + 0.2, 0.3]) for _ in range(3)])
    assert (found.ranks == 1.5).all()
    assert found.sentences[0] == "All arms have the same mean rank over 3 problems."


def test_too_few_problems_for_nemenyi_and_for_signed_ranks_are_said():
    found = standing("abcd", [contest([4, 3, 2, 1])] * 2)
    assert "With 4 arms that takes at least 3 problems." in found.sentences[1]
    assert "cannot settle anything on 2 problems" in found.sentences[2]
    assert "With fewer than 10 problems" in standing("abcd", [contest([4, 3, 2, 1])] * 5).sentences[1]


def test_signed_ranks_compare_metrics_in_units_of_what_does_not_matter():
    """One problem in hundreds of a loss beside nine in hundredths: alone its size would make it the largest rank."""
    gains = [0.02, 0.03, 0.01, 0.04, 0.05, 0.06, 0.015, 0.025, 0.035]
    contests = [contest([0.9 + gain, 0.9]) for gain in gains]
    contests.append(contest([900.0 + 45.0, 900.0], sign=1.0, rope=9.0))  # five ropes worse
    found = standing("ab", contests)
    ropes = [gain / 0.01 for gain in gains] + [-5.0]
    assert found.pairs[0].p_value == pytest.approx(stats.wilcoxon(ropes, method="exact").pvalue, abs=0.02)
    assert found.pairs[0].lean > 0.6


def test_pairs_beyond_chance_are_named_with_the_winner_first():
    rng = np.random.default_rng(0)
    found = standing("ab", [contest([0.8, 0.8 + gain]) for gain in rng.uniform(0.02, 0.05, 9)])
    assert "b is ahead of a (p = 0.0039)" in found.sentences[2]


def test_verdicts_of_a_problem_are_those_against_its_leader():
    gaps = np.random.default_rng(1).normal(0.1, 0.005, 15)
    better = Pair(0, 1, judge(gaps, 0.25, 0.01))
    outcome = Outcome((), (0, 1), (0.9, 0.8, math.nan), (better,), True, 0.01)
    found = standing("abc", [Contest("one", -1.0, outcome, True), Contest("two", -1.0, None, False)])
    assert [found.verdict_of(0, arm) for arm in range(3)] == ["leads", "worse", ""]
    assert found.verdict_of(1, 0) == ""
