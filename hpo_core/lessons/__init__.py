"""Lessons, one file each."""

from hpo_core.discovery import Catalogue
from hpo_core.lessons._base import Action, Ask, Check, Fact, Knob, Lesson, LessonState, Scene, Told
from hpo_core.lessons._film import Board, Film, Pick, growing, replaced
from hpo_core.lessons._workshop import Workshop

LESSONS: Catalogue[Lesson] = Catalogue("hpo_core.lessons", Lesson, "lesson")

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
    "replaced",
]
