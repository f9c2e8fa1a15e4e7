"""Lesson 7: slopes are exact, and walks end as they are said to."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._slopes import (
    ARRIVED,
    JUMPING,
    ON_ITS_WAY,
    TRAPPED,
    fixed_walk,
    landscape_slope,
    method_walk,
    model_slope,
)
from hpo_core.options import with_options

SEEN = LessonState(moves=("guessed",))


@pytest.fixture(scope="module")
def ridge():
    return model_slope("diabetes", "ridge", "alpha", lambda _said: None)


@pytest.fixture(scope="module")
def hollows():
    return landscape_slope("rastrigin")


def scene_of(state, workshop, **options):
    lesson = with_options(LESSONS["gradient"], {"surface": "Rastrigin", **options})
    while (scene := lesson.scene(state, workshop)).waits_for:
        pass
    return scene


def test_slope_of_a_model_is_that_of_its_losses(ridge):
    """By the mean value theorem a difference quotient lies between the slopes at both ends, where they rise."""
    quotients = np.diff(ridge.losses) / np.diff(ridge.places)
    rising = slice(16, 24)  # where the loss curves up
    assert (ridge.slopes[:-1][rising] < quotients[rising]).all()
    assert (quotients[rising] < ridge.slopes[1:][rising]).all()


def test_slope_of_a_landscape_is_its_derivative(hollows):
    x = np.array([hollows.parameter.from_unit(place) for place in hollows.places.tolist()])
    expected = (2 * x + 20 * np.pi * np.sin(2 * np.pi * x)) * 7
    assert hollows.slopes[1:-1] == pytest.approx(expected[1:-1], abs=0.01 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("start", "step", "outcome"),
    [(0.4, 0.02, ARRIVED), (0.6, 0.02, TRAPPED), (0.6, 0.1, JUMPING), (0.21, 0.0001, ON_ITS_WAY)],
)
def test_step_decides_whether_it_creeps_arrives_or_jumps(hollows, start, step, outcome):
    assert hollows.outcome(fixed_walk(hollows, start, step, 15)) == outcome


def test_rule_of_the_lab_arrives_where_the_fixed_step_creeps(ridge):
    fixed, by_sign = fixed_walk(ridge, 0.75, 0.01, 15), method_walk(ridge, 0.75, 0.01, 15, seed=0)
    assert by_sign[0] == pytest.approx(0.75)
    assert ridge.loss(by_sign[-1]) < ridge.loss(fixed[-1])
    assert ridge.outcome(by_sign) == ARRIVED


def test_prediction_comes_first_and_is_judged(workshop):
    first = scene_of(LessonState(), workshop, start=60, stride=2)
    assert first.film.n_steps == 0
    state = LESSONS["gradient"].guessed(LessonState(), "It sits in a trap")
    assert (
        scene_of(state, workshop, start=60, stride=2).told[0].text
        == "You predicted that it sits in a trap, and so it is."
    )


def test_check_is_answered_by_a_start_and_a_step_that_arrive(workshop):
    assert not scene_of(SEEN, workshop, start=60, stride=2).check.is_done
    assert not scene_of(SEEN, workshop, start=40, stride=2, rule="rprop").check.is_done
    assert scene_of(SEEN, workshop, start=40, stride=2).check.is_done
