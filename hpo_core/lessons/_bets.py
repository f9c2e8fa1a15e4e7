"""Bets on scores: what a person said before each run, what a surrogate would have said, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpo_core.gaussian_process import fit
from hpo_core.lessons._ground import Ground, Levels
from hpo_core.space import SearchSpace

Floats = NDArray[np.float64]
GUESSES = tuple(round(0.5 + i / 100, 2) for i in range(51))
MARGINS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
_RUN, _SET = "r", "w"
_SURE = 1.96  # standard deviations on either side of the middle that hold 95 %
_FIRST_GUESS, _FIRST_MARGIN = GUESSES.index(0.8), MARGINS.index(0.1)


@dataclass(frozen=True, slots=True)
class Bet:
    """What is set, and what is said of it: places among `GUESSES` and `MARGINS`."""

    levels: Levels
    guess: int = _FIRST_GUESS
    margin: int = _FIRST_MARGIN

    @property
    def said(self) -> Said:
        return Said(GUESSES[self.guess], MARGINS[self.margin])


@dataclass(frozen=True, slots=True)
class Said:
    """A prediction of a score: it lies within `half` of `value`, as good as surely."""

    value: float
    half: float

    def holds(self, score: float) -> bool:
        """Whether a score lies within, its ends included."""
        return abs(score - self.value) <= self.half + 1e-9


@dataclass(frozen=True, slots=True)
class Bets:
    """All bets of a learner, in order, and the one that is being made."""

    run: tuple[Bet, ...]
    now: Bet


@dataclass(frozen=True, slots=True)
class Run:
    """A bet, what came out, and what the surrogate had said."""

    bet: Bet
    score: float
    machine: Said

    @property
    def misses(self) -> tuple[float, float]:
        """Of the person and of the surrogate."""
        return abs(self.bet.said.value - self.score), abs(self.machine.value - self.score)

    @property
    def is_held(self) -> tuple[bool, bool]:
        """Of the same."""
        return self.bet.said.holds(self.score), self.machine.holds(self.score)


def bets_of(ground: Ground, moves: Sequence[str]) -> Bets:
    """The bets in the words of moves; those that say nothing here are passed over."""
    run, now = [], Bet(ground.start)
    for word in moves:
        bet = _from_word(ground, word)
        if bet is not None:
            now = bet
            if word.startswith(_RUN):
                run.append(bet)
    return Bets(tuple(run), now)


def moves_of(ground: Ground, bets: Bets) -> tuple[str, ...]:
    """The words of bets, to be read by `bets_of`."""
    return (*(_RUN + _word(ground, bet) for bet in bets.run), _SET + _word(ground, bets.now))


def surrogate_says(ground: Ground, known: Sequence[Levels], scores: Sequence[float], levels: Levels) -> Said:
    """What a Gaussian process that knows these scores says of a setting: 95 %, noise included."""
    space = _space(ground)
    units = np.array([_units(ground, one) for one in (*known, levels)])
    process = fit(space, units[:-1], np.array(scores, dtype=np.float64))
    expected = process.predict(units[-1:])
    sd = float(np.hypot(expected.sd[0], process.noise))
    return Said(float(np.clip(expected.mean[0], 0.0, 1.0)), _SURE * sd)


def _word(ground: Ground, bet: Bet) -> str:
    return f"{bet.guess:02d}{bet.margin}{ground.to_word(bet.levels)}"


def _from_word(ground: Ground, word: str) -> Bet | None:
    numbers, levels = word[1:4], ground.from_word(word[4:])
    if word[:1] not in (_RUN, _SET) or levels is None or not (numbers.isascii() and numbers.isdigit()):
        return None
    guess, margin = int(numbers[:2]), int(numbers[2:])
    return Bet(levels, guess, margin) if guess < len(GUESSES) and margin < len(MARGINS) else None


def _space(ground: Ground) -> SearchSpace:
    """What is turned. A condition on what is not turned always holds here."""
    names = {p.name for p in ground.turned}
    free = (p if p.when is None or p.when.parent in names else replace(p, when=None) for p in ground.turned)
    return SearchSpace(tuple(free))


def _units(ground: Ground, levels: Levels) -> list[float]:
    places = range(len(levels))
    return [ground.unit(i, levels[i]) if ground.is_active(levels, i) else np.nan for i in places]
