"""Importance: which parameters account for the ups and downs of the values, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.importance import Importance as Shares
from hpo_core.analysis.importance import Share, importance, why_no_importance
from hpo_core.formats import format_count
from hpo_core.options import option
from hpo_core.plots import Figure, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._look import shortened
from hpo_core.plots._marks import note_style
from hpo_core.studies.table import TrialTable

_ALL, _TOP = "all trials", "better half"
_MOST_BARS = 12


@dataclass(frozen=True, eq=False)
class ImportanceData:
    """What the importance draws.

    Attributes:
        table: The study.
        shares: What matters, learned from the trials.
        bars: What is drawn, from top to bottom: single parameters, then interactions.
    """

    table: TrialTable
    shares: Shares
    bars: tuple[Share, ...]


@dataclass(frozen=True)
class Importance(Plot[ImportanceData]):
    """Share of each parameter in the ups and downs of the values."""

    key: ClassVar[str] = "importance"
    label: ClassVar[str] = "Importance"
    place: ClassVar[int] = 50
    purpose: ClassVar[str] = "How much of the ups and downs of the value goes with each parameter, with intervals."
    question: ClassVar[str] = "Which parameters matter?"
    how_to_read: ClassVar[str] = (
        "The longer the bar, the more the value moves with this parameter; two names are what both do together beyond "
        "each alone. The thin line is a 90 % interval; hollow bars are no longer than chance makes them."
    )
    shows_trials: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True

    among: str = option(
        _ALL,
        "Among",
        "Among the better half, only what moves values better than the median counts: what matters near the top.",
        choices=(_ALL, _TOP),
    )

    def why_unavailable(self, table: TrialTable) -> str | None:
        return why_no_importance(table)

    def compute(self, table: TrialTable) -> ImportanceData:
        shares = importance(table, top_only=self.among == _TOP)
        pairs = tuple(pair for pair in shares.pairs if shares.is_clear(pair))
        return ImportanceData(table, shares, (*shares.shares[:_MOST_BARS], *pairs))

    def draw(self, data: ImportanceData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        widest = max((share.high for share in data.bars), default=0.0)
        places = np.arange(len(data.bars))
        return {
            "data": [_bars(data, look), _whiskers(data, look), _percentages(data, look)],
            "layout": layout(
                look,
                revision=f"{data.table.study} {self.among}",
                xaxis=axis(look, "share of the ups and downs", range=[0, max(1.18 * widest, 0.05)], tickformat=".0%"),
                yaxis=axis(
                    look,
                    range=[len(data.bars) - 0.4, -0.6],
                    tickvals=places,
                    ticktext=[_name(share, 17) for share in data.bars],
                    showgrid=False,
                    tickfont={"size": 12, "color": look.text},
                ),
                shapes=_chance_line(data, look),
                annotations=_notes(data, look),
                showlegend=False,
                bargap=0.45,
                margin={"l": 56, "r": 16, "t": 28, "b": 44},
            ),
        }

    def numbers(self, data: ImportanceData) -> pd.DataFrame:
        shown = (*data.shares.shares, *data.shares.pairs)
        return pd.DataFrame(
            {
                "parameter": [" × ".join(share.names) for share in shown],
                "share": [share.median for share in shown],
                "low (5 %)": [share.low for share in shown],
                "high (95 %)": [share.high for share in shown],
                "beyond chance": [data.shares.is_clear(share) for share in shown],
                "trials": [share.n_trials for share in shown],
                "among": ["trials that use it" if share.is_partial else self.among for share in shown],
            }
        )

    def alt(self, data: ImportanceData) -> str:
        if data.shares.is_weak:
            return f"The trials do not tell which parameters matter. {_trust(data.shares)}"
        clear = [share for share in data.shares.shares if data.shares.is_clear(share)]
        if not clear:
            return f"No parameter matters more than chance would have it. {_trust(data.shares)}"
        parts = [
            f"{' and '.join(share.names)} {share.median:.0%} ({share.low:.0%} to {share.high:.0%})"
            for share in clear[:3]
        ]
        rest = len(data.shares.shares) - len(clear)
        unclear = f"; {format_count(rest, 'parameter')} not beyond chance" if rest else ""
        return f"Share of the ups and downs of the value: {', '.join(parts)}{unclear}. {_trust(data.shares)}"

    def caption(self, data: ImportanceData) -> str:
        shares = data.shares
        few = shares.n_trials < shares.n_usable
        shown = f"a sample of {shares.n_trials:,} of" if few else "all" if shares.n_trials > 1 else ""
        parts = [f"Learned from {shown} {format_count(shares.n_usable, 'finished trial')}"]
        left_out = len(shares.shares) - len([bar for bar in data.bars if len(bar.names) == 1])
        if left_out:
            parts.append(f"the {left_out} parameters that matter least are in the table only")
        if any(share.is_partial for share in data.bars):
            parts.append("a parameter with * is judged among the trials that use it")
        if shares.too_few:
            parts.append(f"too few trials use {', '.join(map(plain, shares.too_few[:4]))}{_more(shares.too_few)}")
        return f"{'; '.join(parts)}. {_trust(shares)}"


def _more(names: tuple[str, ...]) -> str:
    return f" and {len(names) - 4} more" if len(names) > 4 else ""


def _name(share: Share, most: int) -> str:
    text = " × ".join(shortened(name, most if len(share.names) == 1 else most // 2) for name in share.names)
    return f"{text} *" if share.is_partial else text


def _bars(data: ImportanceData, look: Look) -> dict[str, Any]:
    colours = [look.scale[5] if len(share.names) == 1 else look.scale[3] for share in data.bars]
    filled = [c if data.shares.is_clear(s) else "rgba(0,0,0,0)" for c, s in zip(colours, data.bars, strict=True)]
    edges = [c if data.shares.is_clear(s) else faint(look.muted, 0.8) for c, s in zip(colours, data.bars, strict=True)]
    return {
        "type": "bar",
        "orientation": "h",
        "x": [share.median for share in data.bars],
        "y": np.arange(len(data.bars)),
        "text": [_hover(share, clear=data.shares.is_clear(share)) for share in data.bars],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": filled, "line": {"width": 1.4, "color": edges}},
        "name": "share",
    }


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "below 1%"


def _hover(share: Share, *, clear: bool) -> str:
    among = "trials that use it" if share.is_partial else "trials"
    lines = [
        f"<b>{' × '.join(map(plain, share.names))}</b>",
        f"{share.median:.1%}, 90 % interval {share.low:.1%} to {share.high:.1%}",
        f"learned from {share.n_trials:,} {among}",
    ]
    return "<br>".join(lines if clear else [*lines, "not beyond chance"])


def _whiskers(data: ImportanceData, look: Look) -> dict[str, Any]:
    """The intervals as one line with gaps."""
    nothing = [None] * len(data.bars)
    x = zip([s.low for s in data.bars], [s.high for s in data.bars], nothing, strict=True)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [place for ends in x for place in ends],
        "y": np.repeat(np.arange(len(data.bars)), 3),
        "line": {"width": 1.6, "color": look.text},
        "hoverinfo": "skip",
        "name": "90 % interval",
    }


def _percentages(data: ImportanceData, look: Look) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "x": [share.high for share in data.bars],
        "y": np.arange(len(data.bars)),
        "text": [f" {_percent(share.median)}" for share in data.bars],
        "textposition": "middle right",
        "textfont": {"size": 12, "color": [look.text if data.shares.is_clear(s) else look.muted for s in data.bars]},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "name": "percent",
    }


def _chance_line(data: ImportanceData, look: Look) -> list[dict[str, Any]]:
    line = {"color": look.muted, "width": 1.2, "dash": "dot"}
    end = data.shares.threshold
    return [{"type": "line", "yref": "paper", "x0": end, "x1": end, "y0": 0, "y1": 1, "line": line}]


def _notes(data: ImportanceData, look: Look) -> list[dict[str, Any]]:
    place = {"x": data.shares.threshold, "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom"}
    notes = [{"text": "up to here: chance", **place, **note_style(look)}]
    if data.shares.is_weak:
        middle = {"x": 0.5, "xref": "paper", "y": 0.5, "yref": "paper", "bgcolor": look.surface, "borderpad": 8}
        text = "The trials do not tell<br>which parameters matter.<br>Try values further apart,<br>or more trials."
        font = {"size": 13, "color": look.text}
        notes.append({"text": text, **middle, **note_style(look), "font": font})
    return notes


def _trust(shares: Shares) -> str:
    figure = f"R² {shares.r2:.2f} on trials left out"
    if shares.is_weak:
        return f"The model behind it does not predict unseen trials ({figure}): do not read the bars."
    if shares.r2 < 0.5:
        return f"The model behind it predicts unseen trials roughly ({figure})."
    return f"The model behind it predicts unseen trials well ({figure})."


IMPORTANCE = Importance()
