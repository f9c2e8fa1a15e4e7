"""Lesson: predict the score, then run; who is nearer, and whose sureness is worth its word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from hpo_core.formats import format_score
from hpo_core.lessons import Action, Board, Check, Fact, Film, Knob, Lesson, LessonState, Scene, Told, Workshop
from hpo_core.lessons._bet_figures import miss_figure, said_figure
from hpo_core.lessons._bets import GUESSES, MARGINS, Bet, Bets, Run, Said, bets_of, moves_of, surrogate_says
from hpo_core.lessons._ground import Ground, Levels, ground_of
from hpo_core.lessons._playground_figures import model_figure
from hpo_core.lessons._trying import Tried, try_setting
from hpo_core.options import option

_SAY = {
    "task": "Set the sliders, say what the score on new rows will be, give or take how much, and run it. Give ranges "
    "of which you are as good as sure. A surrogate that knows the same runs says its own.",
    "guess": "Your prediction",
    "guess_help": "The share of new rows that it gets right; half of them by guessing.",
    "margin": "Give or take",
    "margin_help": "The truth should lie within this of your prediction, 19 times of 20.",
    "run": "Run",
    "was_run": "This setting was run. Turn a slider first.",
    "enough": "So many runs are enough: start again.",
    "wait": "The setting is being fitted.",
    "wait_known": "Three settings are fitted, so that there is something to go by.",
    "known": "Known already: {known}.",
    "known_one": "{words} gives {score}",
    "model": "What did it learn?",
    "model_note": "The last one that was run. Colour: which class it predicts, and how surely. Filled rows it was "
    "trained on, hollow ones are new to it.",
    "said": "Who was nearer?",
    "said_note": "Line: how it came out. Star and circle: what you and the surrogate said, with the range.",
    "miss": "Who gets better?",
    "miss_note": "The mean of all misses up to each run: how far the prediction was from the score.",
    "alt_model": "{model} with {words}.",
    "alt_said": "{n} runs; your range held the score in {you}, that of the surrogate in {machine}.",
    "alt_miss": "Over {n} runs you missed by {you:.3f} on average, the surrogate by {machine:.3f}.",
    "score": "score on new rows",
    "you_miss": "Your mean miss",
    "machine_miss": "The surrogate's",
    "you_held": "Your range held",
    "machine_held": "The surrogate's held",
    "held": "{n} of {all}",
    "last": "You said {you} ± {half:.2g}, the surrogate {machine} ± {machine_half:.2g}. It is {score}: {nearer}, and "
    "your range {held}.",
    "nearer_you": "you were nearer",
    "nearer_machine": "the surrogate was nearer",
    "nearer_none": "both were as near",
    "did_hold": "held it",
    "did_not": "did not hold it",
    "too_sure": "You are surer than you are right: ranges that are meant to hold 19 times of 20 held {n} of {all}. "
    "Most people are, at first. Give more, or wait until you know more.",
    "too_careful": "You are more right than sure: you miss by {miss:.3f} on average, and allow for {half:.2g}. Dare "
    "narrower ranges where settings are close to some that you know.",
    "calibrated": "Your sureness is worth its word so far: ranges held {n} of {all}, and are not much wider than they "
    "must be.",
    "why": "A surrogate is right where settings are near to those that it knows, and says how unsure it is elsewhere. "
    "That is all that Bayesian optimisation needs to choose what to try.",
    "fault": "This setting gives no score. {fault}",
    "check_few": "{n} of 5 runs.",
    "check": "Of the last five runs {n} were held, by ranges of ± {half:.3f} on average.",
    "check_done": "Right: who knows how far off a prediction may be can tell luck from skill.",
}
_MODELS = {
    "Decision tree": "decision_tree",
    "SVM": "svm",
    "Nearest neighbours": "nearest_neighbours",
}
_DATA = "moons"
_N_KNOWN, _MOST_RUNS = 3, 40
_WANTED, _OF, _NARROW = 4, 5, 0.05
_ENOUGH = 5  # runs before sureness is spoken of
_CAREFUL = 4.0  # ranges so many times the mean miss are wider than they must be
_PATIENCE_SECONDS = 0.12


@dataclass(frozen=True)
class Calibration(Lesson):
    """A guess with its range before each run, beside that of a surrogate."""

    key: ClassVar[str] = "calibration"
    label: ClassVar[str] = "Predict, then run"
    place: ClassVar[int] = 95
    purpose: ClassVar[str] = "Say how well you foresee a score, and how sure you may be."
    to_do: ClassVar[str] = "Predict the score of a setting, give or take, then run it; against a surrogate."
    to_predict: ClassVar[str] = "What will each setting score on new rows, and within how much?"
    check_question: ClassVar[str] = (
        f"Let your last {_OF} ranges hold the score at least {_WANTED} times, while they are {_NARROW} or narrower on "
        "average."
    )
    source: ClassVar[str] = (
        "Lichtenstein, Fischhoff and Phillips (1982), Calibration of Probabilities: The State of the Art to 1980; "
        "Rasmussen and Williams (2006), Gaussian Processes for Machine Learning"
    )
    has_chance: ClassVar[bool] = False

    model: str = option("Decision tree", "Model", "What is trained.", choices=tuple(_MODELS))

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        ground, bets = self._ground, bets_of(self._ground, state.moves)
        known = [try_setting(ground, levels, workshop, _PATIENCE_SECONDS) for levels in _known(ground)]
        if not all(one and (one.is_whole or one.fault) for one in known):
            return Scene("", waits_for=_SAY["wait_known"])
        first = _whole(known)
        if not first:
            fault = next(one.fault for one in known if one)
            return Scene(_SAY["task"], told=(Told(_SAY["fault"].format(fault=fault), "down"),))
        tried = [try_setting(ground, bet.levels, workshop, _PATIENCE_SECONDS) for bet in bets.run]
        last = [*first, *_whole(tried)][-1]
        runs = self._runs(bets, tried, first, workshop)
        self._bet(bets, first, runs, workshop)
        faults = [one.fault for one in tried if one and one.fault]
        fault = tried[-1].fault if tried and tried[-1] else ""
        return Scene(
            _SAY["task"],
            film=Film((self._model_board(last), *(_boards(runs) if runs else ()))),
            facts=_facts(runs),
            knobs=_knobs(ground, bets.now),
            actions=(self._run_action(bets), Action("again", "Start again")),
            told=(Told(_SAY["fault"].format(fault=fault), "down"),) if fault else _told(ground, first, runs),
            numbers={"Runs": _table(ground, runs)} if runs else {"Known": _known_table(ground, first)},
            check=_checked(runs),
            waits_for=_SAY["wait"] if len(runs) + len(faults) < len(bets.run) else "",
        )

    def turned(self, state: LessonState, knob: str, at: int) -> LessonState:
        ground, bets = self._ground, bets_of(self._ground, state.moves)
        now = bets.now
        if knob == "guess":
            now = replace(now, guess=at)
        elif knob == "margin":
            now = replace(now, margin=at)
        else:
            place = [p.name for p in ground.turned].index(knob)
            now = replace(now, levels=(*now.levels[:place], at, *now.levels[place + 1 :]))
        return replace(state, moves=moves_of(ground, Bets(bets.run, now)))

    def acted(self, state: LessonState, action: str) -> LessonState:
        ground, bets = self._ground, bets_of(self._ground, state.moves)
        if action != "run" or self._run_action(bets).why_not:
            return super().acted(state, action)
        return replace(state, moves=moves_of(ground, Bets((*bets.run, bets.now), bets.now)))

    @property
    def _ground(self) -> Ground:
        return ground_of(_DATA, _MODELS[self.model])

    def _run_action(self, bets: Bets) -> Action:
        was_run = bets.now.levels in (*_known(self._ground), *(bet.levels for bet in bets.run))
        why_not = _SAY["enough"] if len(bets.run) >= _MOST_RUNS else _SAY["was_run"] if was_run else ""
        return Action("run", _SAY["run"], is_main=True, why_not=why_not)

    def _runs(self, bets: Bets, tried: list[Tried | None], known: list[Tried], workshop: Workshop) -> list[Run]:
        """The bets that came out; each is judged by what was known before it."""
        settings, scores = [one.levels for one in known], [one.mean for one in known]
        runs = []
        for bet, one in zip(bets.run, tried, strict=True):
            if one is None or not one.is_whole:
                continue
            said = self._surrogate(tuple(settings), tuple(scores), bet.levels, workshop)
            if said is None:
                break
            runs.append(Run(bet, one.mean, said))
            settings.append(one.levels)
            scores.append(one.mean)
        return runs

    def _bet(self, bets: Bets, known: list[Tried], runs: list[Run], workshop: Workshop) -> None:
        """Lets the surrogate think of the setting while the person does, so that its word is there with the score."""
        if self._run_action(bets).why_not:
            return
        settings = (*(one.levels for one in known), *(run.bet.levels for run in runs))
        scores = (*(one.mean for one in known), *(run.score for run in runs))
        self._surrogate(settings, scores, bets.now.levels, workshop, patience=0.0)

    def _surrogate(
        self,
        settings: tuple[Levels, ...],
        scores: tuple[float, ...],
        levels: Levels,
        workshop: Workshop,
        patience: float = 1.0,
    ) -> Said | None:
        key = ("bet", self.model, settings, levels)
        return workshop.get(key, lambda _report: surrogate_says(self._ground, settings, scores, levels), patience)

    def _model_board(self, drawn: Tried) -> Board:
        alt = _SAY["alt_model"].format(model=self.model, words=self._ground.words(drawn.levels))
        return Board("model", _SAY["model"], model_figure(self._ground, drawn), alt, note=_SAY["model_note"])


def _known(ground: Ground) -> list[Levels]:
    """The defaults, and two settings far from each other."""
    return list(dict.fromkeys((ground.start, *ground.spread(8))))[:_N_KNOWN]


def _whole(tried: list[Tried | None]) -> list[Tried]:
    """Those of which all folds are known."""
    return [one for one in tried if one is not None and one.is_whole]


def _knobs(ground: Ground, now: Bet) -> tuple[Knob, ...]:
    guesses, margins = tuple(f"{guess:.2f}" for guess in GUESSES), tuple(f"± {margin:g}" for margin in MARGINS)
    return (
        *ground.knobs(now.levels),
        Knob("guess", _SAY["guess"], _SAY["guess_help"], guesses, now.guess),
        Knob("margin", _SAY["margin"], _SAY["margin_help"], margins, now.margin),
    )


def _facts(runs: list[Run]) -> tuple[Fact, ...]:
    if not runs:
        return ()
    you, machine = np.mean([run.misses for run in runs], axis=0)
    held_you, held_machine = np.sum([run.is_held for run in runs], axis=0)
    return (
        Fact(_SAY["you_miss"], f"{you:.3f}", "you"),
        Fact(_SAY["machine_miss"], f"{machine:.3f}", "machine"),
        Fact(_SAY["you_held"], _SAY["held"].format(n=held_you, all=len(runs)), "you"),
        Fact(_SAY["machine_held"], _SAY["held"].format(n=held_machine, all=len(runs)), "machine"),
    )


def _told(ground: Ground, first: list[Tried], runs: list[Run]) -> tuple[Told, ...]:
    known = [_SAY["known_one"].format(words=ground.words(one.levels), score=format_score(one.mean)) for one in first]
    told = [Told(_SAY["known"].format(known="; ".join(known)))]
    if not runs:
        return tuple(told)
    if len(runs) >= _ENOUGH:
        told.insert(0, _sureness(runs))
    return (_last(runs[-1]), *told, Told(_SAY["why"]))


def _last(run: Run) -> Told:
    (you, machine), (is_held, _) = run.misses, run.is_held
    nearer = "nearer_none" if abs(you - machine) < 1e-3 else "nearer_you" if you < machine else "nearer_machine"
    said = run.bet.said
    words = _SAY["last"].format(
        you=f"{said.value:.2f}",
        half=said.half,
        machine=f"{run.machine.value:.3f}",
        machine_half=run.machine.half,
        score=format_score(run.score),
        nearer=_SAY[nearer],
        held=_SAY["did_hold" if is_held else "did_not"],
    )
    return Told(words, "up" if is_held else "down")


def _sureness(runs: list[Run]) -> Told:
    """Whether the person's ranges hold as often as they should without being too wide."""
    held = sum(run.is_held[0] for run in runs)
    miss, half = float(np.mean([run.misses[0] for run in runs])), float(np.mean([run.bet.said.half for run in runs]))
    is_careful = half > max(_CAREFUL * miss, MARGINS[1])  # nobody can be told to be surer than that
    key = "too_sure" if held < 0.8 * len(runs) else "too_careful" if is_careful else "calibrated"
    return Told(_SAY[key].format(n=held, all=len(runs), miss=miss, half=half), "up" if key == "calibrated" else "")


