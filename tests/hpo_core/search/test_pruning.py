"""The two rules between folds, on scores small enough to check by hand."""

import numpy as np
import pytest

from hpo_core.search.pruning import FoldHistory, is_hopeless


def _rivals(*rows, sign=1.0):
    history = FoldHistory(len(rows[0]), sign)
    for row in rows:
        history.add(row)
    return history.snapshot()


_ROWS = ((1.0, 2.0, 3.0), (1.1, 2.3, 3.2), (1.3, 2.1, 3.3), (2.0, 3.0, 4.0), (9.0, 9.0, 9.0))


def test_race_gives_up_what_lies_beyond_the_pooled_noise_of_paired_differences():
    rivals = _rivals(*_ROWS)
    # Better half without the incumbent: differences (0.1, 0.3, 0.2) and (0.3, 0.1, 0.3); pooled over their variances.
    noise = np.sqrt((np.var([0.1, 0.3, 0.2], ddof=1) + np.var([0.3, 0.1, 0.3], ddof=1)) / 2)
    assert rivals.noise == pytest.approx(noise)
    for k in (1, 2):
        edge = noise * np.sqrt(1 / k - 1 / 3)
        incumbent = np.array([1.0, 2.0, 3.0])[:k]
        assert not is_hopeless("race", tuple(incumbent + 0.99 * edge), rivals)
        assert is_hopeless("race", tuple(incumbent + 1.01 * edge), rivals)


def test_pairing_takes_the_difficulty_of_a_fold_away():
    assert not is_hopeless("race", (1.0,), _rivals(*_ROWS))
    assert not is_hopeless("race", (1.0, 2.0), _rivals(*_ROWS))


def test_median_gives_up_the_worse_half():
    rivals = _rivals(*_ROWS)
    assert not is_hopeless("median", (1.3,), rivals)
    assert is_hopeless("median", (1.31,), rivals)
    assert is_hopeless("median", (1.0, 2.5), rivals)


@pytest.mark.parametrize("rule", ["race", "median"])
def test_higher_is_better_where_the_direction_says_so(rule):
    rivals = _rivals(*[tuple(-x for x in row) for row in _ROWS], sign=-1.0)
    assert is_hopeless(rule, (-5.0,), rivals)
    assert not is_hopeless(rule, (-0.5,), rivals)


@pytest.mark.parametrize("rule", ["race", "median", "none"])
def test_nothing_is_given_up_too_early_or_too_late(rule):
    assert not is_hopeless(rule, (99.0,), _rivals(*_ROWS[:3]))
    assert not is_hopeless(rule, (), _rivals(*_ROWS))
    assert not is_hopeless(rule, (99.0, 99.0, 99.0), _rivals(*_ROWS))
    assert is_hopeless(rule, (99.0,), _rivals(*_ROWS)) == (rule != "none")


def test_estimate_is_the_incumbents_mean_plus_the_paired_difference():
    assert _rivals(*_ROWS).estimate((1.5, 2.7)) == pytest.approx(2.0 + 0.6)
    mirrored = _rivals(*[tuple(-x for x in row) for row in _ROWS], sign=-1.0)
    assert mirrored.estimate((-1.5, -2.7)) == pytest.approx(-2.6)


def test_trials_with_missing_folds_are_no_rivals_and_snapshots_stay_as_they_are():
    history = FoldHistory(2, 1.0)
    history.add((1.0,))
    history.add((1.0, float("nan")))
    assert len(history.snapshot()) == 0
    snapshots = []
    for i in range(200):
        snapshots.append(history.snapshot())
        history.add((float(i), float(i)))
    assert [len(s) for s in snapshots] == list(range(200))
    assert snapshots[150].matrix[:, 0].tolist() == [float(i) for i in range(150)]
