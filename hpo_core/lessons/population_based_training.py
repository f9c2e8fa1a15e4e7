"""Lesson 6: inside population-based training, on the toy of its paper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import pandas as pd

from hpo_core.formats import format_count
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, LessonState, Scene, Told, Workshop
from hpo_core.lessons._paper_toy import FIXED, HIGHEST, TURNS, Turn, fixed_way, line_to_best, played, quality
from hpo_core.lessons._paper_toy_figures import fixed_map, population_map, turns_figure
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.options import option

_SAY = {
    "task": "The quality is best where both weights are 0. Each worker sees one of them only: worker 1 trains with "
    "h = (1, 0), worker 2 with h = (0, 1). Alone, each ends at {fixed:.2f} of at most {highest}. Now they train as a "
    "population. Predict what it reaches.",
    "task_play": "Play the turns. After each, the loser copies the weights of the winner (exploit) and varies its "
    "hyperparameters (explore). Then switch one of the two off.",
    "wait": "The population is being trained.",
    "ask": "How good does the population get?",
    "fixed": "Where do fixed values lead?",
    "fixed_note": "The stronger the colour, the better. Both begin at (0.9, 0.9).",
    "map": "Where do the weights go?",
    "map_note": "The stronger the colour, the better. A line is a member that trains; a dotted line is a member that "
    "jumps to the weights of another.",
    "turns": "How good is each, and with which values?",
    "turns_note": "Above: the quality of each member. Below: h0 and h1 on the way to the best one: its schedule.",
    "best": "Best of the population",
    "fixed_best": "Best with fixed values",
    "passed": "Passes 1 at turn",
    "never": "never",
    "said_start": "All begin at (0.9, 0.9).",
    "said": "Turn {turn} of {n}: the best is {best:.2f}{copied}.",
    "copied": "; {names} copied weights",
    "right": "You predicted {guess}; it reached {best:.2f}.",
    "wrong": "You predicted {guess}, and it reached {best:.2f}.",
    "both": "The winner of one weight hands it on, and the copy goes on with other values, which see the other weight. "
    "So the population gets where no fixed values lead.",
    "only_exploit": "Copied without change: soon all train with the same values, and what these do not see never "
    "improves.",
    "only_explore": "Values vary, so that each sees both weights in time. But no weights are handed on: a loser has to "
    "make up for what it has not learnt. Compare the turn at which 1 is passed, on several seeds.",
    "neither": "Each trains alone with the values that it began with, as in a grid search.",
    "schedule": "On the way to the best member, values changed {n}.",
    "check_predict": "Predict first, then use the switches.",
    "check_both": "Both are on. Switch one of them off.",
    "check_none": "Both are off, so that you cannot tell them apart. Switch one of them on.",
    "check_todo": "With only this one, the best reaches {best:.2f}. Try the other one.",
    "check_exploit": "Right: copying alone ends at {best:.2f}, where fixed values end as well. Selection needs "
    "variation to choose from.",
    "check_explore": "On this seed varying alone ends at {best:.2f}, no better than fixed values; on most it does "
    "better. Try the other one, too.",
}
_ANSWERS = {"about 0.4": 0.4, "about 0.8": 0.8, "about 1.2": 1.2}
_AS_FIXED = 0.1


@dataclass(frozen=True)
class InsidePopulationBasedTraining(PredictedFirst):
    """Two workers that see one weight each, and what they do together."""

    key: ClassVar[str] = "population_based_training"
    label: ClassVar[str] = "Inside population-based training"
    place: ClassVar[int] = 60
    purpose: ClassVar[str] = "Say what copying weights and varying values do, and why a schedule comes out."
    to_do: ClassVar[str] = "Follow a population through 25 turns, then switch copying or varying off."
    to_predict: ClassVar[str] = "How good does a population get whose members alone are poor?"
    check_question: ClassVar[str] = (
        "Which half does little without the other? Leave one of the two on, so that the best ends no better than fixed "
        "values do."
    )
    source: ClassVar[str] = (
        "Jaderberg, Dalibard, Osindero, Czarnecki and others (2017), Population Based Training of Neural Networks, "
        "figure 2"
    )
    methods: ClassVar[tuple[str, ...]] = ("population_based_training",)

    exploit: bool = option(True, "Exploit", "A loser copies the weights and values of a winner.")
    explore: bool = option(True, "Explore", "A loser takes values that are varied or drawn anew.")

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        if not self.is_predicted(state):
            return self._first()
        turns = workshop.get(("population", self, state.seed), lambda _report: self._played(state.seed))
        return Scene("", waits_for=_SAY["wait"]) if turns is None else self._shown(state, turns)

    def _played(self, seed: int) -> list[Turn]:
        return played(does_exploit=self.exploit, does_explore=self.explore, seed=seed)

    def _first(self) -> Scene:
        alt = "With h = (1, 0) only weight 0 goes to zero, with h = (0, 1) only weight 1."
        table = pd.DataFrame([{**h, "quality at the end": quality(fixed_way(h)[-1])} for h in FIXED])
        return Scene(
            _SAY["task"].format(fixed=_fixed_best(), highest=HIGHEST),
            Film((Board("fixed", _SAY["fixed"], fixed_map(), alt, note=_SAY["fixed_note"]),)),
            ask=Ask(_SAY["ask"], tuple(_ANSWERS)),
            numbers={"Fixed values": table},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _shown(self, state: LessonState, turns: list[Turn]) -> Scene:
        best = line_to_best(turns)[-1].quality
        facts = (
            Fact(_SAY["best"], f"{best:.2f}", "machine"),
            Fact(_SAY["fixed_best"], f"{_fixed_best():.2f}"),
            Fact(_SAY["passed"], _passed(turns)),
        )
        alt = f"The weights of two members; the best ends at quality {best:.2f}."
        figure = turns_figure(turns)
        boards = (
            Board("map", _SAY["map"], population_map(turns), alt, note=_SAY["map_note"]),
            Board("turns", _SAY["turns"], figure, alt, note=_SAY["turns_note"], height=440, span="side"),
        )
        return Scene(
            _SAY["task_play"],
            Film(boards, n_steps=TURNS, says=_says(turns), noun="turn", plays=True),
            facts=facts,
            actions=(Action("again", "Start again"),),
            told=self._told(state, turns, best),
            numbers={"Turns": _table(turns)},
            check=self._checked(best),
        )

    def _told(self, state: LessonState, turns: list[Turn], best: float) -> tuple[Told, ...]:
        told = []
        if state.guess in _ANSWERS:
            is_right = min(_ANSWERS, key=lambda answer: abs(_ANSWERS[answer] - best)) == state.guess
            words = _SAY["right" if is_right else "wrong"].format(guess=state.guess, best=best)
            told.append(Told(words, "up" if is_right else ""))
        kinds = {(True, True): "both", (True, False): "only_exploit", (False, True): "only_explore"}
        told.append(Told(_SAY[kinds.get((self.exploit, self.explore), "neither")]))
        line = [tuple(turn.values) for turn in line_to_best(turns)]
        n_changes = sum(before != after for before, after in pairwise(line))
        return (*told, Told(_SAY["schedule"].format(n=format_count(n_changes, "time"))))

    def _checked(self, best: float) -> Check:
        if self.exploit == self.explore:
            return Check(answer=_SAY["check_both" if self.exploit else "check_none"])
        is_done = best <= _fixed_best() + _AS_FIXED
        kind = "todo" if not is_done else "exploit" if self.exploit else "explore"
        return Check(is_done, _SAY[f"check_{kind}"].format(best=best))


def _fixed_best() -> float:
    return max(quality(fixed_way(configuration)[-1]) for configuration in FIXED)


def _passed(turns: list[Turn]) -> str:
    """The first turn after which a member is better than 1, counted from 1."""
    return str(min((turn.turn + 1 for turn in turns if turn.quality > 1), default=_SAY["never"]))


def _says(turns: list[Turn]) -> tuple[str, ...]:
    sentences = [_SAY["said_start"]]
    for number in range(TURNS):
        now = [turn for turn in turns if turn.turn == number]
        names = ", ".join(f"{turn.member + 1} from {turn.source + 1}" for turn in now if turn.is_copy)
        copied = _SAY["copied"].format(names=f"member {names}") if names else ""
        best = max(turn.quality for turn in now)
        sentences.append(_SAY["said"].format(turn=number + 1, n=TURNS, best=best, copied=copied))
    return tuple(sentences)


def _table(turns: list[Turn]) -> pd.DataFrame:
    rows = [
        {
            "turn": turn.turn + 1,
            "member": turn.member + 1,
            "weights from member": turn.source + 1,
            "h0": turn.values[0],
            "h1": turn.values[1],
            "quality": turn.quality,
        }
        for turn in turns
    ]
    return pd.DataFrame(rows)


POPULATION_BASED_TRAINING = InsidePopulationBasedTraining()
