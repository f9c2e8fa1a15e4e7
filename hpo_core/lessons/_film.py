"""Films: pictures that are sent to the browser once, with all of their steps, and are played there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hpo_core.plots import Figure

Span = Literal["one", "side", "all"]


@dataclass(frozen=True, slots=True)
class Pick:
    """How places of a board are picked, by click or with the arrow keys.

    Attributes:
        label: What a screen reader calls it, with what the keys do.
        x, y: Where the arrow keys start from, in units of the axes.
        stride: How far an arrow key goes, in both directions; with Shift a fifth of it.
        is_walk: Whether an arrow key picks at once; else it moves a cross, and Enter picks.
        low, high: The corners that the cross stays between.
        has_y: Whether the height of the place counts; else the cross is a line.
    """

    label: str
    x: float = 0.5
    y: float = 0.5
    stride: float = 0.05
    is_walk: bool = False
    low: tuple[float, float] = (0.0, 0.0)
    high: tuple[float, float] = (1.0, 1.0)
    has_y: bool = True


@dataclass(frozen=True)
class Board:
    """One picture of a film.

    Attributes:
        key: Names it among those of the film.
        title: What it shows, often as a question.
        figure: A plotly.js figure, drawn with the look `LIVE`. Traces that change from step to step are marked by
            `growing` or `replaced`.
        alt: A sentence with the finding, for those who do not see it.
        note: How to read it; "" for nothing.
        says: A sentence for each step, shown below it; empty for none.
        height: Pixels; None makes it as high as it is wide.
        span: Its place where there is room: among the others ("one"), beside all of them ("side"), or over the whole
            width ("all").
        pick: How places on it are picked; None for not at all.
    """

    key: str
    title: str
    figure: Figure
    alt: str
    note: str = ""
    says: tuple[str, ...] = ()
    height: int | None = None
    span: Span = "one"
    pick: Pick | None = None


@dataclass(frozen=True)
class Film:
    """Pictures that are played together.

    Attributes:
        boards: From left to right.
        n_steps: The last step, 0 being the first: no buttons to play when it is 0.
        says: A sentence for each step, read aloud when the film rests; empty for none.
        noun: What a step is: "step", "trial", "epoch".
        plays: Whether it begins to play by itself at its first step, unless the system asks for less motion.
    """

    boards: tuple[Board, ...]
    n_steps: int = 0
    says: tuple[str, ...] = ()
    noun: str = "step"
    plays: bool = False


def growing(trace: dict[str, Any], until: Sequence[int]) -> dict[str, Any]:
    """A scatter trace of which the first points are shown: at step i as many as `until[i]`.

    The browser draws it once and then only shows and hides its points and lines, which takes no time.
    """
    line = {"simplify": False, **trace.get("line", {})}
    return {**trace, "line": line, "meta": {"until": [int(n) for n in until]}}


def replaced(trace: dict[str, Any], frames: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A trace of which some attributes, such as `z`, are others at each step. The browser draws it anew each time."""
    return {**trace, **frames[0], "meta": {"frames": list(frames)}}
