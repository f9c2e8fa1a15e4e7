"""The playground: knobs are the family's own hyperparameters, and scores are the engine's."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._ground import ground_of
from hpo_core.lessons._trail import trail_of
from hpo_core.options import options_of, with_options
from tests.settled_scene import settled

GROUNDS = [
    ("moons", "svm"),
    ("wave", "svm"),
    ("circles", "neural_network"),
    ("wave", "ridge"),
    ("moons", "extra_trees"),
]


def lesson_of(**options):
    return with_options(LESSONS["playground"], options)


def knob(scene, key):
    return next(k for k in scene.knobs if k.key == key)


def turn(lesson, state, key, text, workshop):
    return lesson.turned(state, key, knob(lesson.scene(state, workshop), key).texts.index(text))


@pytest.mark.parametrize(("data", "model"), GROUNDS)
def test_any_setting_is_a_configuration_of_the_family_and_a_word(data, model):
    ground = ground_of(data, model)
    ends = [tuple(0 for _ in ground.turned), tuple(len(v) - 1 for v in ground.values), ground.start]
    for levels in [*ends, *ground.spread(12)]:
        ground.problem.space.check(ground.configuration(levels))
        assert ground.from_word(ground.to_word(levels)) == levels
        assert len(ground.to_word(levels)) <= 24
    for values in range(len(ground.values)):
        texts = [ground.text(values, i) for i in range(len(ground.values[values]))]
        assert len(set(texts)) == len(texts) > 1


def test_words_of_another_ground_are_passed_over():
    ground = ground_of("moons", "decision_tree")
    assert trail_of(ground, ("s", "szz", "p9", "sfff", "0", "-")).settings == (ground.start,)
    trail = trail_of(ground, ("p1", "s00", "s00", "p2", "p3", "s50"))
    assert trail.settings == (ground.start, (0, 0), (5, 0))
    assert trail.guesses == (-1, 1, 3)


def test_a_slider_without_effect_is_not_shown(workshop):
    lesson, state = lesson_of(model="SVM"), LessonState()
    assert [k.key for k in lesson.scene(state, workshop).knobs] == ["kernel", "C", "gamma"]
    linear = turn(lesson, state, "kernel", "linear", workshop)
    assert [k.key for k in lesson.scene(linear, workshop).knobs] == ["kernel", "C"]


def test_scores_are_those_of_the_engine(workshop):
    lesson = lesson_of()
    state = turn(lesson, LessonState(), "max_depth", "2", workshop)
    row = settled(lesson, state, workshop).numbers["Settings tried"].iloc[-1]
    problem = ground_of("moons", "decision_tree").problem
    configuration = {**problem.space.default(), "depth": "limited", "max_depth": 2}
    fits = [problem.fit(configuration, fold) for fold in range(problem.n_folds)]
    assert row["Score on new rows"] == pytest.approx(np.mean([fit.score for fit in fits]))
    assert row["Score on training rows"] == pytest.approx(np.mean([fit.train_score for fit in fits]))


def test_a_prediction_is_held_against_what_came_of_the_next_move(workshop):
    lesson, start = lesson_of(), LessonState()
    scores = []
    for guess in ("Training worse, new rows better", "Both scores worse", "Training better, new rows worse"):
        state = lesson.guessed(lesson.guessed(start, "Both scores better"), guess)  # a change of mind counts once
        state = turn(lesson, state, "max_depth", "1", workshop)
        assert state.guess == ""
        scene = settled(lesson, state, workshop)
        scores.append((scene.facts[-1].value, scene.told[0].text.startswith(f"You predicted: {guess.lower()}.")))
    train, valid = (
        scene.numbers["Settings tried"][f"Score on {rows} rows"].diff().iloc[-1] for rows in ("training", "new")
    )
    assert train < 0
    wanted = ["1 of 1" if valid > 0 else "0 of 1", "1 of 1" if valid < 0 else "0 of 1", "0 of 1"]
    assert scores == [(value, True) for value in wanted]


def test_check_wants_a_setting_that_overfits_and_one_that_fits_well(workshop):
    lesson = lesson_of(model="Nearest neighbours")
    over = turn(lesson, LessonState(), "n_neighbors", "1", workshop)
    scene = settled(lesson, over, workshop)
    assert "It overfits" in " ".join(told.text for told in scene.told)
    assert scene.check.is_done  # five neighbours, where it starts, fit well
    far = turn(lesson, LessonState(), "n_neighbors", "100", workshop)
    assert not settled(lesson, far, workshop).check.is_done


def test_every_family_for_both_tasks_is_in_the_menu():
    (model,) = [option for option in options_of(type(LESSONS["playground"])) if option.name == "model"]
    for label in ("Decision tree", "Nearest neighbours", "SVM", "Random forest", "Gradient boosting", "Neural network"):
        assert label in model.choices
    assert "Automated machine learning" not in model.choices
