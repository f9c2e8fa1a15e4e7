"""A scene once all of it is there."""

from __future__ import annotations

import pytest

from hpo_core.lessons import Lesson, LessonState, Scene, Workshop


def settled(lesson: Lesson, state: LessonState, workshop: Workshop) -> Scene:
    for _ in range(2000):
        scene = lesson.scene(state, workshop)
        if not scene.waits_for:
            return scene
    pytest.fail(f"{lesson.key} waits for ever: {scene.waits_for}")
