"""Rungs: how configurations climb from small fits to whole ones, and who was dropped where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hpo_core.analysis.selection import Limits, Rows, robust_limits
from hpo_core.formats import format_count, format_score
from hpo_core.options import option
from hpo_core.plots import INSIDE, ArmStyle, Figure, Group, Look, Plot, arm_label, axis, faint, layout
from hpo_core.plots._hover import hover
from hpo_core.plots._marks import best_ring, note_style, outside_note
from hpo_core.plots._thoughts import Thought, is_count, thoughts_with
from hpo_core.schedule import is_share
from hpo_core.studies.table import Floats, TrialTable

_MOST, _MOST_LINES, _FEWEST = 1500, 300, 4
_GONE_ON, _DROPPED = "went on", "dropped"


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The trials on rungs, those of each bracket and configuration in a row; all of shape (n,).

    Attributes:
        rows: Rows in the table.
        brackets, slots: Which bracket, and which configuration of it.
        resources: Share of a whole fit.
        is_kept: Whether the configuration is on a higher rung of its bracket as well, or had its whole fits.
    """

    rows: Rows
    brackets: Rows
    slots: Rows
    resources: Floats
    is_kept: np.ndarray[Any, np.dtype[np.bool_]]

    def take(self, chosen: np.ndarray[Any, Any]) -> Ladder:
        """Some of them, by mask."""
        return Ladder(
            self.rows[chosen],
            self.brackets[chosen],
            self.slots[chosen],
            self.resources[chosen],
            self.is_kept[chosen],
        )


@dataclass(frozen=True, eq=False)
class RungsData:
    """What the picture of the rungs draws.

    Attributes:
        table: The study.
        arm: Whose rungs they are.
        ladder: All trials of the brackets that are shown.
        drawn: Those of them that are drawn.
        n_brackets: Brackets that there are.
        agreement: By pair of neighbouring shares, the rank correlation of values and from how many configurations.
        limits: Range of values.
    """

    table: TrialTable
    arm: str
    ladder: Ladder
    drawn: Ladder
    n_brackets: int
    agreement: tuple[tuple[float, float, float, int], ...]
    limits: Limits


