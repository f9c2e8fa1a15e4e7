"""The verdict of a duel, against textbook figures, SciPy and its own promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hpo_core.analysis.judgement import ahead, correlated_posterior, holm, holm_levels, judge
from hpo_core.analysis.noise import compare_folds
from hpo_core.errors import UsageError

GAPS = (0.02, -0.03, 0.01, 0.02, 0.01, 0.03, -0.01)
# To four digits, so that no spread is lost in rounding.
some_gaps = st.lists(st.integers(-5000, 5000).map(lambda n: n / 10000), min_size=2, max_size=30)
overlaps = st.floats(0, 1)
ropes = st.floats(0, 0.5)


def gaps_of(n, mean, spread):
    """So many gaps with exactly this mean and standard deviation."""
    raw = np.random.default_rng(n).normal(size=n)
    return mean + spread * (raw - raw.mean()) / raw.std(ddof=1)


def test_without_overlap_it_is_the_t_test():
    found, plain = judge(GAPS, 0.0, 0.0), stats.ttest_1samp(GAPS, 0.0)
    assert found.p_value == pytest.approx(plain.pvalue)
    interval = plain.confidence_interval(0.9)
    assert correlated_posterior(GAPS, 0.0).interval(0.9) == pytest.approx((interval.low, interval.high))


def test_posterior_is_the_student_t_of_the_paper():
    posterior = correlated_posterior(GAPS, 0.25)
    scale = np.std(GAPS, ddof=1) * math.sqrt(1 / 7 + 0.25)
    paper = stats.t(6, loc=np.mean(GAPS), scale=scale)
    assert posterior.chances(0.01) == pytest.approx(
        (paper.cdf(-0.01), paper.cdf(0.01) - paper.cdf(-0.01), paper.sf(0.01))
    )
    assert posterior.interval() == pytest.approx(paper.interval(0.95))
    assert posterior.p_value == pytest.approx(2 * min(posterior.chances(0.0)[::2]))


@given(some_gaps, overlaps)
def test_it_says_what_the_comparison_of_folds_says(gaps, overlap):
    found = judge(gaps, overlap, 0.0)
    folds = compare_folds(gaps, np.zeros(len(gaps)), is_higher_better=True, overlap=overlap)
    assert (found.mean, found.half_width) == pytest.approx((folds.mean, folds.half_width))
    if not math.isclose(abs(found.mean), found.half_width, rel_tol=1e-9) and found.half_width:
        assert (found.verdict == "cannot tell") == (folds.verdict == "tie")


@given(some_gaps, overlaps, ropes)
def test_swapping_the_arms_swaps_the_verdict(gaps, overlap, rope):
    found, swapped = judge(gaps, overlap, rope), judge([-gap for gap in gaps], overlap, rope)
    assert swapped.chances == pytest.approx(found.chances[::-1])
    assert sum(found.chances) == pytest.approx(1)
    assert swapped.verdict == {"better": "worse", "worse": "better"}.get(found.verdict, found.verdict)
    assert (swapped.p_value, swapped.n_more) == (pytest.approx(found.p_value), found.n_more)


@given(some_gaps, overlaps, ropes)
def test_more_overlap_makes_less_sure_and_a_wider_rope_more_equivalent(gaps, overlap, rope):
    sharper, wider = correlated_posterior(gaps, overlap), correlated_posterior(gaps, overlap + 0.1)
    assert wider.p_value >= sharper.p_value
    assert wider.half_width() >= sharper.half_width()
    assert sharper.chances(rope + 0.01).equivalent >= sharper.chances(rope).equivalent


def test_gaps_that_are_not_finite_are_left_out():
    assert judge([math.nan, *GAPS, math.inf], 0.25, 0.01) == judge(GAPS, 0.25, 0.01)


@pytest.mark.parametrize(
    ("mean", "spread", "rope", "verdict"),
    [
        (0.05, 0.01, 0.01, "better"),
        (-0.05, 0.01, 0.01, "worse"),
        (0.001, 0.005, 0.01, "equivalent"),
        (0.005, 0.002, 0.01, "equivalent"),  # clearly not 0, and clearly too small to matter
        (0.012, 0.002, 0.01, "better"),
        (0.01, 0.05, 0.01, "cannot tell"),
    ],
)
def test_verdict_weighs_noise_and_what_matters(mean, spread, rope, verdict):
    found = judge(gaps_of(25, mean, spread), 0.25, rope)
    assert found.verdict == verdict
    assert (found.n_more == 0) == (verdict != "cannot tell")


def test_equivalent_takes_a_chance_of_95_percent():
    """Around 0 that is where the 95 % interval just fits into the region."""
    half = judge(gaps_of(25, 0.0, 1.0), 0.25, 0.0).half_width
    assert judge(gaps_of(25, 0.0, 1.0), 0.25, 1.001 * half).verdict == "equivalent"
    assert judge(gaps_of(25, 0.0, 1.0), 0.25, 0.999 * half).verdict == "cannot tell"


def test_a_stricter_level_tells_fewer_apart():
    gaps = gaps_of(10, 0.03, 0.02)
    assert 0.01 < judge(gaps, 0.25, 0.0).p_value < 0.05
    assert judge(gaps, 0.25, 0.0).verdict == "better"
    assert judge(gaps, 0.25, 0.0, alpha=0.01).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("gap", "rope", "verdict"),
    [(0.0, 0.0, "equivalent"), (0.25, 0.0, "better"), (-0.25, 0.1, "worse"), (0.25, 0.5, "equivalent")],
)
def test_gaps_without_noise_get_a_verdict(gap, rope, verdict):
    found = judge([gap] * 4, 0.25, rope)
    assert (found.verdict, found.half_width, found.n_more) == (verdict, 0.0, 0)
    assert max(found.chances) == 1
    assert found.p_value == (gap == 0)


@pytest.mark.parametrize(
    ("mean", "rope", "overlap"),
    [(0.012, 0.0, 0.01), (0.012, 0.01, 0.0), (0.0, 0.02, 0.0), (0.004, 0.03, 0.03), (-0.03, 0.001, 0.05)],
)
def test_the_verdict_comes_with_just_so_many_more(mean, rope, overlap):
    n_more = judge(gaps_of(5, mean, 0.05), overlap, rope).n_more
    assert n_more is not None
    assert n_more > 1
    assert judge(gaps_of(5 + n_more, mean, 0.05), overlap, rope).verdict != "cannot tell"
    assert judge(gaps_of(4 + n_more, mean, 0.05), overlap, rope).verdict == "cannot tell"


def test_no_number_of_folds_is_enough_where_the_overlap_hides_the_difference():
    """The half width does not fall below 1.96 times the root of the overlap, in units of the spread: here 0.98."""
    assert judge(gaps_of(10, 0.97, 1.0), 0.25, 0.0).n_more is None
    assert judge(gaps_of(10, 0.99, 1.0), 0.25, 0.0).n_more is not None
    assert judge(gaps_of(10, 0.0, 1.0), 0.0, 0.0).n_more is None


@pytest.mark.parametrize(
    ("gaps", "overlap", "rope", "sentence"),
    [
        (gaps_of(25, 0.0121, 0.0072), 0.25, 0.001, "A is better than B by 0.0121 (95 % interval 0.0041 to 0.0201)."),
        (gaps_of(25, -12.1, 7.2), 0.25, 1, "A is worse than B by 12.1 (95 % interval 4.1 to 20.1)."),
        (gaps_of(25, 0.001, 0.008), 0.25, 0.01, "A and B are equivalent within 0.01 (chance 97 %)."),
        (gaps_of(25, 0.001, 0.006), 0.25, 0.01, "A and B are equivalent within 0.01 (chance above 99 %)."),
        ([0.0, 0.0], 0.25, 0.0, "A and B are equivalent: no fold score differs."),
        (
            gaps_of(10, 0.03, 0.06),
            0.05,
            0.001,
            "Cannot tell A from B: the difference is 0.03 ± 0.053; about 67 more fold scores would be needed.",
        ),
        (
            gaps_of(10, -0.003, 0.02),
            0.25,
            0.001,
            "Cannot tell A from B: the difference is −0.003 ± 0.027, and no number of further fold scores on the same "
            "rows would settle it.",
        ),
    ],
)
def test_sentence(gaps, overlap, rope, sentence):
    assert judge(gaps, overlap, rope).in_words("A", "B") == sentence


def test_sentence_counts_what_the_gaps_are():
    found = judge(gaps_of(9, 0.012, 0.016), 0.0, 0.0)
    assert found.n_more == 1
    assert found.in_words("A", "B", "seed").endswith("about 1 more seed would be needed.")
    many = judge(gaps_of(9, 0.001, 0.016), 0.0, 0.0)
    assert "about 980 more seeds would" in many.in_words("A", "B", "seed")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0.1, math.nan], 0.25, 0.0), "at least two paired scores; got 1"),
        ((GAPS, -0.1, 0.0), "over training rows .* got -0.1"),
        ((GAPS, math.nan, 0.0), "over training rows .* got nan"),
        ((GAPS, 0.25, -0.01), "does not matter .* got -0.01"),
        ((GAPS, 0.25, math.nan), "does not matter .* got nan"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_what_was_given(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        judge(*arguments)


def test_levels_are_between_0_and_1():
    with pytest.raises(UsageError, match="test must be between 0 and 1; got 0"):
        judge(GAPS, 0.25, 0.0, alpha=0.0)
    with pytest.raises(UsageError, match="interval must be between 0 and 1; got 95"):
        correlated_posterior(GAPS, 0.25).interval(95)


def test_holm_by_hand():
    """Four tests: 0.005 x 4, 0.01 x 3, then 0.03 x 2, and 0.04 x 1 is lifted to the one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_does_not_count_what_was_not_tested():
    assert holm([math.nan, 0.04, 0.5, 0.7]) == pytest.approx([math.nan, 0.12, 1.0, 1.0], nan_ok=True)
    assert holm([]).shape == (0,)
    with pytest.raises(UsageError, match=r"between 0 and 1; got 1\.5"):
        holm([0.5, 1.5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10), st.sampled_from([0.01, 0.05, 0.2]))
