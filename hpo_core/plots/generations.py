"""Generations: how the values of an evolutionary search spread and improve, and who is whose child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hpo_core.analysis.selection import Limits, Rows, representative_rows, robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import INSIDE, Figure, Group, Look, Plot, arm_label, axis, faint, layout, plain
from hpo_core.plots._marks import best_ring, outside_note
from hpo_core.plots._thoughts import Thought, generation_of, of_newest_arm, thoughts_with
from hpo_core.space import configuration_digest
from hpo_core.studies.table import Floats, TrialTable

_MOST, _BEST = 1000, 300
_MOST_LINKS, _MOST_COLUMNS = 600, 600
_KNUTH = 2654435761


class Origin(NamedTuple):
    """How one trial came to be: its generation, its own name, the names of its parents, what made it."""

    generation: int
    name: str
    parents: tuple[str, ...]
    operator: str


@dataclass(frozen=True, eq=False)
class GenerationsData:
    """What the picture of generations draws.

    Attributes:
        table: The study.
        arm: Whose generations are shown.
        rows: Trials of its generations with a finite value, in order.
        at: Generation of each of `rows`.
        origins: By row, of all trials of the arm, scored or not.
        shown: Those of `rows` that are drawn as marks.
        generations: Generations that have a value, ascending; beside them the best, the median and both quartiles.
        links: Pairs of rows, parent and child, shape (k, 2).
        strangers: Rows of parents that others made, with the generation that they came into.
        n_arms: Arms that recorded generations in this study.
        limits: The range of values in view.
    """

    table: TrialTable
    arm: str
    rows: Rows
    at: NDArray[np.int64]
    origins: Mapping[int, Origin]
    shown: Rows
    generations: NDArray[np.int64]
    best: Floats
    median: Floats
    quartiles: Floats
    links: NDArray[np.int64]
    strangers: Mapping[int, int]
    n_arms: int
    limits: Limits

    def places(self, rows: Rows) -> Floats:
        """Where trials stand along the x axis: beside their generation, the same at each drawing."""
        share = (self.table.numbers[rows] * _KNUTH % 2**32) / 2**32 - 0.5
        at = [self.origins[r].generation if r in self.origins else self.strangers[r] for r in rows.tolist()]
        return np.asarray(np.array(at, dtype=float) + 0.5 * share)


@dataclass(frozen=True)
class Generations(Plot[GenerationsData]):
    """Values by generation with their ancestry."""

    key: ClassVar[str] = "generations"
    label: ClassVar[str] = "Generations"
    place: ClassVar[int] = 110
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "The values of each generation of an evolutionary search, and who is whose child."
    question: ClassVar[str] = "Does each generation get better, and from whom?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial in the column of its generation; the lines are the best and the median of each, the band "
        "holds the middle half. Thin lines lead from parents to their children in the newest generations. Hover says "
        "what made a trial; click loads it."
    )
    is_costly: ClassVar[bool] = True

    ancestry: int = option(
        3, "Generations with parents", "For how many of the newest generations parents are shown.", low=0, high=50
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        found = _of_generations(table)
        if not found:
            return (
                "No trial here belongs to a generation. Search with an evolutionary method, such as genetic, "
                "differential_evolution, particle_swarm, nsga2 or cma_es."
            )
        if not _is_scored(table)[[thought.row for thought in of_newest_arm(table, found)]].any():
            return "No trial of a generation has a finite value yet. The first mark appears with the first one."
        return None

    def compute(self, table: TrialTable) -> GenerationsData:
        found = _of_generations(table)
        mine = of_newest_arm(table, found)
        origins = {thought.row: _origin(thought) for thought in mine}
        rows = np.array(list(origins), dtype=np.int64)
        rows = rows[_is_scored(table)[rows]]
        at = np.array([origins[row].generation for row in rows.tolist()], dtype=np.int64)
        links, strangers = _links(table, origins, max(at.max() - self.ancestry + 1, 1) if self.ancestry else None)
        shown = representative_rows(table, rows, _MOST, _BEST)
        generations, best, median, quartiles = _by_generation(at, table.values[rows], table.sign)
        return GenerationsData(
            table=table,
            arm=str(table.arms[mine[-1].row]),
            rows=rows,
            at=at,
            origins=origins,
            shown=shown,
            generations=generations,
            best=best,
            median=median,
            quartiles=quartiles,
            links=links,
            strangers=strangers,
            n_arms=len({str(table.arms[thought.row]) for thought in found}),
            limits=robust_limits(table.values[rows], table.sign),
        )

    def draw(self, data: GenerationsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        styles = look.arm_styles(data.table.arm_names)
        style = styles[data.arm]
        strangers = np.array(sorted(data.strangers), dtype=np.int64)
        names = [styles[str(arm)].label for arm in data.table.arms[strangers]]
        traces = [
            *_band(data, style.colour),
            _link_lines(data, look),
            _marks(data, data.shown, [style.label] * len(data.shown), style.label, style.symbol, style.colour),
            _marks(data, strangers, names, "parents from elsewhere", "diamond-open", look.text),
            _line(data, data.median, "median", faint(style.colour, 0.75), "dot"),
            _line(data, data.best, "best of the generation", style.colour, "solid"),
            *_ring(data, style.colour, look),
        ]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        first, last = int(data.generations[0]), int(data.generations[-1])
        if data.strangers:
            first = min(first, *data.strangers.values())
        steps = {"tick0": 0, "dtick": 1} if last - first < 12 else {}
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.arm}",
                xaxis=axis(look, "generation", range=[first - 0.6, last + 0.6], showgrid=False, **steps),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                annotations=outside_note(data.table, data.limits, look),
            ),
        }

    def numbers(self, data: GenerationsData) -> pd.DataFrame:
        table, origins = data.table, [data.origins[row] for row in data.rows.tolist()]
        return pd.DataFrame(
            {
                "trial": table.numbers[data.rows],
                "generation": data.at,
                "name": [origin.name for origin in origins],
                "value": table.values[data.rows],
                "made by": [origin.operator for origin in origins],
                "parents": [", ".join(origin.parents) for origin in origins],
            }
        )

    def alt(self, data: GenerationsData) -> str:
        first, last = float(data.median[0]), float(data.median[-1])
        best = float((data.table.sign * data.best).min() * data.table.sign)
        text = f"{format_count(len(data.generations), 'generation')} of {arm_label(data.arm)}"
        if len(data.generations) > 1:
            text += f"; their median went from {format_score(first)} to {format_score(last)}"
        return f"{text}; the best value is {format_score(best)}."

    def caption(self, data: GenerationsData) -> str:
        n = len(data.rows)
        if len(data.shown) < n:
            text = f"Showing {len(data.shown):,} of {n:,} trials with a value (best {_BEST} and a sample)"
        else:
            text = f"Showing {'all ' if n > 1 else ''}{format_count(n, 'trial')} with a value"
        text += f" in {format_count(len(data.generations), 'generation')} of {arm_label(data.arm)}"
        return text + (f", the newest of {data.n_arms} arms with generations." if data.n_arms > 1 else ".")


def _of_generations(table: TrialTable) -> list[Thought]:
    return [thought for thought in thoughts_with(table, "generation") if generation_of(thought) is not None]


def _is_scored(table: TrialTable) -> NDArray[np.bool_]:
    return table.is_complete & np.isfinite(table.values)


def _origin(thought: Thought) -> Origin:
    said = thought.said
    parents = said.get("parents")
    names = tuple(map(str, parents)) if isinstance(parents, list) else ()
    return Origin(generation_of(thought) or 0, str(said.get("id", "")), names, str(said.get("operator", "")))


def _by_generation(
    at: NDArray[np.int64], values: Floats, sign: float
) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Of each generation the best, the median and both quartiles."""
    generations, where = np.unique(at, return_inverse=True)
    parts = np.split(values[np.argsort(where, kind="stable")], np.cumsum(np.bincount(where))[:-1])
    best = np.array([sign * (sign * part).min() for part in parts])
    low, median, high = np.array([np.quantile(part, [0.25, 0.5, 0.75]) for part in parts]).T
    return generations, best, median, np.array([low, high])


