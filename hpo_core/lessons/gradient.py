"""Lesson 7: inside gradient-based tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.formats import format_score, format_value
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, LessonState, Scene, Told, Workshop, growing
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.lessons._slopes import (
    ARRIVED,
    JUMPING,
    ON_ITS_WAY,
    TRAPPED,
    Floats,
    Slope,
    fixed_walk,
    landscape_slope,
    method_walk,
    model_slope,
)
from hpo_core.options import option
from hpo_core.plots import LIVE, Figure, axis, layout, plain, unit_ticks

_SAY = {
    "task": "The line is the loss; lower is better. The walk begins at the orange dot and sees the slope there, not "
    "the line. Each step goes against the slope. Predict how it stands after {n} steps.",
    "task_play": "Play the steps, then change step, start, rule and loss: what is too small, what is too large, and "
    "what does no step help against?",
    "wait_model": "The lab fits the model along the line, with its slopes: {progress}.",
    "wait": "The walk is under way.",
    "ask": "How does it stand after {n} steps?",
    "loss": "Where do the steps lead?",
    "loss_note": "Line: the loss. Orange: where it begins. Dots: where it steps to. The slope of the model's loss is "
    "exact, computed by differentiating its training; it is fitted at 31 places and smooth between them.",
    "slope": "Slope at the start",
    "end": "Loss at the end, and lowest",
    "end_value": "{end} and {lowest}",
    "stands": "After {n} steps",
    "right": "You predicted that it {guess}, and so it is.",
    "wrong": "You predicted that it {guess}. It {truth}.",
    "why_arrived": "The step fits: long enough to get down in time, short enough to stay there.",
    "why_on": "Where the slope is small, so is the step: it creeps. A longer step helps, or a rule that goes by the "
    "sign of the slope.",
    "why_jumping": "Each step goes beyond the bottom, and the next one back. A shorter step helps.",
    "why_trapped": "The slope is zero here, and the slope is all that it sees. No step helps: it needs another start.",
    "rprop": "The lab's rule looks at the sign of the slope only: longer steps while it stays the same, half as long "
    "when it turns. It has to find the slope by probing here; with the lab's own models it is computed.",
    "check_predict": "Predict first, then change the settings.",
    "check_other": "Take Rastrigin and the fixed rule.",
    "check_todo": "Here it {truth}.",
    "check_done": "Right: it finds the bottom of the hollow that it begins in, if its step fits. So the lab begins "
    "anew elsewhere when a walk has ended.",
}
_WINE, _RASTRIGIN = "model on Wine", "Rastrigin"
_ENDS = {
    ARRIVED: "arrives at the lowest place",
    ON_ITS_WAY: "is still on its way",
    JUMPING: "jumps to and fro",
    TRAPPED: "sits in a trap",
}
_WHY = {ARRIVED: "why_arrived", ON_ITS_WAY: "why_on", JUMPING: "why_jumping", TRAPPED: "why_trapped"}
_FIXED, _RPROP = "fixed step", "rprop"
_STEPS = 15
_LONGEST = 0.5  # first step of the lab's rule
_TANGENT, _TANGENT_RISE = 0.05, 0.12  # half of its length, in widths of the range and in heights of the loss


@dataclass(frozen=True)
class InsideGradient(PredictedFirst):
    """Steps against the slope of a validation loss: too small, right, too large, and in a trap."""

    key: ClassVar[str] = "gradient"
    label: ClassVar[str] = "Inside gradient-based tuning"
    place: ClassVar[int] = 70
    purpose: ClassVar[str] = "Say what the slope of a validation loss tells, what a step size does, and what traps are."
    to_do: ClassVar[str] = "Let a walk go down the validation loss of a real model, and change its start and its step."
    to_predict: ClassVar[str] = "Does it creep, arrive, jump about, or get trapped?"
    check_question: ClassVar[str] = (
        "What does it take to arrive where there are many hollows? On Rastrigin, find a start and a step with which "
        "the fixed rule arrives at the lowest place."
    )
    source: ClassVar[str] = (
        "Bengio (2000), Gradient-Based Optimization of Hyperparameters; Pedregosa (2016), Hyperparameter Optimization "
        "with Approximate Gradient; the rule: Riedmiller and Braun (1993), A Direct Adaptive Method for Faster "
        "Backpropagation Learning: The RPROP Algorithm"
    )
    methods: ClassVar[tuple[str, ...]] = ("gradient",)
    has_chance: ClassVar[bool] = False

    surface: str = option(
        _WINE,
        "Loss",
        "Logistic regression on Wine, or a landscape with many hollows, along one parameter.",
        choices=(_WINE, _RASTRIGIN),
    )
    rule: str = option(
        _FIXED, "Rule", "A step in proportion to the slope, or the lab's rule.", choices=(_FIXED, _RPROP)
    )
    stride: int = option(
        5, "Step, %", "Of the range: where the slope is steepest, or the first step of rprop.", low=1, high=100
    )
    start: int = option(10, "Start, %", "Of the range, where the walk begins.", low=2, high=98)

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        slope = self._slope(workshop)
        if slope is None:
            return Scene(
                "", waits_for=_SAY["wait_model"].format(progress=workshop.progress(self.surface) or "it begins")
            )
        if not self.is_predicted(state):
            return self._first(slope)
        walk = workshop.get(("walk", self), lambda _report: self._walk(slope))
        return Scene("", waits_for=_SAY["wait"]) if walk is None else self._shown(state, slope, walk)

    def _slope(self, workshop: Workshop) -> Slope | None:
        if self.surface == _RASTRIGIN:
            return workshop.get(self.surface, lambda _report: landscape_slope("rastrigin"))
        return workshop.get(self.surface, lambda report: model_slope("wine", "logistic_regression", "C", report))

    def _walk(self, slope: Slope) -> Floats:
        start, step = self.start / 100, self.stride / 100
        if self.rule == _FIXED:
            return fixed_walk(slope, start, step, _STEPS)
        return method_walk(slope, start, min(step, _LONGEST), _STEPS, seed=0)

    def _first(self, slope: Slope) -> Scene:
        start = self.start / 100
        alt = f"The loss over {slope.parameter.title}; the walk begins at {_place(slope, start)}."
        board = Board(
            "loss", _SAY["loss"], _figure(slope, [start]), alt, note=_SAY["loss_note"], height=420, span="all"
        )
        return Scene(
            _SAY["task"].format(n=_STEPS),
            Film((board,)),
            facts=(Fact(_SAY["slope"], _slope_text(slope, start)),),
            ask=Ask(_SAY["ask"].format(n=_STEPS), tuple(f"It {end}" for end in _ENDS.values())),
            numbers={"Loss": _losses(slope)},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _shown(self, state: LessonState, slope: Slope, walk: Floats) -> Scene:
        outcome, n_steps = slope.outcome(walk), len(walk) - 1
        lowest, end = format_score(float(slope.losses.min())), format_score(slope.loss(walk[-1]))
        alt = f"{n_steps} steps from {_place(slope, walk[0])} to {_place(slope, walk[-1])}: it {_ENDS[outcome]}."
        board = Board("loss", _SAY["loss"], _figure(slope, walk), alt, note=_SAY["loss_note"], height=420, span="all")
        facts = (
            Fact(_SAY["slope"], _slope_text(slope, walk[0])),
            Fact(_SAY["end"], _SAY["end_value"].format(end=end, lowest=lowest), "machine"),
            Fact(_SAY["stands"].format(n=n_steps), f"It {_ENDS[outcome]}"),
        )
        return Scene(
            _SAY["task_play"],
            Film((board,), n_steps=n_steps, says=_says(slope, walk), plays=True),
            facts=facts,
            actions=(Action("again", "Start again"),),
            told=self._told(state, outcome),
            numbers={"Steps": _steps(slope, walk), "Loss": _losses(slope)},
            check=self._checked(outcome),
            name=f"{self!r}",
        )

    def _told(self, state: LessonState, outcome: str) -> tuple[Told, ...]:
        told, guess = [], state.guess.removeprefix("It ")
        if guess in _ENDS.values():
            is_right = guess == _ENDS[outcome]
            words = _SAY["right" if is_right else "wrong"].format(guess=guess, truth=_ENDS[outcome])
            told.append(Told(words, "up" if is_right else ""))
        told.append(Told(_SAY[_WHY[outcome]], "down" if outcome == TRAPPED else ""))
        return (*told, Told(_SAY["rprop"])) if self.rule == _RPROP else tuple(told)

    def _checked(self, outcome: str) -> Check:
        if (self.surface, self.rule) != (_RASTRIGIN, _FIXED):
            return Check(answer=_SAY["check_other"])
        if outcome != ARRIVED:
            return Check(answer=_SAY["check_todo"].format(truth=_ENDS[outcome]))
        return Check(True, _SAY["check_done"])


def _place(slope: Slope, place: float) -> str:
    return f"{slope.parameter.title} = {format_value(slope.parameter.from_unit(place))}"


def _slope_text(slope: Slope, place: float) -> str:
    return f"{100 * slope.slope(place):+.0f} % of the steepest".replace("-", "−")


def _losses(slope: Slope) -> pd.DataFrame:
    values = [slope.parameter.from_unit(float(place)) for place in slope.places]
    return pd.DataFrame({slope.parameter.name: values, "loss": slope.losses, "slope": slope.slopes})


def _steps(slope: Slope, walk: Floats) -> pd.DataFrame:
    values = [slope.parameter.from_unit(float(place)) for place in walk]
    losses, slopes = slope.curve(walk), slope.curve(walk, 1)
    return pd.DataFrame({"step": range(len(walk)), slope.parameter.name: values, "loss": losses, "slope": slopes})


def _says(slope: Slope, walk: Floats) -> tuple[str, ...]:
    places = [(_place(slope, place), format_score(slope.loss(place))) for place in walk]
    return tuple(f"Step {i}: {place}, loss {loss}." for i, (place, loss) in enumerate(places))


def _figure(slope: Slope, walk: Sequence[float] | Floats) -> Figure:
    """The loss, the way of the walk, and the tangent where it begins."""
    x = np.linspace(0.0, 1.0, 601)
    at = np.asarray(walk, dtype=np.float64)
    y, until = slope.curve(at), range(1, len(at) + 1)
    line: dict[str, Any] = {"type": "scatter", "hoverinfo": "skip"}
    marker = {"size": 10, "color": LIVE.arms[0], "line": {"width": 1.2, "color": LIVE.surface}}
    rise = slope.slope(at[0]) * slope.steepest
    reach = min(_TANGENT, _TANGENT_RISE * float(np.ptp(slope.losses)) / max(abs(rise), 1e-9))
    near = np.clip(at[0] + np.array([-reach, reach]), 0.0, 1.0)
    tangent = y[0] + rise * (near - at[0])
    start = {**marker, "size": 14, "color": LIVE.you}
    places, texts = unit_ticks(slope.parameter.distribution())
    return {
        "data": [
            {**line, "mode": "lines", "x": x, "y": slope.curve(x), "line": {"width": 2, "color": LIVE.muted}},
            {**line, "mode": "lines", "x": near, "y": tangent, "line": {"width": 4, "color": LIVE.you}},
            growing({**line, "mode": "lines", "x": at, "y": y, "line": {"width": 1.4, "color": LIVE.arms[0]}}, until),
            growing({**line, "mode": "markers", "x": at, "y": y, "marker": marker}, until),
            {**line, "mode": "markers", "x": at[:1], "y": y[:1], "marker": start},
        ],
        "layout": layout(
            LIVE,
            revision="loss",
            xaxis=axis(
                LIVE,
                plain(slope.parameter.title),
                range=[-0.02, 1.02],
                fixedrange=True,
                tickmode="array",
                tickvals=places,
                ticktext=texts,
            ),
            yaxis=axis(LIVE, "loss", fixedrange=True),
            showlegend=False,
            margin={"l": 56, "r": 16, "t": 12, "b": 44},
            dragmode=False,
        ),
    }


GRADIENT = InsideGradient()
