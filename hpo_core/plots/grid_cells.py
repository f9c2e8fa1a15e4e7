"""The cells of a grid: which are tried, with their best value, and which are still open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from hpo_core.analysis.selection import Rows, robust_limits
from hpo_core.analysis.units import unit_column
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, axis, glow, layout, plain
from hpo_core.space import Configuration, Float, Int
from hpo_core.studies.table import Floats, TrialTable

_MOST_LEVELS, _MOST_WORDS, _MOST_TICKS = 40, 120, 12
_SAME = 1e-6
_NONE = ""


@dataclass(frozen=True, eq=False)
class Rungs:
    """The values that one parameter takes in a grid.

    Attributes:
        name: The parameter; "" for the missing side of a grid of one parameter.
        values: The values, ascending for numbers.
        labels: What a person reads.
        places: Index of each trial's value among them, shape (n,); -1 where it takes none of them.
    """

    name: str
    values: list[Any]
    labels: list[str]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class GridCellsData:
    """What the cells of a grid draw. Cells are counted row by row: `y * len(x) + x`.

    Attributes:
        table: The study.
        x, y: The two parameters.
        best: Row of the best finished trial of each cell, shape (y * x,); -1 without any.
        tried: Trials of each cell that are finished, shape (y * x,).
        running: Trials of each cell in flight, shape (y * x,).
        cell_size: Combinations of the other parameters in each cell; None where that is not known.
        n_off: Trials that are on no cell.
    """

    table: TrialTable
    x: Rungs
    y: Rungs
    best: Rows
    tried: NDArray[np.int64]
    running: NDArray[np.int64]
    cell_size: int | None
    n_off: int

    @property
    def is_open(self) -> NDArray[np.bool_]:
        return np.asarray(self.tried + self.running == 0)

    @property
    def values(self) -> Floats:
        """The best value of each cell; NaN without any."""
        found = np.full(len(self.best), np.nan)
        found[self.best >= 0] = self.table.values[self.best[self.best >= 0]]
        return found


@dataclass(frozen=True)
class GridCells(Plot[GridCellsData]):
    """The combinations of two parameters, as a board."""

    key: ClassVar[str] = "grid_cells"
    label: ClassVar[str] = "Grid cells"
    place: ClassVar[int] = 120
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = (
        "Which combinations of two parameters are tried, with their best value, and which are open."
    )
    question: ClassVar[str] = "Which cells of the grid are still open?"
    how_to_read: ClassVar[str] = (
        "Each cell is a combination of two values: coloured by the best value found there, an empty square where "
        "nobody has been yet. Click a cell to load its best trial."
    )

    x: str = option("", "Across", "The parameter along the x axis.")
    y: str = option("", "Up", "The parameter along the y axis.")

    def why_unavailable(self, table: TrialTable) -> str | None:
        if not _candidates(table).any():
            return "No trial has finished yet. The first cell is filled as soon as one has."
        unknown = [name for name in (self.x, self.y) if name and name not in table.params]
        if unknown:
            return f"There is no parameter {unknown[0]!r}; there are {', '.join(table.params) or 'none'}."
        if self.x and self.x == self.y:
            return f"Both sides are {self.x}. Choose another parameter for one of them."
        levels = _all_levels(table)
        for name in (self.x, self.y):
            if name and name not in levels:
                return (
                    f"{name} takes one value, or more than {_MOST_LEVELS}, so it is no side of a grid. "
                    "Choose another, or search with the grid."
                )
        if not levels:
            return (
                f"No parameter takes from 2 to {_MOST_LEVELS} values here, so there is no grid to show. "
                "Search with the grid to see its cells."
            )
        return None

    def compute(self, table: TrialTable) -> GridCellsData:
        levels = _all_levels(table)
        x, y = (_rungs(table, name, levels) for name in self._sides(table, levels))
        n_cells = len(x) * len(y)
        usable = _candidates(table) | _is_running(table)
        on_grid = usable & (x.places >= 0) & (y.places >= 0)
        cells = np.where(on_grid, y.places * len(x) + x.places, 0)
        done = on_grid & ~_is_running(table)
        return GridCellsData(
            table=table,
            x=x,
            y=y,
            best=_best_rows(table, cells, on_grid, n_cells),
            tried=np.bincount(cells[done], minlength=n_cells),
            running=np.bincount(cells[on_grid & ~done], minlength=n_cells),
            cell_size=_cell_size(table, {x.name, y.name}),
            n_off=int((usable & ~on_grid).sum()),
        )

    def _sides(self, table: TrialTable, levels: Mapping[str, Floats]) -> tuple[str, str]:
        """The two parameters: chosen ones, then numbers before categories, in the order of the study."""
        free = [name for name in table.params if name in levels and name not in (self.x, self.y)]
        free.sort(key=lambda name: isinstance(table.distributions[name], CategoricalDistribution))
        x = self.x or (free.pop(0) if free else _NONE)
        return x, self.y or (free.pop(0) if free else _NONE)

    def draw(self, data: GridCellsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        traces = [_board(data, look), _bests(data, look), *_marks(data, look), *_star(data, look, current)]
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.x.name} {data.y.name}",
                xaxis=_side(data.x, look),
                yaxis=_side(data.y, look),
            ),
        }

    def locate(self, data: GridCellsData, x: Any, y: Any) -> Configuration:
        found: Configuration = {}
        for rungs, place in ((data.x, x), (data.y, y)):
            if rungs.name:
                found[rungs.name] = rungs.values[min(max(round(float(place)), 0), len(rungs) - 1)]
        return found

    def numbers(self, data: GridCellsData) -> pd.DataFrame:
        n_x, n_y = len(data.x), len(data.y)
        columns: dict[str, Any] = {data.x.name: data.x.labels * n_y}
        if data.y.name:
            columns[data.y.name] = [label for label in data.y.labels for _ in range(n_x)]
        numbers = [None if row < 0 else int(data.table.numbers[row]) for row in data.best.tolist()]
        return pd.DataFrame(
            {
                **columns,
                "trials": data.tried,
                "running": data.running,
                "best value": data.values,
                "trial": pd.array(numbers, dtype="Int64"),
            }
        )

    def alt(self, data: GridCellsData) -> str:
        n_open = int(data.is_open.sum())
        text = f"{len(data.best) - n_open:,} of {format_count(len(data.best), 'cell')} tried, {n_open:,} still open"
        signed = np.where(np.isnan(data.values), np.inf, data.table.sign * data.values)
        if not np.isfinite(signed).any():
            return text + "."
        cell = int(signed.argmin())
        return f"{text}; the best value, {format_score(float(data.values[cell]))}, is at {_place(data, cell)}."

    def caption(self, data: GridCellsData) -> str:
        n_open = int(data.is_open.sum())
        n_shown = int(data.tried.sum() + data.running.sum())
        text = (
            f"Showing {format_count(n_shown, 'trial')} on {format_count(len(data.best), 'cell')}, {n_open:,} still open"
        )
        if data.cell_size and data.cell_size > 1:
            text += f"; a cell holds {data.cell_size:,} combinations of the other parameters"
        return text + (f"; {format_count(data.n_off, 'trial')} beside the grid left out." if data.n_off else ".")


def _is_running(table: TrialTable) -> NDArray[np.bool_]:
    return np.asarray((table.states == TrialState.RUNNING.value) & ~table.is_hidden)


def _candidates(table: TrialTable) -> NDArray[np.bool_]:
    """Trials that were tried, with or without a value, shape (n,)."""
    return table.is_complete | table.is_pruned | table.is_failed


def _resolutions(table: TrialTable) -> dict[str, int]:
    """Values of each parameter as the latest trial of a grid search has recorded them; empty without any."""
    for row in range(len(table) - 1, -1, -1):
        text = table.thoughts[row]
        if text and '"resolution"' in text and '"plan"' not in text:
            thought = table.thought(row)
            resolution, single = thought.get("resolution"), thought.get("single") or {}
            if isinstance(resolution, int) and isinstance(single, dict):
                return {name: single.get(name, resolution) for name in table.params}
    return {}


def _all_levels(table: TrialTable) -> dict[str, Floats]:
    """Optuna's internal numbers of the values of every parameter that can be a side, ascending."""
    resolutions = _resolutions(table)
    tried = _candidates(table) | _is_running(table)
    found = {}
    for name, column in table.params.items():
        distribution = table.distributions[name]
        resolution = resolutions.get(name, 0)
        if isinstance(distribution, CategoricalDistribution):
            levels = np.arange(len(distribution.choices), dtype=float)
        elif resolution > 1:
            levels = _evenly(distribution, resolution)
        else:
            levels = np.unique(column[tried & ~np.isnan(column)])
        if 2 <= len(levels) <= _MOST_LEVELS:
            found[name] = levels
    return found


