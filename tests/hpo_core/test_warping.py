"""Bending values towards a normal distribution and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew

from hpo_core.warping import Warp


@settings(max_examples=80)
@given(
    values=st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=40),
    kind=st.sampled_from(["none", "yeo_johnson"]),
)
def test_inverse_undoes_forward(values: list[float], kind: str) -> None:
    y = np.array(values)
    warp = Warp.learned(y, kind)
    np.testing.assert_allclose(warp.inverse(warp.forward(y)), y, atol=1e-5 * max(np.ptp(y), np.abs(y).max(), 1e-300))


def test_targets_have_mean_zero_and_variance_one() -> None:
    values = np.random.default_rng(0).lognormal(size=200)
    targets = Warp.learned(values, "yeo_johnson").forward(values)
    assert targets.mean() == pytest.approx(0.0, abs=1e-9)
    assert targets.std() == pytest.approx(1.0)


def test_power_takes_the_skew_away_and_keeps_the_order() -> None:
    values = np.random.default_rng(0).lognormal(sigma=1.5, size=200)
    targets = Warp.learned(values, "yeo_johnson").forward(values)
    assert abs(skew(targets)) < 0.6 < 2 < skew(values)
    np.testing.assert_array_equal(targets.argsort(), values.argsort())


def test_moments_agree_with_a_large_sample() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=100)
    warp = Warp.learned(values, "yeo_johnson")
    sample = warp.inverse(np.random.default_rng(1).normal(0.4, 0.3, size=200_000))
    mean, sd = warp.moments(np.array([0.4]), np.array([0.3]))
    assert mean[0] == pytest.approx(sample.mean(), rel=0.01)
    assert sd[0] == pytest.approx(sample.std(), rel=0.02)


def test_nothing_is_predicted_further_out_than_one_range_beyond_the_data() -> None:
    values = np.random.default_rng(0).lognormal(sigma=2.0, size=50)
    ends = Warp.learned(values, "yeo_johnson").inverse(np.array([-100.0, 100.0]))
    span = np.ptp(values)
    assert ends[0] >= values.min() - 1.001 * span
    assert ends[1] <= values.max() + 1.001 * span