def _links(
    table: TrialTable, origins: Mapping[int, Origin], since: int | None
) -> tuple[NDArray[np.int64], dict[int, int]]:
    """Pairs of parent and child for children from a generation on; of parents made by others, where they came in."""
    if since is None:
        return np.empty((0, 2), dtype=np.int64), {}
    is_scored = _is_scored(table)
    children = {row: o for row, o in origins.items() if o.generation >= since and is_scored[row]}
    wanted = {name for origin in children.values() for name in origin.parents}
    row_of = {o.name: row for row, o in origins.items() if o.name in wanted and is_scored[row]}
    strangers = _strangers(table, origins, wanted - row_of.keys())
    row_of |= strangers
    pairs = [(row_of[name], row) for row, o in children.items() for name in dict.fromkeys(o.parents) if name in row_of]
    links = np.array(pairs[-_MOST_LINKS:], dtype=np.int64).reshape(-1, 2)
    used = set(links[:, 0].tolist())
    return links, {row: _came_into(origins, row) for row in strangers.values() if row in used}


def _strangers(table: TrialTable, origins: Mapping[int, Origin], names: set[str]) -> dict[str, int]:
    """Rows of the trials of others that bear these names: their first letter and a digest of the configuration."""
    digests = {name[1:]: name for name in names if name.startswith("x")}
    if not digests:
        return {}
    others = [row for row in np.flatnonzero(_is_scored(table)).tolist() if row not in origins]
    found = {configuration_digest(table.configuration(row)): row for row in reversed(others)}
    return {name: found[digest] for digest, name in digests.items() if digest in found}


