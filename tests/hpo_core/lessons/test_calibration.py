"""Lesson: predict, then run; bets are kept in words and judged by what was known before them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState, calibration
from hpo_core.lessons._bets import GUESSES, MARGINS, Bet, Bets, Said, bets_of, moves_of, surrogate_says
from hpo_core.lessons._ground import ground_of
from hpo_core.lessons._trying import Tried, try_setting
from hpo_core.options import with_options
from tests.settled_scene import settled

LESSON = LESSONS["calibration"]
TREE = ground_of("moons", "decision_tree")


def after(*bets):
    """The state after these bets were run: (depth, leaf, guess, margin), as places."""
    state = LessonState()
    for depth, leaf, guess, margin in bets:
        for knob, at in (("max_depth", depth), ("min_samples_leaf", leaf), ("guess", guess), ("margin", margin)):
            state = LESSON.turned(state, knob, at)
        state = LESSON.acted(state, "run")
    return state


def scores_of(workshop, settings):
    """What settings score, by the lesson's own table."""
    bets = [(depth, leaf, 40, 0) for depth, leaf in settings]
    return list(settled(LESSON, after(*bets), workshop).numbers["Runs"]["score on new rows"])


@pytest.mark.parametrize("model", ["decision_tree", "svm", "nearest_neighbours"])
def test_bets_are_read_from_their_words_as_they_were(model):
    ground = ground_of("moons", model)
    rng = np.random.default_rng(0)
    levels = [tuple(int(rng.integers(len(values))) for values in ground.values) for _ in range(5)]
    drawn = [Bet(one, int(rng.integers(len(GUESSES))), int(rng.integers(len(MARGINS)))) for one in levels]
    bets = Bets(tuple(drawn[:4]), drawn[4])
    words = moves_of(ground, bets)
    assert bets_of(ground, words) == bets
    assert all(re.fullmatch("[0-9a-z-]{1,24}", word) for word in words)


@pytest.mark.parametrize("word", ["r", "r999s74", "r4x3s74", "x413s74", "r419s74", "r413", "r413szz", "r٤13s74"])
def test_words_that_say_nothing_are_passed_over(word):
    assert bets_of(TREE, [word]) == Bets((), Bet(TREE.start))


def test_range_holds_its_ends_and_nothing_beyond():
    said = Said(0.9, 0.05)
    assert said.holds(0.85)
    assert said.holds(0.95)
    assert not said.holds(0.9501)


@pytest.mark.parametrize("model", ["decision_tree", "svm"])
def test_surrogate_is_surer_where_it_was_before_than_far_away(model):
    ground = ground_of("moons", model)
    known = ground.spread(8)[:6]
    scores = list(np.linspace(0.7, 0.95, len(known)))
    far = ground.spread(16)[-1]
    near, away = (surrogate_says(ground, known, scores, levels) for levels in (known[2], far))
    assert abs(near.value - scores[2]) < 0.1
    assert near.half < away.half


def test_run_is_compared_with_a_surrogate_that_knows_only_what_came_before(workshop):
    bets = [(3, 2, 40, 3), (4, 2, 40, 3), (12, 5, 40, 3)]
    all_three = settled(LESSON, after(*bets), workshop).numbers["Runs"]
    first = settled(LESSON, after(bets[0]), workshop).numbers["Runs"]
    assert all_three.iloc[0].to_dict() == first.iloc[0].to_dict()


def test_setting_that_was_run_cannot_be_run_again(workshop):
    state = after((3, 2, 40, 3))
    assert len(LESSON.acted(state, "run").moves) == len(state.moves)
    assert settled(LESSON, state, workshop).actions[0].why_not
    moved = LESSON.turned(state, "max_depth", 7)
    assert not settled(LESSON, moved, workshop).actions[0].why_not
    assert len(LESSON.acted(moved, "run").moves) == len(state.moves) + 1


def test_who_is_right_and_no_surer_than_that_answers_the_check(workshop):
    settings = [(depth, 3) for depth in (2, 4, 6, 8, 12)]
    truths = scores_of(workshop, settings)
    near = [round(100 * truth) - 50 for truth in truths]

    def played(guesses, margin):
        bets = [(*setting, guess, margin) for setting, guess in zip(settings, guesses, strict=True)]
        return settled(LESSON, after(*bets), workshop)

    assert played(near, MARGINS.index(0.03)).check.is_done
    assert not played(near, MARGINS.index(0.2)).check.is_done  # right, and of no use
    assert not played([5] * 5, MARGINS.index(0.03)).check.is_done  # sure, and wrong
    assert "surer than you are right" in played([5] * 5, 0).told[1].text
    assert "more right than sure" in played(near, MARGINS.index(0.2)).told[1].text
    assert "worth its word" in played(near, MARGINS.index(0.01)).told[1].text


def test_score_of_a_setting_is_not_in_the_scene_before_it_is_run(workshop):
    (score,) = scores_of(workshop, [(1, 7)])
    state = LESSON.turned(LESSON.turned(LessonState(), "max_depth", 1), "min_samples_leaf", 7)
    assert f"{score:.4f}" not in repr(settled(LESSON, state, workshop))


@pytest.mark.parametrize("n_faulty", [1, 3])
def test_known_setting_that_gives_no_score_is_left_out_and_not_waited_for(workshop, monkeypatch, n_faulty):
    faulty = set(calibration._known(TREE)[:n_faulty])

    def tried(ground, levels, *how):
        return Tried(levels, fault="It took too long.") if levels in faulty else try_setting(ground, levels, *how)

    monkeypatch.setattr(calibration, "try_setting", tried)
    scene = settled(LESSON, LessonState(), workshop)
    if n_faulty == 3:
        assert "It took too long." in scene.told[0].text
    else:
        assert len(scene.numbers["Known"]) == 2
        assert len(settled(LESSON, after((3, 2, 40, 3)), workshop).numbers["Runs"]) == 1


def test_every_model_can_be_played(workshop):
    for model in ("SVM", "Nearest neighbours"):
        lesson = with_options(LESSON, {"model": model})
        first = settled(lesson, LessonState(), workshop)
        knob = first.knobs[-3]
        state = lesson.turned(LessonState(), knob.key, (knob.at + 3) % len(knob.texts))
        state = lesson.acted(state, "run")
        assert len(settled(lesson, state, workshop).numbers["Runs"]) == 1