def test_levels_of_holm_reject_just_what_the_adjusted_p_values_do(p_values, alpha):
    given_p, levels = np.array(p_values), holm_levels(p_values, alpha)
    clear = np.abs(holm(p_values) - alpha) > 1e-12
    assert ((given_p < levels) == (holm(p_values) < alpha))[clear].all()
    assert set(levels) <= set(alpha / np.arange(1, len(given_p) + 1))


def test_interval_leaves_out_0_where_the_test_rejects_at_its_level():
    gaps = gaps_of(10, 0.03, 0.025)
    for alpha in (0.05, 0.01, 0.002):
        found = judge(gaps, 0.05, 0.0, alpha=alpha)
        assert (abs(found.mean) > found.half_width) == (found.verdict == "better")
    assert "(99.8 % interval)" in judge(gaps, 0.25, 0.0, alpha=0.002).in_words("A", "B")
    assert "95 %" not in judge(gaps_of(25, 0.1, 0.01), 0.25, 0.0, alpha=0.025).in_words("A", "B")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_keeps_the_order_and_stays_within_bonferroni(p_values):
    given_p, adjusted = np.array(p_values), holm(p_values)
    assert (np.diff(adjusted[np.argsort(given_p)]) >= 0).all()
    assert (adjusted >= given_p).all()
    assert (adjusted <= np.minimum(len(given_p) * given_p, 1)).all()


def test_ahead_is_that_of_mann_and_whitney():
    rng = np.random.default_rng(0)
    a, b = rng.integers(5, size=9), rng.integers(6, size=7)
    assert ahead(a, b) == pytest.approx(stats.mannwhitneyu(a, b).statistic / 63)
    assert ahead(a, b) + ahead(b, a) == pytest.approx(1)


def test_ahead_leaves_seeds_without_a_value_out():
    assert ahead([2, math.nan], [1, math.nan, 3]) == 0.5
    assert ahead([2, 3], [-math.inf, 1]) == 1.0
    assert math.isnan(ahead([math.nan], [1]))