def _came_into(origins: Mapping[int, Origin], row: int) -> int:
    """The generation that was open when a trial of others came."""
    return max((origin.generation for other, origin in origins.items() if other < row), default=0)


def _marks(data: GenerationsData, rows: Rows, labels: list[str], name: str, symbol: str, colour: str) -> Figure:
    texts = [_words(data, row, label) for row, label in zip(rows.tolist(), labels, strict=True)]
    is_dense = len(rows) > 400
    return {
        "type": "scatter",
        "mode": "markers",
        "x": data.places(rows),
        "y": data.table.values[rows],
        "name": name,
        "customdata": [[number, text] for number, text in zip(data.table.numbers[rows].tolist(), texts, strict=True)],
        "hovertemplate": "<b>trial %{customdata[0]}</b> · %{customdata[1]}<extra></extra>",
        "marker": {
            "symbol": symbol,
            "size": 5.0 if is_dense else 7.0,
            "color": colour,
            "opacity": 0.55 if is_dense else 0.85,
            "line": {"width": 1.4, "color": colour},
        },
    }


def _words(data: GenerationsData, row: int, label: str) -> str:
    value = format_score(float(data.table.values[row]))
    origin = data.origins.get(row)
    if origin is None:
        return f"{label}<br>{value}"
    text = f"{label} {plain(origin.name)}<br>{value}<br>{plain(origin.operator)[:80]}"
    return text + (f" of {plain(', '.join(origin.parents[:4]))}" if origin.parents else "")


def _link_lines(data: GenerationsData, look: Look) -> Figure:
    ends = data.links.ravel()
    gap = np.full(len(data.links), np.nan)

    def path(along: Floats) -> Floats:
        return np.column_stack([along.reshape(-1, 2), gap]).ravel()

    return {
        "type": "scatter",
        "mode": "lines",
        "x": path(data.places(ends)).astype(np.float32) if len(ends) else ends,
        "y": path(data.table.values[ends]) if len(ends) else ends,
        "line": {"width": 0.8, "color": faint(look.muted, 0.45)},
        "hoverinfo": "skip",
        "name": "parents to children",
    }


def _line(data: GenerationsData, values: Floats, name: str, colour: str, dash: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines" if len(values) > 1 else "markers",
        "x": data.generations[_thinned(data)],
        "y": values[_thinned(data)],
        "name": name,
        "line": {"width": 2.2, "color": colour, "dash": dash},
        "marker": {"symbol": "line-ew-open", "size": 22, "color": colour, "line": {"width": 2.2}},
        "hovertemplate": f"{name} %{{x}}: %{{y:.4~g}}<extra></extra>",
    }


def _thinned(data: GenerationsData) -> Rows:
    """Places of the generations that lines go through: all, or so many as a screen can tell apart."""
    n = len(data.generations)
    return np.unique(np.linspace(0, n - 1, min(n, _MOST_COLUMNS)).round().astype(np.int64))


def _band(data: GenerationsData, colour: str) -> list[Figure]:
    at = _thinned(data)
    shape = {"type": "scatter", "mode": "lines", "x": data.generations[at], "line": {"width": 0}, "hoverinfo": "skip"}
    low, high = ({**shape, "y": edge[at], "showlegend": False, "name": "middle half"} for edge in data.quartiles)
    return [low, {**high, "fill": "tonexty", "fillcolor": faint(colour, 0.13)}]


def _ring(data: GenerationsData, colour: str, look: Look) -> list[Figure]:
    row = data.table.best()
    if row is None or row not in data.shown:
        return []
    x = float(data.places(np.array([row]))[0])
    first, last = int(data.generations[0]), int(data.generations[-1])
    return [best_ring(data.table, row, x, colour, look, is_right=x > first + 0.7 * (last - first))]


GENERATIONS = Generations()
