"""Every lesson that discovery finds: what it declares, and that it bears whatever a URL may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpo_core.lessons import LESSONS, Lesson, LessonState, Scene, Workshop
from hpo_core.models import MODELS
from hpo_core.options import Option, options_of, with_options
from hpo_core.plots import figure_json
from pages._shared.lesson_address import RESERVED
from tests.direct_executor import DirectExecutor
from tests.settled_scene import settled

ODD = {
    "untouched": LessonState(),
    "garbage": LessonState(moves=("zzzz", "-", "fly", "x", "0"), guess="<b>%{x}</b>", step=10**6, is_revealed=True),
    "revealed at once": LessonState(seed=9999, is_revealed=True),
    "many moves": LessonState(moves=("5a5a",) * 400),
}
# Fits of minutes, and families of models that are drawn as others are; their parts have tests of their own.
_SLOW = frozenset({"SVM on Wine", "SVM on Moons"}) | {
    f.label for f in MODELS if f.key not in ("decision_tree", "nearest_neighbours", "svm")
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(Path(tmp_path_factory.mktemp("workshop")), DirectExecutor())
    yield made
    made.shutdown()


def written(scene: Scene) -> str:
    boards = scene.film.boards if scene.film else ()
    words = [scene.task, scene.facts, scene.ask, scene.actions, scene.told, scene.check]
    return json.dumps([[figure_json(b.figure) for b in boards], repr(words)])


def values_of(option: Option) -> list[Any]:
    if option.kind == "choice":
        return [choice for choice in option.choices if choice not in _SLOW]
    if option.kind == "bool":
        return [True, False]
    return [end for end in (option.low, option.high) if end is not None]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)
class TestLesson:
    def test_it_says_what_it_is(self, lesson: Lesson) -> None:
        parts = (lesson.to_do, lesson.to_predict, lesson.check_question, lesson.source)
        assert all(part.strip() for part in parts)
        assert all(part.rstrip().endswith((".", "?")) for part in parts[:3])
        assert 1 <= lesson.minutes <= 5
        assert not {o.name for o in options_of(type(lesson))} & set(RESERVED)

    @pytest.mark.parametrize("state", ODD.values(), ids=ODD)
    def test_it_bears_any_state_and_is_the_same_again(
        self, lesson: Lesson, state: LessonState, workshop: Workshop
    ) -> None:
        scene = settled(lesson, state, workshop)
        assert scene.task
        assert written(scene) == written(settled(lesson, state, workshop))

    def test_its_pictures_have_words_and_numbers(self, lesson: Lesson, workshop: Workshop) -> None:
        for state in ODD.values():
            scene = settled(lesson, state, workshop)
            if scene.film is None:
                continue
            assert scene.numbers
            assert len(scene.film.says) in (0, scene.film.n_steps + 1)
            keys = [board.key for board in scene.film.boards]
            assert len(set(keys)) == len(keys)
            for board in scene.film.boards:
                assert board.title
                assert len(board.alt) > 20
                assert len(board.says) in (0, scene.film.n_steps + 1)
                for trace in board.figure["data"]:
                    meta = trace.get("meta", {})
                    steps = meta.get("until") or meta.get("frames")
                    assert steps is None or len(steps) == scene.film.n_steps + 1
                    assert max(meta.get("until", [0])) <= len(np.atleast_1d(trace.get("x", [])))

    def test_every_value_of_every_setting_can_be_shown(self, lesson: Lesson, workshop: Workshop) -> None:
        for option in options_of(type(lesson)):
            for value in values_of(option):
                changed = with_options(lesson, {option.name: value})
                for state in (LessonState(), ODD["revealed at once"]):
                    assert settled(changed, changed.changed(state, lesson), workshop).task

    def test_it_is_not_done_before_anything_is_done(self, lesson: Lesson, workshop: Workshop) -> None:
        assert not settled(lesson, LessonState(), workshop).check.is_done

    def test_buttons_lead_to_states_that_can_be_shown(self, lesson: Lesson, workshop: Workshop) -> None:
        state = lesson.picked(LessonState(), 0.31, 0.62)
        for _ in range(4):
            scene = settled(lesson, state, workshop)
            usable = [action for action in scene.actions if not action.why_not and action.key != "again"]
            if scene.ask:
                state = lesson.guessed(state, scene.ask.choices[0])
            if not usable:
                break
            state = lesson.acted(state, usable[0].key)
        assert settled(lesson, state, workshop).task
        assert lesson.acted(state, "again") == LessonState(seed=state.seed)
