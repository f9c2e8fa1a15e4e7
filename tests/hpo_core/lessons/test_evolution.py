"""Lesson 4: its generations are the methods' own, and what is to come stays hidden."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._generations import bred
from hpo_core.lessons._moves import to_word
from hpo_core.lessons._terrain import terrain_of
from hpo_core.options import with_options

TERRAIN = terrain_of("himmelblau", 0.0, 1)


def scene_of(state, workshop, **options):
    lesson = with_options(LESSONS["evolution"], options)
    while (scene := lesson.scene(state, workshop)).waits_for:
        pass
    return scene


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("genetic", {"population": 8}),
        ("differential_evolution", {"population": 8}),
        ("particle_swarm", {"particles": 8}),
        ("cma_es", {"population": 8}),
    ],
)
def test_generations_hold_the_altitudes_of_their_members(method, options):
    generations = bred(method, options, TERRAIN, 3, seed=1)
    assert len(generations) == 4
    for generation in generations:
        losses = [TERRAIN.loss(TERRAIN.space.from_unit(point)) for point in generation.points]
        assert generation.altitudes == pytest.approx(TERRAIN.altitude(np.array(losses)))


def test_parents_of_the_genetic_algorithm_go_on_and_are_where_lines_begin():
    generations = bred("genetic", {"population": 8, "elite": 0}, TERRAIN, 3, seed=1)
    for before, after in pairwise(generations):
        begins = {tuple(point) for point in after.links[:, 0]}
        assert begins == {tuple(point) for point in before.points[before.goes_on]}
        assert {tuple(point) for point in after.links[:, 1]} == {tuple(point) for point in after.points}


def test_member_of_differential_evolution_goes_on_where_it_is_higher_than_its_rival():
    generations = bred("differential_evolution", {"population": 8}, TERRAIN, 4, seed=1)
    held = generations[0].altitudes
    for generation in generations[1:]:
        assert generation.goes_on.tolist() == (generation.altitudes >= held).tolist()
        held = np.maximum(held, generation.altitudes)


def test_better_half_of_the_cloud_goes_on_and_the_ellipse_is_two_deviations():
    """The first cloud is round, around the middle, with the width that was asked for."""
    first = bred("cma_es", {"population": 9, "sigma": 0.1}, TERRAIN, 1, seed=1)[0]
    assert first.goes_on.sum() == 4
    assert first.altitudes[first.goes_on].min() > first.altitudes[~first.goes_on].max()
    assert np.hypot(*(first.cloud - 0.5)) == pytest.approx(0.2, rel=1e-3)


def test_next_generation_is_hidden_until_it_is_predicted(workshop):
    before = scene_of(LessonState(), workshop, population=10)
    assert before.film.n_steps == 0
    assert len(before.numbers["Members"]) == 10
    members = scene_of(LessonState(moves=("seen",)), workshop, population=10).numbers["Members"]
    centre = members[members["generation"] == 1][["x", "y"]].mean()
    place = TERRAIN.space.to_unit([centre.to_dict()])[0]
    state = LESSONS["evolution"].picked(LessonState(), *place)
    assert state.moves == (to_word(place[0]) + to_word(place[1]),)
    told = scene_of(state, workshop, population=10).told
    assert told[0].text.startswith("You predicted the next centre to within 0 % of the range.")
    assert LESSONS["evolution"].picked(state, 0.1, 0.1) == state


def test_settings_go_on_without_the_prediction():
    lesson = LESSONS["evolution"]
    assert lesson.changed(LessonState(moves=("5a5a",), step=4), lesson) == LessonState(moves=("seen",))
    assert lesson.changed(LessonState(step=4), lesson) == LessonState()
