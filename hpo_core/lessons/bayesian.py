"""Lesson 3: inside Bayesian optimisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from hpo_core.lessons import Action, Board, Check, Fact, Film, Lesson, LessonState, Pick, Scene, Told, Workshop
from hpo_core.lessons._belief import BOUND, IMPROVEMENT, Belief
from hpo_core.lessons._belief_figures import belief_map, line_figure
from hpo_core.lessons._moves import from_word, to_word
from hpo_core.lessons._terrain import analytic, terrain_of
from hpo_core.options import option

Floats = NDArray[np.float64]

_SAY = {
    "task": "The line is what the model believes after {n} looks, the band how much it doubts. Where will it look "
    "next? Click there, or use the arrow keys and Enter.",
    "task_two": "The left map is what the model believes after {n} looks, the right one how much it doubts. Where will "
    "it look next? Click there, or use the arrow keys and Enter.",
    "task_seen": "You see where it looks next, and the promise that it goes by. Move the slider to see it choose "
    "otherwise, or let it look there.",
    "task_full": "That was the last look. Start again, or with another seed.",
    "belief": "What does the model believe?",
    "belief_note": "Line: expected altitude. Band: where it lies with 95 % probability. Marks: looks.",
    "belief_note_open": "Line: expected altitude. Band: where it lies with 95 % probability. Below: the promise "
    "of each place. Green is where the method looks, the orange dashes are your prediction.",
    "belief_two": "What does the model believe?",
    "belief_two_note": "The stronger the colour, the higher it expects the land to be. Dots are looks.",
    "doubt": "How much does it doubt?",
    "doubt_note": "The stronger the colour, the less it knows. Doubt is small near looks.",
    "promise": "What does each place promise?",
    "promise_note": "The ring is where it promises most: the method looks there. The cross is your prediction.",
    "true": "The true land",
    "true_note": "The stronger the colour, the higher.",
    "pick": "Left and right arrow keys move a line; Enter predicts that the method looks there.",
    "pick_two": "Arrow keys move a cross; Enter predicts that the method looks there.",
    "look": "Let it look there",
    "reveal": "Show the true land",
    "looks": "Looks",
    "best": "Best so far",
    "near": "Predictions within a tenth of the range",
    "near_right": "You were right: it looks at {place}, {distance:.0f} % of the range from your prediction.",
    "near_wrong": "It looks at {place}. Your prediction was {distance:.0f} % of the range away.",
    "why_bound": "Why: it expects {mean:,.0f} m there and doubts by {sd:,.0f} m. With {kappa} times the doubt on top "
    "that is {bound:,.0f} m, more than anywhere else.",
    "why_ei": "Why: it expects {mean:,.0f} m there and doubts by {sd:,.0f} m. By how much and how probably that beats "
    "{target:,.0f} m, taken together, is more than anywhere else.",
    "explores": "This is exploration: its doubt there is nearly as large as anywhere.",
    "exploits": "This is exploitation: it is fairly sure there, and expects something high.",
    "both": "This is some of both: a good expectation, and doubt enough for more.",
    "gap": "The best look is {gap:,.0f} m below the summit.",
    "alt": "After {n} looks the model expects the highest place at {place}: {mean:,.0f} m.",
    "alt_next": " It looks next at {place}.",
    "alt_true": "The true land. Its summit is {summit:,.0f} m high.",
    "check_predict": "Predict where it looks next, then move the slider.",
    "check_todo": "Where it looks now, its doubt is {share:.0f} % of the largest. Let it explore more.",
    "check_already": "It looks at its largest doubt as it is. Turn exploration down to see it exploit, then far up.",
    "check_done": "Right: with so much weight on doubt it looks where it knows least, whatever it expects there.",
}
_RULES = {"bound": BOUND, "improvement": IMPROVEMENT}
_DIMENSIONS = {"one": 1, "two": 2}
_FIRST = {1: 3, 2: 5}  # looks before the first prediction
_MOST = 40
_EXPLORATION = 1
_NEAR = 0.1
_SURE = 0.98
_EXPLORES, _EXPLOITS = 0.85, 0.4


@dataclass(frozen=True)
class InsideBayesian(Lesson):
    """The surrogate, its doubt, and the promise that picks the next trial."""

    key: ClassVar[str] = "bayesian"
    label: ClassVar[str] = "Inside Bayesian optimisation"
    place: ClassVar[int] = 30
    purpose: ClassVar[str] = "Say how Bayesian optimisation picks its next trial, and what it weighs against what."
    to_do: ClassVar[str] = (
        "Go through a search one look at a time, and set the slider between exploiting and exploring."
    )
    to_predict: ClassVar[str] = "Where does it look next?"
    check_question: ClassVar[str] = (
        "Make it look where it knows least: after a prediction, move the slider until the next look is at the largest "
        "doubt."
    )
    source: ClassVar[str] = (
        "Jones, Schonlau and Welch (1998), Efficient Global Optimization of Expensive Black-Box Functions; the bound: "
        "Srinivas, Krause, Kakade and Seeger (2010), Gaussian Process Optimization in the Bandit Setting; the model: "
        "Rasmussen and Williams (2006), Gaussian Processes for Machine Learning"
    )
    methods: ClassVar[tuple[str, ...]] = ("gaussian_process", "auto")

    exploration: int = option(
        _EXPLORATION,
        "Exploration",
        "How much doubt counts. Bound: so many standard deviations on top of what is expected. Expected improvement: "
        "by how many tenths of a standard deviation of all looks a place must beat the best.",
        low=0,
        high=10,
    )
    rule: str = option(
        "bound", "Promise", "An optimistic bound on the altitude, or the expected improvement.", choices=tuple(_RULES)
    )
    dimensions: str = option("one", "Parameters", "One parameter, or two.", choices=tuple(_DIMENSIONS))
    terrain: str = option(
        "Himmelblau",
        "Terrain",
        "The land; with one parameter, the other one is kept at its best value.",
        choices=tuple(analytic()),
    )

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        looks, guesses, pending = self._read(state)
        belief = self._belief(state, looks)
        pairs = guesses if pending is None else [*guesses, (pending, belief.next)]
        n_near = sum(_distance(*pair) <= _NEAR for pair in pairs)
        facts = (
            Fact(_SAY["looks"], str(len(looks))),
            Fact(_SAY["best"], f"{belief.altitudes.max():,.0f} m", "machine"),
            Fact(_SAY["near"], f"{n_near} of {len(pairs)}", "you"),
        )
        actions = (
            Action("look", _SAY["look"], is_main=True) if pending is not None else None,
            None if state.is_revealed else Action("reveal", _SAY["reveal"]),
            Action("again", "Start again"),
        )
        table = belief.grid_table()
        if pending is not None:
            table = table.assign(**{"promise (0 to 1)": belief.promise})
        return Scene(
            self._task(len(looks), pending is not None),
            Film(self._boards(belief, pending, state.is_revealed)),
            facts=facts,
            actions=tuple(action for action in actions if action),
            told=_told(belief, pending, state.is_revealed),
            numbers={"Looks": belief.looks_table(), "The belief": table},
            check=_checked(belief, pending is not None),
        )

    def picked(self, state: LessonState, x: float, y: float) -> LessonState:
        looks, _, pending = self._read(state)
        if pending is not None or len(looks) >= _MOST:
            return state
        return replace(state, moves=(*state.moves, f"p{to_word(x)}{to_word(y)}"))

    def acted(self, state: LessonState, action: str) -> LessonState:
        looks, _, pending = self._read(state)
        if action != "look" or pending is None:
            return super().acted(state, action)
        place = "".join(to_word(unit) for unit in self._belief(state, looks).next)
        return replace(state, moves=(*state.moves, f"t{place}"))

    def changed(self, state: LessonState, before: Lesson) -> LessonState:
        assert isinstance(before, InsideBayesian)
        if (before.dimensions, before.terrain) != (self.dimensions, self.terrain):
            return LessonState(seed=state.seed)
        return state  # the looks stay: the slider says only where the next one will be

    def _read(self, state: LessonState) -> tuple[Floats, list[tuple[Floats, Floats]], Floats | None]:
        """The looks, shape (n, d), each prediction with the look that followed, and the prediction without one yet."""
        d = _DIMENSIONS[self.dimensions]
        looks = [*qmc.Sobol(d, rng=state.seed).random(8)[: _FIRST[d]]]
        guesses: list[tuple[Floats, Floats]] = []
        pending: Floats | None = None
        for word in state.moves:
            place = np.array(from_word(word[1:])[:d])
            if len(place) < d or len(looks) >= _MOST:
                continue
            if word[0] == "p" and pending is None:
                pending = place
            elif word[0] == "t" and pending is not None:
                looks.append(place)
                guesses.append((pending, place))
                pending = None
        return np.array(looks), guesses, pending

    def _belief(self, state: LessonState, looks: Floats) -> Belief:
        terrain = terrain_of(analytic()[self.terrain].key, 0.0, state.seed)
        return Belief(terrain, looks, _RULES[self.rule], float(self.exploration))

    def _task(self, n_looks: int, is_open: bool) -> str:
        if is_open:
            return _SAY["task_seen"]
        if n_looks >= _MOST:
            return _SAY["task_full"]
        return _SAY["task" if self.dimensions == "one" else "task_two"].format(n=n_looks)

    def _boards(self, belief: Belief, pending: Floats | None, is_revealed: bool) -> tuple[Board, ...]:
        can_pick = pending is None and len(belief.looks) < _MOST
        alt = _alt(belief, pending is not None)
        if belief.n_dimensions == 1:
            pick = Pick(_SAY["pick"], has_y=False, stride=0.025) if can_pick else None
            note = _SAY["belief_note" if pending is None else "belief_note_open"]
            figure = line_figure(belief, pending, is_revealed)
            height = 380 if pending is None else 480
            return (Board("belief", _SAY["belief"], figure, alt, note=note, height=height, span="all", pick=pick),)
        mean, sd = belief.prediction
        shown = {"belief_two": mean, "doubt": sd}
        if pending is not None:
            shown["promise"] = belief.promise
        pick = Pick(_SAY["pick_two"]) if can_pick else None
        boards = [
            Board(key, _SAY[key], belief_map(belief, values, pending), alt, note=_SAY[f"{key}_note"], pick=pick)
            for key, values in shown.items()
        ]
        if is_revealed:
            figure = belief_map(belief, belief.true(belief.grid), pending)
            text = _SAY["alt_true"].format(summit=belief.terrain.summit)
            boards.append(Board("true", _SAY["true"], figure, text, note=_SAY["true_note"]))
        return tuple(boards)


def _distance(a: Floats, b: Floats) -> float:
    """In widths of the range, along the parameter in which the two differ most."""
    return float(np.abs(a - b).max())


def _alt(belief: Belief, is_open: bool) -> str:
    mean = belief.prediction.mean
    top = int(np.argmax(mean))
    text = _SAY["alt"].format(n=len(belief.looks), place=belief.place(belief.grid[top]), mean=mean[top])
    return text + _SAY["alt_next"].format(place=belief.place(belief.next)) if is_open else text


def _told(belief: Belief, pending: Floats | None, is_revealed: bool) -> tuple[Told, ...]:
    told = []
    if pending is not None:
        distance = _distance(pending, belief.next)
        is_right = distance <= _NEAR
        said = _SAY["near_right" if is_right else "near_wrong"]
        words = said.format(place=belief.place(belief.next), distance=100 * distance)
        told.append(Told(words, "up" if is_right else ""))
        share = belief.doubt_share
        kind = "explores" if share >= _EXPLORES else "exploits" if share <= _EXPLOITS else "both"
        told += [Told(_why(belief)), Told(_SAY[kind])]
    if is_revealed:
        summit = max(float(belief.true(belief.grid).max()), float(belief.altitudes.max()))
        told.append(Told(_SAY["gap"].format(gap=summit - float(belief.altitudes.max()))))
    return tuple(told)


def _why(belief: Belief) -> str:
    mean, sd = (float(values[belief.at]) for values in belief.prediction)
    if belief.rule == BOUND:
        bound = mean + belief.exploration * sd
        return _SAY["why_bound"].format(mean=mean, sd=sd, kappa=f"{belief.exploration:g}", bound=bound)
    return _SAY["why_ei"].format(mean=mean, sd=sd, target=belief.target)


def _checked(belief: Belief, has_predicted: bool) -> Check:
    if not has_predicted:
        return Check(answer=_SAY["check_predict"])
    if belief.doubt_share < _SURE:
        return Check(answer=_SAY["check_todo"].format(share=100 * belief.doubt_share))
    if belief.exploration <= _EXPLORATION:
        return Check(answer=_SAY["check_already"])
    return Check(True, _SAY["check_done"])


BAYESIAN = InsideBayesian()
