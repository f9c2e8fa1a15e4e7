"""Interactions: which parameters act together, as a matrix with the share of each alone on its diagonal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.importance import Share, why_no_importance
from hpo_core.analysis.interactions import Interactions as Found
from hpo_core.analysis.interactions import Pair, interactions
from hpo_core.analysis.selection import moving_parameters
from hpo_core.formats import format_count
from hpo_core.plots import JUDGE, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._look import shortened
from hpo_core.plots._marks import note_style
from hpo_core.studies.table import TrialTable


@dataclass(frozen=True, eq=False)
class InteractionsData:
    """What a matrix of interactions draws.

    Attributes:
        table: The study.
        found: Shares of single parameters and of pairs.
    """

    table: TrialTable
    found: Found

    @property
    def names(self) -> list[str]:
        """The parameters of the matrix, the most important first."""
        return [share.names[0] for share in self.found.singles]

    def place(self, pair: Pair) -> tuple[int, int]:
        """Row and column of a pair in the lower half."""
        first, second = (self.names.index(name) for name in pair.share.names)
        return max(first, second), min(first, second)


@dataclass(frozen=True)
class Interactions(Plot[InteractionsData]):
    """Shares of pairs beyond each alone, and of each alone."""

    key: ClassVar[str] = "interactions"
    label: ClassVar[str] = "Interactions"
    place: ClassVar[int] = 89
    group: ClassVar[Group | None] = JUDGE
    purpose: ClassVar[str] = "Which parameters act together, beyond what each does alone, with intervals."
    question: ClassVar[str] = "Which parameters act together?"
    how_to_read: ClassVar[str] = (
        "On the diagonal is the share of the ups and downs that goes with each parameter alone, below it what two do "
        "together beyond that: one of them is then good or bad depending on the other. Pale figures are no more than "
        "chance makes them. Point at a cell for its 90 % interval."
    )
    shows_trials: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True

    def why_unavailable(self, table: TrialTable) -> str | None:
        why = why_no_importance(table)
        if why is None and len(moving_parameters(table)) < 2:
            return "To act together takes two parameters that differ between the finished trials."
        return why

    def compute(self, table: TrialTable) -> InteractionsData:
        return InteractionsData(table, interactions(table))

    def draw(self, data: InteractionsData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        n = len(data.names)
        shares, texts = _cells(data)
        top = float(np.nanmax(shares)) or 1.0
        places = np.arange(n)
        ticks: dict[str, Any] = {"tickvals": places, "showgrid": False, "tickfont": {"size": 12, "color": look.text}}
        longest = 16 if n <= 5 else 11
        names = [shortened(name, longest) for name in data.names]
        heat = {
            "type": "heatmap",
            "x": places,
            "y": places,
            "z": shares.astype(np.float32),
            "zmin": 0.0,
            "zmax": top,
            "text": texts,
            "hovertemplate": "%{text}<extra></extra>",
            "hoverongaps": False,
            "colorscale": [[0, faint(look.arms[0], 0.04)], [1, faint(look.arms[0], 0.6)]],
            "showscale": False,
            "xgap": 3,
            "ygap": 3,
            "name": "share",
        }
        return {
            "data": [heat, *_figures(data, look)],
            "layout": layout(
                look,
                revision=data.table.study,
                xaxis=axis(look, range=[-0.5, n - 0.5], ticktext=names, **ticks),
                yaxis=axis(look, range=[n - 0.5, -0.5], ticktext=names, **ticks),
                annotations=_notes(data, look),
                showlegend=False,
                margin={"l": 56, "r": 16, "t": 16, "b": 44},
            ),
        }

    def numbers(self, data: InteractionsData) -> pd.DataFrame:
        """Columns: one or two parameters, their share with its interval, what chance makes, and whether it is more."""
        found = data.found
        shown = [(share, found.single_threshold) for share in found.singles]
        shown += [(pair.share, pair.threshold) for pair in found.pairs]
        return pd.DataFrame(
            {
                "parameters": [" × ".join(share.names) for share, _ in shown],
                "share": [share.median for share, _ in shown],
                "low (5 %)": [share.low for share, _ in shown],
                "high (95 %)": [share.high for share, _ in shown],
                "up to here chance": [threshold for _, threshold in shown],
                "beyond chance": [not found.is_weak and share.median > threshold for share, threshold in shown],
            }
        )

    def alt(self, data: InteractionsData) -> str:
        found = data.found
        if found.is_weak:
            return f"The trials do not tell which parameters act together. {_trust(found)}"
        clear = [pair for pair in found.pairs if found.is_clear(pair)]
        if not clear:
            return f"No two parameters act together more than chance would have it. {_trust(found)}"
        parts = [
            f"{' and '.join(pair.share.names)} {pair.share.median:.0%} ({pair.share.low:.0%} to {pair.share.high:.0%})"
            for pair in clear[:3]
        ]
        return f"Acting together beyond each alone: {', '.join(parts)}. {_trust(found)}"

    def caption(self, data: InteractionsData) -> str:
        found = data.found
        shown = f"a sample of {found.n_trials:,} of" if found.n_trials < found.n_usable else "all"
        text = f"Learned from {shown} {format_count(found.n_usable, 'finished trial')}"
        if found.left_out:
            matter = "matters" if len(found.left_out) == 1 else "matter"
            text += f"; {format_count(len(found.left_out), 'parameter')} that {matter} least alone left out"
        if found.rest >= 0.01:
            text += (
                f"; {found.rest:.0%} of the ups and downs goes with three or more at once, or is roughness of the model"
            )
        return f"{text}. {_trust(found)}"


def _trust(found: Found) -> str:
    figure = f"R² {found.r2:.2f} on trials left out"
    if found.is_weak:
        return f"The model behind it does not predict unseen trials ({figure}): do not read the figures."
    how = "roughly" if found.r2 < 0.5 else "well"
    return f"The model behind it predicts unseen trials {how} ({figure})."


def _cells(data: InteractionsData) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[list[str]]]:
    """Shares by row and column, NaN in the upper half, and what the pointer shows of them."""
    found, n = data.found, len(data.names)
    shares = np.full((n, n), np.nan)
    texts = [[""] * n for _ in range(n)]
    for i, share in enumerate(found.singles):
        shares[i, i] = share.median
        texts[i][i] = _hover(share, "alone", is_clear=share.median > found.single_threshold)
    for pair in found.pairs:
        row, column = data.place(pair)
        shares[row, column] = pair.share.median
        texts[row][column] = _hover(pair.share, "beyond each alone", is_clear=pair.is_beyond_chance)
    return shares, texts


def _hover(share: Share, what: str, *, is_clear: bool) -> str:
    lines = [
        f"<b>{' × '.join(map(plain, share.names))}</b> {what}",
        f"{share.median:.1%}, 90 % interval {share.low:.1%} to {share.high:.1%}",
    ]
    return "<br>".join(lines if is_clear else [*lines, "no more than chance makes it"])


def _figures(data: InteractionsData, look: Look) -> list[Figure]:
    """The percentages in the cells: strong where they are beyond chance, else pale."""
    found = data.found
    cells = [(i, i, share, share.median > found.single_threshold) for i, share in enumerate(found.singles)]
    cells += [(*data.place(pair), pair.share, pair.is_beyond_chance) for pair in found.pairs]
    traces = []
    for is_strong in (True, False):
        shown = [cell for cell in cells if (cell[3] and not found.is_weak) == is_strong]
        percent = [f"{cell[2].median:.0%}" if cell[2].median >= 0.005 else "0%" for cell in shown]
        font = {"size": 14 if is_strong else 11, "color": look.text if is_strong else look.muted}
        traces.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [cell[1] for cell in shown],
                "y": [cell[0] for cell in shown],
                "text": [f"<b>{text}</b>" if is_strong else text for text in percent],
                "textfont": font,
                "hoverinfo": "skip",
                "name": "beyond chance" if is_strong else "no more than chance",
            }
        )
    return traces


def _notes(data: InteractionsData, look: Look) -> list[dict[str, Any]]:
    if not data.found.is_weak:
        return []
    middle = {"x": 0.75, "xref": "paper", "y": 0.8, "yref": "paper", "borderpad": 8}
    text = "The trials do not tell<br>which parameters act together.<br>Try values further apart,<br>or more trials."
    return [{"text": text, **middle, **note_style(look), "font": {"size": 13, "color": look.text}}]


INTERACTIONS = Interactions()
