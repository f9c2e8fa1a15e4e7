"""What more trials would gain: by a model and by extreme values, held against what they did gain."""

import numpy as np
import pytest

from hpo_core.analysis.gain import gain_by_extremes, gain_by_model
from hpo_core.analysis.surrogate import fit_surrogate
from tests.trial_tables import build_table


def test_extremes_of_a_known_distribution_gain_what_theory_says():
    """The best of n uniform draws lies at 1 / (n + 1): 20 more after 60 gain 1/61 - 1/81 on average."""
    rng = np.random.default_rng(0)
    samples = rng.random((200, 60))
    expected = np.mean([gain_by_extremes(sample, 20).expected for sample in samples])
    assert 0.5 < expected / (1 / 61 - 1 / 81) < 2


@pytest.mark.parametrize("draw", ["uniform", "normal", "exponential"])
def test_interval_of_extremes_holds_most_realised_gains(draw):
    rng = np.random.default_rng(1)
    held = []
    for _ in range(200):
        values = getattr(rng, draw)(size=60)
        gain = gain_by_extremes(values[:40], 20)
        held.append(gain.low <= max(0.0, values[:40].min() - values[40:].min()) <= gain.high)
    assert np.mean(held) > 0.8


def test_extremes_expect_more_from_more_trials_and_survive_ties_and_pairs():
    values = np.random.default_rng(2).normal(size=50)
    few, many = gain_by_extremes(values, 5), gain_by_extremes(values, 100)
    assert 0 < few.expected < many.expected
    assert gain_by_extremes(np.zeros(30), 20).expected == 0
    assert gain_by_extremes(np.array([1.0, 2.0]), 20).expected >= 0


def test_no_more_is_gained_than_there_is_room():
    values = np.random.default_rng(3).normal(size=50)
    assert gain_by_extremes(values, 50, room=0.01).high == 0.01
    room = 1.5 * gain_by_model(_surrogate(15, "maximize"), 50).expected
    assert gain_by_model(_surrogate(15, "maximize"), 50, room=room).high <= room


def test_model_that_expects_more_than_there_is_room_for_is_not_believed():
    assert gain_by_model(_surrogate(15, "maximize"), 50, room=1e-4) is None


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_model_expects_less_the_more_is_known(direction):
    gains = [gain_by_model(_surrogate(n, direction), 20).expected for n in (15, 200)]
    assert gains[0] > 1.5 * gains[1] >= 0


def test_model_gives_the_same_forecast_twice_and_keeps_its_order():
    gain = gain_by_model(_surrogate(40, "maximize"), 20)
    assert gain == gain_by_model(_surrogate(40, "maximize"), 20)
    assert 0 <= gain.low <= gain.expected <= gain.high


def _surrogate(n, direction):
    return fit_surrogate(build_table(n, direction=direction), warp="yeo_johnson")
