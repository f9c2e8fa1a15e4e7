"""Drawings of tournaments: learning curves that are cut, how many are on each rung, and who waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.lessons._film import replaced
from hpo_core.lessons._learning_curves import Curves, Floats
from hpo_core.lessons._tournaments import Job, Runner, Snapshot
from hpo_core.plots import LIVE, Figure, axis, faint, layout

_POINTS = 24
_FIRST, _EDGE = 1.0, 0.7  # the first epochs that are scored, and where the logarithmic axis begins
MARKED = (LIVE.arms[1], LIVE.arms[2], LIVE.arms[3], LIVE.arms[4])
_RUNGS = (LIVE.arms[0], LIVE.arms[1], LIVE.arms[2], LIVE.arms[3], LIVE.arms[4], LIVE.arms[5], LIVE.arms[6])


def curves_figure(
    snapshots: Sequence[Snapshot],
    curves: Curves,
    longest: int,
    marked: Mapping[str, Runner],
    whole: Sequence[Runner] = (),
) -> Figure:
    """Learning curves up to where each was trained, one frame for each snapshot.

    Args:
        snapshots: How far all have come.
        curves: The curves.
        longest: Epochs of a whole training.
        marked: Runners with a colour of their own, by a letter.
        whole: Runners whose curve is drawn to its end, dotted.
    """
    named = {(r.bracket, r.slot): letter for letter, r in marked.items()}
    dropped, going = [], []
    for snapshot in snapshots:
        is_in = dict(zip(snapshot.trained, snapshot.is_in, strict=True))
        dropped.append(_paths([pair for pair in snapshot.trained if not is_in[pair]], curves))
        going.append(_paths([pair for pair in snapshot.trained if is_in[pair]], curves))
    traces = [
        _curves("stopped", dropped, faint(LIVE.muted, 0.55), 0.9),
        _curves("trained on", going, LIVE.arms[0], 1.1),
    ]
    if whole:
        traces.append(
            {
                **_shape("to the end", faint(LIVE.muted, 0.5), 1.0, "dot"),
                **_paths([(r, longest) for r in whole], curves),
            }
        )
    for letter, colour in zip(marked, MARKED, strict=False):
        paths = [
            [pair for pair in s.trained if named.get((pair[0].bracket, pair[0].slot)) == letter] for s in snapshots
        ]
        traces.append(_curves(letter, [_paths(path, curves) for path in paths], colour, 3.0))
    return {"data": traces, "layout": _curves_layout(longest, *_ends(traces))}


def rungs_figure(snapshots: Sequence[Snapshot], longest: int) -> Figure:
    """How many configurations are on each rung of each bracket; the one of now is ringed."""
    final: dict[int, Snapshot] = {snapshot.bracket: snapshot for snapshot in snapshots}
    rows = [
        (bracket, epochs, sum(epochs in runner.epochs for runner, _ in snapshot.trained))
        for bracket, snapshot in final.items()
        for epochs in sorted({e for runner, _ in snapshot.trained for e in runner.epochs})
    ]
    brackets, epochs, counts = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    marker = {"size": 10 + 2.6 * np.sqrt(counts), "color": faint(LIVE.arms[0], 0.25), "line": {"width": 0}}
    texts = {"text": [f"{n:.0f}" for n in counts], "textfont": {"color": LIVE.text, "size": 13}, "cliponaxis": False}
    dots = {"mode": "markers+text", "x": epochs, "y": brackets + 1, "marker": marker, **texts, "hoverinfo": "skip"}
    frames = [_place(snapshot) for snapshot in snapshots]
    ring = {"size": 36, "symbol": "circle-open", "color": LIVE.you, "line": {"width": 2.4}}
    n = int(brackets.max()) + 1
    return {
        "data": [
            {"type": "scatter", **dots},
            replaced({"type": "scatter", "mode": "markers", "marker": ring, "cliponaxis": False}, frames),
        ],
        "layout": layout(
            LIVE,
            revision="rungs",
            xaxis=_epochs_axis(longest),
            yaxis=axis(LIVE, "bracket", range=[n + 0.6, 0.4], dtick=1, fixedrange=True),
            showlegend=False,
            margin={"l": 56, "r": 16, "t": 8, "b": 44},
            dragmode=False,
        ),
    }


def workers_figure(schedules: Mapping[str, Sequence[Job]], n_workers: int) -> Figure:
    """What each worker does when, a colour for each rung; what is empty is waiting."""
    traces = []
    top = max(job.rung for jobs in schedules.values() for job in jobs)
    for rung in range(top + 1):
        x: list[float] = []
        y: list[float] = []
        for row, jobs in enumerate(schedules.values()):
            for job in (j for j in jobs if j.rung == rung):
                x += [job.begin, job.end, float("nan")]
                y += [row * (n_workers + 1) + job.worker] * 2 + [float("nan")]
        line = {"width": 13, "color": _RUNGS[rung % len(_RUNGS)]}
        shape = {"type": "scatter", "mode": "lines", "name": f"rung {rung + 1}", "line": line, "hoverinfo": "skip"}
        traces.append({**shape, "x": np.array(x), "y": np.array(y)})
    places = [row * (n_workers + 1) + (n_workers - 1) / 2 for row in range(len(schedules))]
    last = len(schedules) * (n_workers + 1) - 1.4
    ticks: dict[str, Any] = {"tickmode": "array", "tickvals": places, "ticktext": list(schedules)}
    return {
        "data": traces,
        "layout": layout(
            LIVE,
            revision="workers",
            xaxis=axis(LIVE, "seconds", fixedrange=True),
            yaxis=axis(LIVE, fixedrange=True, showgrid=False, range=[last, -0.6], **ticks),
            dragmode=False,
        ),
    }


def _place(snapshot: Snapshot) -> dict[str, Any]:
    if snapshot.rung is None:
        return {"x": [None], "y": [None]}
    epochs = max(epochs for (_, epochs), is_in in zip(snapshot.trained, snapshot.is_in, strict=True) if is_in)
    return {"x": [epochs], "y": [snapshot.bracket + 1]}


def _paths(trained: Sequence[tuple[Runner, float]], curves: Curves) -> dict[str, Floats]:
    """The curves one after the other, with gaps between them."""
    x: list[Floats] = [np.full(1, np.nan)]
    y: list[Floats] = [np.full(1, np.nan)]
    for runner, epochs in trained:
        at = np.append(np.geomspace(_FIRST, epochs, _POINTS), np.nan)
        x.append(at)
        y.append(np.append(curves.loss(runner.configuration, at[:-1]), np.nan))
    return {"x": np.concatenate(x).astype(np.float32), "y": np.concatenate(y).astype(np.float32)}


def _shape(name: str, colour: str, width: float, dash: str = "solid") -> dict[str, Any]:
    line = {"width": width, "color": colour, "dash": dash}
    return {"type": "scatter", "mode": "lines", "name": name, "line": line, "hoverinfo": "skip"}


def _curves(name: str, frames: Sequence[dict[str, Floats]], colour: str, width: float) -> dict[str, Any]:
    """With a dot where each ends, which is all that there is of one epoch."""
    size = 3.0 + 1.5 * width
    dotted = [
        {**f, "marker": {"color": colour, "size": np.where(_is_end(f["x"]), size, 0.0), "line": {"width": 0}}}
        for f in frames
    ]
    return replaced({**_shape(name, colour, width), "mode": "lines+markers"}, dotted)


def _is_end(x: Floats) -> NDArray[np.bool_]:
    """The last point before each gap."""
    is_gap = np.isnan(x)
    return np.asarray(~is_gap & np.append(is_gap[1:], True))


def _epochs_axis(longest: int) -> dict[str, Any]:
    places = [float(3**i) for i in range(6) if 3**i <= longest]
    ends = [float(np.log10(_EDGE)), float(np.log10(longest * 1.15))]
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": [f"{p:.0f}" for p in places]}
    return axis(LIVE, "epochs, log", type="log", range=ends, fixedrange=True, **ticks)


def _ends(traces: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """The lowest and the highest loss of all that is ever drawn."""
    frames = [frame for trace in traces for frame in [trace, *trace.get("meta", {}).get("frames", [])]]
    drawn = np.concatenate([frame["y"] for frame in frames if "y" in frame])
    return float(np.nanmin(drawn)), float(np.nanmax(drawn))


def _curves_layout(longest: int, lowest: float, highest: float) -> dict[str, Any]:
    ends = np.log10([0.9 * lowest, 1.1 * highest]).tolist()
    return layout(
        LIVE,
        revision="curves",
        xaxis=_epochs_axis(longest),
        yaxis=axis(LIVE, "validation loss, log", type="log", range=ends, fixedrange=True, tickformat="~g", dtick="D2"),
        dragmode=False,
    )