def _checked(runs: list[Run]) -> Check:
    last = runs[-_OF:]
    if len(last) < _OF:
        return Check(answer=_SAY["check_few"].format(n=len(last)) if last else "")
    held, half = sum(run.is_held[0] for run in last), float(np.mean([run.bet.said.half for run in last]))
    is_done = held >= _WANTED and half <= _NARROW + 1e-9
    words = _SAY["check"].format(n=held, half=half)
    return Check(is_done, f"{words} {_SAY['check_done']}" if is_done else words)


def _boards(runs: list[Run]) -> tuple[Board, ...]:
    n = len(runs)
    held_you, held_machine = np.sum([run.is_held for run in runs], axis=0)
    misses = np.cumsum([run.misses for run in runs], axis=0) / np.arange(1, n + 1)[:, None]
    alt_said = _SAY["alt_said"].format(n=n, you=held_you, machine=held_machine)
    alt_miss = _SAY["alt_miss"].format(n=n, you=misses[-1, 0], machine=misses[-1, 1])
    said, miss = said_figure(runs), miss_figure(misses)
    return (
        Board("said", _SAY["said"], said, alt_said, note=_SAY["said_note"], height=420, span="side"),
        Board("miss", _SAY["miss"], miss, alt_miss, note=_SAY["miss_note"], height=240, span="all"),
    )


def _table(ground: Ground, runs: list[Run]) -> pd.DataFrame:
    rows = [
        {
            "run": number,
            "setting": ground.words(run.bet.levels),
            "you said": run.bet.said.value,
            "you ±": run.bet.said.half,
            "the surrogate said": run.machine.value,
            "the surrogate ±": run.machine.half,
            _SAY["score"]: run.score,
        }
        for number, run in enumerate(runs, start=1)
    ]
    return pd.DataFrame(rows)


def _known_table(ground: Ground, known: list[Tried]) -> pd.DataFrame:
    rows = [{"setting": ground.words(one.levels), _SAY["score"]: one.mean} for one in known]
    return pd.DataFrame(rows)


CALIBRATION = Calibration()