@dataclass(frozen=True)
class Rungs(Plot[RungsData]):
    """Values by resource, with a line for each configuration that climbed."""

    key: ClassVar[str] = "rungs"
    label: ClassVar[str] = "Rungs"
    place: ClassVar[int] = 120
    purpose: ClassVar[str] = "Who went on from each rung, who was dropped, and what more training made of them."
    question: ClassVar[str] = "Who survives, and do early scores foretell late ones?"
    how_to_read: ClassVar[str] = (
        "Each mark is a trial at its share of a whole fit, to the right the whole ones; a line follows one "
        "configuration up its bracket. Filled marks went on, hollow ones were dropped. Lines that cross a lot say "
        "that early scores foretell little. Click a mark to load its trial."
    )
    is_costly: ClassVar[bool] = True
    group: ClassVar[Group | None] = INSIDE

    bracket: int = option(0, "Bracket", "Which bracket is shown, from 1; 0 for all of them.", low=0, high=10_000)

    def why_unavailable(self, table: TrialTable) -> str | None:
        found = _ladder(table)
        if not len(found.rows):
            return (
                "No rungs have been recorded here. Search with successive_halving, hyperband, asha or bohb to see "
                "configurations climb."
            )
        n = len(np.unique(found.brackets))
        if self.bracket > n:
            return f"There is no bracket {self.bracket} yet, only {format_count(n)}. Choose a lower one, or 0 for all."
        if not np.isfinite(table.values[self._chosen(found).rows]).any():
            return "No trial on these rungs has a value yet. Its mark appears as soon as one has."
        return None

    def _chosen(self, ladder: Ladder) -> Ladder:
        if not self.bracket:
            return ladder
        return ladder.take(ladder.brackets == np.unique(ladder.brackets)[self.bracket - 1])

    def compute(self, table: TrialTable) -> RungsData:
        found = _ladder(table)
        ladder = self._chosen(found)
        scored = ladder.take(np.isfinite(table.values[ladder.rows]))
        return RungsData(
            table=table,
            arm=str(table.arms[found.rows[-1]]),
            ladder=ladder,
            drawn=_representative(scored, table),
            n_brackets=len(np.unique(found.brackets)),
            agreement=tuple(_agreement(scored, table)),
            limits=robust_limits(table.values[scored.rows], table.sign),
        )

    def draw(self, data: RungsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        style = look.arm_styles(data.table.arm_names)[data.arm]
        shares = np.unique(data.ladder.resources)
        kept = data.drawn.is_kept
        traces = [
            _lines(data, style),
            _marks(data, ~kept, _DROPPED, "circle-open", faint(look.muted, 0.8), 6.0),
            _marks(data, kept, _GONE_ON, "circle", style.colour, 8.0),
            *_best(data, style, look),
        ]
        arrow = "↑" if data.table.direction == "maximize" else "↓"
        ticks = {"tickvals": np.log(shares), "ticktext": [share_label(share) for share in shares.tolist()]}
        room = [float(np.log(shares[0])) - 0.25, 0.25]
        return {
            "data": [trace for trace in traces if len(trace["x"])],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.bracket}",
                xaxis=axis(look, "share of a whole fit", range=room, **ticks),
                yaxis=axis(look, f"{look.value_label} {arrow}", range=[data.limits.low, data.limits.high]),
                annotations=[*_counts(data, look), *outside_note(data.table, data.limits, look)],
            ),
        }

    def numbers(self, data: RungsData) -> pd.DataFrame:
        ladder, table = data.ladder, data.table
        return pd.DataFrame(
            {
                "trial": table.numbers[ladder.rows],
                "bracket": ladder.brackets + 1,
                "configuration": ladder.slots + 1,
                "share of a whole fit": ladder.resources,
                "value": table.values[ladder.rows],
                "outcome": np.where(ladder.is_kept, _GONE_ON, _DROPPED),
            }
        )

    def alt(self, data: RungsData) -> str:
        begun = len(np.unique(np.column_stack([data.ladder.brackets, data.ladder.slots]), axis=0))
        n_whole = int((data.ladder.resources == 1.0).sum())
        text = f"{format_count(begun, 'configuration')} of {arm_label(data.arm)} began, {n_whole} had whole fits"
        best = _best_row(data)
        if best is not None:
            value = format_score(float(data.table.values[best]))
            text += f"; the best of those, trial {data.table.numbers[best]}, reached {value}"
        return text + "."

    def caption(self, data: RungsData) -> str:
        text = f"Showing {len(data.drawn.rows):,} of {format_count(len(data.ladder.rows), 'trial')} on rungs"
        text += f", bracket {self.bracket} of {data.n_brackets}" if self.bracket else ""
        text += "" if self.bracket else f" of {format_count(data.n_brackets, 'bracket')}"
        pairs = [
            f"{share_label(low)} and {share_label(high)} {rank:+.2f} ({n})" for low, high, rank, n in data.agreement
        ]
        if pairs:
            return f"{text}. Rank correlation of the same configurations at {', '.join(pairs)}."
        return f"{text}; too few configurations are on two rungs to say how well early scores foretell late ones."


def share_label(share: float) -> str:
    """A share as a tick says it.

    >>> share_label(1 / 27), share_label(1.0), share_label(0.123)
    ('1/27', 'whole', '0.123')
    """
    if share == 1.0:
        return "whole"
    fraction = Fraction(share).limit_denominator(1000)
    return str(fraction) if fraction.numerator == 1 and abs(float(fraction) - share) < 1e-6 else f"{share:.3g}"


def _ladder(table: TrialTable) -> Ladder:
    """The rungs of the scheme that recorded last."""
    thoughts = [t for t in thoughts_with(table, "bracket", "rung", "slot", "resource", "scheme") if _is_sound(t)]
    if not thoughts:
        none = np.empty(0, dtype=np.int64)
        return Ladder(none, none, none, np.empty(0), np.empty(0, dtype=bool))
    scheme = thoughts[-1].said["scheme"]
    chosen = [
        (t.row, t.said["bracket"], t.said["slot"], t.said["resource"]) for t in thoughts if t.said["scheme"] == scheme
    ]
    columns = pd.DataFrame(chosen, columns=["row", "bracket", "slot", "resource"])
    # A trial that was begun again, after its runner had died, stands for the lost one.
    columns = columns.drop_duplicates(["bracket", "slot", "resource"], keep="last")
    columns = columns.sort_values(["bracket", "slot", "resource"], kind="stable")
    highest = columns.groupby(["bracket", "slot"])["resource"].transform("max")
    is_kept = (columns["resource"] < highest) | (columns["resource"] == 1.0)
    rows, brackets, slots = (columns[name].to_numpy(dtype=np.int64) for name in ("row", "bracket", "slot"))
    return Ladder(rows, brackets, slots, columns["resource"].to_numpy(dtype=float), is_kept.to_numpy(dtype=bool))


