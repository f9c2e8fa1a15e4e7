"""Local importance: what moving one parameter alone away from the best configuration would cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from hpo_core.analysis.local_importance import LocalAxis, local_importance
from hpo_core.analysis.local_importance import LocalImportance as Found
from hpo_core.analysis.selection import moving_parameters
from hpo_core.analysis.surrogate import Surrogate, fit_surrogate, why_no_explanation
from hpo_core.analysis.units import value_at
from hpo_core.formats import format_count, format_score, format_signed, format_value
from hpo_core.plots import JUDGE, Figure, Group, Look, Plot, axis, faint, layout, plain
from hpo_core.plots._look import shortened
from hpo_core.plots._marks import shaky_note
from hpo_core.plots._side import Side, side_of
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable

_MOST_ROWS, _COLUMNS = 12, 48
_MOST_CHOICES, _LONGEST_CHOICE = 5, 10
_FROM = 2.0  # where the strips begin on their axis: a click there cannot be mistaken for one among the shares


@dataclass(frozen=True, eq=False)
class LocalImportanceData:
    """What a local importance draws.

    Attributes:
        table: The study.
        found: What matters around the best configuration.
        surrogate: What it was learned with.
    """

    table: TrialTable
    found: Found
    surrogate: Surrogate

    @property
    def rows(self) -> tuple[LocalAxis, ...]:
        """The parameters that are drawn, from top to bottom."""
        return self.found.axes[:_MOST_ROWS]

    def value(self, along: LocalAxis, unit: float) -> Any:
        """The legal value at a place, a label for categories."""
        return value_at(self.table.distributions[along.name], unit)


@dataclass(frozen=True)
class LocalImportance(Plot[LocalImportanceData]):
    """Variance and loss along each parameter's axis through the best configuration."""

    key: ClassVar[str] = "local_importance"
    label: ClassVar[str] = "Local importance"
    place: ClassVar[int] = 86
    group: ClassVar[Group | None] = JUDGE
    purpose: ClassVar[str] = "What moving each parameter alone away from the best configuration would cost."
    question: ClassVar[str] = "What would be lost by moving one parameter away from the best?"
    how_to_read: ClassVar[str] = (
        "Each row moves one parameter, all others stay as in the best configuration. The bar is its share of all ups "
        "and downs around the best, with a 90 % interval, hollow where none is beyond doubt. The strip shows its range "
        "from low to high: stronger colour is better, blank is unknown, the ring is the best, the line under it where "
        "no more than noise is lost. Click a strip to put the sliders on the best configuration with this one moved."
    )
    shows_trials: ClassVar[bool] = False
    is_costly: ClassVar[bool] = True

    def why_unavailable(self, table: TrialTable) -> str | None:
        why = why_no_explanation(table)
        if why:
            return why
        best = fit_surrogate(table).anchor()
        if all(np.isnan(table.params[name][best]) for name in moving_parameters(table)):
            return "The best trial uses none of the parameters that differ between the trials."
        return None

    def compute(self, table: TrialTable) -> LocalImportanceData:
        surrogate = fit_surrogate(table)
        return LocalImportanceData(table, local_importance(surrogate, moving_parameters(table)), surrogate)

    def draw(self, data: LocalImportanceData, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        rows = data.rows
        widest = max(along.high for along in rows)
        return {
            "data": [
                _bars(data, look),
                _whiskers(data, look),
                _strips(data, look),
                _safe(data, look),
                _choices(data, look),
                _rings(data, look),
                *_stars(data, look, current),
            ],
            "layout": layout(
                look,
                revision=data.table.study,
                xaxis=axis(
                    look, "share", range=[0, max(1.1 * widest, 0.05)], tickformat=".0%", domain=[0, 0.26], nticks=4
                ),
                xaxis2=axis(
                    look,
                    "range of the parameter",
                    range=[_FROM, _FROM + 1],
                    domain=[0.3, 1],
                    tickvals=[_FROM, _FROM + 0.5, _FROM + 1],
                    ticktext=["low", "middle", "high"],
                    showgrid=False,
                ),
                yaxis=axis(
                    look,
                    range=[len(rows) - 0.4, -0.6],
                    tickvals=np.arange(len(rows)),
                    ticktext=[shortened(along.name, 15) for along in rows],
                    showgrid=False,
                    tickfont={"size": 12, "color": look.text},
                ),
                annotations=shaky_note(data.surrogate.quality, look),
                showlegend=False,
                bargap=0.45,
                margin={"l": 56, "r": 16, "t": 28, "b": 44},
            ),
        }

    def locate(self, data: LocalImportanceData, x: Any, y: Any) -> Configuration:
        unit, row = float(x) - _FROM, round(float(y))
        if not (-0.01 <= unit <= 1.01 and 0 <= row < len(data.rows)):
            return {}
        side = _side(data, data.rows[row])
        return data.table.configuration(data.found.row) | {side.name: side.at_unit(unit)}

    def numbers(self, data: LocalImportanceData) -> pd.DataFrame:
        """Columns: the parameter, its best value, its share with interval, its largest loss, its safe range."""
        axes = data.found.axes
        return pd.DataFrame(
            {
                "parameter": [a.name for a in axes],
                "best value": [format_value(data.value(a, a.best)) for a in axes],
                "share": [a.median for a in axes],
                "low (5 %)": [a.low for a in axes],
                "high (95 %)": [a.high for a in axes],
                "largest loss": [float(a.loss[a.worst]) for a in axes],
                "loss from (5 %)": [float(a.loss_low[a.worst]) for a in axes],
                "loss to (95 %)": [float(a.loss_high[a.worst]) for a in axes],
                "lost at": [format_value(data.value(a, float(a.units[a.worst]))) for a in axes],
                "only noise from": [format_value(data.value(a, a.safe[0])) for a in axes],
                "only noise to": [format_value(data.value(a, a.safe[1])) for a in axes],
            }
        )

    def alt(self, data: LocalImportanceData) -> str:
        clear = [along for along in data.found.axes if along.is_clear]
        number = data.table.numbers[data.found.row]
        quality = data.surrogate.quality.in_words("model")
        if not clear:
            return f"Around trial {number} no parameter makes a difference beyond doubt. {quality}"
        parts = [
            f"{a.name} {a.median:.0%} ({a.low:.0%} to {a.high:.0%}), up to {format_score(float(a.loss[a.worst]))} lost"
            for a in clear[:3]
        ]
        rest = len(data.found.axes) - len(clear)
        unclear = f"; {format_count(rest, 'parameter')} without a difference beyond doubt" if rest else ""
        return f"Around trial {number}: {'; '.join(parts)}{unclear}. {quality}"

    def caption(self, data: LocalImportanceData) -> str:
        found, table = data.found, data.table
        text = f"Around trial {table.numbers[found.row]}, the best; {data.surrogate.learned_in_words()}. "
        if len(found.axes) > _MOST_ROWS:
            text += f"The {len(found.axes) - _MOST_ROWS} parameters that matter least there are in the table only. "
        if found.unused:
            names = ", ".join(plain(name) for name in found.unused[:4])
            more = f" and {len(found.unused) - 4} more" if len(found.unused) > 4 else ""
            text += f"The best does not use {names}{more}. "
        text += f"The noise of one value is {format_score(found.noise)} (sd around the model).{_promise(data)}"
        return f"{text} {data.surrogate.trust_in_words('model')}"


def _promise(data: LocalImportanceData) -> str:
    """A sentence, after a blank, where moving one parameter promises a gain beyond doubt."""
    gains = [(float(a.loss[i]), a, i) for a in data.found.axes for i in np.flatnonzero(a.loss_high < 0).tolist()]
    if not gains:
        return ""
    loss, along, place = min(gains, key=lambda gain: gain[0])
    where = format_value(data.value(along, float(along.units[place])))
    return f" Moving {plain(along.name)} alone to {plain(where)} promises to be better by {format_score(-loss)}."


def _bars(data: LocalImportanceData, look: Look) -> Figure:
    edges = [look.scale[5] if along.is_clear else faint(look.muted, 0.8) for along in data.rows]
    filled = [look.scale[5] if along.is_clear else "rgba(0,0,0,0)" for along in data.rows]
    return {
        "type": "bar",
        "orientation": "h",
        "x": [along.median for along in data.rows],
        "y": np.arange(len(data.rows)),
        "text": [_share_hover(along) for along in data.rows],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": filled, "line": {"width": 1.4, "color": edges}},
        "name": "share",
    }


def _share_hover(along: LocalAxis) -> str:
    text = f"<b>{plain(along.name)}</b><br>{along.median:.1%}, 90 % interval {along.low:.1%} to {along.high:.1%}"
    return text if along.is_clear else f"{text}<br>no difference beyond doubt"


def _whiskers(data: LocalImportanceData, look: Look) -> Figure:
    ends = [end for along in data.rows for end in (along.low, along.high, None)]
    line = {"width": 1.6, "color": look.text}
    shown = {"x": ends, "y": np.repeat(np.arange(len(data.rows)), 3), "line": line, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "lines", **shown, "name": "90 % interval"}


def _strips(data: LocalImportanceData, look: Look) -> Figure:
    """The range of each parameter, coloured by what is lost there."""
    centres = (np.arange(_COLUMNS) + 0.5) / _COLUMNS
    nearest = [np.abs(along.units[:, None] - centres).argmin(axis=0) for along in data.rows]
    losses = [
        np.where(along.is_unknown, np.nan, along.loss)[near] for along, near in zip(data.rows, nearest, strict=True)
    ]
    known = [loss[np.isfinite(loss)] for loss in losses]
    cap = max([float(part.max()) for part in known if len(part)], default=0.0) or 1.0
    texts = [_loss_texts(data, along, near) for along, near in zip(data.rows, nearest, strict=True)]
    title = {"text": "lost", "font": {"size": 12, "color": look.muted}, "side": "top"}
    marks = {"tickvals": [-cap, -cap / 2, 0], "ticktext": [format_score(cap), format_score(cap / 2), "0"]}
    bar = {"title": title, "thickness": 12, "outlinewidth": 0, "tickfont": {"size": 11, "color": look.muted}}
    return {
        "type": "heatmap",
        "x": _FROM + centres,
        "y": np.arange(len(data.rows)),
        "z": -np.maximum(np.array(losses), 0.0).astype(np.float32),
        "zmin": -cap,
        "zmax": 0.0,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "xaxis": "x2",
        "ygap": 14,
        "colorscale": look.colorscale,
        "colorbar": {**bar, **marks, "len": 0.9},
        "name": "lost",
    }


def _loss_texts(data: LocalImportanceData, along: LocalAxis, near: np.ndarray[Any, np.dtype[np.intp]]) -> list[str]:
    texts = [
        f"<b>{plain(along.name)}</b> {plain(format_value(data.value(along, float(unit))))}<br>"
        + (
            "little is known here"
            if is_unknown
            else f"{'lost' if loss >= 0 else 'gained'} {format_score(abs(loss))}, "
            f"90 % interval of the loss {format_signed(low)} to {format_signed(high)}"
        )
        for unit, loss, low, high, is_unknown in zip(
            along.units, along.loss, along.loss_low, along.loss_high, along.is_unknown, strict=True
        )
    ]
    return [texts[place] for place in near.tolist()]


def _safe(data: LocalImportanceData, look: Look) -> Figure:
    """Under each strip a line over the stretch in which no more than noise is lost; for numbers only."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row, along in enumerate(data.rows):
        if not _side(data, along).is_category:
            low, high = along.safe
            x += [_FROM + low, _FROM + high, None]
            y += [row + 0.5, row + 0.5, None]
    line = {"width": 2.4, "color": look.text}
    shown = {"x": x, "y": y, "xaxis": "x2", "line": line, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "lines", **shown, "name": "only noise"}


def _choices(data: LocalImportanceData, look: Look) -> Figure:
    """The names of categories under their part of the strip, where there are few."""
    x, y, names = [], [], []
    for row, along in enumerate(data.rows):
        if _side(data, along).is_category and len(along.units) <= _MOST_CHOICES:
            x += (_FROM + along.units).tolist()
            y += [row + 0.5] * len(along.units)
            names += [shortened(str(data.value(along, float(unit))), _LONGEST_CHOICE) for unit in along.units]
    font = {"size": 10, "color": look.muted}
    shown = {"x": x, "y": y, "xaxis": "x2", "cliponaxis": False, "text": names, "textfont": font, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "text", **shown, "name": "choices"}


def _rings(data: LocalImportanceData, look: Look) -> Figure:
    arm = str(data.table.arms[data.found.row])
    colour = look.arm_styles(data.table.arm_names)[arm].colour
    best = [_FROM + along.best for along in data.rows]
    ring = {"symbol": "circle", "size": 12, "color": look.surface, "line": {"width": 2.6, "color": colour}}
    shown = {"x": best, "y": np.arange(len(best)), "xaxis": "x2", "marker": ring, "hoverinfo": "skip"}
    return {"type": "scatter", "mode": "markers", **shown, "name": "the best", "cliponaxis": False}


def _stars(data: LocalImportanceData, look: Look, current: Mapping[str, Any] | None) -> list[Figure]:
    """Where the sliders stand on each strip."""
    places = [_place(data, along, current or {}) for along in data.rows]
    rows = [row for row, place in enumerate(places) if place is not None]
    if not rows:
        return []
    star = {"symbol": "star", "size": 13, "color": look.you, "line": {"width": 1, "color": look.surface}}
    x = [_FROM + place for place in places if place is not None]
    shown = {"x": x, "y": rows, "xaxis": "x2", "marker": star, "hoverinfo": "skip", "cliponaxis": False}
    return [{"type": "scatter", "mode": "markers", **shown, "name": "the sliders"}]


def _side(data: LocalImportanceData, along: LocalAxis) -> Side:
    return side_of(data.table, along.name, np.array([data.found.row]))


def _place(data: LocalImportanceData, along: LocalAxis, current: Mapping[str, Any]) -> float | None:
    return _side(data, along).unit_of(current[along.name]) if along.name in current else None


LOCAL_IMPORTANCE = LocalImportance()
