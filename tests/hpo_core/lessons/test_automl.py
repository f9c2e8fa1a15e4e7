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
KEPT = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def searched():
    known: dict = {}
    return {n: FamilySearch("diabetes", n, 30, 2).run(DirectExecutor(), known, lambda _: None) for n in KEPT}


def scene_of(state, workshop, **options):
    return settled(with_options(LESSONS["automl"], options), state, workshop)


def test_defaults_of_all_families_come_first_cheap_ones_first(searched):
    families = FamilySearch("diabetes", 1, 30, 2).families
    assert len(families) >= 5
    for trials in searched.values():
        assert [trial.family for trial in trials[: len(families)]] == list(families)
        assert not any(trial.in_race for trial in trials[: len(families)])
        assert all(trial.in_race for trial in trials[len(families) :])


def test_score_is_the_mean_of_real_folds(searched):
    problem = FamilySearch("diabetes", 1, 30, 2).problem
    trial = searched[1][-1]
    fits = [problem.fit(trial.configuration, fold).score for fold in range(problem.n_folds)]
    np.testing.assert_allclose(trial.folds, fits)
    assert trial.score == pytest.approx(np.mean(fits))


def test_no_trials_go_to_a_family_that_is_given_up_except_the_open_ones(searched):
    for trials in searched.values():
        for trial in trials:
            if trial.in_race and "over all families" not in trial.why:
                assert trial.in_race[trial.family]


def test_keeping_one_family_follows_the_defaults_and_keeping_more_finds_another(searched):
    """Which number finds it may differ between processors, on which fits differ in their last digits."""
    n = len(FamilySearch("diabetes", 1, 30, 2).families)
    best = {kept: best_of(trials, -1.0) for kept, trials in searched.items()}
    leader = order_of(searched[1][:n], -1.0)[0]
    assert best[1].family == leader
    others = [one for one in best.values() if one.family != leader]
    assert others
    assert all(one.score > best[1].score for one in others)


def test_check_is_answered_by_keeping_more_and_not_before(workshop):
    checks = {kept: scene_of(SEEN, workshop, kept=kept).check for kept in KEPT}
    assert not checks[1].is_done
    done = [check for check in checks.values() if check.is_done]
    assert done
    assert all("overtook" in check.answer for check in done)


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
    assert len(scene.numbers["Trials"]) == len(FamilySearch("diabetes", 1, 30, 2).families)
