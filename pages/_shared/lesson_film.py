"""The pictures of a lesson in the browser: sent once, played there; what is picked on them comes back."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from hpo_core.lessons import Board, Film, Pick
from hpo_core.plots import DARK, LIGHT, figure_json
from pages._shared.assets import PLOTLY_PATH

_HERE = Path(__file__).parent
_PALETTES = {"light": LIGHT.palette(), "dark": DARK.palette()}
_MOST_PICKS = 60
_COMPONENT = st.components.v2.component(
    "tuning_lab.lesson_film",
    html='<div class="film"></div>',
    css=(_HERE / "lesson_film.css").read_text(encoding="utf-8"),
    js=(_HERE / "lesson_film.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def lesson_film(
    film: Film,
    *,
    key: str,
    scene: str,
    step: int,
    n_moves: int,
    on_pick: Callable[[], None],
    on_step: Callable[[], None],
) -> None:
    """Draws a film.

    Args:
        film: What is drawn.
        key: Names it among all runs.
        scene: Another text where the film is another one, which then begins at its step; the same where the same
            film has only changed.
        step: Where it stands.
        n_moves: How many moves the server has taken in.
        on_pick, on_step: Run before the next run of the page when places were picked, or when the film rests.
    """
    spec = {
        "boards": [_board(board) for board in film.boards],
        "steps": film.n_steps,
        "says": film.says,
        "noun": film.noun,
        "plays": film.plays,
        "scene": scene,
        "step": min(step, film.n_steps),
        "moves": n_moves,
    }
    revision = hashlib.blake2b(json.dumps(spec).encode(), digest_size=12).hexdigest()
    data = json.dumps({**spec, "revision": revision, "palettes": _PALETTES, "source": PLOTLY_PATH}).encode()
    _COMPONENT(key=key, data=data, on_picks_change=on_pick, on_place_change=on_step)


def picks(key: str, n_moves: int) -> list[tuple[float, float]]:
    """The places that a callback of the film with this key is called for, without those that were taken in before."""
    sent = _sent(key, "picks")
    start, points = sent.get("from"), sent.get("points")
    if not isinstance(start, int) or not isinstance(points, list) or not start <= n_moves <= start + len(points):
        return []
    new = points[n_moves - start :][:_MOST_PICKS]
    return [(float(p[0]), float(p[1])) for p in new if isinstance(p, list) and len(p) == 2 and _are_finite(p)]


def place(key: str) -> int:
    """The step at which the film with this key rests."""
    step = _sent(key, "place").get("step")
    return step if isinstance(step, int) and step >= 0 else 0


def _sent(key: str, what: str) -> dict[str, Any]:
    """What the browser sent, which may be anything."""
    sent = st.session_state[key].get(what) if key in st.session_state else None
    return dict(sent) if sent else {}


def _are_finite(pair: list[Any]) -> bool:
    return all(isinstance(value, (int, float)) and math.isfinite(value) for value in pair)


def _board(board: Board) -> dict[str, Any]:
    return {
        "key": board.key,
        "title": board.title,
        "figure": figure_json(board.figure),
        "alt": board.alt,
        "note": board.note,
        "says": board.says,
        "height": board.height,
        "span": board.span,
        "pick": _pick(board.pick) if board.pick else None,
    }


def _pick(pick: Pick) -> dict[str, Any]:
    return {
        "label": pick.label,
        "x": pick.x,
        "y": pick.y,
        "stride": pick.stride,
        "walks": pick.is_walk,
        "low": pick.low,
        "high": pick.high,
        "tall": pick.has_y,
    }
