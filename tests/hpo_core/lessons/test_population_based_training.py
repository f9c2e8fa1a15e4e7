"""Lesson 6: the toy of the paper, trained as the lab's own method says."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._paper_toy import FIXED, TURNS, fixed_way, line_to_best, played, quality
from hpo_core.options import with_options

SEEN = LessonState(moves=("guessed",))


def scene_of(state, workshop, **options):
    lesson = with_options(LESSONS["population_based_training"], options)
    while (scene := lesson.scene(state, workshop)).waits_for:
        pass
    return scene


@pytest.fixture(scope="module")
def turns():
    return played(does_exploit=True, does_explore=True, seed=1)


def test_worker_of_the_paper_moves_one_weight_only():
    for i, configuration in enumerate(FIXED):
        end = fixed_way(configuration)[-1]
        assert end[1 - i] == 0.9
        assert end[i] == pytest.approx(0.9 * 0.9 ** (4 * TURNS))
        assert quality(end) == pytest.approx(1.2 - 0.81, abs=1e-4)


def test_all_members_have_all_turns_and_copies_begin_where_a_winner_ended(turns):
    by_place = {(turn.member, turn.turn): turn for turn in turns}
    assert sorted(by_place) == [(member, turn) for member in range(2) for turn in range(TURNS)]
    assert sum(turn.is_copy for turn in turns) == TURNS - 1  # the loser of the two, in each turn after the first
    for turn in turns:
        if turn.turn:
            source = by_place[turn.source, turn.turn - 1]
            assert (turn.weights[0] == source.weights[-1]).all()
            assert (turn.values == source.values).all() == (not turn.is_copy)
            if turn.is_copy:
                assert source.quality >= by_place[turn.member, turn.turn - 1].quality


def test_line_to_the_best_is_one_training(turns):
    line = line_to_best(turns)
    assert [turn.turn for turn in line] == list(range(TURNS))
    weights = np.array(line[0].weights[0])
    for turn in line:
        for _ in range(4):
            weights = weights - 0.1 * turn.values * weights
    assert quality(weights) == pytest.approx(max(turn.quality for turn in turns if turn.turn == TURNS - 1))


def test_both_halves_reach_what_copying_alone_does_not():
    ends = [line_to_best(played(does_exploit=True, does_explore=is_on, seed=1))[-1].quality for is_on in (True, False)]
    assert ends[0] > 1.0
    assert ends[1] == pytest.approx(quality(fixed_way(FIXED[0])[-1]), abs=0.02)


def test_nothing_is_copied_where_exploit_is_off():
    assert not any(turn.is_copy for turn in played(does_exploit=False, does_explore=True, seed=1))


def test_prediction_comes_first_and_is_judged(workshop):
    lesson = LESSONS["population_based_training"]
    first = scene_of(LessonState(), workshop)
    assert first.film.n_steps == 0
    told = scene_of(lesson.guessed(LessonState(), "about 1.2"), workshop).told[0].text
    assert told.startswith("You predicted about 1.2; it reached 1.")


def test_check_is_answered_by_leaving_one_half_on(workshop):
    assert not scene_of(SEEN, workshop).check.is_done
    assert not scene_of(SEEN, workshop, exploit=False, explore=False).check.is_done
    assert scene_of(SEEN, workshop, explore=False).check.is_done
