"""Lesson 2: the trials are the lab's own, and its numbers are right."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons.grid_or_random import curse_of_dimensionality, grid_levels, peaks_of, score, searched
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.space import Float, SearchSpace

PLAYED = LessonState(moves=("guessed",), guess="grid 3, random 9")


def lesson_of(**options):
    return with_options(LESSONS["grid_or_random"], options)


def settled(lesson, state, workshop):
    scene = lesson.scene(state, workshop)
    workshop.get(("random searches", lesson.n_trials, lesson.parameters), pytest.fail, patience=120)
    return lesson.scene(state, workshop) if scene.waits_for else scene


def test_nine_trials_test_three_values_in_a_grid_and_nine_at_random():
    """Figure 1 of Bergstra and Bengio (2012)."""
    grid, random = searched("grid", 9, 2, 1), searched("random", 9, 2, 1)
    assert grid.shape == random.shape == (9, 2)
    assert [len(np.unique(grid[:, i])) for i in range(2)] == [3, 3]
    assert [len(np.unique(random[:, i])) for i in range(2)] == [9, 9]


def test_random_trials_are_those_of_the_method():
    space = SearchSpace(tuple(Float(name=f"p{i}", low=0.0, high=1.0, default=0.5) for i in range(3)))
    study = optuna.create_study(sampler=METHODS["random"].sampler(space, 4))
    for point in searched("random", 9, 3, 4):
        trial = study.ask(space.distributions())
        assert [trial.params[f"p{i}"] for i in range(3)] == pytest.approx(point)
        study.tell(trial, 0.0)


@pytest.mark.parametrize(("n", "d", "levels"), [(9, 2, 3), (9, 3, 2), (9, 4, 1), (25, 2, 5), (64, 3, 4), (26, 2, 5)])
def test_largest_grid_that_fits(n, d, levels):
    assert grid_levels(n, d) == levels
    assert levels**d <= n < (levels + 1) ** d


def test_importance_is_the_share_of_variance():
    """By Monte Carlo over points and places of the peaks."""
    rng = np.random.default_rng(0)
    lesson = lesson_of(importance=80, parameters=3)
    points, parts = rng.random((4000, 3)), []
    for seed in range(60):
        peaks = peaks_of(seed, 3)
        whole = score(points, peaks, lesson.weights)
        fixed = np.tile(peaks, (4000, 1))
        fixed[:, 0] = points[:, 0]
        parts.append((np.var(score(fixed, peaks, lesson.weights)), np.var(whole)))
    first, total = np.sum(parts, axis=0)
    assert first / total == pytest.approx(0.80, abs=0.03)


def test_score_is_a_hundred_at_the_peaks_and_lower_elsewhere():
    peaks = peaks_of(3, 4)
    weights = lesson_of(parameters=4).weights
    assert score(peaks[None], peaks, weights)[0] == pytest.approx(100.0)
    assert score(np.random.default_rng(0).random((100, 4)), peaks, weights).max() < 100


def test_peaks_are_not_drawn_from_the_numbers_of_a_trial():
    """A trial that lay on the peak by construction would let random search win each time."""
    nearest = [np.abs(searched("random", 9, 2, seed) - peaks_of(seed, 2)).max(axis=1).min(axis=0) for seed in range(40)]
    assert np.median(nearest) > 0.05


def test_curse_in_numbers():
    table = curse_of_dimensionality(9).set_index("parameters")
    assert table.loc[2].tolist() == [9, 3, 9, 9]
    assert table.loc[10, "trials of a grid with 3 values each"] == 59049
    assert table.loc[20, "values each in a grid of 9"] == 1
    assert 1 - 0.95**59 >= 0.95 > 1 - 0.95**58  # the number of trials that the lesson names


def test_the_prediction_comes_first_and_is_judged(workshop):
    lesson = lesson_of()
    first = lesson.scene(LessonState(), workshop)
    assert first.ask.choices[0] == "grid 3, random 9"
    assert first.film.n_steps == 0
    right = settled(lesson, lesson.guessed(LessonState(), "grid 3, random 9"), workshop)
    wrong = settled(lesson, lesson.guessed(LessonState(), "grid 9, random 9"), workshop)
    assert right.told[0].text.endswith("and so it is.")
    assert wrong.told[0].text.endswith("it is grid 3, random 9.")


def test_sliders_go_on_from_the_prediction(workshop):
    before, after = lesson_of(), lesson_of(parameters=4)
    state = after.changed(PLAYED, before)
    assert (state.guess, state.step) == ("", 9)
    scene = settled(after, state, workshop)
    assert scene.facts[0].value == "grid 1, random 9"


def test_check_is_answered_where_a_grid_is_about_as_good(workshop):
    assert not settled(lesson_of(), PLAYED, workshop).check.is_done
    assert settled(lesson_of(importance=50, trials="16"), PLAYED, workshop).check.is_done


def test_wins_are_counted_over_a_hundred_seeds(workshop):
    lesson = lesson_of()
    scene = settled(lesson, PLAYED, workshop)
    grid = searched("grid", 9, 2, 0)
    wins = 0
    for seed in range(100):
        peaks = peaks_of(seed, 2)
        ends = [score(p, peaks, lesson.weights).max() for p in (searched("random", 9, 2, seed), grid)]
        wins += ends[0] > ends[1]
    assert scene.facts[2].value == str(wins)
