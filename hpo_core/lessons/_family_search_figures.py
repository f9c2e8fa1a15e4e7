"""Drawings of a search over model families: how far each has come, who gets the trials, and the pipeline of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpo_core.formats import format_score, format_value
from hpo_core.lessons._family_search import FamilyTrial
from hpo_core.lessons._film import growing, replaced
from hpo_core.models import MODELS
from hpo_core.plots import LIVE, Figure, axis, faint, layout

# Of a pipeline, from top to bottom: what it is, the middle of its box, and half its height.
_ROWS = (("scaling", 0.35, 0.2), ("features", 1.2, 0.32), ("kind of model", 2.65, 0.75), ("score", 3.95, 0.1))
_BARE = {"fixedrange": True, "showgrid": False, "showticklabels": False, "showline": False}
_MOST_SHOWN = 4  # parameters of a model below its box


def label_of(family: str) -> str:
    """As on screen."""
    return MODELS[family].label if family in MODELS else family


def order_of(trials: Sequence[FamilyTrial], sign: float) -> list[str]:
    """The families by the best of their trials, the best first. `sign` is -1 where higher is better."""
    best: dict[str, float] = {}
    for trial in trials:
        value = np.inf if np.isnan(trial.score) else sign * trial.score
        best[trial.family] = min(best.get(trial.family, np.inf), value)
    return sorted(best, key=lambda family: best[family])


def race_figure(trials: Sequence[FamilyTrial], counts: Sequence[int], sign: float, title: str) -> Figure:
    """The best so far of every family, one frame for each number of trials; a line ends where a family got its last."""
    order, colours = order_of(trials, sign), _colours(trials)
    traces = []
    for place, family in reversed(list(enumerate(order))):
        at = np.array([i for i, trial in enumerate(trials) if trial.family == family])
        scores = np.array([trials[i].score for i in at])
        best = sign * np.minimum.accumulate(np.where(np.isnan(scores), np.inf, sign * scores))
        line = {"width": 2.4, "color": colours[family], "shape": "hv"}
        shown = {"type": "scatter", "mode": "lines+markers", "name": label_of(family), "line": line}
        marker = {"size": 6, "color": colours[family]}
        hover = {"hovertemplate": f"{label_of(family)}: %{{y:.3f}}<extra></extra>"}
        rank = {"legendrank": place + 1}
        points = {"x": at + 1, "y": best, "marker": marker}
        traces.append(growing({**shown, **points, **hover, **rank}, [int((at < n).sum()) for n in counts]))
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="race",
            xaxis=axis(LIVE, "trial", range=[0.5, len(trials) + 0.5], fixedrange=True),
            yaxis=axis(LIVE, title, range=_in_view(trials, sign), fixedrange=True),
            dragmode=False,
        ),
    }


def turns_figure(trials: Sequence[FamilyTrial], counts: Sequence[int], sign: float) -> Figure:
    """How many trials each family has had; filled while it is in the race."""
    order = order_of(trials, sign)
    names, colours = [label_of(family) for family in order], [_colours(trials)[family] for family in order]
    inside, outside = [], []
    for n in counts:
        standing = next((t.in_race for t in reversed(trials[:n]) if t.in_race), {})
        had = np.array([sum(t.family == family for t in trials[:n]) for family in order])
        is_in = np.array([standing.get(family, True) for family in order])
        inside.append({"x": np.where(is_in, had, 0)})
        outside.append({"x": np.where(is_in, 0, had)})
    bars = {"type": "bar", "orientation": "h", "y": names, "hoverinfo": "skip"}
    gone = {"color": [faint(colour, 0.18) for colour in colours], "line": {"width": 1, "color": colours}}
    most = max(sum(t.family == family for t in trials) for family in order)
    return {
        "data": [
            replaced({**bars, "name": "in the race", "marker": {"color": colours}}, inside),
            replaced({**bars, "name": "given up", "marker": gone}, outside),
        ],
        "layout": layout(
            LIVE,
            revision="turns",
            barmode="stack",
            xaxis=axis(LIVE, "trials", range=[0, most + 0.5], fixedrange=True),
            yaxis=axis(LIVE, range=[len(order) - 0.4, -0.6], fixedrange=True, showgrid=False, automargin=True),
            showlegend=False,
            dragmode=False,
        ),
    }


def pipeline_figure(trials: Sequence[FamilyTrial], counts: Sequence[int], sign: float) -> Figure:
    """The pipeline of the newest trial beside that of the best so far: what is done to the rows, from top to bottom."""
    columns = [
        (0.0, "newest", [trials[n - 1] for n in counts], LIVE.you),
        (1.0, "best so far", [best_of(trials[:n], sign) for n in counts], LIVE.arms[0]),
    ]
    traces: list[dict[str, Any]] = []
    shapes = []
    text: dict[str, Any] = {"type": "scatter", "mode": "text", "hoverinfo": "skip"}
    for x, name, shown, colour in columns:
        frames = [{"text": [*_words(trial), f"<b>{format_score(trial.score)}</b>"]} for trial in shown]
        places = {"x": [x] * len(_ROWS), "y": [middle for _, middle, _ in _ROWS]}
        traces.append(replaced({**text, **places, "textfont": {"size": 12, "color": LIVE.text}}, frames))
        titles = {"x": [x] * (1 + len(_ROWS)), "y": [-0.25, *[middle - half - 0.14 for _, middle, half in _ROWS]]}
        words = [f"<b>{name}</b>", *[title for title, _, _ in _ROWS]]
        traces.append({**text, **titles, "text": words, "textfont": {"size": 11, "color": LIVE.muted}})
        shapes += [_box(x, middle, half, colour) for title, middle, half in _ROWS if title != "score"]
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="pipeline",
            xaxis=axis(LIVE, range=[-0.5, 1.5], fixedrange=True, showgrid=False, showticklabels=False, showline=False),
            yaxis=axis(
                LIVE, range=[4.55, -0.45], fixedrange=True, showgrid=False, showticklabels=False, showline=False
            ),
            shapes=shapes,
            showlegend=False,
            margin={"l": 4, "r": 4, "t": 4, "b": 4},
            dragmode=False,
        ),
    }


def best_of(trials: Sequence[FamilyTrial], sign: float) -> FamilyTrial:
    """The best trial, the first of equals."""
    return min(trials, key=lambda trial: np.inf if np.isnan(trial.score) else sign * trial.score)


def _colours(trials: Sequence[FamilyTrial]) -> dict[str, str]:
    """A family keeps its colour, however the search goes on: by the order of the defaults."""
    families = list(dict.fromkeys(trial.family for trial in trials))
    return {family: LIVE.arms[place % len(LIVE.arms)] for place, family in enumerate(families)}


def _in_view(trials: Sequence[FamilyTrial], sign: float) -> list[float]:
    """From the better half of the defaults to the best of all; what is far below would press the rest together."""
    losses = np.array([sign * trial.score for trial in trials if not np.isnan(trial.score)])
    first = {trial.family: sign * trial.score for trial in reversed(trials) if not np.isnan(trial.score)}
    best, middle = float(losses.min()), float(np.median(list(first.values())))
    width = max(middle - best, 1e-3)
    ends = [sign * (best - 0.15 * width), sign * (middle + 0.6 * width)]
    return sorted(ends)


def _words(trial: FamilyTrial) -> list[str]:
    """What stands in the boxes: scaling, features, and the model with its parameters."""
    chosen, prefix = trial.configuration, f"{trial.family}."
    detail = {"best": "kept_share", "varying": "least_variance", "pca": "pca_variance"}.get(chosen.get("selection", ""))
    features = str(chosen.get("selection", "all"))
    if detail in chosen:
        features += f"<br>{detail.replace('_', ' ')} {float(chosen[detail]):.2g}"
    own = {name.removeprefix(prefix): value for name, value in chosen.items() if name.startswith(prefix)}
    pairs = [f"{name} {format_value(value)}" for name, value in list(own.items())[:_MOST_SHOWN]]
    return [
        str(chosen["scaler"]).replace("_", " "),
        features,
        "<br>".join([f"<b>{label_of(trial.family)}</b>", *pairs]),
    ]


def _box(x: float, y: float, half: float, colour: str) -> dict[str, Any]:
    edges = {"x0": x - 0.45, "x1": x + 0.45, "y0": y - half, "y1": y + half}
    return {"type": "rect", **edges, "line": {"width": 1.6, "color": colour}, "fillcolor": faint(colour, 0.08)}