def _evenly(distribution: BaseDistribution, resolution: int) -> Floats:
    """The levels of a number, as `GridSearch` lays them."""
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    ends: dict[str, Any] = {"low": distribution.low, "high": distribution.high, "default": distribution.low}
    scale: dict[str, Any] = {"log": distribution.log, "step": distribution.step}
    kind = Int if isinstance(distribution, IntDistribution) else Float
    return np.array(kind(name="x", **ends, **scale).levels(resolution), dtype=float)


def _rungs(table: TrialTable, name: str, levels: Mapping[str, Floats]) -> Rungs:
    if name == _NONE:
        return Rungs(_NONE, [None], [""], np.zeros(len(table), dtype=np.int64))
    distribution, marks = table.distributions[name], levels[name]
    units, ladder = unit_column(distribution, table.params[name]), unit_column(distribution, marks)
    if np.ptp(ladder) == 0:  # a range too narrow, or too wide, for units to tell its values apart
        units, ladder = table.params[name], marks
    nearest = np.searchsorted((ladder[1:] + ladder[:-1]) / 2, units)
    is_there = np.abs(units - ladder[nearest]) <= _SAME * max(1.0, float(np.abs(ladder).max()))
    values = [distribution.to_external_repr(float(mark)) for mark in marks]
    labels = [plain(format_value(value)) for value in values]
    return Rungs(name, values, labels, np.where(is_there, nearest, -1))


