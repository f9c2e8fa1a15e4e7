"""The playground: what each hyperparameter of a model does to its shape and to its scores."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import pandas as pd

from hpo_core.formats import format_bytes, format_count, format_list, format_score, format_signed, format_within
from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, Lesson, LessonState, Scene, Told, Workshop
from hpo_core.lessons._ground import Ground, Levels, ground_of
from hpo_core.lessons._playground_figures import model_figure, score_figure
from hpo_core.lessons._trail import Trail, is_guess, to_guess, trail_of
from hpo_core.lessons._trying import N_REFERENCE, Tried, progress, reference, try_setting
from hpo_core.models import MODELS
from hpo_core.options import option

_SAY = {
    "task": "Turn a slider, and watch what the model makes of the same rows. Before each move, predict what it will do "
    "to the two scores.",
    "ask": "Move {n}: you turn one slider. What will that do?",
    "better": "Both scores better",
    "closer": "Training better, new rows worse",
    "plainer": "Training worse, new rows better",
    "worse": "Both scores worse",
    "model": "What has the model learned?",
    "border_note": "Colour: which class it predicts, and how surely; on the line it is undecided. Circles and diamonds "
    "are the two classes: filled ones it was trained on, hollow ones are new to it.",
    "curve_note": "Line: what it predicts. Filled marks it was trained on, hollow ones are new to it.",
    "before": "Still with {words}; the new setting is being fitted.",
    "scores": "How do the scores change along {title}?",
    "scores_note": "Settings that you tried, all other sliders being as now. Bars: 95 % interval. Dots: now.",
    "alt_model": "{model} with {words}, which learned {learned}.",
    "alt_scores": "{n} tried along {title}; now {train} on training rows and {valid} on new rows.",
    "train": "Score on training rows",
    "valid": "Score on new rows",
    "gap": "Gap",
    "learned": "Learned",
    "size": "a model of {size}",
    "calls": "Right predictions",
    "called": "You predicted: {guess}. {verdict} Training rows {train}, new rows {valid}{noise}.",
    "call_right": "So it is.",
    "call_wrong": "It is not.",
    "tie": ", which is within noise",
    "does": "{title}: {explanation}",
    "parts": "Chosen by you, before training: {words}. These are hyperparameters. Set by training, from the rows: "
    "{learned}. These are parameters.",
    "good": "It fits well: on new rows it is within noise of the best setting known ({best}), and as good on training "
    "rows, within noise.",
    "overfits": "It overfits: it scores higher on training rows than on new rows, beyond noise. On these it still "
    "is within noise of the best setting known ({best}).",
    "overfits_worse": "It overfits: it scores higher on training rows than on new rows, beyond noise, and on new rows "
    "it is worse than the best setting known ({best}).",
    "underfits": "It underfits: both its scores agree, but it is worse than the best setting known ({best}), beyond "
    "noise.",
    "fault": "This setting gives no score. {fault}",
    "wait": "The model is being fitted.",
    "wait_folds": "The score on new rows becomes more exact: {n} of {total} fits are done.",
    "wait_reference": "To compare with, the lab tries {n} settings by itself: {progress} are done.",
    "check_start": "Predict, then turn a slider.",
    "check_wait": "The lab still looks for good settings to compare with.",
    "check_none": "None of the two is found yet.",
    "check_good": "The one that fits well is found. Now let the model follow its training rows ever closer, until it "
    "overfits. Where a model cannot, take another one.",
    "check_over": "The one that overfits is found. Now make the model plainer, until it fits new rows as well as its "
    "training rows, within noise, and not worse than the best known.",
    "check_done": "Right. With {good} it fits well, within noise of the best known ({best}). With {over} it overfits: "
    "{train} on training rows, {valid} on new ones.",
}
_ANSWERS = ("better", "closer", "plainer", "worse")
_DATA = {"Moons": "moons", "Circles": "circles", "Wave": "wave"}
_FIRST = (
    "decision_tree",
    "nearest_neighbours",
    "svm",
    "random_forest",
    "gradient_boosting",
    "neural_network",
)
_LINEAR = "Logistic or ridge regression"
_MOST_MOVES = 60
_SAME = 1e-9
_PATIENCE_SECONDS = 0.12


def _families() -> dict[str, tuple[str, str]]:
    """Families for classes and for numbers, by what the menu says: all that do both, and the two linear ones."""
    both = {f.key: f for f in MODELS if len(f.tasks) == 2 and f.why_unavailable is None and f.preparing is None}
    keys = [*_FIRST, *(key for key in both if key not in (*_FIRST, "ridge"))]
    labels = {both[key].label: (key, key) for key in keys}
    first = list(labels.items())[:3]
    return dict([*first, (_LINEAR, ("logistic_regression", "ridge")), *list(labels.items())[3:]])


_MODELS = _families()


@dataclass(frozen=True)
class Playground(Lesson):
    """Sliders beside the border or the curve that they bend, and the scores that follow."""

    key: ClassVar[str] = "playground"
    label: ClassVar[str] = "What hyperparameters do"
    place: ClassVar[int] = 90
    purpose: ClassVar[str] = "Say what a hyperparameter is, what it does to a model, and how to see that it overfits."
    to_do: ClassVar[str] = "Turn the sliders of a model on small data, and watch its shape and its two scores."
    to_predict: ClassVar[str] = "Will a move make the scores on training rows and on new rows better or worse?"
    check_question: ClassVar[str] = (
        "Find two settings: one that clearly overfits, and one that does not, with a score on new rows within noise of "
        "the best known."
    )
    source: ClassVar[str] = (
        "Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, 2nd edition, sections 7.2 and "
        "7.10; the noise of folds: Nadeau and Bengio (2003), Inference for the Generalization Error"
    )
    has_chance: ClassVar[bool] = False

    model: str = option("Decision tree", "Model", "What is trained.", choices=tuple(_MODELS))
    data: str = option("Moons", "Data", "Two classes in the plane, or numbers along a line.", choices=tuple(_DATA))

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        ground, trail = self._ground, trail_of(self._ground, state.moves)
        tried = _tried(ground, trail, workshop)
        has_begun = len(trail.settings) > 1
        lab = reference(ground, workshop) if has_begun else None
        now = tried.get(trail.now)
        scene = Scene(
            _SAY["task"],
            ask=Ask(_SAY["ask"].format(n=len(trail.settings)), tuple(_SAY[key] for key in _ANSWERS)),
            knobs=ground.knobs(trail.now),
            actions=(Action("again", "Start again"),),
            told=(Told(_SAY["fault"].format(fault=now.fault), "down"),) if now and now.fault else (),
            check=Check(answer=_SAY["check_wait" if has_begun else "check_start"]),
            waits_for=_waits_for(ground, workshop, now, has_begun and lab is None),
        )
        drawn = next((t for s in reversed(trail.settings) if (t := tried.get(s)) and t.results), None)
        if drawn is None:
            return scene
        whole = [one for one in tried.values() if one.is_whole]
        best = max([*whole, *([lab] if lab else [])], key=lambda one: one.mean, default=None)
        scene = replace(
            scene,
            film=Film((self._model_board(drawn, trail), self._score_board(drawn, trail, tried))),
            facts=_facts(drawn, trail, tried),
            numbers={"Settings tried": _table(ground, trail, tried)},
        )
        if drawn is now:
            scene = replace(scene, told=_told(ground, trail, tried, best))
        return replace(scene, check=_checked(ground, whole, best)) if lab and best else scene

    def turned(self, state: LessonState, knob: str, at: int) -> LessonState:
        ground, now = self._ground, trail_of(self._ground, state.moves).now
        place = [p.name for p in ground.turned].index(knob)
        levels = (*now[:place], at, *now[place + 1 :])
        if levels == now:
            return state
        return replace(state, guess="", moves=(*state.moves, ground.to_word(levels))[-_MOST_MOVES:])

    def guessed(self, state: LessonState, answer: str) -> LessonState:
        kept = state.moves[:-1] if state.moves and is_guess(state.moves[-1]) else state.moves
        words = [to_guess(place) for place, key in enumerate(_ANSWERS) if _SAY[key] == answer]
        return replace(state, guess=answer, moves=(*kept, *words))

    @property
    def _ground(self) -> Ground:
        data = _DATA[self.data]
        for_classes, for_numbers = _MODELS[self.model]
        return ground_of(data, for_numbers if data == "wave" else for_classes)

    def _model_board(self, drawn: Tried, trail: Trail) -> Board:
        words = self._ground.words(drawn.levels)
        note = _SAY["border_note" if self.data != "Wave" else "curve_note"]
        if drawn.levels != trail.now:
            note = _SAY["before"].format(words=words)
        alt = _SAY["alt_model"].format(model=self.model, words=words, learned=_learned(drawn))
        return Board("model", _SAY["model"], model_figure(self._ground, drawn), alt, note=note)

    def _score_board(self, drawn: Tried, trail: Trail, tried: dict[Levels, Tried]) -> Board:
        ground, place = self._ground, trail.last_turned
        along = [one for one in tried.values() if one.results and _is_along(one.levels, drawn.levels, place)]
        title = ground.turned[place].title
        alt = _SAY["alt_scores"].format(
            n=len(along), title=title, train=format_score(drawn.train), valid=format_score(drawn.mean)
        )
        figure = score_figure(ground, place, along, drawn, ground.problem.metric_label)
        heading, note = _SAY["scores"].format(title=title), _SAY["scores_note"]
        return Board("scores", heading, figure, alt, note=note, height=420, span="side")


def _tried(ground: Ground, trail: Trail, workshop: Workshop) -> dict[Levels, Tried]:
    """What is known of the settings of a trail; that of now is waited for a moment."""
    found = {
        levels: try_setting(ground, levels, workshop, _PATIENCE_SECONDS if levels == trail.now else 0.0)
        for levels in dict.fromkeys((trail.now, *trail.settings))
    }
    return {levels: one for levels, one in found.items() if one is not None}


def _waits_for(ground: Ground, workshop: Workshop, now: Tried | None, is_looking: bool) -> str:
    if now is None:
        return _SAY["wait"]
    if not now.fault and not now.is_whole:
        return _SAY["wait_folds"].format(n=len(now.results), total=ground.problem.n_folds)
    said = progress(ground, workshop) or "none"
    return _SAY["wait_reference"].format(n=N_REFERENCE, progress=said) if is_looking else ""


def _facts(drawn: Tried, trail: Trail, tried: dict[Levels, Tried]) -> tuple[Fact, ...]:
    calls = [
        _is_right(guess, tried[after], tried[before])
        for before, after, guess in zip(trail.settings, trail.settings[1:], trail.guesses[1:], strict=False)
        if guess >= 0 and all(one in tried and tried[one].results for one in (before, after))
    ]
    return (
        Fact(_SAY["train"], format_score(drawn.train)),
        Fact(_SAY["valid"], _with_noise(drawn), "machine"),
        Fact(_SAY["gap"], format_signed(drawn.train - drawn.mean)),
        Fact(_SAY["learned"], _learned(drawn)),
        Fact(_SAY["calls"], f"{sum(calls)} of {len(calls)}", "you"),
    )


def _told(ground: Ground, trail: Trail, tried: dict[Levels, Tried], best: Tried | None) -> tuple[Told, ...]:
    now, before = tried[trail.now], tried.get(trail.before)
    told = []
    if trail.guesses[-1] >= 0 and before and before.results:
        told.append(_call(trail.guesses[-1], now, before))
    if len(trail.settings) > 1:
        turned = ground.turned[trail.last_turned]
        told.append(Told(_SAY["does"].format(title=turned.title.capitalize(), explanation=turned.explanation)))
    if best and now.is_whole and len(trail.settings) > 1:
        told.append(_diagnosis(now, best))
    told.append(Told(_SAY["parts"].format(words=ground.words(now.levels), learned=_learned(now))))
    return tuple(told)


def _call(guess: int, now: Tried, before: Tried) -> Told:
    """How the prediction of the last move came out."""
    is_right, difference = _is_right(guess, now, before), now.against(before)
    return Told(
        _SAY["called"].format(
            guess=_SAY[_ANSWERS[guess]].lower(),
            verdict=_SAY["call_right" if is_right else "call_wrong"],
            train=format_signed(now.train - before.train),
            valid=format_signed(difference.mean),
            noise=_SAY["tie"] if difference.verdict == "tie" else "",
        ),
        "up" if is_right else "",
    )


def _is_right(guess: int, now: Tried, before: Tried) -> bool:
    """Whether both scores went where they were predicted to go; one that stays is no fault."""
    common = min(len(now.valid), len(before.valid))
    changes = (now.train - before.train, float((now.valid[:common] - before.valid[:common]).mean()))
    wanted = {"better": (1, 1), "closer": (1, -1), "plainer": (-1, 1), "worse": (-1, -1)}[_ANSWERS[guess]]
    return all(way * change >= -_SAME for way, change in zip(wanted, changes, strict=True))


def _diagnosis(now: Tried, best: Tried) -> Told:
    is_worse = now.against(best).verdict == "worse"
    key = ("overfits_worse" if is_worse else "overfits") if now.overfits else "underfits" if is_worse else "good"
    return Told(_SAY[key].format(best=_with_noise(best)), "up" if key == "good" else "down")


def _checked(ground: Ground, whole: list[Tried], best: Tried) -> Check:
    good = [one for one in whole if one.against(best).verdict != "worse" and not one.overfits]
    over = [one for one in whole if one.overfits]
    if good and over:
        return Check(
            True,
            _SAY["check_done"].format(
                good=ground.words(max(good, key=lambda one: one.mean).levels),
                best=_with_noise(best),
                over=ground.words(over[-1].levels),
                train=format_score(over[-1].train),
                valid=format_score(over[-1].mean),
            ),
        )
    return Check(answer=_SAY["check_good" if good else "check_over" if over else "check_none"])


def _is_along(levels: Levels, now: Levels, place: int) -> bool:
    return all(i == place or a == b for i, (a, b) in enumerate(zip(levels, now, strict=True)))


def _with_noise(tried: Tried) -> str:
    if math.isnan(tried.half_width):
        return format_score(tried.mean)
    return f"{format_within(tried.mean, tried.half_width)} ± {tried.half_width:.2g}"


def _learned(tried: Tried) -> str:
    first = tried.results[0]
    counts = [format_count(n, noun) for noun, n in first.learned.items()]
    return format_list(counts) if counts else _SAY["size"].format(size=format_bytes(first.model_bytes))


def _table(ground: Ground, trail: Trail, tried: dict[Levels, Tried]) -> pd.DataFrame:
    rows = []
    for number, levels in enumerate(trail.settings):
        values = {p.title: ground.text(place, levels[place]) for place, p in enumerate(ground.turned)}
        one = tried.get(levels)
        if one and one.results:
            rows.append(
                {"move": number, **values, _SAY["train"]: one.train, _SAY["valid"]: one.mean, "±": one.half_width}
            )
    return pd.DataFrame(rows)


PLAYGROUND = Playground()
