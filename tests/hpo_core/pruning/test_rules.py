"""The rules between folds, on scores small enough to check by hand."""

import numpy as np
import pytest

from hpo_core.errors import UsageError
from hpo_core.pruning import PRUNING, FoldHistory, is_hopeless, pruning_rule


def _judged(key, fold_scores, rivals, **options):
    return is_hopeless(pruning_rule(key, options), fold_scores, rivals)


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
        assert not _judged("race", tuple(incumbent + 0.99 * edge), rivals)
        assert _judged("race", tuple(incumbent + 1.01 * edge), rivals)


def test_pairing_takes_the_difficulty_of_a_fold_away():
    assert not _judged("race", (1.0,), _rivals(*_ROWS))
    assert not _judged("race", (1.0, 2.0), _rivals(*_ROWS))


def test_median_gives_up_the_worse_half():
    rivals = _rivals(*_ROWS)
    assert not _judged("median", (1.3,), rivals)
    assert _judged("median", (1.31,), rivals)
    assert _judged("median", (1.0, 2.5), rivals)


@pytest.mark.parametrize("rule", ["race", "median"])
def test_higher_is_better_where_the_direction_says_so(rule):
    rivals = _rivals(*[tuple(-x for x in row) for row in _ROWS], sign=-1.0)
    assert _judged(rule, (-5.0,), rivals)
    assert not _judged(rule, (-0.5,), rivals)


@pytest.mark.parametrize("rule", ["race", "median", "none"])
def test_nothing_is_given_up_too_early_or_too_late(rule):
    assert not _judged(rule, (99.0,), _rivals(*_ROWS[:3]))
    assert not _judged(rule, (), _rivals(*_ROWS))
    assert not _judged(rule, (99.0, 99.0, 99.0), _rivals(*_ROWS))
    assert _judged(rule, (99.0,), _rivals(*_ROWS)) == (rule != "none")


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


@pytest.mark.parametrize(("percent", "edge"), [(25, 1.1), (50, 1.3), (75, 2.0)])
def test_percentile_gives_up_all_but_the_best_share(percent, edge):
    rivals = _rivals(*_ROWS)
    assert not _judged("percentile", (edge,), rivals, percent=percent)
    assert _judged("percentile", (edge + 0.01,), rivals, percent=percent)


def test_threshold_needs_no_rivals_and_judges_the_mean_of_the_first_folds():
    nobody = FoldHistory(5, 1.0).snapshot()
    assert _judged("threshold", (0.6,), nobody, limit=0.5)
    assert not _judged("threshold", (0.6,), nobody, limit=0.5, n_first=2)
    assert not _judged("threshold", (0.6, 0.3), nobody, limit=0.5, n_first=2)
    assert nobody.estimate((0.6, 0.3)) == pytest.approx(0.45)
    higher_is_better = FoldHistory(5, -1.0).snapshot()
    assert _judged("threshold", (0.4,), higher_is_better, limit=0.5)
    assert not _judged("threshold", (0.6,), higher_is_better, limit=0.5)


def test_threshold_must_be_told_its_limit():
    with pytest.raises(UsageError, match="needs the option limit"):
        pruning_rule("threshold", {})
    assert PRUNING["threshold"].suited_to(0.97772).limit == 0.9777


def test_wilcoxon_of_five_folds_waits_for_the_fourth():
    """All k differences worse: p = 2 to the power of -k, which is below 0.1 from k = 4 on."""
    best = (1.0, 2.0, 3.0, 4.0, 5.0)
    rivals = _rivals(best, *(tuple(x + step for x in best) for step in (1.0, 2.0, 3.0)))
    worse = (1.1, 2.2, 3.3, 4.4)
    assert [_judged("wilcoxon", worse[:k], rivals) for k in (1, 2, 3, 4)] == [False, False, False, True]
    assert not _judged("wilcoxon", (1.1, 2.2, 3.3, 3.9), rivals)
    assert not _judged("wilcoxon", (1.01, 2.02, 3.03, 1.0), rivals)


def test_wilcoxon_of_many_folds_judges_before_their_end():
    rng = np.random.default_rng(0)
    folds = rng.normal(size=20)
    rivals = _rivals(tuple(folds), *(tuple(folds + step) for step in (1.0, 2.0, 3.0)))
    assert _judged("wilcoxon", tuple(folds[:8] + rng.uniform(0.05, 0.2, 8)), rivals)
    assert not _judged("wilcoxon", tuple(folds[:8] + rng.normal(0, 0.01, 8)), rivals)


@pytest.mark.parametrize(("n_folds", "words"), [(3, "can never"), (4, "can never"), (5, "one fit"), (10, "")])
def test_wilcoxon_says_with_how_few_folds_it_is_of_no_use(n_folds, words):
    caution = PRUNING["wilcoxon"].caution(n_folds)
    assert bool(caution) == bool(words)
    assert words in caution
