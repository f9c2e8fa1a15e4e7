"""The architecture diagram: the best networks of a study, drawn layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna.distributions import IntDistribution

from hpo_core.analysis.selection import Rows
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.studies.table import TrialTable

_DEPTH = "n_layers"
_HALF_BOX, _TALLEST = 0.3, 0.3
_ENDS = ("in", "out")


@dataclass(frozen=True, slots=True)
class Network:
    """One architecture, of the best trial that has it.

    Attributes:
        row: That trial in the table.
        widths: Neurons of each hidden layer.
        activation: "" where the study has no such parameter.
        skip: Whether layers add their input to their output.
    """

    row: int
    widths: tuple[int, ...]
    activation: str
    skip: bool


@dataclass(frozen=True, eq=False)
class DiagramData:
    """The best architectures, the best first; `n_architectures` are all that have a value."""

    table: TrialTable
    networks: tuple[Network, ...]
    n_architectures: int

    @property
    def deepest(self) -> int:
        return max(len(network.widths) for network in self.networks)

    def label(self, network: Network) -> str:
        return f"trial {self.table.numbers[network.row]}: {format_score(float(self.table.values[network.row]))}"


@dataclass(frozen=True)
class ArchitectureDiagram(Plot[DiagramData]):
    """Layers as boxes with their widths, skips as arcs above them."""

    key: ClassVar[str] = "architecture_diagram"
    label: ClassVar[str] = "Architecture"
    place: ClassVar[int] = 122
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "The best network architectures: layers, widths, activation and skips."
    question: ClassVar[str] = "What does the best network look like?"
    how_to_read: ClassVar[str] = (
        "Each row is an architecture, the best on top, from input to output. A box is a layer, its height grows with "
        "the logarithm of its neurons, an arc above is a skip connection. Click a box to load its trial."
    )

    top: int = option(3, "Architectures", "So many of the best, those of the same shape drawn once.", low=1, high=8)

    def why_unavailable(self, table: TrialTable) -> str | None:
        names = ("units_1", _DEPTH)
        if not all(isinstance(table.distributions.get(name), IntDistribution) for name in names):
            return (
                "This study searches no network layers. Choose the model Network architecture or Neural network to see "
                "the best one drawn here."
            )
        if not len(_usable(table)):
            return "No network has a value yet. The first is drawn as soon as one has been trained."
        return None

    def compute(self, table: TrialTable) -> DiagramData:
        usable = _usable(table)
        found: dict[tuple[Any, ...], Network] = {}
        for row in usable[np.argsort(table.sign * table.values[usable], kind="stable")].tolist():
            network = _network(table, row)
            found.setdefault((network.widths, network.activation, network.skip), network)
        return DiagramData(table, tuple(found.values())[: self.top], len(found))

    def draw(self, data: DiagramData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        n = len(data.networks)
        traces = [_boxes(data, network, y, look) for y, network in enumerate(data.networks)]
        shapes = [shape for y, network in enumerate(data.networks) for shape in _shapes(network, y, look)]
        return {
            "data": traces,
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.top}",
                xaxis=axis(look, range=[-0.6, data.deepest + 1.6], showgrid=False, showticklabels=False),
                yaxis=axis(
                    look,
                    range=[n - 0.3, -0.75],
                    tickvals=list(range(n)),
                    ticktext=[data.label(network) for network in data.networks],
                    showgrid=False,
                    tickfont={"size": 12, "color": look.text},
                ),
                shapes=shapes,
                showlegend=False,
            ),
        }

    def numbers(self, data: DiagramData) -> pd.DataFrame:
        networks = data.networks
        return pd.DataFrame(
            {
                "trial": [int(data.table.numbers[network.row]) for network in networks],
                "value": [float(data.table.values[network.row]) for network in networks],
                "layers": [len(network.widths) for network in networks],
                "widths": [" ".join(map(str, network.widths)) for network in networks],
                "activation": [network.activation for network in networks],
                "skips": [network.skip for network in networks],
            }
        )

    def alt(self, data: DiagramData) -> str:
        best = data.networks[0]
        widths = ", ".join(map(str, best.widths))
        how = f" with {best.activation}" if best.activation else ""
        skips = ", each with a skip connection" if best.skip else ""
        layers = format_count(len(best.widths), "hidden layer")
        return f"The best network, {data.label(best)}, has {layers} of {widths} neurons{how}{skips}."

    def caption(self, data: DiagramData) -> str:
        return (
            f"Showing {len(data.networks)} of {format_count(data.n_architectures, 'architecture')} that have a value, "
            "each by its best trial, which other parameters made good as well."
        )


def _usable(table: TrialTable) -> Rows:
    missing = np.full(len(table), np.nan)
    is_there = ~np.isnan(table.params.get(_DEPTH, missing)) & ~np.isnan(table.params.get("units_1", missing))
    return np.flatnonzero(table.is_complete & np.isfinite(table.values) & is_there)


def _network(table: TrialTable, row: int) -> Network:
    missing = np.full(len(table), np.nan)
    depth = int(table.params[_DEPTH][row])
    widths = [table.params.get(f"units_{i}", missing)[row] for i in range(1, depth + 1)]
    chosen = {name: _choice(table, name, row) for name in ("activation", "skip")}
    known = tuple(int(width) for width in widths if not np.isnan(width))
    return Network(row, known, chosen["activation"], chosen["skip"] == "True")


def _choice(table: TrialTable, name: str, row: int) -> str:
    column = table.params.get(name)
    if column is None or np.isnan(column[row]):
        return ""
    return str(table.distributions[name].to_external_repr(float(column[row])))


def _boxes(data: DiagramData, network: Network, y: int, look: Look) -> dict[str, Any]:
    """The words in the boxes, which also are what is clicked."""
    number = int(data.table.numbers[network.row])
    words = [_ENDS[0], *map(str, network.widths), _ENDS[1]]
    activation = plain(network.activation)
    said = [f"{w} neurons" + (f", {activation}" if activation else "") for w in network.widths]
    return {
        "type": "scatter",
        "mode": "text",
        "x": list(range(len(words))),
        "y": [y] * len(words),
        "text": [words[0], *(f"<b>{w}</b><br>{activation}" for w in network.widths), words[-1]],
        "textfont": {"size": 11, "color": look.text},
        "customdata": [[number, text] for text in (_ENDS[0], *said, _ENDS[1])],
        "hovertemplate": "<b>trial %{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    }


def _shapes(network: Network, y: int, look: Look) -> list[dict[str, Any]]:
    """Boxes, the arrows between them, and arcs for skips."""
    heights = [0.18, *(_height(width) for width in network.widths), 0.18]
    line = {"color": look.muted, "width": 1.4}
    shapes: list[dict[str, Any]] = []
    for x, height in enumerate(heights):
        is_hidden = 0 < x < len(heights) - 1
        fill = faint(look.arms[0], 0.18) if is_hidden else look.surface
        box = {"x0": x - _HALF_BOX, "x1": x + _HALF_BOX, "y0": y - height, "y1": y + height}
        edge = {"color": look.arms[0] if is_hidden else look.muted, "width": 1.4}
        shapes.append({"type": "rect", **box, "fillcolor": fill, "line": edge, "layer": "below"})
        if x:
            shapes.append(
                {"type": "line", "x0": x - 1 + _HALF_BOX, "x1": x - _HALF_BOX, "y0": y, "y1": y, "line": line}
            )
        if is_hidden and network.skip:
            shapes.append(_arc(x, y, max(heights[x - 1], height), look))
    return shapes


def _arc(x: int, y: int, height: float, look: Look) -> dict[str, Any]:
    """From before a layer to behind it, over its box; the axis points down."""
    start, end, top = x - 0.5, x + 0.5, y - 2 * height - 0.12
    path = f"M {start},{y} C {start},{top} {end},{top} {end},{y}"
    return {"type": "path", "path": path, "line": {"color": look.arms[1], "width": 2}, "layer": "below"}


def _height(width: int) -> float:
    """Half the height of a box, from 4 neurons and fewer to 512 and more."""
    share = (math.log2(max(width, 4)) - 2) / 7
    return 0.13 + (_TALLEST - 0.13) * min(share, 1.0)


ARCHITECTURE_DIAGRAM = ArchitectureDiagram()