def _best_rows(table: TrialTable, cells: NDArray[np.int64], on_grid: NDArray[np.bool_], n_cells: int) -> Rows:
    rows = np.flatnonzero(on_grid & table.is_complete & np.isfinite(table.values))
    best = np.full(n_cells, -1, dtype=np.int64)
    worst_first = rows[np.argsort(-table.sign * table.values[rows], kind="stable")]
    best[cells[worst_first]] = worst_first  # the last one written stays
    return best


def _cell_size(table: TrialTable, sides: set[str]) -> int | None:
    """Combinations of the other parameters, when a grid has recorded its resolution and nothing is conditional."""
    resolutions = _resolutions(table)
    if not resolutions or any(np.isnan(column).any() for column in table.params.values()):
        return None
    size = 1
    for name, resolution in resolutions.items():
        distribution = table.distributions[name]
        if name not in sides and isinstance(distribution, CategoricalDistribution):
            size *= len(distribution.choices)
        elif name not in sides and resolution > 1:
            size *= len(_evenly(distribution, resolution))
    return size


def _place(data: GridCellsData, cell: int) -> str:
    row, column = divmod(cell, len(data.x))
    sides = ((data.x, column), (data.y, row))
    return ", ".join(f"{plain(side.name)} {side.labels[place]}" for side, place in sides if side.name)


