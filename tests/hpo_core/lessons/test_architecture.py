"""Lesson 8: the oldest leave as the method says, the weakest in the control, and luck lives on only there."""

from __future__ import annotations

import pytest

from hpo_core.lessons import LESSONS, LessonState
from hpo_core.lessons._ageing import architectures, oldest_leave, true_loss, weakest_leave
from hpo_core.options import with_options

SEEN = LessonState(moves=("guessed",))


def scene_of(state, workshop, **options):
    lesson = with_options(LESSONS["architecture"], {"population": 6, **options})
    while (scene := lesson.scene(state, workshop)).waits_for:
        pass
    return scene


def changes(parent, child):
    """Names of what differs, without the widths of layers that came or went."""
    return [n for n in parent if n in child and parent[n] != child[n]]


@pytest.mark.parametrize("bred", [oldest_leave, weakest_leave])
def test_child_of_a_living_parent_differs_in_one_thing(bred):
    lives = bred(6, 24, 0.05, 1)
    children = [life for life in lives if life.parent is not None]
    assert len(children) >= 12
    for child in children:
        parent = lives[child.parent]
        assert parent.is_alive(child.born)
        assert len(changes(parent.configuration, child.configuration)) <= 1


def test_as_many_live_as_there_are_members_and_the_newest_when_the_oldest_leave():
    lives = oldest_leave(6, 24, 0.05, 1)
    for n in range(6, 25):
        assert [life.born for life in lives if life.is_alive(n)] == list(range(n - 6, n))


def test_who_leaves_looks_worst_of_all_where_the_weakest_leave():
    lives = weakest_leave(6, 24, 0.05, 1)
    for n in range(7, 25):
        before, now = ({life.born for life in lives if life.is_alive(k)} for k in (n - 1, n))
        gone = (before | {n - 1}) - now
        assert len(now) == 6
        assert gone == {max(before | {n - 1}, key=lambda i: lives[i].seen)}


def test_made_up_loss_is_lowest_where_it_is_said_to_be():
    widths = {f"units_{i}": round(2 ** (7 - 0.75 * (i - 1))) for i in range(1, 5)}
    best = {"n_layers": 4, "activation": "silu", "skip": True, **widths}
    assert architectures().check(best) == best
    assert true_loss(best) == pytest.approx(0.4, abs=1e-3)
    assert true_loss({**best, "activation": "relu"}) > true_loss(best)
    assert true_loss({**best, "skip": False}) > true_loss(best)


def test_prediction_comes_first_and_the_end_of_each_life_is_hidden_until_then(workshop):
    first = scene_of(LessonState(), workshop)
    assert first.film.n_steps == 0
    assert not {"left at", "true loss"} & set(first.numbers["Networks"])
    state = LESSONS["architecture"].guessed(LessonState(), "6 trials after it came")
    assert scene_of(state, workshop).told[0].text.endswith("and so it is.")


def test_luck_lives_on_only_where_the_weakest_leave(workshop):
    lasting = [scene_of(SEEN, workshop, leaves=who, noise="much").check for who in ("the oldest", "the weakest")]
    assert [check.is_done for check in lasting] == [False, True]
    assert not scene_of(SEEN, workshop, leaves="the weakest", noise="none").check.is_done
