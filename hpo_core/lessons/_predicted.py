"""Lessons in which a prediction comes first, and is made once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hpo_core.lessons._base import Lesson, LessonState

_GUESSED = "guessed"


@dataclass(frozen=True)
class PredictedFirst(Lesson):
    """What is to be found out shows once an answer is chosen; after that, the settings are for finding out."""

    def guessed(self, state: LessonState, answer: str) -> LessonState:
        return replace(state, guess=answer, moves=(_GUESSED,), step=0) if answer else state

    def changed(self, state: LessonState, before: Lesson) -> LessonState:
        """The same from its first step on, without the prediction, which was made for other settings."""
        return replace(state, guess="", step=0)

    def is_predicted(self, state: LessonState) -> bool:
        return _GUESSED in state.moves
