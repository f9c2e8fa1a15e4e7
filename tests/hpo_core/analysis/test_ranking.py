"""Arms over several problems: Demšar's example, SciPy's figures, and what few problems cannot say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hpo_core.analysis.ranking import fewest_problems, friedman, signed_rank_p, signed_ranks
from hpo_core.errors import UsageError

# Ranks of C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 data sets: Demšar (2006), table 6.
DEMSAR = np.array(
    [
        *([4, 3, 2, 1], [1, 2, 3, 4], [4, 1, 2, 3], [4, 1, 3, 2], [4, 2, 3, 1], [1, 2.5, 4, 2.5], [3, 2, 4, 1]),
        *([2.5, 2.5, 4, 1], [4, 3, 2, 1], [2.5, 2.5, 2.5, 2.5], [4, 2.5, 1, 2.5], [3, 2, 4, 1], [4, 1, 2, 3]),
        [3, 1, 4, 2],
    ]
)


def test_ranking_of_demsar():
    found = friedman(-DEMSAR)
    assert found.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.critical_difference == pytest.approx(1.25, abs=0.005)
    assert found.n_problems == 14
    # The paper's 9.28 leaves ties out of account: one of four and three of two arms.
    assert found.chi_square * (1 - (60 + 3 * 6) / (14 * 60)) == pytest.approx(9.28, abs=0.005)


def test_f_of_iman_and_davenport_is_that_of_the_paper():
    """F = 3.69 with 3 and 39 degrees of freedom in the paper, without ties; ours from the chi-square with them."""
    found = friedman(-DEMSAR)
    f = 13 * found.chi_square / (14 * 3 - found.chi_square)
    assert found.p_value == pytest.approx(stats.f.sf(f, 3, 39))
    assert found.p_value < stats.f.sf(3.69, 3, 39) < 0.05


def test_chi_square_is_that_of_scipy_with_and_without_ties():
    rng = np.random.default_rng(0)
    for scores in (rng.random((9, 4)), rng.integers(3, size=(9, 4))):
        assert friedman(scores).chi_square == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)


def test_arms_in_the_same_order_on_few_problems_may_be_so_by_chance():
    """Of two arms, one is ahead on both of two problems half of the time."""
    assert friedman([[1, 0], [1, 0]]).p_value == pytest.approx(0.5)
    assert friedman([[2, 1, 0]] * 3).p_value == pytest.approx(1 / 36)


def test_arms_that_are_equal_everywhere_are_alike():
    found = friedman(np.ones((5, 3)))
    assert (found.p_value, found.chi_square) == (1.0, 0.0)
    assert found.tied_groups() == ((0, 1, 2),)


def test_arms_that_are_alike_are_rarely_called_different():
    rng = np.random.default_rng(0)
    share = np.mean([friedman(rng.random((10, 4))).p_value < 0.05 for _ in range(400)])
    assert 0.02 < share < 0.09  # 0.05, and three standard errors of 400 draws


def test_problems_without_all_scores_are_left_out():
    whole = np.random.default_rng(0).random((6, 3))
    found, holed = friedman(whole), friedman(np.vstack([whole, [0.1, math.nan, 0.3]]))
    assert holed.n_problems == 6
    assert holed.p_value == found.p_value


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (np.ones((4, 1)), "two or more arms"),
        (np.ones(4), "two or more arms"),
        ([[1, 2], [math.nan, 1]], "two or more problems .* got 1"),
    ],
)
def test_too_little_to_rank_is_refused(scores, sentence):
    with pytest.raises(UsageError, match=sentence):
        friedman(scores)


def test_groups_are_the_largest_within_the_critical_difference():
    """30 problems in the same order of four arms, the last two swapped on half: 1, 2, 3.5, 3.5 and 0.86 apart."""
    scores = np.tile([30.0, 20.0, 10.0, 0.0], (30, 1))
    scores[::2, 2:] = scores[::2, :1:-1]
    found = friedman(scores[:, [2, 0, 1, 3]])
    assert found.critical_difference == pytest.approx(0.856, abs=1e-3)
    assert found.tied_groups() == ((1,), (2,), (0, 3))


def test_groups_share_arms():
    """Mean ranks 1, 2 and 3 on 6 problems, 1.35 apart: neighbours are not told apart, first and last are."""
    assert friedman([[3, 2, 1]] * 6).tied_groups() == ((0, 1), (1, 2))


def test_arms_that_friedman_calls_alike_are_one_group():
    scores = np.random.default_rng(3).random((40, 4))
    found = friedman(scores)
    assert not found.is_told_apart
    assert sorted(found.tied_groups()[0]) == [0, 1, 2, 3]


@pytest.mark.parametrize("n_arms", [2, 3, 4, 5, 8])
def test_fewest_problems_are_those_on_which_first_and_last_are_told_apart(n_arms):
    n = fewest_problems(n_arms)
    orders = [np.arange(n_arms)[::-1]]
    assert friedman(np.tile(orders[0], (n, 1))).critical_difference < n_arms - 1
    assert friedman(np.tile(orders[0], (n - 1, 1))).critical_difference >= n_arms - 1


def test_signed_rank_is_that_of_scipy_without_ties():
    rng = np.random.default_rng(0)
    for n in (3, 6, 11, 20):
        gaps = rng.normal(0.4, 1, n)
        assert signed_rank_p(gaps) == pytest.approx(stats.wilcoxon(gaps, method="exact").pvalue)


def test_signed_rank_is_exact_with_ties_and_zeros():
    """SciPy's own answer for all signs of ten differences, which it counts out one by one."""
    every = stats.PermutationMethod(n_resamples=100_000)
    for gaps in ([1, 1, -1, 2, 2, -3, 0, 0, 4, 4], [0, 0, 1, 1, 1, 2], [-1, 1, 2, 2, -2]):
        truth = stats.wilcoxon(gaps, zero_method="pratt", method=every).pvalue
        assert signed_rank_p(gaps) == pytest.approx(truth), gaps
    assert signed_rank_p([0.0, 0.0]) == 1.0


def test_all_pairs_are_corrected_together():
    scores = np.column_stack([np.arange(8.0) + 3, np.arange(8.0), np.arange(8.0) + np.tile([0.5, -0.5], 4)])
    found = {(pair.first, pair.second): pair for pair in signed_ranks(scores)}
    assert found[0, 1].p_value == pytest.approx(2 / 2**8)
    assert found[0, 1].median == 3
    assert found[0, 1].adjusted == pytest.approx(3 * 2 / 2**8)
    assert found[1, 2].adjusted == 1.0
    assert signed_ranks(np.vstack([scores, [math.nan, 0, 0]])) == signed_ranks(scores)
    assert signed_ranks(np.empty((0, 3))) == ()
