"""What a class says in words: a win only where it is more than luck, and how many comparisons that took."""

from __future__ import annotations

import numpy as np

from hpo_core.analysis.class_verdict import class_sentences
from hpo_core.analysis.duel import outcome
from tests.hpo_core.analysis.test_duel import NOISE, side


def said(*sides, people):
    return class_sentences(sides, people, outcome(sides, overlap=0.25, rope=0.001))


def test_first_of_the_people_won_only_if_ahead_of_every_other_beyond_noise():
    default = side("Default", 0.80, NOISE[3], is_default=True)
    ada, bob, near = side("Ada", 0.95, NOISE[0]), side("Bob", 0.85, NOISE[1]), side("Cleo", 0.9499, NOISE[2])
    first, helped, many = said(ada, bob, default, people={0, 1})
    assert first == "Ada won, and it was more than luck: 0.9495 on fresh folds, ahead of the other person beyond noise."
    assert helped.startswith("Tuning helped")
    assert many.startswith("2 comparisons with Ada on the same folds")
    first, *_ = said(ada, bob, near, default, people={0, 1, 2})
    assert "cannot be told from luck: 1 of 2 other people is within noise of it" in first


def test_machine_in_the_lead_is_named_with_the_first_of_the_people():
    first, *_ = said(side("Ada", 0.85, NOISE[0]), side("TPE", 0.95, NOISE[1]), people={0})
    assert first.startswith("The machine leads: TPE with 0.95")
    assert first.endswith("is Ada with 0.8495, behind it beyond noise.")


def test_too_few_scores_and_no_person_are_said():
    short = [side(name, 0.9, NOISE[i][:3]) for i, name in enumerate(("Ada", "Bob"))]
    assert "A verdict takes 5 fold scores" in said(*short, people={0, 1})[0]
    assert said(side("TPE", 0.9, NOISE[0]), people=set())[0] == "No person has a score."


def test_of_forty_equals_hardly_anybody_is_called_better_than_all():
    source = np.random.default_rng(1)
    wins = 0
    for _ in range(20):
        sides = [side(f"p{i}", 0.9, source.normal(0, 0.01, 15), n_seeds=1) for i in range(40)]
        wins += "more than luck" in said(*sides, people=set(range(40)))[0]
    assert wins <= 1
