"""Lessons, one file each."""

from hpo_core.discovery import Catalogue
from hpo_core.lessons._base import Action, Ask, Check, Fact, Knob, Lesson, LessonState, Scene, Told
from hpo_core.lessons._film import Board, Film, Pick, growing, replaced
from hpo_core.lessons._workshop import Workshop

LESSONS: Catalogue[Lesson] = Catalogue("hpo_core.lessons", Lesson, "lesson")


def lesson_on(method: str) -> Lesson | None:
    """The lesson that shows a search method from the inside, if there is one."""
    return next((lesson for lesson in LESSONS if method in lesson.methods), None)


__all__ = [
    "LESSONS",
    "Action",
    "Ask",
    "Board",
    "Check",
    "Fact",
    "Film",
    "Knob",
    "Lesson",
    "LessonState",
    "Pick",
    "Scene",
    "Told",
    "Workshop",
    "growing",
    "lesson_on",
    "replaced",
]