def _board(data: GridCellsData, look: Look) -> dict[str, Any]:
    """The colours of the cells; of the worse quarter of very bad values, all get the worst colour."""
    known = data.values[np.isfinite(data.values)]
    limits = robust_limits(known, data.table.sign)
    scale = look.scale if data.table.direction == "maximize" else look.scale[::-1]
    title = {"text": look.value_label, "font": {"size": 12, "color": look.muted}, "side": "top"}
    bar = {"title": title, "thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11, "color": look.muted}}
    return {
        "type": "heatmap",
        "x": np.arange(len(data.x)),
        "y": np.arange(len(data.y)),
        "z": data.values.reshape(len(data.y), len(data.x)),
        "zmin": limits.low,
        "zmax": limits.high,
        "xgap": 2,
        "ygap": 2,
        "colorscale": [[i / (len(scale) - 1), colour] for i, colour in enumerate(scale)],
        "colorbar": {**bar, "tickformat": ".3~g", "len": 0.9},
        "hoverinfo": "skip",
        "name": "best value",
    }


def _spots(data: GridCellsData, cells: Rows, name: str, **settings: Any) -> dict[str, Any]:
    rows, columns = np.divmod(cells, len(data.x))
    return {"type": "scatter", "mode": "markers", "x": columns, "y": rows, "name": name, **settings}


def _bests(data: GridCellsData, look: Look) -> dict[str, Any]:
    """The best trial of each cell, which a click loads; its value in words while there is room."""
    cells = np.flatnonzero(data.best >= 0)
    texts = [
        f"{_place(data, cell)}<br>best {format_score(value)} of {format_count(tried, 'trial')}"
        for cell, value, tried in zip(
            cells.tolist(), data.values[cells].tolist(), data.tried[cells].tolist(), strict=True
        )
    ]
    numbers = data.table.numbers[data.best[cells]].tolist()
    shown: dict[str, Any] = {"marker": {"size": 9, "color": look.surface, "opacity": 0.55}}
    if len(data.best) <= _MOST_WORDS:
        font = {"size": 11, "color": look.text, "shadow": glow(look)}
        words = [format_score(value) for value in data.values[cells].tolist()]
        shown = {"mode": "text", "text": words, "textfont": font}
    return _spots(
        data,
        cells,
        "tried",
        customdata=[[number, text] for number, text in zip(numbers, texts, strict=True)],
        hovertemplate="<b>trial %{customdata[0]}</b> · %{customdata[1]}<extra></extra>",
        showlegend=False,
        **shown,
    )


def _marks(data: GridCellsData, look: Look) -> list[dict[str, Any]]:
    """Cells without a value: open, running, or tried in vain."""
    kinds = (
        ("still open", data.is_open, {"symbol": "square-open", "size": 10, "color": look.muted}),
        ("running", data.running > 0, {"symbol": "hourglass-open", "size": 12, "color": look.text}),
        ("no value", (data.best < 0) & (data.tried > 0), {"symbol": "x-thin-open", "size": 10, "color": look.failed}),
    )
    return [
        _spots(data, cells, name, marker=marker, text=[_place(data, cell) for cell in cells.tolist()])
        | {"hovertemplate": f"%{{text}}<br>{name}<extra></extra>"}
        for name, mask, marker in kinds
        for cells in [np.flatnonzero(mask)]
    ]


def _star(data: GridCellsData, look: Look, current: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The sliders, where they stand on a cell."""
    places = []
    for rungs in (data.x, data.y):
        wanted = (current or {}).get(rungs.name) if rungs.name else None
        places.append(next((i for i, value in enumerate(rungs.values) if value == wanted), None))
    if current is None or None in places:
        return []
    star = {"symbol": "star", "size": 17, "color": look.you, "line": {"width": 1.2, "color": look.surface}}
    x, y = places
    return [_spots(data, np.array([(y or 0) * len(data.x) + (x or 0)]), "the sliders", marker=star, hoverinfo="skip")]


def _side(rungs: Rungs, look: Look) -> dict[str, Any]:
    stride = -(-len(rungs) // _MOST_TICKS)
    marks = list(range(0, len(rungs), stride))
    ticks = {"tickvals": marks, "ticktext": [rungs.labels[i] for i in marks]}
    return axis(look, plain(rungs.name), range=[-0.55, len(rungs) - 0.45], showgrid=False, **ticks)


GRID_CELLS = GridCells()
