"""Lesson 8: inside architecture search, by a population that ages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from hpo_core.datasets import DATASETS
from hpo_core.formats import format_count
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, LessonState, Scene, Told, Workshop
from hpo_core.lessons._ageing import TOURNAMENT, Life, oldest_leave, weakest_leave
from hpo_core.lessons._ageing_figures import best_alive, lives_figure, network_figure
from hpo_core.lessons._networks import DATA, PROTOCOL, all_networks
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.options import option

_SAY = {
    "task": "{n} networks were drawn at random and tried. From now on, the best of {k} drawn members has a child with "
    "one thing changed, and {who} leaves. Predict when the best one, in the ring, leaves.",
    "task_play": "Play the trials: who has children, and who leaves? Then change the noise, and who leaves.",
    "wait": "The population is being bred.",
    "ask": "When does the best one leave?",
    "lives": "Who lives?",
    "lives_note": "Filled: alive. Ring: the best one alive. The line leads from a parent to its newest child. Each "
    "loss is that of a real training on {data}, recorded; all {n_all} networks were trained on {n_folds} folds.",
    "network": "Which network is the best one alive?",
    "network_note": "A bar for each hidden layer, as high as it has neurons; above, how neurons bend, and whether "
    "layers are skipped.",
    "best": "Best of all tried, as it looks and on all folds",
    "best_value": "{seen:.3f} and {true:.3f}",
    "oldest_life": "Longest life",
    "life_value": "{n} trials",
    "said": "Trial {n}: {what}; the best alive has {layers}.",
    "said_first": "drawn at random",
    "said_child": "a child of trial {parent}",
    "right": "You predicted “{guess}”, and so it is.",
    "wrong": "You predicted “{guess}”. It is: {truth}.",
    "oldest": "Members die of age: when a child comes, the oldest leaves, however good it is. What is good lives on "
    "only in children, which must prove themselves anew.",
    "weakest": "This is the lab's method without ageing: a member that looks good stays, and has children, for as long "
    "as few look better.",
    "luck": "Trial {n} looks {luck:.2f} better than it is, and lived for {life}: it had {children}.",
    "no_luck": "Nobody that looks {lucky} better than it is lived for more than {most} trials.",
    "check_predict": "Predict first, then change the settings.",
    "check_todo": "Not here. What must there be for luck, and what ends it?",
    "check_done": "Right: where only weakness kills, a lucky look lasts. Ageing ends it, and costs good members: "
    "the best one that was ever tried is about as good either way here.",
}
_ANSWERS = ("never, as it is the best", "{n} trials after it came", "when it looks weakest")
_NOISE = {"none": PROTOCOL.n_folds, "some": 3, "much": 1}  # folds that are looked at
_LIVES_NOTE = _SAY["lives_note"].format(data=DATASETS[DATA].label, n_all=len(all_networks()), n_folds=PROTOCOL.n_folds)
_OLDEST, _WEAKEST = "the oldest", "the weakest"
_TRIALS = 80
_LUCKY = 0.04


@dataclass(frozen=True)
class InsideArchitecture(PredictedFirst):
    """Depth, widths, activation and skips, bred in a population that ages."""

    key: ClassVar[str] = "architecture"
    label: ClassVar[str] = "Inside architecture search"
    place: ClassVar[int] = 80
    purpose: ClassVar[str] = "Say how evolution searches network architectures, and why members die of age."
    to_do: ClassVar[str] = "Watch networks being bred one change at a time, then let the weakest leave, not the oldest."
    to_predict: ClassVar[str] = "When does the best member leave?"
    check_question: ClassVar[str] = (
        f"What keeps luck alive? Change the settings until a network that looks {_LUCKY} better than it is lives for "
        f"more than {_TRIALS // 2} trials."
    )
    source: ClassVar[str] = (
        "Real, Aggarwal, Huang and Le (2019), Regularized Evolution for Image Classifier Architecture Search"
    )
    methods: ClassVar[tuple[str, ...]] = ("regularised_evolution",)

    leaves: str = option(_OLDEST, "Who leaves", "When a child comes.", choices=(_OLDEST, _WEAKEST))
    noise: str = option(
        "some", "Noise", "A look at a network takes all ten folds, three, or only one.", choices=tuple(_NOISE)
    )
    population: int = option(12, "Members", "How many live at a time.", low=6, high=24)

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        lives = workshop.get(("ageing", self, state.seed), lambda _report: self._lives(state.seed))
        if lives is None:
            return Scene("", waits_for=_SAY["wait"])
        return self._shown(state, lives) if self.is_predicted(state) else self._first(lives[: self.population])

    def _lives(self, seed: int) -> list[Life]:
        bred = oldest_leave if self.leaves == _OLDEST else weakest_leave
        return bred(self.population, _TRIALS, _NOISE[self.noise], seed)

    def _answers(self) -> tuple[str, ...]:
        return tuple(answer.format(n=self.population) for answer in _ANSWERS)

    def _first(self, lives: list[Life]) -> Scene:
        return Scene(
            _SAY["task"].format(n=self.population, k=TOURNAMENT, who=self.leaves),
            Film(self._boards(lives, [self.population])),
            ask=Ask(_SAY["ask"], self._answers()),
            numbers={"Networks": _table(lives).drop(columns=["left at", "loss on all folds"])},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _shown(self, state: LessonState, lives: list[Life]) -> Scene:
        counts = list(range(self.population, _TRIALS + 1))
        best = min(lives, key=lambda life: life.seen)
        longest = max(map(_life, lives))
        facts = (
            Fact(_SAY["best"], _SAY["best_value"].format(seen=best.seen, true=best.true), "machine"),
            Fact(_SAY["oldest_life"], _SAY["life_value"].format(n=longest)),
        )
        return Scene(
            _SAY["task_play"],
            Film(
                self._boards(lives, counts),
                n_steps=len(counts) - 1,
                says=tuple(_said(lives, n) for n in counts),
                noun="child",
                plays=True,
            ),
            facts=facts,
            actions=(Action("again", "Start again"),),
            told=self._told(state, lives),
            numbers={"Networks": _table(lives)},
            check=self._checked(lives),
        )

    def _boards(self, lives: list[Life], counts: list[int]) -> tuple[Board, ...]:
        best = best_alive(lives, counts[-1])
        alt = f"{len(lives)} networks; the best one alive is trial {best.born + 1} with a loss of {best.seen:.3f}."
        layers = format_count(best.configuration["n_layers"], "hidden layer")
        shape = f"The best network alive has {layers} and {best.configuration['activation']} neurons."
        figure, network = lives_figure(lives, counts, _TRIALS), network_figure(lives, counts)
        return (
            Board("network", _SAY["network"], network, shape, note=_SAY["network_note"], height=420),
            Board("lives", _SAY["lives"], figure, alt, note=_LIVES_NOTE, height=420, span="side"),
        )

    def _told(self, state: LessonState, lives: list[Life]) -> tuple[Told, ...]:
        told, answers = [], self._answers()
        truth = answers[1 if self.leaves == _OLDEST else 2]
        if state.guess in answers:
            is_right = state.guess == truth
            words = _SAY["right" if is_right else "wrong"].format(guess=state.guess, truth=truth)
            told.append(Told(words, "up" if is_right else ""))
        told.append(Told(_SAY["oldest" if self.leaves == _OLDEST else "weakest"]))
        lucky = _lucky(lives)
        if not lucky:
            return (*told, Told(_SAY["no_luck"].format(lucky=_LUCKY, most=_TRIALS // 2)))
        longest = max(lucky, key=_life)
        children = Counter(life.parent for life in lives)[longest.born]
        said = {"n": longest.born + 1, "luck": longest.luck, "life": format_count(_life(longest), "trial")}
        count = "1 child" if children == 1 else f"{children} children"
        return (*told, Told(_SAY["luck"].format(**said, children=count), "down"))

    def _checked(self, lives: list[Life]) -> Check:
        is_done = bool(_lucky(lives))
        return Check(is_done, _SAY["check_done" if is_done else "check_todo"])


def _life(life: Life) -> int:
    """For how many further trials it lived."""
    return (_TRIALS if life.left is None else life.left) - life.born


def _lucky(lives: list[Life]) -> list[Life]:
    return [life for life in lives if life.luck >= _LUCKY and _life(life) > _TRIALS // 2]


def _said(lives: list[Life], n_trials: int) -> str:
    newest = lives[n_trials - 1]
    child = _SAY["said_first"] if newest.parent is None else _SAY["said_child"].format(parent=newest.parent + 1)
    layers = format_count(best_alive(lives, n_trials).configuration["n_layers"], "layer")
    return _SAY["said"].format(n=n_trials, what=child, layers=layers)


def _table(lives: list[Life]) -> pd.DataFrame:
    rows = [
        {
            "trial": life.born + 1,
            "child of": None if life.parent is None else life.parent + 1,
            "left at": None if life.left is None else life.left + 1,
            "loss as it looks": life.seen,
            "loss on all folds": life.true,
            **life.configuration,
        }
        for life in lives
    ]
    return pd.DataFrame(rows)


ARCHITECTURE = InsideArchitecture()
