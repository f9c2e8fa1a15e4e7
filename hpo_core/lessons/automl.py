"""Lesson: inside AutoML, where families of models race for the trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from hpo_core.formats import format_count, format_list, format_score, format_signed
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, LessonState, Scene, Told, Workshop
from hpo_core.lessons._family_search import FOLDS, FamilySearch, FamilyTrial, KnownFits
from hpo_core.lessons._family_search_figures import (
    best_of,
    label_of,
    order_of,
    pipeline_figure,
    race_figure,
    turns_figure,
)
from hpo_core.lessons._film import Span
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.options import option
from hpo_core.plots import Figure

_SAY = {
    "task": "Nobody has said which model to take. AutoML tried the defaults of {n} families, cheap ones first; now it "
    "has {more} trials to give to them. Predict which family ends with the best trial.",
    "task_play": "Play the search: who gets the trials, and who is given up? Then keep more families, and take other "
    "data.",
    "wait": "The lab searches: {progress}.",
    "ask": "Which family ends with the best trial?",
    "other": "Another one",
    "race": "How far has each family come?",
    "race_note": "The best so far of each family; a line ends where the family got its last trial. Families far below "
    "the others are out of view.",
    "turns": "Who gets the trials?",
    "turns_note": "A bar for each family, the best at the top; pale once it is given up.",
    "pipeline": "What is tried?",
    "pipeline_note": "A trial is a whole pipeline: how numbers are scaled, which columns stay, and a model with "
    "parameters of its own. The search chooses all of it together.",
    "best_default": "Best default",
    "best": "Best trial",
    "gain": "Gain",
    "value": "{score} ({family})",
    "gain_value": "{gain}, {verdict}",
    "tie": "within noise",
    "beyond": "beyond noise",
    "none": "none",
    "said": "Trial {n}: {family}, {score}. {why}",
    "no_score": "no score",
    "alt_race": "{n} trials of {families} families; {best} ends first with {score}.",
    "alt_turns": "{best} got {most} trials; {gone} families of {families} are given up.",
    "alt_pipeline": "The best pipeline: {family} with {scaler} scaling and {selection} features.",
    "right": "You predicted {guess}, and so it is.",
    "wrong": "You predicted {guess}. It is {truth}.",
    "rule": "A family is given up when its gains of late, carried on, would not bring it past the best, and {kept} "
    "ahead. Every sixth trial is open to all, so that one may come back.",
    "standing": "At the end {standing} in the race; {most} got the most trials, {n} of {all}.",
    "led": "The family with the best default also ends first: defaults are a good first look.",
    "overtaken": "{winner} overtook {leader}, whose defaults were the best: by defaults alone you would have "
    "taken another family.",
    "tie_told": "On the same folds the best trial is {gain} from the best default, within noise. Of {n} looks the best "
    "is also too good by luck; so here the search may have found nothing.",
    "better_told": "On the same folds the best trial is {gain} from the best default, beyond noise: here the search "
    "was worth it.",
    "mix": "Families err on different rows. That is why AutoML ends with an ensemble: in Tune, Conclude, Ensemble "
    "mixes the best trials and says whether the mix helps on rows that did not choose it.",
    "check_predict": "Predict first, then change the settings.",
    "check_todo": "Not here: {winner} leads from its defaults to the end. Where might defaults be far from good, and "
    "who would find that out? Keep more families.",
    "check_close": "{winner} overtook {leader}, but by {gain} only.",
    "check_done": "Right: {winner} overtook {leader} by {gain}. To keep one family is to trust the defaults; to keep "
    "more costs trials, and can find out that they mislead.",
}
_DATA = {"Diabetes": "diabetes", "Noisy regression": "noisy_regression", "Iris": "iris", "Wine": "wine"}
_TRIALS = 30
_CHOICES = 3
_WANTED = 0.005


@dataclass(frozen=True)
class InsideAutoML(PredictedFirst):
    """Families race for trials of whole pipelines."""

    key: ClassVar[str] = "automl"
    label: ClassVar[str] = "Inside AutoML"
    place: ClassVar[int] = 85
    purpose: ClassVar[str] = "Say how AutoML chooses between kinds of models, and whether its win is more than luck."
    to_do: ClassVar[str] = "Watch model families race for trials of whole pipelines, then change the data."
    to_predict: ClassVar[str] = "Which family of models ends with the best trial?"
    check_question: ClassVar[str] = (
        "Do the best defaults lead to the best family? Find settings with which another one overtakes it, by "
        f"{_WANTED} or more."
    )
    source: ClassVar[str] = (
        "Li, Jiang, Gao, Shao, Zhang and Cui (2020), Efficient Automatic CASH via Rising Bandits; Feurer et al. "
        "(2015), Efficient and Robust Automated Machine Learning; Caruana et al. (2004), Ensemble Selection"
    )
    methods: ClassVar[tuple[str, ...]] = ("automl_portfolio",)

    data: str = option("Diabetes", "Data", "Which rows the models learn from.", choices=tuple(_DATA))
    kept: int = option(1, "Families kept", "So many stay in the race at least.", low=1, high=6)

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        search = FamilySearch(_DATA[self.data], self.kept, _TRIALS, state.seed + 1)
        known: KnownFits | None = workshop.get(("fits of families", search.data), lambda _report: {})
        if known is None:
            return Scene("", waits_for=_SAY["wait"].format(progress="it begins"))
        trials = workshop.get(search, lambda report: search.run(workshop.executor, known, report))
        if trials is None:
            return Scene("", waits_for=_SAY["wait"].format(progress=workshop.progress(search) or "it begins"))
        if not self.is_predicted(state):
            return self._first(search, trials[: len(search.families)])
        return self._shown(state, search, trials)

    def _first(self, search: FamilySearch, defaults: list[FamilyTrial]) -> Scene:
        said = {"n": len(defaults), "more": search.n_trials}
        return Scene(
            _SAY["task"].format(**said),
            Film(_boards(search, defaults, [len(defaults)])),
            ask=Ask(_SAY["ask"], _answers(search, defaults)),
            numbers={"Trials": _table(defaults)},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _shown(self, state: LessonState, search: FamilySearch, trials: list[FamilyTrial]) -> Scene:
        n_first = len(search.families)
        counts = list(range(n_first, len(trials) + 1))
        sign = _sign(search)
        default, best = best_of(trials[:n_first], sign), best_of(trials, sign)
        facts = (
            Fact(_SAY["best_default"], _value(default)),
            Fact(_SAY["best"], _value(best), "machine"),
            Fact(_SAY["gain"], _gain_words(default, best, sign)),
        )
        return Scene(
            _SAY["task_play"],
            Film(
                _boards(search, trials, counts),
                n_steps=len(counts) - 1,
                says=tuple(_said(trials, n) for n in counts),
                noun="trial",
                plays=True,
            ),
            facts=facts,
            actions=(Action("again", "Start again"),),
            told=self._told(state, search, trials, default, best),
            numbers={"Trials": _table(trials)},
            check=_checked(default, best, sign),
        )

    def _told(
        self,
        state: LessonState,
        search: FamilySearch,
        trials: list[FamilyTrial],
        default: FamilyTrial,
        best: FamilyTrial,
    ) -> tuple[Told, ...]:
        told, sign = [], _sign(search)
        answers = _answers(search, trials[: len(search.families)])
        truth = label_of(best.family)
        if state.guess in answers:
            is_right = state.guess == truth or (state.guess == _SAY["other"] and truth not in answers)
            guess = state.guess if state.guess != _SAY["other"] else state.guess.lower()
            words = _SAY["right" if is_right else "wrong"].format(guess=guess, truth=truth)
            told.append(Told(words, "up" if is_right else ""))
        said = {"winner": truth, "leader": label_of(default.family)}
        told.append(Told(_SAY["led" if best.family == default.family else "overtaken"].format(**said)))
        others = "1 other is" if self.kept == 1 else f"{self.kept} others are"
        told.append(Told(_SAY["rule"].format(kept=others)))
        return (*told, _standing(trials), _gain_told(trials, default, best, sign), Told(_SAY["mix"]))


def _boards(search: FamilySearch, trials: list[FamilyTrial], counts: list[int]) -> tuple[Board, ...]:
    sign, order = _sign(search), order_of(trials, _sign(search))
    best = best_of(trials, sign)
    said = {
        "n": len(trials),
        "families": len(search.families),
        "best": label_of(order[0]),
        "score": format_score(best.score),
        "most": sum(trial.family == order[0] for trial in trials),
        "gone": list(trials[-1].in_race.values()).count(False),
        "family": label_of(best.family),
        "scaler": best.configuration["scaler"],
        "selection": best.configuration.get("selection", "all"),
    }
    race = race_figure(trials, counts, sign, search.problem.metric_label)
    turns, pipeline = turns_figure(trials, counts, sign), pipeline_figure(trials, counts, sign)
    found: tuple[tuple[str, Figure, int, Span], ...] = (
        ("pipeline", pipeline, 430, "one"),
        ("race", race, 430, "side"),
        ("turns", turns, 260, "all"),
    )
    return tuple(
        Board(key, _SAY[key], figure, _SAY[f"alt_{key}"].format(**said), _SAY[f"{key}_note"], height=height, span=span)
        for key, figure, height, span in found
    )


def _answers(search: FamilySearch, defaults: list[FamilyTrial]) -> tuple[str, ...]:
    """The families with the best defaults, and all others."""
    leading = order_of(defaults, _sign(search))[:_CHOICES]
    return (*(label_of(family) for family in leading), _SAY["other"])


def _sign(search: FamilySearch) -> float:
    return -1.0 if search.problem.direction == "maximize" else 1.0


def _value(trial: FamilyTrial) -> str:
    return _SAY["value"].format(score=format_score(trial.score), family=label_of(trial.family))


def _gain_words(default: FamilyTrial, best: FamilyTrial, sign: float) -> str:
    if best is default:
        return _SAY["none"]
    difference = best.against(default, is_higher_better=sign < 0)
    verdict = _SAY["beyond" if difference.verdict == "better" else "tie"]
    return _SAY["gain_value"].format(gain=format_signed(difference.mean), verdict=verdict)


def _gain_told(trials: list[FamilyTrial], default: FamilyTrial, best: FamilyTrial, sign: float) -> Told:
    difference = best.against(default, is_higher_better=sign < 0)
    is_better = best is not default and difference.verdict == "better"
    words = _SAY["better_told" if is_better else "tie_told"]
    return Told(words.format(gain=format_signed(difference.mean), n=len(trials)), "up" if is_better else "")


def _standing(trials: list[FamilyTrial]) -> Told:
    standing = [family for family, is_in in trials[-1].in_race.items() if is_in]
    turns = {family: sum(trial.family == family for trial in trials) for family in {t.family for t in trials}}
    most = max(turns, key=lambda family: (turns[family], family))
    names = format_list([label_of(family) for family in standing])
    said = {"standing": f"{names} {'is' if len(standing) == 1 else 'are'}", "most": label_of(most), "n": turns[most]}
    return Told(_SAY["standing"].format(**said, all=format_count(len(trials), "trial")))


def _checked(default: FamilyTrial, best: FamilyTrial, sign: float) -> Check:
    gain = sign * (default.score - best.score)
    said = {"gain": format_signed(-sign * gain), "winner": label_of(best.family), "leader": label_of(default.family)}
    if best.family == default.family:
        return Check(answer=_SAY["check_todo"].format(**said))
    is_done = gain >= _WANTED
    return Check(is_done, _SAY["check_done" if is_done else "check_close"].format(**said))


def _said(trials: list[FamilyTrial], n: int) -> str:
    trial = trials[n - 1]
    score = _SAY["no_score"] if np.isnan(trial.score) else format_score(trial.score)
    return _SAY["said"].format(n=n, family=label_of(trial.family), score=score, why=trial.why)


def _table(trials: list[FamilyTrial]) -> pd.DataFrame:
    rows = [
        {
            "trial": n,
            "family": label_of(trial.family),
            "score": trial.score,
            f"sd over {FOLDS} folds": float(np.std(trial.folds, ddof=1)) if len(trial.folds) else np.nan,
            "scaling": trial.configuration["scaler"],
            "features": trial.configuration.get("selection", "all"),
            "why": trial.why,
        }
        for n, trial in enumerate(trials, start=1)
    ]
    return pd.DataFrame(rows)


AUTOML_LESSON = InsideAutoML()
