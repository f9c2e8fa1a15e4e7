"""Lesson 5: inside Hyperband, successive halving and ASHA."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hpo_core.datasets import DATASETS
from hpo_core.formats import format_value
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, LessonState, Scene, Told, Workshop
from hpo_core.lessons._learning_curves import AGREE, CROSS, TRAININGS, Curves
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.lessons._tournament_figures import curves_figure, rungs_figure, workers_figure
from hpo_core.lessons._tournaments import (
    Job,
    Runner,
    Snapshot,
    after_jobs,
    after_rungs,
    bracket_table,
    end_losses,
    idle_share,
    runners_of,
    whole_rungs,
    winner_of,
    without_waiting,
)
from hpo_core.methods import METHODS
from hpo_core.methods.hyperband import Hyperband
from hpo_core.methods.successive_halving import SuccessiveHalving
from hpo_core.options import option, with_options

_SAY = {
    "task": "{n} have been trained for {epochs} each. Only the best 1/{eta} will be trained on, {eta} times as long, "
    "and so on. Four have a colour: predict which of them gets furthest.",
    "task_play": "Play the rungs: curves of those that are dropped end there. Then let the curves cross, and see who "
    "is dropped.",
    "task_whole": "Dotted lines are what those that were dropped would have come to. Nobody sees this in a real "
    "search: it costs as much as training all of them.",
    "wait": "The tournaments are under way.",
    "ask": "Which gets furthest?",
    "curves": "Who is trained on?",
    "curves_note": "Each line is a network. Blue: on the rung that has just ended. Grey: stopped before. {source}",
    "curves_note_asha": "Each line is a network. Blue: promoted at least once. Grey: not so far. {source}",
    "source": "Losses are those of real trainings of the lab's network on the data {data}, recorded so that the end of "
    "each is known; who is trained how long, the method decides.",
    "rungs": "How many on each rung?",
    "rungs_note": "So many configurations are scored after so many epochs. The ring is where the tournament is now; "
    "ASHA is on all rungs at once.",
    "workers": "Four workers: who waits?",
    "workers_note": "Colours are rungs, empty is waiting. Above, nobody goes on before a rung is complete; below, ASHA "
    "promotes whoever is among the best 1/{eta} of those that have come so far.",
    "whole": "Train the others, too",
    "cost": "Trained in all",
    "cost_value": "{epochs} epochs",
    "begun": "Configurations",
    "found": "Found, and best of those begun",
    "found_value": "{found:.3f} and {best:.3f}",
    "said": "Bracket {bracket}, rung {rung}: {n} trained for {epochs}; the best loss is {best:.3f}.",
    "said_asha": "{n} have begun, {n_on} of them were promoted; the best loss so far is {best:.3f}.",
    "right": "You predicted {guess}, and so it is: {guess} was scored after {epochs}.",
    "wrong": "You predicted {guess}. It is {truth}, which was scored after {epochs}.",
    "whole_cost": "Training all {n} to the end would take {whole} epochs instead of {used}.",
    "lost": "Of all that were begun, the one that would end lowest, with {best:.3f}, was dropped after {epochs}. The "
    "one that was found ends with {found:.3f}.",
    "kept": "The one that would end lowest was kept: it ends with {found:.3f}.",
    "hyperband": "Hyperband does not know whether early losses can be trusted. So each of its brackets begins with "
    "fewer configurations and trains them longer at first; the last one trains all of its own to the end.",
    "waiting": "Waiting for whole rungs leaves four workers idle for {idle:.0f} % of the time. In the same time, ASHA "
    "trains on {asha} rungs instead of {rungs}, and pays with promotions that complete rungs would not have made.",
    "check_predict": "Predict first, then change the settings.",
    "check_agree": "Let the curves cross.",
    "check_short": "With R = {n} the slow ones have no time to end low. Take R = 81.",
    "check_todo": "With curves that cross, {found:.3f} was found and {best:.3f} was there: a difference of {gap:.3f}. "
    "The first rung keeps those that are quick, not those that end low.",
    "check_done": "Right: it found {found:.3f}, and the best of those begun is {best:.3f}. The slow ones came through "
    "because some configurations were trained long before they were judged.",
}
_HALVING, _HYPERBAND, _ASHA = "Halving", "Hyperband", "ASHA"
_LETTERS = ("A", "B", "C", "D")
_CURVES = {"early tells late": AGREE, "curves cross": CROSS}
_WORKERS = 4
_SNAPSHOTS = 12
_CLOSE = 0.02
_LONG = 81  # epochs after which the slow curves are low


@dataclass(frozen=True, eq=False)
class Played:
    """A tournament that was played, and what it would cost four workers."""

    runners: list[Runner]
    snapshots: list[Snapshot]
    waiting: list[Job]
    asha: list[Job]


@dataclass(frozen=True)
class InsideHyperband(PredictedFirst):
    """Rungs, brackets, and what they cut off."""

    key: ClassVar[str] = "hyperband"
    label: ClassVar[str] = "Inside Hyperband"
    place: ClassVar[int] = 50
    purpose: ClassVar[str] = "Say what successive halving saves, when it is misled, and what Hyperband and ASHA change."
    to_do: ClassVar[str] = "Watch learning curves being cut, then let the curves cross and choose another method."
    to_predict: ClassVar[str] = "Which of four configurations gets furthest?"
    check_question: ClassVar[str] = (
        "How can a slow starter be saved? Let the curves cross, and change the settings until what is found is within "
        f"{_CLOSE} of the best of all that were begun."
    )
    source: ClassVar[str] = (
        "Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar (2018), Hyperband: A Novel Bandit-Based Approach to "
        "Hyperparameter Optimization, Journal of Machine Learning Research 18, table 1; Li et al. (2020), A System for "
        "Massively Parallel Hyperparameter Tuning; Jamieson and Talwalkar (2016), Non-stochastic Best Arm "
        "Identification and Hyperparameter Optimization"
    )
    methods: ClassVar[tuple[str, ...]] = ("successive_halving", "hyperband", "asha", "bohb")

    method: str = option(
        _HALVING,
        "Method",
        "Successive halving in one tournament, in several that differ, or without waiting.",
        choices=(_HALVING, _HYPERBAND, _ASHA),
    )
    curves: str = option(
        "early tells late", "Learning curves", "Whether who leads early leads late.", choices=tuple(_CURVES)
    )
    eta: int = option(3, "Halving factor η", "Only the best 1/η of a rung goes on, η times as long.", low=2, high=5)
    longest: str = option("81", "Longest training R, epochs", "Of a whole training.", choices=("9", "27", "81"))

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        played = workshop.get(("tournament", self, state.seed), lambda _report: self._play(state.seed))
        if played is None:
            return Scene("", waits_for=_SAY["wait"])
        marked = self._marked(played.runners)
        if not self.is_predicted(state):
            return self._first(played, marked)
        return self._shown(state, played, marked)

    @property
    def n_epochs(self) -> int:
        """Of a whole training."""
        return int(self.longest)

    @property
    def _recorded(self) -> Curves:
        return Curves(_CURVES[self.curves])

    def _note(self, key: str) -> str:
        data = DATASETS[TRAININGS[_CURVES[self.curves]].data].label
        return _SAY[key].format(source=_SAY["source"].format(data=data))

    def _halving(self) -> SuccessiveHalving:
        """The tournament with most configurations: as many as end with one whole training."""
        shape = Hyperband(eta=self.eta, smallest=1 / self.n_epochs).brackets()[0]
        return SuccessiveHalving(eta=self.eta, smallest=1 / self.n_epochs, n_first=shape[0].n)

    def _play(self, seed: int) -> Played:
        curves, halving, n_epochs = self._recorded, self._halving(), self.n_epochs
        n_trials = sum(rung.n for rung in halving.rungs())
        runners = runners_of(halving, curves, n_epochs, n_trials, seed)
        waiting = whole_rungs(runners, curves, _WORKERS)
        asha = with_options(METHODS["asha"], {"eta": self.eta, "smallest": 1 / n_epochs})
        seconds = max(job.end for job in waiting)
        others, jobs = without_waiting(asha, curves, n_epochs, seconds, _WORKERS, seed)
        if self.method == _ASHA:
            return Played(others, after_jobs(others, jobs, _SNAPSHOTS), waiting, jobs)
        if self.method == _HYPERBAND:
            method = Hyperband(eta=self.eta, smallest=1 / n_epochs)
            n_all = sum(rung.n for bracket in method.brackets() for rung in bracket)
            runners = runners_of(method, curves, n_epochs, n_all, seed)
        return Played(runners, after_rungs(runners), waiting, jobs)

    def _marked(self, runners: list[Runner]) -> dict[str, Runner]:
        """Four of the first bracket, in the order in which they came: who leads first, who would end lowest, and two
        between."""
        curves = self._recorded
        first = [r for r in runners if r.bracket == 0]
        early = sorted(first, key=lambda r: float(curves.loss(r.configuration, r.epochs[0])))
        ends = end_losses(early, curves, self.n_epochs)
        wanted = [0, int(np.argmin(ends)), len(early) // 4, len(early) // 2, *range(1, len(early))]
        chosen = [early[place] for place in list(dict.fromkeys(wanted))[:4]]
        return dict(zip(_LETTERS, sorted(chosen, key=lambda r: r.slot), strict=False))

    def _furthest(self, marked: dict[str, Runner]) -> str:
        """The letter of the one that was trained longest, and of these of the one with the lowest loss."""
        winner = winner_of(list(marked.values()), self._recorded)
        return next(letter for letter, runner in marked.items() if runner is winner)

    def _first(self, played: Played, marked: dict[str, Runner]) -> Scene:
        first = [r for r in played.runners if r.bracket == 0]
        start = Snapshot(0, 0, tuple((r, r.epochs[0]) for r in first), (True,) * len(first))
        epochs = _epochs(first[0].epochs[0])
        board = Board(
            "curves",
            _SAY["curves"],
            curves_figure([start], self._recorded, self.n_epochs, marked),
            f"Learning curves of {len(first)} configurations, each up to {epochs}.",
            note=self._note("curves_note"),
            height=400,
            span="all",
        )
        table = bracket_table([replace(r, epochs=r.epochs[:1]) for r in first])
        return Scene(
            _SAY["task"].format(n=len(first), epochs=epochs, eta=self.eta),
            Film((board,)),
            ask=Ask(_SAY["ask"], tuple(marked)),
            numbers={"Rungs": table},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _shown(self, state: LessonState, played: Played, marked: dict[str, Runner]) -> Scene:
        runners, curves = played.runners, self._recorded
        found = float(curves.loss(winner_of(runners, curves).configuration, self.n_epochs))
        best = float(end_losses(runners, curves, self.n_epochs).min())
        used = sum(runner.epochs[-1] for runner in runners)
        facts = (
            Fact(_SAY["begun"], str(len(runners))),
            Fact(_SAY["cost"], _SAY["cost_value"].format(epochs=f"{used:,.0f}")),
            Fact(_SAY["found"], _SAY["found_value"].format(found=found, best=best), "machine"),
        )
        whole = () if state.is_revealed else (Action("reveal", _SAY["whole"], is_main=True),)
        return Scene(
            _SAY["task_whole" if state.is_revealed else "task_play"],
            Film(
                self._boards(state, played, marked),
                n_steps=len(played.snapshots) - 1,
                says=self._says(played.snapshots),
                noun="part" if self.method == _ASHA else "step",
                plays=True,
            ),
            facts=facts,
            actions=(*whole, Action("again", "Start again")),
            told=self._told(state, played, marked, found),
            numbers={"Rungs": bracket_table(runners)},
            check=self._checked(found, best),
        )

    def _boards(self, state: LessonState, played: Played, marked: dict[str, Runner]) -> tuple[Board, ...]:
        n_epochs, curves = self.n_epochs, self._recorded
        whole = [r for r in played.runners if r.bracket == 0] if state.is_revealed else []
        winner = winner_of(played.runners, curves)
        alt = f"{len(played.runners)} learning curves; the one that is left ends with a loss of "
        alt += f"{float(curves.loss(winner.configuration, n_epochs)):.3f}."
        idle = 100 * idle_share(played.waiting, _WORKERS)
        waits = (
            f"Waiting for whole rungs, four workers are idle for {idle:.0f} % of the time; with ASHA they never are."
        )
        steps = "; ".join(
            f"bracket {b}, {epochs:g} epochs: {n}"
            for b, _, epochs, n in bracket_table(played.runners).itertuples(index=False)
        )
        note = self._note("curves_note_asha" if self.method == _ASHA else "curves_note")
        figure = curves_figure(played.snapshots, curves, n_epochs, marked, whole)
        workers = workers_figure({"whole rungs": played.waiting, "ASHA": played.asha}, _WORKERS)
        n_brackets = len({r.bracket for r in played.runners})
        return (
            Board("curves", _SAY["curves"], figure, alt, note=note, height=400, span="all"),
            Board(
                "rungs",
                _SAY["rungs"],
                rungs_figure(played.snapshots, n_epochs),
                f"Configurations on each rung: {steps}.",
                note=_SAY["rungs_note"],
                height=110 + 44 * n_brackets,
                span="all",
            ),
            Board(
                "workers",
                _SAY["workers"],
                workers,
                waits,
                note=_SAY["workers_note"].format(eta=self.eta),
                height=320,
                span="all",
            ),
        )

    def _told(self, state: LessonState, played: Played, marked: dict[str, Runner], found: float) -> tuple[Told, ...]:
        told = []
        if state.guess in marked:
            truth = self._furthest(marked)
            is_right, epochs = state.guess == truth, _epochs(marked[truth].epochs[-1])
            words = _SAY["right" if is_right else "wrong"].format(guess=state.guess, truth=truth, epochs=epochs)
            told.append(Told(words, "up" if is_right else ""))
        runners = played.runners
        used, whole = sum(r.epochs[-1] for r in runners), len(runners) * self.n_epochs
        told.append(Told(_SAY["whole_cost"].format(n=len(runners), whole=f"{whole:,}", used=f"{used:,.0f}")))
        ends = end_losses(runners, self._recorded, self.n_epochs)
        lowest = runners[int(np.argmin(ends))]
        is_kept = lowest.epochs[-1] == max(r.epochs[-1] for r in runners)
        said = {"best": float(ends.min()), "found": found, "epochs": _epochs(lowest.epochs[-1])}
        told.append(Told(_SAY["kept" if is_kept else "lost"].format(**said), "up" if is_kept else "down"))
        if self.method == _HYPERBAND:
            told.append(Told(_SAY["hyperband"]))
        idle = 100 * idle_share(played.waiting, _WORKERS)
        counts = {"rungs": len(played.waiting), "asha": len(played.asha)}
        return (*told, Told(_SAY["waiting"].format(idle=idle, **counts)))

    def _checked(self, found: float, best: float) -> Check:
        if _CURVES[self.curves] == AGREE:
            return Check(answer=_SAY["check_agree"])
        if self.n_epochs < _LONG:
            return Check(answer=_SAY["check_short"].format(n=self.n_epochs))
        is_done = found - best <= _CLOSE
        said = {"found": found, "best": best, "gap": found - best}
        return Check(is_done, _SAY["check_done" if is_done else "check_todo"].format(**said))

    def _says(self, snapshots: list[Snapshot]) -> tuple[str, ...]:
        sentences = []
        for snapshot in snapshots:
            on = [pair for pair, is_in in zip(snapshot.trained, snapshot.is_in, strict=True) if is_in]
            there = snapshot.trained if snapshot.rung is None else on
            best = min(float(self._recorded.loss(r.configuration, epochs)) for r, epochs in there)
            if snapshot.rung is None:
                sentences.append(_SAY["said_asha"].format(n=len(snapshot.trained), n_on=len(on), best=best))
                continue
            said = {"bracket": snapshot.bracket + 1, "rung": snapshot.rung + 1, "n": len(on), "best": best}
            sentences.append(_SAY["said"].format(**said, epochs=_epochs(max(epochs for _, epochs in on))))
        return tuple(sentences)


def _epochs(epochs: float) -> str:
    return "1 epoch" if epochs == 1 else f"{format_value(float(epochs))} epochs"


HYPERBAND = InsideHyperband()
