"""The manual of lessons: what a file in this folder declares.

A lesson is a frozen dataclass: class variables say what it is, fields declared with `option(...)` are its settings.
What a learner has done is a `LessonState`; settings and state together stand in the URL, so that a link restores them.
From both a lesson makes a `Scene`: the words and the pictures that are on screen now. A page draws any scene::

    lesson = with_options(LESSONS["landscape"], {"place": "Rastrigin"})
    state = LessonState(seed=3)
    scene = lesson.scene(state, workshop)          # task, film, facts, question, buttons, findings, check
    state = lesson.picked(state, 0.25, 0.5)        # a click on the board, or an arrow key
    state = lesson.acted(state, "fly")             # a button of the scene
    state = lesson.guessed(state, "Random")        # an answer to the scene's question

A scene is made from settings and state alone: the same ones give the same scene. What takes longer than a tenth of a
second is made by the workshop in the background; until it is there, the scene says what it waits for. Nothing that is
to stay hidden goes into a scene before it is revealed, as a scene goes to the browser whole.

All words of a lesson stand at the top of its file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pandas as pd

from hpo_core.lessons._film import Film
from hpo_core.lessons._workshop import Workshop


@dataclass(frozen=True, slots=True)
class LessonState:
    """What a learner has done in a lesson.

    Attributes:
        seed: Of everything random.
        step: Where the film stands.
        moves: What was done, in order, in words of small letters and digits that the lesson makes and reads.
        guess: The prediction; "" before there is one.
        is_revealed: Whether what was hidden is shown.
    """

    seed: int = 1
    step: int = 0
    moves: tuple[str, ...] = ()
    guess: str = ""
    is_revealed: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that matters now. `tone` is "", "you", "machine", "up" or "down"."""

    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A button. The one to press next is the main one; `why_not` is why it cannot be pressed."""

    key: str
    label: str
    is_main: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Knob:
    """A slider of the scene, where what can be set depends on the settings; buttons where there is no order.

    Attributes:
        key: Names it among those of the scene.
        label, explanation: On screen.
        texts: What it can be set to, all different.
        at: The place among them that it is set to.
        is_ordered: Whether it is a slider.
    """

    key: str
    label: str
    explanation: str
    texts: tuple[str, ...]
    at: int
    is_ordered: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """A prediction to make: the question, and what can be answered."""

    question: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in words. `tone` as that of a fact."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """The check question, answered by bringing the lesson into a state.

    Attributes:
        is_done: Whether the state of now answers it.
        answer: Why this state does, or how it stands; shown once there is something to say.
    """

    is_done: bool = False
    answer: str = ""


@dataclass(frozen=True)
class Scene:
    """What is on screen now.

    Attributes:
        task: What to do now, in one or two sentences.
        film: The pictures; None for none.
        facts: Numbers beside them.
        ask: A prediction that can be made now.
        knobs: Sliders beside the settings.
        actions: Buttons.
        told: Findings.
        numbers: What the pictures show, as tables by their titles.
        check: How the check question stands.
        waits_for: What is still being made, with how far it is; "" when all is there. The scene is made again until
            then; what it has already is shown.
        name: Another one where the film is another; it then begins where the state says. By itself the film is
            another with other settings, another seed, or another number of pictures or steps.
    """

    task: str
    film: Film | None = None
    facts: tuple[Fact, ...] = ()
    ask: Ask | None = None
    knobs: tuple[Knob, ...] = ()
    actions: tuple[Action, ...] = ()
    told: tuple[Told, ...] = ()
    numbers: dict[str, pd.DataFrame] = field(default_factory=dict)
    check: Check = Check()
    waits_for: str = ""
    name: str = ""


@dataclass(frozen=True)
class Lesson(ABC):
    """One thing to understand. A file in this folder binds an instance with default settings.

    Class attributes:
        key: Name in URLs.
        label: Name on screen.
        place: Lessons are listed by this number, then by file name.
        minutes: How long it takes somebody who knows nothing.
        purpose: The goal: what one can say or do afterwards, in one line.
        to_do: What the learner does, in a sentence.
        to_predict: What the learner predicts, in a sentence.
        check_question: A question that is answered by doing something.
        source: Where its facts can be read (author, year, title), named on screen.
        has_chance: Whether a seed changes anything, so that it can be chosen.
        methods: Keys of the search methods that it shows from the inside.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    place: ClassVar[int] = 100
    minutes: ClassVar[int] = 5
    purpose: ClassVar[str]
    to_do: ClassVar[str]
    to_predict: ClassVar[str]
    check_question: ClassVar[str]
    source: ClassVar[str]
    has_chance: ClassVar[bool] = True
    methods: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        """What is on screen. Raises nothing for a state that a URL may hold: it takes what it understands of it."""

    def picked(self, state: LessonState, x: float, y: float) -> LessonState:
        """The state after a place of the board was picked, in the units of its axes."""
        return state

    def turned(self, state: LessonState, knob: str, at: int) -> LessonState:
        """The state after a knob was set to another of its places."""
        return state

    def acted(self, state: LessonState, action: str) -> LessonState:
        """The state after a button; "again" and "reveal" mean the same in every lesson."""
        if action == "again":
            return LessonState(seed=state.seed)
        return replace(state, is_revealed=True) if action == "reveal" else state

    def guessed(self, state: LessonState, answer: str) -> LessonState:
        """The state after a prediction."""
        return replace(state, guess=answer)

    def changed(self, state: LessonState, before: Lesson) -> LessonState:
        """The state after settings were changed from those of `before`: a new beginning, unless the lesson goes on.

        Another seed always begins anew.
        """
        return LessonState(seed=state.seed)
