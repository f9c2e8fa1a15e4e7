"""Overfitting the validation set: a search that wins on pure noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.luck import LuckCurve
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, Lesson, LessonState, Scene, Told, Workshop, growing
from hpo_core.lessons._noise_search import CHANCE, Noise, NoiseSearch
from hpo_core.options import option
from hpo_core.plots import LIVE, Figure, axis, faint, layout

_SAY = {
    "task": "The labels of these {rows} rows are flips of a coin, so nothing can be learned from the columns. A search "
    "tries {trials} decision trees and keeps the one with the best validation score. Predict first.",
    "ask": "How will the winner score on new rows?",
    "as_good": "As well as in validation",
    "half": "Half as far above 0.5",
    "chance": "About 0.5, as a coin",
    "task_play": "Play the trials. The best validation score can only rise; its score on locked rows does not "
    "follow. Then change rows, folds and trials.",
    "wait": "The search is under way: {progress}.",
    "search": "Does the winner get better as trials go by?",
    "search_note": "Dots: validation score of each trial. Steps: that of the best so far, and how this winner does on "
    "locked rows. Dotted: the best that luck is expected to give after so many trials.",
    "looks": "What does one more look at the locked rows cost?",
    "looks_note": "What to expect when that many trials are looked at on the locked rows and the best is told. One "
    "look is honest. Band: 95 % interval.",
    "best_line": "best in validation",
    "honest_line": "the same on locked rows",
    "luck_line": "luck alone",
    "axis": "accuracy",
    "axis_trials": "trial",
    "axis_looks": "looks at the locked rows",
    "alt_search": "After {n} trials the best validation score is {best}; the same tree scores {honest} on locked rows.",
    "alt_looks": "One look is expected to give {one}, the best of {n} looks {all}.",
    "best": "Best in validation",
    "honest": "The same on locked rows",
    "corrected": "The lab's correction",
    "said": "After {i} of {n} trials: best in validation {best}, the same on locked rows {honest}.",
    "said_start": "No trial yet.",
    "right": "You predicted: {guess}. So it is.",
    "wrong": "You predicted: {guess}. On locked rows it scores {honest}, as a coin would, give or take {sd:.2f}.",
    "why": "{n} trees were judged by the same rows, and each score is off by chance. Picking the best picks the "
    "luckiest: {best} instead of 0.5. On rows that had no part in the picking, the luck is gone.",
    "correction": "Without locked rows, the lab corrects the best of many by resampling folds and trials: {words}, "
    "95 % interval {low} to {high}. This is what stands beside every best in the lab.",
    "look_cost": "If all {n} trees were scored on the locked rows and the best were told, that would be {all} for a "
    "coin. Each look adds a little: {two} after two, {five} after five. So they are opened once, at the end.",
    "folds": "More folds are no remedy: all of them validate on the same {rows} rows. More rows are, and fewer trials.",
    "check": "Here the winner looks {above:.1f} points better than a coin.",
    "check_done": "Right: with {rows} rows a score is off by {sd:.1f} points or so, which leaves luck little room.",
    "check_hint": "Luck still has much room: with {rows} rows each score is off by {sd:.1f} points or so.",
    "check_trials": "Fewer trials leave luck less room, but also find less. Try 30 or more.",
    "check_kind": "This seed is kind: with {rows} rows each score is off by {sd:.1f} points or so. Try more rows.",
    "check_predict": "Predict first.",
}
_GUESSED = "guessed"
_ANSWERS = ("as_good", "half", "chance")
_TRUTH = "chance"
_SMALL = 10.0
_FEW_TRIALS, _FEW_ROWS = 30, 100
_BEST, _HONEST = LIVE.arms[0], LIVE.you


@dataclass(frozen=True)
class OverfittingNoise(Lesson):
    """The best of many trials on labels that are coin flips."""

    key: ClassVar[str] = "overfitting_noise"
    label: ClassVar[str] = "Winning on noise"
    place: ClassVar[int] = 100
    purpose: ClassVar[str] = "Say why the best validation score of many trials is too good, and what that costs."
    to_do: ClassVar[str] = "Run a search on labels that are coin flips, then change rows, folds and trials."
    to_predict: ClassVar[str] = "How does the winner of many trials score on new rows?"
    check_question: ClassVar[str] = (
        f"Leave luck little room: with {_FEW_TRIALS} trials or more, find settings with which the winner's validation "
        f"score is reliably less than {_SMALL:.0f} points above 50 %."
    )
    source: ClassVar[str] = (
        "Cawley and Talbot (2010), On Over-fitting in Model Selection and Subsequent Selection Bias in Performance "
        "Evaluation; the correction: Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the out-of-sample "
        "predictions; the expected best: Dodge et al. (2019), Show Your Work"
    )

    rows: str = option("50", "Rows", "Rows to validate on; as many more are locked away.", choices=("50", "150", "400"))
    folds: str = option("5", "Folds", "Into how many parts the rows are divided.", choices=("2", "5", "10"))
    trials: str = option("30", "Trials", "How many trees the search tries.", choices=("10", "30", "100"))

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        if _GUESSED not in state.moves:
            return Scene(
                _SAY["task"].format(rows=self.rows, trials=self.trials),
                ask=Ask(_SAY["ask"], tuple(_SAY[key] for key in _ANSWERS)),
                check=Check(answer=_SAY["check_predict"]),
            )
        search = NoiseSearch(int(self.rows), int(self.folds), int(self.trials), state.seed)
        noise = workshop.get(search, lambda report: search.run(workshop.executor, workshop.folder, report))
        if noise is None:
            return Scene("", waits_for=_SAY["wait"].format(progress=workshop.progress(search) or "it begins"))
        corrected = noise.corrected
        return Scene(
            _SAY["task_play"],
            Film((_search_board(noise), _looks_board(noise)), len(noise), _says(noise), noun="trial", plays=True),
            facts=(
                Fact(_SAY["best"], _two(noise.best), "machine"),
                Fact(_SAY["honest"], _two(noise.honest), "you"),
                *((Fact(_SAY["corrected"], corrected.words),) if corrected else ()),
            ),
            actions=(Action("again", "Start again"),),
            told=self._told(state, noise),
            numbers={"Trials": _table(noise), "The best of so many looks": _looks_table(noise.looks)},
            check=checked(noise, int(self.rows)),
        )

    def guessed(self, state: LessonState, answer: str) -> LessonState:
        return replace(state, guess=answer, moves=(_GUESSED,)) if answer else state

    def changed(self, state: LessonState, before: Lesson) -> LessonState:
        return replace(state, guess="", step=0)  # a prediction is made once: the settings are for finding out

    def _told(self, state: LessonState, noise: Noise) -> tuple[Told, ...]:
        said = {
            "n": len(noise),
            "rows": self.rows,
            "best": _two(noise.best),
            "honest": _two(noise.honest),
            "sd": _sd(int(self.rows)),
            "guess": state.guess.lower(),
            **{name: _two(_expected(noise.looks, k)) for name, k in (("two", 2), ("five", 5))},
            "all": _two(float(noise.test.max())),
        }
        if noise.corrected:
            low, high = noise.corrected.interval
            said |= {"words": noise.corrected.words, "low": _two(low), "high": _two(high)}
        keys = ["why", *(["correction"] if noise.corrected else []), "look_cost", "folds"]
        told = [Told(_SAY[key].format(**said)) for key in keys]
        if state.guess in [_SAY[key] for key in _ANSWERS]:
            is_right = state.guess == _SAY[_TRUTH]
            told.insert(0, Told(_SAY["right" if is_right else "wrong"].format(**said), "up" if is_right else ""))
        return tuple(told)


def checked(noise: Noise, rows: int) -> Check:
    """Whether the winner looks little better than a coin, with trials enough and not by the luck of few rows."""
    above = 100 * (noise.best - CHANCE)
    key = "check_done"
    if above >= _SMALL:
        key = "check_hint"
    elif len(noise) < _FEW_TRIALS:
        key = "check_trials"
    elif rows < _FEW_ROWS:
        key = "check_kind"
    said = _SAY["check"].format(above=above), _SAY[key].format(rows=rows, sd=100 * _sd(rows))
    return Check(key == "check_done", " ".join(said))


def _sd(rows: int) -> float:
    """Standard deviation of the accuracy of a coin over so many rows (binomial)."""
    return math.sqrt(CHANCE * (1 - CHANCE) / rows)


def _two(accuracy: float) -> str:
    """With two digits: rows are too few for more."""
    return f"{accuracy:.2f}"


def _expected(curve: LuckCurve, k: int) -> float:
    return float(np.interp(k, curve.k, curve.expected))


def _says(noise: Noise) -> tuple[str, ...]:
    sentences = [_SAY["said_start"]]
    for i, winner in enumerate(noise.winners, start=1):
        scores = {"best": _two(noise.means[winner]), "honest": _two(noise.test[winner])}
        sentences.append(_SAY["said"].format(i=i, n=len(noise), **scores))
    return tuple(sentences)


def _search_board(noise: Noise) -> Board:
    n = len(noise)
    x, until = np.arange(1, n + 1), list(range(n + 1))
    dots = {"type": "scatter", "mode": "markers", "x": x, "y": noise.means, "hoverinfo": "skip", "showlegend": False}
    steps = [
        _line(_SAY["best_line"], x, noise.means[noise.winners], _BEST, shape="hv"),
        _line(_SAY["honest_line"], x, noise.test[noise.winners], _HONEST, shape="hv"),
    ]
    luck = _line(_SAY["luck_line"], noise.luck.k, noise.luck.expected, LIVE.muted, dash="dot")
    marker = {"size": 7, "color": faint(_BEST, 0.4)}
    traces = [growing({**dots, "marker": marker}, until), *(growing(step, until) for step in steps), luck]
    alt = _SAY["alt_search"].format(n=n, best=_two(noise.best), honest=_two(noise.honest))
    figure = _figure(traces, _SAY["axis_trials"], n)
    return Board("search", _SAY["search"], figure, alt, note=_SAY["search_note"], height=380)


def _looks_board(noise: Noise) -> Board:
    curve = noise.looks
    around = {"x": np.concatenate([curve.k, curve.k[::-1]]), "y": np.concatenate([curve.high, curve.low[::-1]])}
    fill = {"fill": "toself", "fillcolor": faint(_HONEST, 0.16), "line": {"width": 0}}
    band = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False, **around, **fill}
    line = _line(_SAY["honest_line"], curve.k, curve.expected, _HONEST)
    alt = _SAY["alt_looks"].format(n=len(noise), one=_two(curve.expected[0]), all=_two(curve.expected[-1]))
    figure = _figure([band, {**line, "showlegend": False}], _SAY["axis_looks"], len(noise))
    return Board("looks", _SAY["looks"], figure, alt, note=_SAY["looks_note"], height=380, span="side")


def _line(name: str, x: Any, y: Any, colour: str, **line: Any) -> dict[str, Any]:
    shown = {"mode": "lines", "line": {"width": 2.4, "color": colour, **line}}
    return {"type": "scatter", "name": name, "x": x, "y": y, "hovertemplate": "%{y:.3f}<extra></extra>", **shown}


def _figure(traces: list[dict[str, Any]], across: str, n: int) -> Figure:
    coin = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": CHANCE, "y1": CHANCE, "layer": "below"}
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision=across,
            xaxis=axis(LIVE, across, range=[0.5, n + 0.5], fixedrange=True),
            yaxis=axis(LIVE, _SAY["axis"], fixedrange=True),
            shapes=[{**coin, "line": {"width": 1.4, "color": LIVE.muted}}],
            dragmode=False,
        ),
    }


def _table(noise: Noise) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial": np.arange(1, len(noise) + 1),
            "validation score": noise.means,
            _SAY["best_line"]: noise.means[noise.winners],
            _SAY["honest_line"]: noise.test[noise.winners],
            "its own score on locked rows": noise.test,
        }
    )


def _looks_table(curve: LuckCurve) -> pd.DataFrame:
    columns = {"looks": curve.k, "expected best": curve.expected, "95 % from": curve.low, "95 % to": curve.high}
    return pd.DataFrame(columns)


OVERFITTING_NOISE = OverfittingNoise()
