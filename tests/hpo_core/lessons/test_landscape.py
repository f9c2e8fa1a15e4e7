"""Lesson 1: what the hiker sees, that drones are the real methods, and that nothing is told before the reveal."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import optuna
import pytest

from hpo_core.landscapes import LANDSCAPES
from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._flights import Drone, Flight, fly
from hpo_core.lessons._terrain import CLIMB, SIDE, terrain_of
from hpo_core.lessons.landscape import DRONES
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.plots import figure_json
from hpo_core.problem import make_problem

FLOWN = LessonState(moves=("68jj", "cld4", "fly"))


def scene_of(workshop, lesson, state):
    """The scene once nothing is waited for."""
    scene = lesson.scene(state, workshop)
    while scene.waits_for:
        workshop.get(lesson._flight_key(state), pytest.fail, patience=60)
        scene = lesson.scene(state, workshop)
    return scene


def lesson_of(terrain="Branin", **options):
    return with_options(LESSONS["landscape"], {"terrain": terrain, "steps": "16", **options})


@pytest.mark.parametrize("key", ["branin", "rastrigin", "one_important"])
def test_summit_is_a_thousand_metres_above_the_middle_and_nothing_is_higher(key):
    terrain = terrain_of(key, 0.0, 3)
    assert terrain.altitude(np.array(LANDSCAPES[key].minimum)) == pytest.approx(terrain.summit)
    assert terrain.summit - np.median(terrain.altitudes) == pytest.approx(CLIMB)
    assert terrain.altitudes.shape == (SIDE, SIDE)
    assert terrain.altitudes.max() <= terrain.summit + 1e-6
    tops = Flight(terrain, terrain.tops)
    assert tops.true == pytest.approx(terrain.summit)


def test_noise_is_as_wide_as_it_says_and_the_same_at_the_same_place():
    terrain = terrain_of("branin", 0.4, 1)
    points = np.random.default_rng(0).random((2000, 2))
    flight = Flight(terrain, points)
    assert np.std(flight.seen - flight.true) == pytest.approx(terrain.noise_metres, rel=0.05)
    assert Flight(terrain, points[:5]).seen == pytest.approx(flight.seen[:5])
    assert not np.allclose(Flight(terrain_of("branin", 0.4, 2), points[:5]).seen, flight.seen[:5])


def test_drones_are_the_methods_of_the_lab():
    """The looks of a drone are what the method asks of Optuna's study on the same landscape, told the same heights."""
    terrain, problem = terrain_of("himmelblau", 0.0, 1), make_problem("himmelblau")
    for drone in DRONES:
        study = optuna.create_study(
            sampler=with_options(METHODS[drone.method], drone.options(16)).sampler(problem.space, 5)
        )
        found = fly(drone, terrain, 16, 5)
        for point in found.points:
            trial = study.ask(problem.space.distributions())
            study.tell(trial, problem.fit(trial.params, 0).score)
            assert problem.space.to_unit([trial.params])[0] == pytest.approx(point, abs=1e-9)


def test_a_drone_that_runs_out_of_places_lands():
    grid = Drone("Grid", "sklearn_grid", "", lambda n: {"resolution": 3})
    flight = fly(grid, terrain_of("branin", 0.0, 1), 25, 0)
    assert len(flight) == 9
    assert len(np.unique(flight.points, axis=0)) == 9


def test_regret_is_that_of_the_place_that_looked_best():
    terrain = terrain_of("branin", 0.4, 1)
    flight = Flight(terrain, np.random.default_rng(1).random((40, 2)))
    for k in range(40):
        chosen = int(np.argmax(flight.seen[: k + 1]))
        assert flight.regret[k] == pytest.approx(terrain.summit - flight.true[chosen])


def test_reached_counts_from_the_last_time_that_it_was_further_away():
    class Known(Flight):
        regret = np.array([90.0, 40.0, 70.0, 30.0, 10.0])

    flight = Known(terrain_of("branin", 0.0, 1), np.zeros((5, 2)))
    assert flight.reached(50.0) == 4
    assert flight.reached(5.0) is None
    assert flight.reached(100.0) == 1


def test_the_hiker_begins_at_the_camp_and_has_no_more_steps_than_the_drones(workshop):
    lesson, state = lesson_of(), LessonState()
    assert lesson.scene(state, workshop).facts[-1].value == "15 of 16"
    for i in range(30):
        state = lesson.picked(state, i / 30, 0.5)
    assert len(state.moves) == 15
    scene = lesson.scene(state, workshop)
    assert scene.facts[-1].value == "0 of 16"
    assert scene.film.boards[0].pick is None
    assert [a.is_main for a in scene.actions] == [True, False]


def test_drones_wait_for_a_first_step(workshop):
    send = lesson_of().scene(LessonState(), workshop).actions[0]
    assert send.why_not == "Take a step first."


def test_walk_is_restored_from_its_words(workshop):
    lesson = lesson_of()
    state = lesson.picked(lesson.picked(LessonState(), 0.123, 1.0), 0.0, 0.5)
    table = lesson.scene(state, workshop).numbers["Your steps"]
    assert table["x"].tolist()[1:] == pytest.approx([-5 + 15 * 0.123, -5.0])
    assert table["y"].tolist()[1:] == pytest.approx([15.0, 7.5])


@pytest.mark.parametrize("terrain", ["Rastrigin", "Ackley"])
def test_the_land_is_not_sent_before_the_fog_is_lifted(workshop, terrain):
    lesson = lesson_of(terrain)
    hidden = scene_of(workshop, lesson, FLOWN)
    sent = json.dumps([figure_json(board.figure) for board in hidden.film.boards])
    assert "heatmap" not in sent
    assert not any(re.search("true", name) for table in hidden.numbers.values() for name in table)
    assert hidden.told == ()
    shown = scene_of(workshop, lesson, replace(FLOWN, is_revealed=True))
    maps = [board for board in shown.film.boards if board.key != "regret"]
    assert all(board.figure["data"][0]["type"] == "heatmap" for board in maps)
    summit = terrain_of(terrain.lower(), 0.0, 1)
    assert maps[0].figure["data"][0]["z"] == pytest.approx(summit.altitudes, rel=1e-5)


def test_you_and_the_drones_are_compared_in_words(workshop):
    scene = scene_of(workshop, lesson_of(), replace(FLOWN, is_revealed=True, guess="Grid"))
    ends = scene.numbers["Where everyone ended"]
    words = [told.text for told in scene.told]
    assert words[0].startswith(f"{ends['who'][0]} got highest")
    place = ends["who"].tolist().index("You") + 1
    assert re.search(
        rf"You ended .* below the summit, ({place}th|first|second|third) of 6, with 3 of 16 steps", words[1]
    )
    assert words[2].startswith("You predicted Grid")
    assert ends["below the summit, m"].is_monotonic_increasing


def test_luck_is_named_when_looks_are_noisy(workshop):
    scene = scene_of(workshop, lesson_of(noise="much"), replace(FLOWN, is_revealed=True))
    assert any(told.text.startswith("The noise misleads") for told in scene.told)


def test_the_check_is_answered_where_walking_uphill_works_and_not_where_it_is_trapped(workshop):
    assert scene_of(workshop, lesson_of("Himmelblau", steps="25"), FLOWN).check.is_done
    assert not scene_of(workshop, lesson_of("Rastrigin", steps="25"), FLOWN).check.is_done
    assert not scene_of(workshop, lesson_of("Himmelblau", steps="25", noise="some"), FLOWN).check.is_done
