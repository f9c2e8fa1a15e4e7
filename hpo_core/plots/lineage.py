"""Lineage: the members of a population in training, who copied whom, and the schedule that came out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna.distributions import CategoricalDistribution

from hpo_core.analysis.selection import Limits, robust_limits
from hpo_core.formats import format_count, format_score, format_value
from hpo_core.options import option
from hpo_core.plots import INSIDE, ArmStyle, Figure, Group, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._hover import hover
from hpo_core.plots._look import plain
from hpo_core.plots._marks import best_ring, outside_note
from hpo_core.plots._thoughts import Thought, is_count, thoughts_with
from hpo_core.schedule import Schedule
from hpo_core.studies.table import TrialTable

_MOST = 1500
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one member: its row, and the place (member, turn) that it went on from."""

    row: int
    member: int
    turn: int
    parent: Place | None

    @property
    def place(self) -> Place:
        return self.member, self.turn

    @property
    def is_copy(self) -> bool:
        return self.parent is not None and self.parent[0] != self.member


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of training with one value of a parameter; from and to are shares of the whole training."""

    begin: float
    end: float
    value: float


@dataclass(frozen=True, eq=False)
class LineageData:
    """What the picture of the lineage draws.

    Attributes:
        table: The study.
        arm: Whose members they are.
        turns: Those of one population that have a value, by place.
        line: Places of the ancestors of the best member and of itself, oldest first.
        parameter: Whose schedule is shown; "" where no number changed.
        steps: The schedule of the best member.
        round, n_rounds: Which population it is, from 0, and how many there are.
        limits: Range of values.
    """

    table: TrialTable
    arm: str
    turns: Mapping[Place, Turn]
    line: tuple[Place, ...]
    parameter: str
    steps: tuple[Step, ...]
    round: int
    n_rounds: int
    limits: Limits

    @property
    def best(self) -> Turn:
        return self.turns[self.line[-1]]

    def value(self, turn: Turn) -> float:
        return float(self.table.values[turn.row])


@dataclass(frozen=True)
class Lineage(Plot[LineageData]):
    """Members over their turns, and the schedule of the best."""

    key: ClassVar[str] = "lineage"
    label: ClassVar[str] = "Lineage"
    place: ClassVar[int] = 121
    group: ClassVar[Group | None] = INSIDE
    purpose: ClassVar[str] = "Members of population-based training, who copied whom, and the schedule that came out."
    question: ClassVar[str] = "Whose weights won, and how did their hyperparameters change on the way?"
    how_to_read: ClassVar[str] = (
        "Above, each mark is a member after a turn; thin lines go on, dotted ones copy another's weights, the thick "
        "line leads to the best member. Below, how the chosen hyperparameter changed along that line. Click a mark to "
        "load its trial."
    )
    height: ClassVar[int] = 560
    is_costly: ClassVar[bool] = True

    parameter: str = option("", "Schedule of", "Whose schedule is drawn; by itself the first that changed on the way.")
    back: int = option(0, "Populations back", "How many populations before the newest one is shown.", low=0, high=1000)

    def why_unavailable(self, table: TrialTable) -> str | None:
        found = _turns(table)
        if not found:
            return "No members have been recorded here. Search with population_based_training to see their lineage."
        if not _scored(table, self._population(found)[1]):
            return "No member has a value yet. The first mark appears as soon as one has ended its turn."
        if self.parameter and not _is_number(table, self.parameter):
            return f"{self.parameter!r} is no number of this study, so there is no schedule of it to draw."
        return None

    def _population(self, found: Mapping[int, list[Turn]]) -> tuple[int, list[Turn]]:
        rounds = sorted(found)
        number = rounds[max(len(rounds) - 1 - self.back, 0)]
        return number, found[number]

    def compute(self, table: TrialTable) -> LineageData:
        found = _turns(table)
        number, members = self._population(found)
        turns = _scored(table, members)
        # The last turn tells: earlier ones were trained less.
        last = max(turn.turn for turn in turns.values())
        ended = [turn for turn in turns.values() if turn.turn == last]
        best = min(ended, key=lambda turn: (table.sign * table.values[turn.row], turn.member))
        parameter = self.parameter or _first_changed(table, best.row)
        return LineageData(
            table=table,
            arm=str(table.arms[best.row]),
            turns=turns,
            line=_line_to(turns, best.place),
            parameter=parameter,
            steps=tuple(_steps(table, best.row, parameter)),
            round=number,
            n_rounds=len(found),
            limits=robust_limits(table.values[[turn.row for turn in turns.values()]], table.sign),
        )

    def draw(self, data: LineageData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        style = look.arm_styles(data.table.arm_names)[data.arm]
        traces = [
            _ways(data, "trains on", faint(style.colour, 0.3), is_copy=False),
            _ways(data, "copies", faint(look.muted, 0.8), is_copy=True),
            _path(data, style),
            _marks(data, style),
            best_ring(data.table, data.best.row, data.best.turn + 1, style.colour, look, is_right=True),
            *_schedule(data, style),
        ]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        sides: dict[str, Any] = {
            "xaxis": axis(look, "turn", anchor="y", dtick=max(1, (data.best.turn + 1) // 12)),
            "yaxis": axis(
                look,
                f"{look.value_label} {arrow}",
                range=[data.limits.low, data.limits.high],
                domain=[0.44 if data.steps else 0.0, 1.0],
            ),
        }
        if data.steps:
            kind = {"type": "log"} if data.table.is_log(data.parameter) and all(s.value > 0 for s in data.steps) else {}
            sides["xaxis2"] = axis(look, "share of the training", anchor="y2", range=[0.0, 1.0])
            sides["yaxis2"] = axis(look, plain(data.parameter), domain=[0.0, 0.26], anchor="x2", **kind)
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {data.round} {data.parameter}",
                annotations=outside_note(data.table, data.limits, look),
                **sides,
            ),
        }

    def numbers(self, data: LineageData) -> pd.DataFrame:
        turns = sorted(data.turns.values(), key=lambda turn: (turn.turn, turn.member))
        return pd.DataFrame(
            {
                "trial": [int(data.table.numbers[turn.row]) for turn in turns],
                "turn": [turn.turn + 1 for turn in turns],
                "member": [turn.member + 1 for turn in turns],
                "goes on from member": [turn.parent[0] + 1 if turn.parent else None for turn in turns],
                "value": [data.value(turn) for turn in turns],
                "leads to the best": [turn.place in data.line for turn in turns],
            }
        )

    def alt(self, data: LineageData) -> str:
        n_copied = sum(data.turns[place].is_copy for place in data.line)
        text = f"Member {data.best.member + 1} of {arm_label(data.arm)} leads after turn {data.best.turn + 1} with "
        text += f"{format_score(data.value(data.best))}; on the way to it weights were copied "
        text += format_count(n_copied, "time")
        if data.steps:
            values = [format_value(step.value) for step in (data.steps[0], data.steps[-1])]
            text += f", and {plain(data.parameter)} went from {values[0]} to {values[1]}"
        return text + "."

    def caption(self, data: LineageData) -> str:
        n_members = len({turn.member for turn in data.turns.values()})
        n_copies = sum(turn.is_copy for turn in data.turns.values())
        text = f"Showing {format_count(len(data.turns), 'turn')} of {format_count(n_members, 'member')}, "
        text += f"{n_copies:,} of them begun with another's weights"
        if data.n_rounds > 1:
            text += f"; population {data.round + 1} of {data.n_rounds}"
        if not data.steps:
            text += "; no number has changed on the way to the best member"
        return text + "."


def _turns(table: TrialTable) -> dict[int, list[Turn]]:
    """The turns of each population of the scheme that recorded last; of a turn that was begun again, the last."""
    thoughts = [t for t in thoughts_with(table, "round", "member", "turn", "scheme") if _is_sound(t)]
    found: dict[int, dict[Place, Turn]] = {}
    for row, said in thoughts:
        if said["scheme"] == thoughts[-1].said["scheme"]:
            turn = Turn(row, said["member"], said["turn"], _parent(said))
            found.setdefault(said["round"], {})[turn.place] = turn
    return {number: list(turns.values()) for number, turns in found.items()}


def _is_sound(thought: Thought) -> bool:
    return all(is_count(thought.said[key]) for key in ("round", "member", "turn"))


def _parent(said: Mapping[str, Any]) -> Place | None:
    """Where a turn went on from: a turn before its own."""
    parent = said.get("parent")
    if not (isinstance(parent, list) and len(parent) == 2 and all(map(is_count, parent))):
        return None
    return (parent[0], parent[1]) if parent[1] < said["turn"] else None


def _scored(table: TrialTable, turns: Iterable[Turn]) -> dict[Place, Turn]:
    scored = [turn for turn in turns if math.isfinite(table.values[turn.row])]
    return {turn.place: turn for turn in scored[-_MOST:]}


def _line_to(turns: Mapping[Place, Turn], place: Place) -> tuple[Place, ...]:
    line = [place]
    while (parent := turns[line[-1]].parent) in turns:
        assert parent is not None
        line.append(parent)
    return tuple(reversed(line))


def _is_number(table: TrialTable, name: str) -> bool:
    return name in table.distributions and not isinstance(table.distributions[name], CategoricalDistribution)


def _first_changed(table: TrialTable, row: int) -> str:
    own = table.configuration(row)
    past = Schedule.of_thought(table.thought(row)).past
    changed = [name for name in own if any(segment.configuration.get(name) != own[name] for segment in past)]
    return next((name for name in changed if _is_number(table, name)), "")


def _steps(table: TrialTable, row: int, parameter: str) -> Iterable[Step]:
    begin = 0.0
    for segment in Schedule.of_thought(table.thought(row)).segments(table.configuration(row)):
        value = segment.configuration.get(parameter)
        if isinstance(value, (int, float)) and math.isfinite(value):
            yield Step(begin, segment.until, float(value))
        begin = segment.until


def _ways(data: LineageData, name: str, colour: str, *, is_copy: bool) -> dict[str, Any]:
    """Lines from each turn to the one that it went on from, all in one trace."""
    ways = [
        (data.turns[turn.parent], turn)
        for turn in data.turns.values()
        if turn.parent is not None and turn.parent in data.turns and turn.is_copy == is_copy
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.array([x for before, turn in ways for x in (before.turn + 1, turn.turn + 1, math.nan)]),
        "y": np.array([y for before, turn in ways for y in (data.value(before), data.value(turn), math.nan)]),
        "line": {"color": colour, "width": 1.2, "dash": "dot" if is_copy else "solid"},
        "name": name,
        "hoverinfo": "skip",
    }


def _path(data: LineageData, style: ArmStyle) -> dict[str, Any]:
    turns = [data.turns[place] for place in data.line]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [turn.turn + 1 for turn in turns],
        "y": [data.value(turn) for turn in turns],
        "line": {"color": style.colour, "width": 3.5},
        "name": "leads to the best",
        "hoverinfo": "skip",
    }


def _marks(data: LineageData, style: ArmStyle) -> dict[str, Any]:
    turns = list(data.turns.values())
    shown = hover(data.table, np.array([turn.row for turn in turns], dtype=np.int64), style.label)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [turn.turn + 1 for turn in turns],
        "y": [data.value(turn) for turn in turns],
        "customdata": shown.customdata,
        "hovertemplate": shown.template,
        "marker": {
            "symbol": ["diamond" if turn.is_copy else "circle" for turn in turns],
            "size": 7,
            "color": style.colour,
            "opacity": 0.85,
        },
        "name": "member after a turn",
        "showlegend": False,
    }


def _schedule(data: LineageData, style: ArmStyle) -> list[dict[str, Any]]:
    if not data.steps:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [x for step in data.steps for x in (step.begin, step.end)],
            "y": [step.value for step in data.steps for _ in range(2)],
            "xaxis": "x2",
            "yaxis": "y2",
            "line": {"color": style.colour, "width": 2.5},
            "name": plain(data.parameter),
            "hovertemplate": "at %{x:.0%} of the training: %{y:.4~g}<extra></extra>",
            "showlegend": False,
        }
    ]


LINEAGE = Lineage()
