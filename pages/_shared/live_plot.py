"""A live Plotly chart: refreshed in place, with clicks anywhere and brushes sent back.

`st.plotly_chart` is rebuilt whenever its data change (Streamlit 1.67): zoom, brush and camera are lost, and it reports
no clicks beside its points. The script of this component reads `_fullLayout` of plotly.js, so plotly is pinned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from hpo_core.plots import DARK, LIGHT
from pages._shared.assets import PLOTLY_PATH

_HERE = Path(__file__).parent
_PALETTES = {"light": LIGHT.palette(), "dark": DARK.palette()}
_COMPONENT = st.components.v2.component(
    "tuning_lab.live_plot",
    html='<div class="live-plot" role="figure"></div>',
    css=(_HERE / "live_plot.css").read_text(encoding="utf-8"),
    js=(_HERE / "live_plot.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class Click:
    """Where a chart was clicked.

    Attributes:
        x, y: Data values under the pointer: numbers, also on log axes, or the labels of category axes.
        z: Height on a 3-D surface.
        trial: Number of the trial whose mark was hit.
        on: plotly.js type of the trace that was hit; "" beside all traces.
    """

    x: Any = None
    y: Any = None
    z: float | None = None
    trial: int | None = None
    on: str = ""


@dataclass(frozen=True, slots=True)
class PlotEvents:
    """What the person did: the click of this run, if any, and the brushes that lie on the axes now, by axis name."""

    click: Click | None = None
    brush: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a chart is to do besides showing its figure.

    Attributes:
        brush: Brushes to lie on its axes, by axis name, in place of those there, whenever `brush_turn` is another.
        newest: Number of the trial that came last: marked for two seconds when it changes.
        image: "png" or "svg", to be saved whenever `image_turn` is another.
    """

    brush: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    brush_turn: int = 0
    newest: int | None = None
    image: str = "png"
    image_turn: int = 0

    def to_json(self) -> str:
        """As the script takes it."""
        brush = {"brush": dict(self.brush), "brushTurn": self.brush_turn}
        return json.dumps({**brush, "newest": self.newest, "image": {"format": self.image, "turn": self.image_turn}})


def live_plot(
    figure_json: str,
    *,
    key: str,
    height: int,
    alt: str,
    filename: str = "chart",
    orders: Orders | None = None,
    on_click: Callable[[], None] | None = None,
    on_brush: Callable[[], None] | None = None,
) -> PlotEvents:
    """Draws a figure and returns what was done with it.

    Args:
        figure_json: From `hpo_core.plots.figure_json`, drawn with the look `LIVE`.
        key: Names the chart among all runs: the same key is the same chart, refreshed.
        height: Pixels; the chart takes all the width there is.
        alt: A sentence with the finding, for those who do not see it.
        filename: Name of downloaded images, without the ending.
        orders: What the chart is to do besides.
        on_click, on_brush: Run before the next run of the page when the person clicks or brushes.
    """
    result = _COMPONENT(
        key=key,
        data=_payload(figure_json, height, alt, filename, (orders or Orders()).to_json()),
        default={"brush": {}},
        height=height,
        on_click_change=on_click or _nothing,
        on_brush_change=on_brush or _nothing,
    )
    return PlotEvents(_click(result.click), _brushes(result.brush))


def brushed(key: str) -> dict[str, tuple[float, float]]:
    """The brushes that a callback of the chart with this key is called for."""
    return _brushes(st.session_state[key].get("brush")) if key in st.session_state else {}


def clicked(key: str) -> Click | None:
    """The click that a callback of the chart with this key is called for."""
    return _click(st.session_state[key].get("click")) if key in st.session_state else None


@lru_cache(maxsize=32)
def _payload(figure_json: str, height: int, alt: str, filename: str, orders: str) -> bytes:
    """Kept, because a chart that is watched is sent each second, mostly as it was."""
    revision = hashlib.blake2b(f"{height} {alt} {figure_json}".encode(), digest_size=12).hexdigest()
    spec = {"figure": figure_json, "revision": revision, "height": height, "alt": alt, "filename": filename}
    return json.dumps({**spec, **json.loads(orders), "palettes": _PALETTES, "source": PLOTLY_PATH}).encode()


def _brushes(payload: Mapping[str, Any] | None) -> dict[str, tuple[float, float]]:
    return {str(name): (float(ends[0]), float(ends[1])) for name, ends in (payload or {}).items()}


def _click(payload: Mapping[str, Any] | None) -> Click | None:
    return Click(**{name: payload.get(name, getattr(Click(), name)) for name in Click.__slots__}) if payload else None


def _nothing() -> None:
    pass