def _is_sound(thought: Thought) -> bool:
    said = thought.said
    return is_share(said["resource"]) and is_count(said["bracket"]) and is_count(said["slot"])


def _representative(ladder: Ladder, table: TrialTable) -> Ladder:
    """At most so many: all of the configurations that came furthest, then the best of the others."""
    if len(ladder.rows) <= _MOST:
        return ladder
    order = np.lexsort((table.sign * table.values[ladder.rows], ~ladder.is_kept))
    return ladder.take(np.sort(order[:_MOST]))


def _agreement(ladder: Ladder, table: TrialTable) -> Iterable[tuple[float, float, float, int]]:
    index = pd.MultiIndex.from_arrays([ladder.brackets, ladder.slots])
    values = {share: pd.Series(table.values[ladder.rows], index=index)[ladder.resources == share]
              for share in np.unique(ladder.resources).tolist()}  # fmt: skip
    shares = list(values)
    for low, high in pairwise(shares):
        both = pd.concat([values[low], values[high]], axis=1, join="inner").to_numpy()
        if len(both) >= _FEWEST and (np.ptp(both, axis=0) > 0).all():
            yield low, high, float(spearmanr(both[:, 0], both[:, 1]).statistic), len(both)


def _lines(data: RungsData, style: ArmStyle) -> dict[str, Any]:
    """A line for each configuration on more than one rung, all in one trace, those with whole fits first."""
    frame = pd.DataFrame(
        {
            "bracket": data.drawn.brackets,
            "slot": data.drawn.slots,
            "x": np.log(data.drawn.resources),
            "y": data.table.values[data.drawn.rows],
        }
    )
    ways = [way for _, way in frame.groupby(["bracket", "slot"], sort=False) if len(way) > 1]
    ways = sorted(ways, key=lambda way: -float(way["x"].iloc[-1]))[:_MOST_LINES]
    gap = [np.array([np.nan])]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([part for way in ways for part in (way["x"].to_numpy(), *gap)] or [np.empty(0)]),
        "y": np.concatenate([part for way in ways for part in (way["y"].to_numpy(), *gap)] or [np.empty(0)]),
        "line": {"color": faint(style.colour, 0.45), "width": 1.4},
        "name": "one configuration",
        "hoverinfo": "skip",
    }


def _marks(data: RungsData, chosen: Any, name: str, symbol: str, colour: str, size: float) -> dict[str, Any]:
    part = data.drawn.take(chosen)
    shown = hover(data.table, part.rows, name)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.log(part.resources),
        "y": data.table.values[part.rows],
        "name": name,
        "customdata": shown.customdata,
        "hovertemplate": shown.template,
        "marker": {"symbol": symbol, "size": size, "color": colour, "opacity": 0.9},
    }


def _best_row(data: RungsData) -> int | None:
    whole = data.ladder.rows[(data.ladder.resources == 1.0) & data.table.is_complete[data.ladder.rows]]
    whole = whole[np.isfinite(data.table.values[whole])]
    return int(whole[np.argmin(data.table.sign * data.table.values[whole])]) if len(whole) else None


def _best(data: RungsData, style: ArmStyle, look: Look) -> list[dict[str, Any]]:
    row = _best_row(data)
    return [] if row is None else [best_ring(data.table, row, 0.0, style.colour, look, is_right=True)]


def _counts(data: RungsData, look: Look) -> list[dict[str, Any]]:
    """Above each share, how many came there and how many of them went on."""
    notes = []
    for share in np.unique(data.ladder.resources).tolist():
        on = data.ladder.resources == share
        n, n_kept = int(on.sum()), int((on & data.ladder.is_kept).sum())
        text = format_count(n) if share == 1.0 else f"{n_kept:,} of {n:,} went on"
        place = {"x": float(np.log(share)), "y": 1.0, "yref": "paper", "yanchor": "top"}
        notes.append({"text": text, **place, **note_style(look)})
    return notes


RUNGS = Rungs()
