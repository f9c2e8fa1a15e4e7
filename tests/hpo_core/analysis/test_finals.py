"""The verdict on finalists: who leads on fresh folds, who is tied, whether tuning helped."""

import math

import numpy as np
import pytest

from hpo_core.analysis.finals import Candidate, judge_finals
from hpo_core.analysis.judgement import correlated_posterior, holm

RNG = np.random.default_rng(3)
HARD = RNG.normal(0, 0.02, 15)  # how hard each fold is, for all alike


def candidate(label, level, value=0.95, noise=0.001, **options):
    scores = tuple((level + HARD + np.random.default_rng(len(label)).normal(0, noise, 15)).tolist())
    return Candidate(label=label, value=value, scores=scores, **options)


def verdict(*candidates, higher=True, rope=0.0001):
    return judge_finals(candidates, is_higher_better=higher, overlap=0.25, rope=rope)


def test_winner_beyond_noise_and_its_gain_over_the_default():
    default = candidate("the default", 0.90, 0.91, is_default=True)
    found = verdict(default, candidate("trial 24", 0.94, 0.99), candidate("your trial 7", 0.92))
    assert [one.place for one in found.ranked] == [1, 2, 0]
    assert found.leader is found.ranked[0]
    assert not any(one.is_tied for one in found.ranked)
    assert found.sentences[0].startswith("Trial 24 wins: 0.9900 in the search, 0.9")
    assert "on fresh folds, better than all 2 others beyond noise." in found.sentences[0]
    assert found.sentences[1].startswith("Tuning helped: 0.0")
    (gap,) = [one.judgement for one in found.ranked if one.place == 0]
    assert gap.mean == pytest.approx(found.leader.mean - np.mean(default.scores))


def test_ties_are_named_and_the_default_among_them_leaves_the_question_open():
    default = candidate("the default", 0.939, noise=0.03, is_default=True)
    found = verdict(candidate("trial 24", 0.94, noise=0.03), default, candidate("trial 3", 0.80))
    assert {one.place for one in found.ranked if one.is_tied} == {0, 1} - {found.ranked[0].place}
    assert "statistically tied with the best" in found.sentences[0]
    assert "cannot be told" in found.sentences[1] or "the default configuration leads" in found.sentences[1]


def test_default_that_is_as_good_for_all_that_matters():
    default = candidate("the default", 0.9399, noise=0.0001, is_default=True)
    found = verdict(candidate("trial 24", 0.94, noise=0.0001), default, rope=0.01)
    assert found.ranked[1].judgement.verdict == "equivalent"
    assert found.ranked[1].is_tied
    assert found.sentences[1] == "Tuning did not help: the default is as good for all that matters."


def test_lower_is_better_where_it_is():
    found = verdict(candidate("trial 1", 0.5), candidate("trial 2", 0.3), higher=False)
    assert found.leader.place == 1
    assert found.ranked[1].judgement.mean > 0


def test_holm_makes_up_for_the_number_of_rivals():
    leader = Candidate(label="trial 1", value=0.9, scores=tuple((0.9 + HARD).tolist()))
    gaps = RNG.normal(0.006, 0.005, 15)
    while not 0.02 < correlated_posterior(gaps, 0.25).p_value < 0.04:  # one alone is told apart, one of four is not
        gaps = RNG.normal(0.006, 0.005, 15)
    rivals = [
        Candidate(label=f"trial {i}", value=0.9, scores=tuple((np.array(leader.scores) - gaps).tolist()))
        for i in range(2, 6)
    ]
    assert not verdict(leader, rivals[0]).ranked[1].is_tied
    found = verdict(leader, *rivals)
    assert all(one.is_tied for one in found.ranked[1:])
    p_values = [one.judgement.p_value for one in found.ranked[1:]]
    assert (holm(p_values) > 0.05).all()
    assert "trial 2, trial 3, trial 4 and trial 5 are" in found.sentences[0].lower()


def test_who_could_not_be_fitted_comes_last_and_has_no_part_in_it():
    broken = Candidate(label="trial 9", value=0.99, scores=())
    found = verdict(broken, candidate("trial 1", 0.9), candidate("trial 2", 0.5))
    assert [one.place for one in found.ranked] == [1, 2, 0]
    assert math.isnan(found.ranked[-1].mean)
    assert not found.ranked[-1].is_tied
    assert found.sentences[0].startswith("Trial 1 wins")
    assert "better than the other finalist" in found.sentences[0]


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([Candidate(label="trial 1", value=0.9, scores=())], "None of the finalists could be fitted"),
        ([candidate("trial 1", 0.9)], "nothing else to compare"),
        ([Candidate(label=f"trial {i}", value=0.9, scores=(0.9,)) for i in (1, 2)], "takes two fresh folds"),
        ([], "None of the finalists"),
    ],
    ids=["failed", "alone", "one fold", "none"],
)
def test_what_cannot_be_judged_is_said(candidates, words):
    found = verdict(*candidates)
    assert words in found.sentences[0]
    assert len(found.sentences) == 1
    assert not any(one.is_tied for one in found.ranked)


def test_many_ties_are_counted():
    crowd = [candidate(f"trial {i:03}", 0.9, noise=0.05) for i in range(12)]
    found = verdict(*crowd)
    assert sum(one.is_tied for one in found.ranked) == 11
    assert "and 8 more are statistically tied" in found.sentences[0]
