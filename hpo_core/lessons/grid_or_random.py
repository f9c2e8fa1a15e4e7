"""Lesson 2: grid search against random search, after figure 1 of Bergstra and Bengio (2012)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.formats import format_count
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, Lesson, LessonState, Scene, Told, Workshop, growing
from hpo_core.lessons._flights import asked
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.methods import METHODS
from hpo_core.options import option, with_options
from hpo_core.plots import LIVE, Figure, axis, faint, layout
from hpo_core.space import Float, SearchSpace

Floats = NDArray[np.float64]

_SAY = {
    "ask": "With {n} trials each, how many different values of the important parameter will they try?",
    "answer": "grid {grid}, random {random}",
    "task": "Predict first. Then the grid and random search make their trials.",
    "task_play": "Play the trials. The curve on top is what the important parameter does, the one at the side what the "
    "next one does; the ticks are the values that were tried. Then move the sliders.",
    "grid": "Grid",
    "random": "Random",
    "grid_note": "Every combination of a few values. Seen from above, trials fall onto each other.",
    "random_note": "Each value drawn by chance. Seen from above, hardly two trials are the same.",
    "axis_first": "important parameter",
    "axis_first_equal": "parameter 1",
    "axis_second": "unimportant parameter",
    "axis_second_equal": "parameter 2",
    "values": "Values of the first parameter",
    "values_value": "grid {grid}, random {random}",
    "best": "Best score, of at most 100",
    "best_value": "grid {grid:.0f}, random {random:.0f}",
    "wins": "Random ahead, of {n} seeds",
    "counting": "counting",
    "wait": "A hundred random searches are under way.",
    "right": "You predicted {guess}, and so it is.",
    "wrong": "You predicted {guess}; it is {truth}.",
    "why": "The score depends almost only on the important parameter. Of it, the grid's {used} trials try "
    "{distinct}, again and again; random search tries {n}.",
    "why_one": "Of {d} parameters not even two values each can be combined with {n} trials: a full grid has one trial.",
    "why_equal": "Both parameters matter alike here, so that the repetitions of the grid are not wasted.",
    "why_shared": "The important parameter has {importance} % of the ups and downs of the score. Of it, the grid's "
    "{used} trials try {distinct}, again and again; random search tries {n}.",
    "curse": "A grid of three values over {d} parameters needs {needed} trials. With {n} trials, a grid over {d} "
    "parameters has {levels} for each{left}.",
    "left": ", and {unused} of the trials cannot be spent",
    "chance": "Random search does not mind how many parameters there are: 59 trials find one of the best 5 % of all "
    "configurations with a chance of 95 %, as 1 − 0.95⁵⁹ is 0.95.",
    "hidden": "Of {d} parameters the pictures show the first two.",
    "check": "Random is ahead in {wins} of {n} seeds here. {hint}",
    "check_hint": "Try how it is when both matter alike, or with more trials.",
    "check_done": "With few parameters that matter alike, and enough trials to cover them, a grid is about as good.",
    "check_predict": "Predict first, then move the sliders.",
}
_SEEDS = 100
_PEAKS = 977  # so that peaks are not drawn from the numbers that a trial of this seed is drawn from
_WIDTH = 0.14  # of each peak, in widths of the range
_MARGIN = 0.05
_FEW_WINS = 60
_LAND = 51
_DIMENSIONS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20)


@dataclass(frozen=True)
class GridOrRandom(PredictedFirst):
    """Nine trials each, over one parameter that matters and others that hardly do."""

    key: ClassVar[str] = "grid_or_random"
    label: ClassVar[str] = "Grid against random"
    place: ClassVar[int] = 20
    purpose: ClassVar[str] = "Say why random search usually beats a grid with as many trials, and when it does not."
    to_do: ClassVar[str] = (
        "Watch nine trials of each, then change how much each parameter matters and how many there are."
    )
    to_predict: ClassVar[str] = "How many different values of the important parameter does each try?"
    check_question: ClassVar[str] = (
        f"When is a grid about as good? Change the settings until random is ahead in {_FEW_WINS} of {_SEEDS} seeds "
        "or fewer."
    )
    source: ClassVar[str] = (
        "Bergstra and Bengio (2012), Random Search for Hyper-Parameter Optimization, Journal of Machine Learning "
        "Research 13, figure 1"
    )
    methods: ClassVar[tuple[str, ...]] = ("grid", "random")

    importance: int = option(
        98,
        "Importance of the first parameter, %",
        "Its share of the ups and downs of the score; the others have the rest in equal parts.",
        low=50,
        high=100,
    )
    parameters: int = option(2, "Parameters", "How many parameters there are.", low=2, high=8)
    trials: str = option("9", "Trials", "How many trials each has.", choices=("9", "16", "25"))

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        answers = self._answers()
        if not self.is_predicted(state):
            ask = Ask(_SAY["ask"].format(n=self.trials), answers)
            board = Board(
                "land",
                _SAY["axis_first"].capitalize(),
                self._profile_figure(state.seed),
                "The score along the important parameter: one peak, whose place a search does not know.",
                height=260,
                span="all",
            )
            return Scene(
                _SAY["task"],
                Film((board,)),
                ask=ask,
                numbers={"In numbers": curse_of_dimensionality(self.n_trials)},
                check=Check(answer=_SAY["check_predict"]),
            )
        return self._played(state, workshop)

    def changed(self, state: LessonState, before: Lesson) -> LessonState:
        """At its end, as the sliders are for finding out."""
        return replace(state, guess="", step=self.n_trials if self.is_predicted(state) else 0)

    @property
    def n_trials(self) -> int:
        """Trials that each search has."""
        return int(self.trials)

    @property
    def weights(self) -> Floats:
        """Share of each parameter in the variance of the score, shape (d,)."""
        first = self.importance / 100
        return np.array([first, *[(1 - first) / (self.parameters - 1)] * (self.parameters - 1)])

    def _answers(self) -> tuple[str, ...]:
        levels, n = grid_levels(self.n_trials, self.parameters), self.n_trials
        pairs = [(levels, n), (n, n), (levels, levels), (n, levels)]
        return tuple(dict.fromkeys(_SAY["answer"].format(grid=g, random=r) for g, r in pairs))

    def _played(self, state: LessonState, workshop: Workshop) -> Scene:
        n, d = self.n_trials, self.parameters
        peaks = peaks_of(state.seed, d)
        found = {key: searched(key, n, d, state.seed) for key in ("grid", "random")}
        distinct = {key: len(np.unique(points[:, 0].round(9))) for key, points in found.items()}
        best = {key: float(score(points, peaks, self.weights).max()) for key, points in found.items()}
        many = workshop.get(("random searches", n, d), lambda _report: _many_searches(n, d))
        wins = None if many is None else self._wins(many)
        facts = (
            Fact(_SAY["values"], _SAY["values_value"].format(**distinct)),
            Fact(_SAY["best"], _SAY["best_value"].format(**best)),
            Fact(_SAY["wins"].format(n=_SEEDS), _SAY["counting"] if wins is None else str(wins)),
        )
        boards = tuple(self._board(key, points, peaks) for key, points in found.items())
        return Scene(
            _SAY["task_play"],
            Film(boards, n_steps=n, says=self._says(found, peaks), noun="trial", plays=True),
            facts=facts,
            actions=(Action("again", "Start again"),),
            told=self._told(state, distinct, len(found["grid"])),
            numbers={"In numbers": curse_of_dimensionality(n), "Trials": self._table(found, peaks)},
            check=self._checked(wins),
            waits_for=_SAY["wait"] if wins is None else "",
        )

    def _wins(self, many: Floats) -> int:
        """In how many of the seeds random search ends with a better score than the grid."""
        grid = searched("grid", self.n_trials, self.parameters, 0)
        return sum(
            float(score(points, peaks, self.weights).max()) > float(score(grid, peaks, self.weights).max())
            for points, peaks in ((many[i], peaks_of(i, self.parameters)) for i in range(_SEEDS))
        )

    def _told(self, state: LessonState, distinct: dict[str, int], used: int) -> tuple[Told, ...]:
        n, d, answers = self.n_trials, self.parameters, self._answers()
        told = []
        if state.guess in answers:
            is_right = state.guess == answers[0]
            words = _SAY["right" if is_right else "wrong"].format(guess=state.guess, truth=answers[0])
            told.append(Told(words, "up" if is_right else ""))
        if self.importance == 100 // d and d == 2:
            told.append(Told(_SAY["why_equal"]))
        else:
            why = "why_one" if used == 1 else "why" if self.importance >= 95 else "why_shared"
            said = {
                "n": n,
                "used": used,
                "distinct": format_count(distinct["grid"], "value"),
                "importance": self.importance,
                "d": d,
            }
            told.append(Told(_SAY[why].format(**said)))
        left = _SAY["left"].format(unused=n - used) if used < n else ""
        levels = format_count(grid_levels(n, d), "value")
        told.append(Told(_SAY["curse"].format(d=d, needed=f"{3**d:,}", n=n, levels=levels, left=left)))
        told.append(Told(_SAY["chance"]))
        return (*told, Told(_SAY["hidden"].format(d=d))) if d > 2 else tuple(told)

    def _checked(self, wins: int | None) -> Check:
        if wins is None:
            return Check()
        is_done = wins <= _FEW_WINS
        hint = _SAY["check_done" if is_done else "check_hint"]
        return Check(is_done, _SAY["check"].format(wins=wins, n=_SEEDS, hint=hint))

    def _says(self, found: dict[str, Floats], peaks: Floats) -> tuple[str, ...]:
        sentences = ["No trial yet."]
        for i in range(1, self.n_trials + 1):
            best = {key: score(points[:i], peaks, self.weights).max() for key, points in found.items()}
            sentences.append(f"After {format_count(i, 'trial')}: grid {best['grid']:.0f}, random {best['random']:.0f}.")
        return tuple(sentences)

    def _table(self, found: dict[str, Floats], peaks: Floats) -> pd.DataFrame:
        parts = []
        for key, points in found.items():
            part = pd.DataFrame(points, columns=[f"parameter {i + 1}" for i in range(self.parameters)])
            part.insert(0, "trial", np.arange(1, len(points) + 1))
            part.insert(0, "search", key)
            part["score"] = score(points, peaks, self.weights)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _names(self) -> tuple[str, str]:
        end = "_equal" if self.importance == 50 and self.parameters == 2 else ""
        return _SAY[f"axis_first{end}"], _SAY[f"axis_second{end}"]

    def _profile_figure(self, seed: int) -> Figure:
        x = np.linspace(0, 1, 201)
        y = 100 * _peak(x, float(peaks_of(seed, self.parameters)[0]))
        curve = {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": {"width": 2.4, "color": LIVE.arms[1]}}
        return {
            "data": [curve],
            "layout": layout(
                LIVE,
                revision="profile",
                xaxis=axis(LIVE, self._names()[0], fixedrange=True),
                yaxis=axis(LIVE, "its share of the score", fixedrange=True),
                showlegend=False,
                dragmode=False,
            ),
        }

    def _board(self, key: str, points: Floats, peaks: Floats) -> Board:
        distinct = len(np.unique(points[:, 0].round(9)))
        alt = f"{_SAY[key]}: {len(points)} trials with {format_count(distinct, 'different value')} of the "
        alt += f"{self._names()[0]}; the best score is {score(points, peaks, self.weights).max():.0f} of 100."
        figure = self._figure(points, peaks, LIVE.arms[0 if key == "grid" else 1])
        return Board(key, _SAY[key], figure, alt, note=_SAY[f"{key}_note"])

    def _figure(self, points: Floats, peaks: Floats, colour: str) -> Figure:
        until = [min(i, len(points)) for i in range(self.n_trials + 1)]
        first, second = points[:, 0], points[:, 1]
        marker = {"size": 11, "color": colour, "line": {"width": 1.4, "color": LIVE.surface}}
        tick = {"size": 13, "symbol": "line-ns-open", "color": colour, "line": {"width": 2.2}}
        flat = {**tick, "symbol": "line-ew-open"}
        text = [f"score {s:.0f}" for s in score(points, peaks, self.weights)]
        dots = {"mode": "markers", "x": first, "y": second, "marker": marker, "text": text, "hoverinfo": "text"}
        on_top = {"mode": "markers", "x": first, "y": _peak(first, peaks[0]), "marker": tick, "yaxis": "y2"}
        up = _peak(second, peaks[1]) * _reach(self.weights)
        beside = {"mode": "markers", "x": up, "y": second, "marker": flat, "xaxis": "x2"}
        trials = [{"type": "scatter", "hoverinfo": "skip", **part} for part in (on_top, beside, dots)]
        names = self._names()
        plain: dict[str, Any] = {"fixedrange": True, "showgrid": False}
        side = {**plain, "range": [-0.05, 1.1], "showticklabels": False}
        return {
            "data": [self._land(peaks), *self._profiles(peaks), *(growing(trace, until) for trace in trials)],
            "layout": layout(
                LIVE,
                revision="trials",
                xaxis=axis(LIVE, names[0], range=[-0.04, 1.04], domain=[0, 0.8], **plain),
                yaxis=axis(LIVE, names[1], range=[-0.04, 1.04], domain=[0, 0.8], **plain),
                xaxis2=axis(LIVE, domain=[0.83, 1], anchor="y", **side),
                yaxis2=axis(LIVE, domain=[0.83, 1], anchor="x", **side),
                margin={"l": 8, "r": 8, "t": 8, "b": 8},
                showlegend=False,
                dragmode=False,
            ),
        }

    def _land(self, peaks: Floats) -> dict[str, Any]:
        """The score over the first two parameters, the others at their peaks."""
        units = np.linspace(0, 1, _LAND)
        grid = np.tile(peaks, (_LAND * _LAND, 1))
        grid[:, 0], grid[:, 1] = np.tile(units, _LAND), np.repeat(units, _LAND)
        z = score(grid, peaks, self.weights).reshape(_LAND, _LAND).astype(np.float32)
        scale = {"colorscale": LIVE.colorscale, "showscale": False, "opacity": 0.55, "zsmooth": "best"}
        return {"type": "heatmap", "x": units, "y": units, "z": z, "hoverinfo": "skip", **scale}

    def _profiles(self, peaks: Floats) -> list[dict[str, Any]]:
        """What the first two parameters do, as curves as high as they matter."""
        units = np.linspace(0, 1, 101)
        curves: list[dict[str, Any]] = [
            {"x": units, "y": _peak(units, peaks[0]), "yaxis": "y2"},
            {"x": _peak(units, peaks[1]) * _reach(self.weights), "y": units, "xaxis": "x2"},
        ]
        line = {"width": 1.8, "color": faint(LIVE.text, 0.75)}
        return [{"type": "scatter", "mode": "lines", "line": line, "hoverinfo": "skip", **curve} for curve in curves]


def grid_levels(n_trials: int, n_parameters: int) -> int:
    """Values of each parameter in the largest full grid of at most so many trials."""
    levels = max(1, round(n_trials ** (1 / n_parameters)))
    return int(levels if levels**n_parameters <= n_trials else levels - 1)


def score(points: Floats, peaks: Floats, weights: Floats) -> Floats:
    """From 0 to 100 at points of shape (n, d): a sum of one peak for each parameter, whose variance is shared out by
    the weights.
    """
    heights = np.sqrt(weights)
    return np.asarray(100 * (_peak(points, peaks) @ heights) / heights.sum())


def peaks_of(seed: int, n_parameters: int) -> Floats:
    """Where the peak of each parameter lies, shape (d,)."""
    return np.random.default_rng([seed, n_parameters, _PEAKS]).uniform(_MARGIN, 1 - _MARGIN, n_parameters)


@lru_cache(maxsize=256)
def searched(key: str, n_trials: int, n_parameters: int, seed: int) -> Floats:
    """The points that the lab's grid or random search asks for; neither looks at what it found."""
    space = SearchSpace(tuple(Float(name=f"p{i}", low=0.0, high=1.0, default=0.5) for i in range(n_parameters)))
    options = {"resolution": grid_levels(n_trials, n_parameters)} if key == "grid" else {}
    return asked(with_options(METHODS[key], options), space, lambda _c: 0.0, n_trials, seed)


def curse_of_dimensionality(n_trials: int) -> pd.DataFrame:
    """What a grid needs, and what it has left, as parameters become more."""
    rows = [
        {
            "parameters": d,
            "trials of a grid with 3 values each": 3**d,
            f"values each in a grid of {n_trials}": grid_levels(n_trials, d),
            "trials that it uses": grid_levels(n_trials, d) ** d,
            f"values each in {n_trials} random trials": n_trials,
        }
        for d in _DIMENSIONS
    ]
    return pd.DataFrame(rows)


def _many_searches(n_trials: int, n_parameters: int) -> Floats:
    """The points of a hundred random searches, shape (100, n, d)."""
    return np.array([searched("random", n_trials, n_parameters, i) for i in range(_SEEDS)])


def _peak(x: Any, centre: Any) -> Floats:
    return np.asarray(np.exp(-0.5 * ((x - centre) / _WIDTH) ** 2))


def _reach(weights: Floats) -> float:
    """How high the second parameter's curve is beside the first one's."""
    return math.sqrt(float(weights[1] / weights[0])) if weights[0] > 0 else 0.0


GRID_OR_RANDOM = GridOrRandom()
