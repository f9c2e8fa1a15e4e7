"""The way of a learner over a ground: which settings were tried, and what was predicted before each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hpo_core.lessons._ground import Ground, Levels

_MARK = "p"


@dataclass(frozen=True, slots=True)
class Trail:
    """What was tried, in order.

    Attributes:
        settings: The first is where everybody starts.
        guesses: For each setting which answer was predicted before, by its place; -1 for none.
    """

    settings: tuple[Levels, ...]
    guesses: tuple[int, ...]

    @property
    def now(self) -> Levels:
        return self.settings[-1]

    @property
    def before(self) -> Levels:
        """The setting before that of now; the same where there is none."""
        return self.settings[-2] if len(self.settings) > 1 else self.now

    @property
    def last_turned(self) -> int:
        """The place of the hyperparameter that the last move turned; 0 before any move."""
        return next((i for i, (a, b) in enumerate(zip(self.before, self.now, strict=True)) if a != b), 0)


def trail_of(ground: Ground, moves: Sequence[str]) -> Trail:
    """The trail in the words of moves; those that say nothing here are passed over."""
    settings, guesses, guess = [ground.start], [-1], -1
    for word in moves:
        if is_guess(word):
            guess = int(word[1:])
        elif (levels := ground.from_word(word)) is not None and levels != settings[-1]:
            settings.append(levels)
            guesses.append(guess)
            guess = -1
    return Trail(tuple(settings), tuple(guesses))


def to_guess(place: int) -> str:
    """A prediction as the word of a move."""
    return f"{_MARK}{place}"


def is_guess(word: str) -> bool:
    """Whether a word is a prediction."""
    return len(word) == 2 and word[0] == _MARK and word[1].isdigit() and word.isascii()
