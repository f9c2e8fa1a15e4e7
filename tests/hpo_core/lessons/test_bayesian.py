"""Lesson 3: what it shows is the engine's own process and promise, and the looks follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core import gaussian_process
from hpo_core.acquisition import log_expected_improvement
from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._belief import BOUND, IMPROVEMENT, Belief
from hpo_core.lessons._terrain import terrain_of
from hpo_core.options import with_options
from hpo_core.warping import Prediction

LOOKS = np.array([[0.1], [0.45], [0.8]])


def belief_of(rule=BOUND, exploration=2.0, looks=LOOKS, terrain="himmelblau"):
    return Belief(terrain_of(terrain, 0.0, 1), looks, rule, exploration)


def lesson_of(**options):
    return with_options(LESSONS["bayesian"], options)


def test_bound_is_the_mean_and_so_many_standard_deviations():
    belief = belief_of(exploration=3.0)
    mean, sd = belief.prediction
    bound = mean + 3 * sd
    assert belief.promise == pytest.approx((bound - bound.min()) / np.ptp(bound), abs=1e-9)
    assert belief.at == int(np.argmax(bound))


def test_improvement_is_weighed_on_the_scale_of_altitudes():
    belief = belief_of(IMPROVEMENT, exploration=1.0)
    mean, sd = belief.prediction
    promise = log_expected_improvement(Prediction(-mean, sd), -belief.target)
    assert int(np.argmax(promise)) == belief.at
    spread = float(np.std(belief.altitudes))
    best = -float(belief.process.warp.inverse(np.array([belief.process.fitted_targets().min()]))[0])
    assert belief.target - best == pytest.approx(0.1 * spread, rel=0.01)


def test_belief_is_the_engines_process():
    belief = belief_of()
    process = gaussian_process.fit(belief.process.space, LOOKS, -belief.altitudes)
    assert -process.predict(belief.grid).mean == pytest.approx(belief.prediction.mean)
    assert belief.altitudes == pytest.approx(belief.true(LOOKS))


def test_more_weight_on_doubt_looks_where_it_is_larger():
    shares = [belief_of(exploration=k).doubt_share for k in (0.0, 1.0, 5.0, 10.0)]
    assert shares == sorted(shares)
    assert shares[-1] > 0.98


def test_nothing_is_looked_at_twice():
    belief = belief_of(exploration=0.0, looks=np.array([[0.2], [0.5], [0.50001]]))
    assert np.abs(belief.looks - belief.next).max(axis=1).min() > 0.001


@pytest.mark.parametrize("dimensions", ["one", "two"])
def test_looks_come_one_at_a_time_after_a_prediction_each(workshop, dimensions):
    lesson, state = lesson_of(dimensions=dimensions), LessonState()
    n_first = len(lesson.scene(state, workshop).numbers["Looks"])
    assert lesson.acted(state, "look") == state  # predict first
    state = lesson.picked(state, 0.3, 0.6)
    assert lesson.picked(state, 0.9, 0.9) == state  # one prediction each
    shown = lesson.scene(state, workshop)
    assert "promise (0 to 1)" in shown.numbers["The belief"]
    assert shown.actions[0].key == "look"
    following = lesson.scene(lesson.acted(state, "look"), workshop)
    assert len(following.numbers["Looks"]) == n_first + 1
    assert "promise (0 to 1)" not in following.numbers["The belief"]
    top = shown.numbers["The belief"]["promise (0 to 1)"].idxmax()
    column = following.numbers["Looks"].columns[1]
    width = 10.0
    assert following.numbers["Looks"][column].iloc[-1] == pytest.approx(
        shown.numbers["The belief"][column][top], abs=width / 1000
    )


def test_the_slider_keeps_the_looks_and_moves_only_the_next_one(workshop):
    lesson, state = lesson_of(exploration=0), LessonState()
    for _ in range(3):
        state = lesson.acted(lesson.picked(state, 0.5, 0.5), "look")
    state = lesson.picked(state, 0.5, 0.5)
    bold = lesson_of(exploration=10)
    kept = bold.changed(state, lesson)
    assert kept == state
    before, after = lesson.scene(state, workshop), bold.scene(kept, workshop)
    assert after.numbers["Looks"].equals(before.numbers["Looks"])
    assert after.told[0] != before.told[0]
    assert lesson_of(terrain="Branin").changed(state, lesson) == LessonState()


def test_a_prediction_is_right_within_a_tenth_of_the_range(workshop):
    lesson = lesson_of()
    belief = lesson._belief(LessonState(), lesson._read(LessonState())[0])
    x = float(belief.next[0])
    near = lesson.scene(lesson.picked(LessonState(), x + 0.05, 0.5), workshop)
    far = lesson.scene(lesson.picked(LessonState(), x + 0.3, 0.5), workshop)
    assert near.told[0].text.startswith("You were right")
    assert near.facts[2].value == "1 of 1"
    assert far.facts[2].value == "0 of 1"


def test_check_is_answered_by_exploring_and_not_before_a_prediction(workshop):
    bold = lesson_of(exploration=10)
    assert not bold.scene(LessonState(), workshop).check.is_done
    assert bold.scene(bold.picked(LessonState(), 0.5, 0.5), workshop).check.is_done
    shy = lesson_of(exploration=0)
    assert not shy.scene(shy.picked(LessonState(), 0.5, 0.5), workshop).check.is_done


@pytest.mark.parametrize("dimensions", ["one", "two"])
def test_true_land_is_not_sent_before_it_is_shown(workshop, dimensions):
    lesson, state = lesson_of(dimensions=dimensions), LessonState()
    hidden = lesson.scene(lesson.picked(state, 0.5, 0.5), workshop)
    shown = lesson.scene(lesson.acted(lesson.picked(state, 0.5, 0.5), "reveal"), workshop)
    names = [{t.get("name") for t in b.figure["data"]} | {b.key} for b in hidden.film.boards]
    assert not any({"true land", "true"} & found for found in names)
    assert any({"true land", "true"} & ({t.get("name") for t in b.figure["data"]} | {b.key}) for b in shown.film.boards)


def test_check_is_not_answered_by_chance_while_the_slider_stands_where_it_stood(workshop):
    """Some beliefs lead the method to the largest doubt at once."""
    lesson, n_there = lesson_of(), 0
    for seed in range(1, 15):
        state = LessonState(seed=seed)
        for _ in range(4):
            state = lesson.picked(state, 0.5, 0.5)
            n_there += lesson._belief(state, lesson._read(state)[0]).doubt_share >= 0.98
            assert not lesson.scene(state, workshop).check.is_done
            state = lesson.acted(state, "look")
    assert n_there > 0
