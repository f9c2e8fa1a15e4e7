"""Lesson: AutoML over real fits; who keeps one family follows the defaults, who keeps more finds better."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._family_search import FamilySearch
from hpo_core.lessons._family_search_figures import best_of, order_of
from hpo_core.options import with_options
from tests.direct_executor import DirectExecutor
from tests.settled_scene import settled

SEEN = LessonState(moves=("guessed",))


@pytest.fixture(scope="module")
def searched():
    known: dict = {}
    return {n: FamilySearch("noisy_regression", n, 30, 2).run(DirectExecutor(), known, lambda _: None) for n in (1, 3)}


def scene_of(state, workshop, **options):
    return settled(with_options(LESSONS["automl"], options), state, workshop)


def test_defaults_of_all_families_come_first_cheap_ones_first(searched):
    families = FamilySearch("noisy_regression", 1, 30, 2).families
    assert len(families) >= 5
    for trials in searched.values():
        assert [trial.family for trial in trials[: len(families)]] == list(families)
        assert not any(trial.in_race for trial in trials[: len(families)])
        assert all(trial.in_race for trial in trials[len(families) :])


def test_score_is_the_mean_of_real_folds(searched):
    problem = FamilySearch("noisy_regression", 1, 30, 2).problem
    trial = searched[1][-1]
    fits = [problem.fit(trial.configuration, fold).score for fold in range(problem.n_folds)]
    np.testing.assert_allclose(trial.folds, fits)
    assert trial.score == pytest.approx(np.mean(fits))


def test_no_trials_go_to_a_family_that_is_given_up_except_the_open_ones(searched):
    for trials in searched.values():
        for trial in trials:
            if trial.in_race and "over all families" not in trial.why:
                assert trial.in_race[trial.family]


def test_keeping_one_family_follows_the_defaults_and_keeping_three_finds_another(searched):
    n = len(FamilySearch("noisy_regression", 1, 30, 2).families)
    leader = order_of(searched[1][:n], -1.0)[0]
    assert best_of(searched[1], -1.0).family == leader
    found = best_of(searched[3], -1.0)
    assert found.family != leader
    assert found.score > best_of(searched[1], -1.0).score


def test_check_is_answered_by_keeping_three_and_not_before(workshop):
    one, three = scene_of(SEEN, workshop), scene_of(SEEN, workshop, kept=3)
    assert not one.check.is_done
    assert three.check.is_done
    assert "overtook" in three.check.answer


def test_prediction_is_offered_after_the_defaults_and_judged_after_the_search(workshop):
    first = scene_of(LessonState(), workshop)
    assert first.ask is not None
    assert len(first.ask.choices) == 4
    lesson = LESSONS["automl"]
    for choice in first.ask.choices:
        told = scene_of(lesson.guessed(LessonState(), choice), workshop, kept=3).told[0]
        assert (told.tone == "up") == ("so it is" in told.text)
    rights = [scene_of(lesson.guessed(LessonState(), c), workshop, kept=3).told[0].tone for c in first.ask.choices]
    assert rights.count("up") == 1


def test_nothing_of_the_search_is_in_the_scene_before_the_prediction(workshop):
    scene = scene_of(LessonState(), workshop)
    assert scene.film is not None
    assert scene.film.n_steps == 0
    assert len(scene.numbers["Trials"]) == len(FamilySearch("noisy_regression", 1, 30, 2).families)
