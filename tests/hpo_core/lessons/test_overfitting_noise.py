"""Winning on noise: scores are the engine's, the locked rows had no part, and more rows leave less to luck."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._flights import asked
from hpo_core.lessons._noise_search import Noise, NoiseSearch, coin_flips
from hpo_core.lessons.overfitting_noise import checked
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from tests.settled_scene import settled

SEARCH = NoiseSearch(rows=50, folds=2, trials=4, seed=3)


def lesson_of(**options):
    return with_options(LESSONS["overfitting_noise"], {"folds": "2", "trials": "10", **options})


def noise_of(valid, test):
    return Noise(np.array(valid, dtype=float), np.array(test, dtype=float))


def test_labels_have_nothing_to_do_with_the_columns():
    table = coin_flips(400, seed=1)
    assert (table["coin"] == "heads").mean() == 0.5
    heads = table[table["coin"] == "heads"].drop(columns="coin").mean()
    assert abs(heads).max() < 4 / np.sqrt(200)
    assert not coin_flips(400, seed=2).equals(table)


def test_scores_are_those_of_the_engine_and_the_locked_rows_had_no_part(workshop, tmp_path):
    found = SEARCH.run(workshop.executor, tmp_path, lambda _text: None)
    assert found.valid.shape == (4, 2)
    data = str(next((tmp_path / "lessons").glob("coin-50-3.csv")))
    protocol = Protocol(folds=2, test_fraction=0.5, seed=3)
    problem = make_problem(data, "decision_tree", target="coin", protocol=protocol)
    opened = make_problem(data, "decision_tree", target="coin", protocol=protocol.opened())
    assert len(problem.split.test) == problem.n_development == 50
    point = np.nan_to_num(asked(METHODS["random"], problem.space, lambda _c: 0.0, 4, 3)[2], nan=0.5)
    configuration = problem.space.from_unit(point)
    assert found.valid[2].tolist() == [problem.fit(configuration, fold).score for fold in range(2)]
    assert found.test[2] == opened.fit(configuration, 0).score


def test_winner_is_the_first_best_so_far_and_its_test_score_goes_with_it():
    found = noise_of([[0.5, 0.5], [0.7, 0.5], [0.4, 0.4], [0.6, 0.6], [0.8, 0.7]], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.winners.tolist() == [0, 1, 1, 1, 4]
    assert (found.best, found.honest) == (pytest.approx(0.75), 0.5)
    assert found.looks.expected[0] == pytest.approx(0.3)
    assert (np.diff(found.luck.expected) >= 0).all()
    assert found.corrected.value <= found.best


def test_nothing_is_run_before_the_prediction(workshop):
    lesson = lesson_of()
    scene = lesson.scene(LessonState(), workshop)
    assert scene.film is None
    assert workshop.executor.n_requests == 0
    told = settled(lesson, lesson.guessed(LessonState(), "As well as in validation"), workshop).told
    assert told[0].text.startswith("You predicted: as well as in validation. On locked rows")


def test_few_rows_flatter_and_the_check_wants_luck_to_have_little_room(workshop):
    lesson = lesson_of(trials="30")
    state = lesson.guessed(LessonState(), "About 0.5, as a coin")
    few = settled(lesson, state, workshop)
    assert not few.check.is_done
    assert few.film.n_steps == 30
    assert (few.numbers["Trials"]["best in validation"].diff().dropna() >= 0).all()
    many = lesson_of(trials="30", rows="150")
    assert settled(many, many.changed(state, lesson), workshop).check.is_done


@pytest.mark.parametrize(
    ("rows", "n", "said"), [(50, 30, "seed is kind"), (400, 10, "Try 30 or more"), (400, 30, "Right")]
)
def test_a_low_score_of_few_rows_or_few_trials_is_no_answer(rows, n, said):
    check = checked(noise_of([[0.5, 0.54]] * n, [0.5] * n), rows)
    assert said in check.answer
    assert check.is_done == (said == "Right")
