"""Early stopping: how long to wait for a gain, what that saves, and what it may lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.lessons import Action, Ask, Board, Check, Fact, Film, LessonState, Scene, Told, Workshop, growing
from hpo_core.lessons._predicted import PredictedFirst
from hpo_core.lessons._training_curves import CHECKS, FOLDS, TREES_PER_CHECK, Boosting, Stop, TrainingCurves, stop_of
from hpo_core.options import option
from hpo_core.plots import LIVE, Figure, axis, faint, layout

_SAY = {
    "task": "Boosting adds tree after tree, {trees} if nobody stops it. After every {each} trees its loss on rows "
    "held out is looked at; each tree sees a fifth of the rows. These are the first {seen} looks. Training stops after "
    "{patience} in a row without a gain: predict when.",
    "task_play": "Play the training up to where it stops. Then train on, and change patience, least gain, learning "
    "rate and the rows that are looked at.",
    "wait": "The lab trains the model on each fold: {progress}.",
    "ask": "When does it stop?",
    "curve": "When has it seen enough?",
    "curve_note": "Solid: loss on rows held out. Dashed: on training rows, which only falls. Ring: the lowest so far. "
    "Vertical line: where training stops.",
    "trade": "What would more or less patience have done?",
    "trade_note": "Each dot is a patience, on the rows chosen: trees trained, and the lowest loss found by then. "
    "Ringed: the one chosen. Dotted line: the lowest of the whole training.",
    "trees": "trees",
    "loss": "log loss",
    "valid_line": "held out",
    "train_line": "training rows",
    "rest_line": "if trained on",
    "whole": "Train on to the end",
    "stopped": "Stopped after",
    "saved": "Trees saved",
    "lost": "Loss given away",
    "to_the_end": "Never: trained to the end",
    "trees_value": "{trees} trees",
    "said": "After {trees} trees: loss {loss:.3f}, the lowest {best:.3f}, {waits} without a gain.",
    "alt": "Loss on rows held out over {n} looks: the lowest is {best:.3f} after {at} trees; it stops after {end}.",
    "alt_trade": "Patience 1 trains {few} trees, patience {most} trains {many}.",
    "right": "You predicted {guess}. So it is: it stops after {trees} trees.",
    "wrong": "You predicted {guess}. It stops after {trees} trees.",
    "found": "It stopped after {patience} looks in a row without a gain and goes back to the {best} trees that had the "
    "lowest loss, {loss:.3f}.",
    "none_lost": "Nothing was given away: the whole training has no lower loss.",
    "some_lost": "It gave up too soon: trained on, the loss would have come down to {lowest:.3f} after {at} trees.",
    "to_end": "There was a gain again and again, so that it was trained to the end. Where the learning rate is low, "
    "that is right: patience saves nothing, and costs nothing.",
    "overfit": "Trained to the end, the loss on rows held out is {end:.3f} while that on training rows is {train:.3f}: "
    "from its lowest point on, the model only learned its own rows by heart.",
    "rows": "One fold holds {one} rows out, so that its curve trembles, and chance decides when it stops. The mean of "
    "all folds is calmer, and costs {folds} trainings.",
    "levels": "The same thought works on three levels: inside a fit (this lesson; early stopping and patience are "
    "parameters of many models), for a trial (a rule between folds drops it when others were ahead so early), and for "
    "the search (the stop advice beside its progress).",
    "check_rate": "Take the learning rate 0.15.",
    "check_predict": "Predict first.",
    "check_saves": "Over the {folds} folds it saves {saved:.0f} % of the trees and gives away up to {lost:.3f}. "
    "Wanted: at least {wanted:.0f} %, and at most {most:.3f} on every fold.",
    "check_done": "Right: it saves {saved:.0f} % of the trees, and gives away {lost:.3f} at most. So much patience "
    "bridges the trembling, and not much more.",
}
_BINS = (48, 80, 120)  # trees
_SEEN = 6
_MOST_PATIENCE = 12
_RATES = ("0.05", "0.15")
_CHECK_RATE = "0.15"
_GAINS = {"none": 0.0, "1 %": 0.01, "5 %": 0.05}
_SAVED, _LOST = 50.0, 0.01
_TREES = CHECKS * TREES_PER_CHECK
_MEAN = "mean of all"


@dataclass(frozen=True)
class EarlyStopping(PredictedFirst):
    """A learning curve, patience, and what is saved."""

    key: ClassVar[str] = "early_stopping"
    label: ClassVar[str] = "Early stopping"
    place: ClassVar[int] = 110
    purpose: ClassVar[str] = "Say what patience saves, what it may give away, and why a curve that trembles needs more."
    to_do: ClassVar[str] = "Watch a real training stop, then train on and change how long it waits."
    to_predict: ClassVar[str] = "After how many trees does training stop?"
    check_question: ClassVar[str] = (
        f"At learning rate {_CHECK_RATE}, find a patience and a least gain with which all folds together save "
        f"{_SAVED:.0f} % of the trees, and none gives away more than {_LOST} of loss."
    )
    source: ClassVar[str] = (
        "Prechelt (1998), Early Stopping - But When?; Friedman (2001), Greedy Function Approximation"
    )
    has_chance: ClassVar[bool] = False

    patience: int = option(
        2, "Patience", "Looks in a row without a gain, after which it stops.", low=1, high=_MOST_PATIENCE
    )
    least_gain: str = option("none", "Least gain", "What counts as one, of the loss so far.", choices=tuple(_GAINS))
    learning_rate: str = option("0.15", "Learning rate", "How much each tree adds.", choices=_RATES)
    rows: str = option(
        "fold 1", "Rows looked at", "Held out.", choices=(*(f"fold {i + 1}" for i in range(FOLDS)), _MEAN)
    )

    def scene(self, state: LessonState, workshop: Workshop) -> Scene:
        boosting = Boosting(float(self.learning_rate))
        curves = workshop.get(boosting, lambda report: boosting.run(workshop.executor, report))
        if curves is None:
            return Scene("", waits_for=_SAY["wait"].format(progress=workshop.progress(boosting) or "it begins"))
        valid, train = self._chosen(curves.valid), self._chosen(curves.train)
        if not self.is_predicted(state):
            return self._first(valid, train)
        return self._shown(state, curves, valid, train)

    def _chosen(self, losses: np.ndarray) -> np.ndarray:
        if self.rows == _MEAN:
            return np.asarray(losses.mean(axis=0))
        return np.asarray(losses[int(self.rows.removeprefix("fold ")) - 1])

    def _stop(self, losses: np.ndarray, patience: int | None = None) -> Stop:
        return stop_of(losses, patience or self.patience, _GAINS[self.least_gain])

    def _first(self, valid: np.ndarray, train: np.ndarray) -> Scene:
        seen = Stop(_SEEN - 1, int(valid[:_SEEN].argmin()), ())
        figure = _curve_figure(valid, train, seen, is_revealed=False, is_over=False)
        board = Board(
            "curve", _SAY["curve"], figure, _alt(valid, seen), note=_SAY["curve_note"], height=380, span="all"
        )
        said = {"trees": _TREES, "each": TREES_PER_CHECK, "seen": _SEEN, "patience": self.patience}
        return Scene(
            _SAY["task"].format(**said),
            Film((board,)),
            ask=Ask(_SAY["ask"], _answers()),
            numbers={"Losses": _table(valid[:_SEEN], train[:_SEEN])},
            check=Check(answer=_SAY["check_predict"]),
        )

    def _shown(self, state: LessonState, curves: TrainingCurves, valid: np.ndarray, train: np.ndarray) -> Scene:
        stop = self._stop(valid)
        figure = _curve_figure(valid, train, stop, is_revealed=state.is_revealed, is_over=True)
        trade, alt = self._trade(valid)
        film = Film(
            (
                Board("curve", _SAY["curve"], figure, _alt(valid, stop), note=_SAY["curve_note"], height=380),
                Board("trade", _SAY["trade"], trade, alt, note=_SAY["trade_note"], height=380, span="side"),
            ),
            n_steps=stop.last,
            says=_says(valid, stop),
            noun="look",
            plays=True,
        )
        facts = (
            Fact(_SAY["stopped"], _SAY["trees_value"].format(trees=_trees(stop.last)), "machine"),
            Fact(_SAY["saved"], f"{100 - 100 * _trees(stop.last) / _TREES:.0f} %"),
            Fact(_SAY["lost"], f"{valid[stop.best] - valid.min():.3f}"),
        )
        whole = () if state.is_revealed else (Action("reveal", _SAY["whole"], is_main=True),)
        return Scene(
            _SAY["task_play"],
            film,
            facts=facts,
            actions=(*whole, Action("again", "Start again")),
            told=self._told(state, stop, valid, train),
            numbers={"Losses": _table(valid, train)},
            check=self._checked(curves.valid),
        )

    def _told(self, state: LessonState, stop: Stop, valid: np.ndarray, train: np.ndarray) -> tuple[Told, ...]:
        told, trees, truth = [], _trees(stop.last), _answer_of(stop)
        if state.guess in _answers():
            is_right = state.guess == truth
            words = _SAY["right" if is_right else "wrong"].format(guess=state.guess.lower(), trees=trees)
            told.append(Told(words, "up" if is_right else ""))
        if stop.waits[-1] >= self.patience:
            said = {"patience": self.patience, "best": _trees(stop.best), "loss": valid[stop.best]}
            told.append(Told(_SAY["found"].format(**said)))
        else:
            told.append(Told(_SAY["to_end"]))
        if state.is_revealed:
            at = int(valid.argmin())
            key = "none_lost" if valid[stop.best] == valid[at] else "some_lost"
            words = _SAY[key].format(lowest=valid[at], at=_trees(at))
            told.append(Told(words, "up" if key == "none_lost" else "down"))
            if at < CHECKS - 1:
                told.append(Told(_SAY["overfit"].format(end=valid[-1], train=train[-1])))
            told.append(Told(_SAY["levels"]))
        return (*told, Told(_SAY["rows"].format(one=480 // FOLDS, folds=FOLDS)))

    def _trade(self, valid: np.ndarray) -> tuple[Figure, str]:
        """Trees and loss of each patience, and what the picture says."""
        stops = [self._stop(valid, patience) for patience in range(1, _MOST_PATIENCE + 1)]
        trees, losses = [_trees(stop.last) for stop in stops], [float(valid[stop.best]) for stop in stops]
        alt = _SAY["alt_trade"].format(few=trees[0], most=_MOST_PATIENCE, many=trees[-1])
        return _trade_figure(trees, losses, self.patience - 1, float(valid.min())), alt

    def _checked(self, valid: np.ndarray) -> Check:
        if self.learning_rate != _CHECK_RATE:
            return Check(answer=_SAY["check_rate"])
        stops = [self._stop(fold) for fold in valid]
        saved = 100 - 100 * float(np.mean([_trees(stop.last) for stop in stops])) / _TREES
        lost = max(float(fold[stop.best] - fold.min()) for fold, stop in zip(valid, stops, strict=True))
        is_done = saved >= _SAVED and lost <= _LOST
        said = {"folds": FOLDS, "saved": saved, "lost": lost, "wanted": _SAVED, "most": _LOST}
        return Check(is_done, _SAY["check_done" if is_done else "check_saves"].format(**said))


def _trees(check: int) -> int:
    """Trees after a check, counted from 0."""
    return (check + 1) * TREES_PER_CHECK


def _answers() -> tuple[str, ...]:
    first, second, third = _BINS
    return (f"Up to {first} trees", f"{first} to {second}", f"{second} to {third}", f"After more than {third}")


def _answer_of(stop: Stop) -> str:
    return _answers()[int(np.searchsorted(_BINS, _trees(stop.last)))]


def _says(valid: np.ndarray, stop: Stop) -> tuple[str, ...]:
    return tuple(
        _SAY["said"].format(trees=_trees(i), loss=valid[i], best=valid[: i + 1].min(), waits=wait)
        for i, wait in enumerate(stop.waits)
    )


def _alt(valid: np.ndarray, stop: Stop) -> str:
    said = {"n": stop.last + 1, "best": valid[stop.best], "at": _trees(stop.best), "end": _trees(stop.last)}
    return _SAY["alt"].format(**said)


def _table(valid: np.ndarray, train: np.ndarray) -> pd.DataFrame:
    trees = [_trees(check) for check in range(len(valid))]
    return pd.DataFrame({_SAY["trees"]: trees, _SAY["valid_line"]: valid, _SAY["train_line"]: train})


def _curve_figure(valid: np.ndarray, train: np.ndarray, stop: Stop, *, is_revealed: bool, is_over: bool) -> Figure:
    """Both losses up to where it stops, growing look by look; what would have come after it, dotted."""
    x, n = np.array([_trees(check) for check in range(CHECKS)]), stop.last + 1
    until = [i + 1 for i in range(n)] if is_over else [n]
    lines = (
        (_SAY["valid_line"], valid, {"width": 2.6, "color": LIVE.arms[0]}),
        (_SAY["train_line"], train, {"width": 1.8, "color": LIVE.muted, "dash": "dash"}),
    )
    traces: list[dict[str, Any]] = [growing(_line(name, x[:n], y[:n], line), until) for name, y, line in lines]
    if is_revealed:
        rest = {"width": 1.8, "color": faint(LIVE.arms[0], 0.7), "dash": "dot"}
        traces.append(_line(_SAY["rest_line"], x[n - 1 :], valid[n - 1 :], rest))
    ring = {"size": 15, "symbol": "circle-open", "color": LIVE.arms[0], "line": {"width": 2.4}}
    best = {"type": "scatter", "mode": "markers", "marker": ring, "hoverinfo": "skip", "showlegend": False}
    if is_over:
        traces.append(best | {"x": [x[stop.best]], "y": [valid[stop.best]]})
    end = {"type": "line", "x0": x[stop.last], "x1": x[stop.last], "yref": "paper", "y0": 0, "y1": 1}
    shapes = [{**end, "line": {"width": 1.4, "color": LIVE.you, "dash": "dot"}}] if is_over else []
    top = 1.06 * float(max(valid.max(), train.max()))
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="curve",
            xaxis=axis(LIVE, _SAY["trees"], range=[0, _TREES + 4], fixedrange=True),
            yaxis=axis(LIVE, _SAY["loss"], range=[0, top], fixedrange=True),
            shapes=shapes,
            dragmode=False,
        ),
    }


def _line(name: str, x: np.ndarray, y: np.ndarray, line: dict[str, Any]) -> dict[str, Any]:
    shown = {"type": "scatter", "mode": "lines", "name": name, "hovertemplate": "%{x} trees: %{y:.3f}<extra></extra>"}
    return {**shown, "x": x, "y": y, "line": line}


def _trade_figure(trees: list[int], losses: list[float], chosen: int, lowest: float) -> Figure:
    texts = [str(patience) if trees.index(n) == patience - 1 else "" for patience, n in enumerate(trees, start=1)]
    marker = {"size": 9, "color": LIVE.arms[0]}
    ring = {"size": 19, "symbol": "circle-open", "color": LIVE.you, "line": {"width": 2.4}}
    shared: dict[str, Any] = {"type": "scatter", "hoverinfo": "skip", "showlegend": False, "cliponaxis": False}
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": lowest, "y1": lowest, "layer": "below"}
    return {
        "data": [
            {
                **shared,
                "mode": "markers+text",
                "x": trees,
                "y": losses,
                "text": texts,
                "textposition": "top center",
                "textfont": {"color": LIVE.text},
                "marker": marker,
            },
            {**shared, "mode": "markers", "x": [trees[chosen]], "y": [losses[chosen]], "marker": ring},
        ],
        "layout": layout(
            LIVE,
            revision="trade",
            xaxis=axis(LIVE, _SAY["trees"], range=[0, _TREES + 4], fixedrange=True),
            yaxis=axis(LIVE, _SAY["loss"], fixedrange=True),
            shapes=[{**line, "line": {"width": 1.4, "color": LIVE.muted, "dash": "dot"}}],
            dragmode=False,
        ),
    }


EARLY_STOPPING = EarlyStopping()
