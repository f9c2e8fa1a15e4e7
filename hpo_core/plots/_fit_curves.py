"""A learning or validation curve as drawn. Not a `Plot`: it is of one configuration, not of a study's trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hpo_core.analysis.curves import Curve, fold_means, fold_spread, forecast, in_words
from hpo_core.analysis.selection import Limits, robust_limits
from hpo_core.formats import format_count, format_value
from hpo_core.plots._look import LIVE, Figure, Look, axis, faint, layout, shortened
from hpo_core.plots._marks import note_style
from hpo_core.plots._ticks import log_ticks
from hpo_core.studies.table import Floats

_TRAIN, _VALID = "on training rows", "on new rows"


def curve_figure(curve: Curve, look: Look = LIVE) -> Figure:
    """Training and validation scores as means with bands of one standard deviation over the folds.

    A learning curve goes on, dotted, to what twice the rows are expected to give. The star is the chosen configuration.
    """
    x = _places(curve)
    both = ((_TRAIN, curve.train, look.default, "dash"), (_VALID, curve.valid, look.arms[0], "solid"))
    traces: list[dict[str, Any]] = []
    for _, scores, colour, _ in both:
        traces += _band(x, scores, colour) if curve.is_ordered else []
    for name, scores, colour, dash in both:
        traces += _line(curve, x, scores, name, colour, dash)
    traces += _ahead(curve, look) + _star(curve, x, look)
    arrow = "↑" if curve.direction == "maximize" else "↓"
    limits = robust_limits(_in_view(curve), curve.sign)
    return {
        "data": traces,
        "layout": layout(
            look,
            revision=f"curve {curve.kind} {curve.label}",
            xaxis=_x_axis(curve, look),
            yaxis=axis(look, f"{look.value_label} {arrow}", range=[limits.low, limits.high]),
            annotations=_note(curve, limits, look),
        ),
    }


def curve_numbers(curve: Curve) -> pd.DataFrame:
    """One row a place: mean and standard deviation over the folds of both scores, the gap, and the folds done."""
    return pd.DataFrame(
        {
            curve.label: list(curve.places),
            _TRAIN: curve.train_means,
            f"sd {_TRAIN}": fold_spread(curve.train),
            _VALID: curve.valid_means,
            f"sd {_VALID}": fold_spread(curve.valid),
            "gap": curve.sign * (curve.valid_means - curve.train_means),
            "folds": np.isfinite(curve.valid).sum(axis=1),
        }
    )


def curve_alt(curve: Curve) -> str:
    """The findings, for those who do not see the drawing."""
    what = "Learning curve" if curve.kind == "learning" else f"Validation curve over {curve.label}"
    return f"{what}: {' '.join(in_words(curve))}"


def _places(curve: Curve) -> Floats:
    if curve.is_ordered:
        return np.array(curve.places, dtype=float)
    return np.arange(len(curve.places), dtype=float)


def _in_view(curve: Curve) -> Floats:
    ahead = forecast(curve)
    shown: Floats = np.concatenate([curve.train_means, curve.valid_means, [ahead.score] if ahead else []])
    return shown[np.isfinite(shown)]


def _band(x: Floats, scores: Floats, colour: str) -> list[dict[str, Any]]:
    means, spread = fold_means(scores), fold_spread(scores)
    known = np.isfinite(spread)
    if not known.any():
        return []
    base: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": x[known], "line": {"width": 0}}
    base |= {"hoverinfo": "skip", "showlegend": False}
    low, high = (means[known] + side * spread[known] for side in (-1, 1))
    return [{**base, "y": low}, {**base, "y": high, "fill": "tonexty", "fillcolor": faint(colour, 0.15)}]


def _line(curve: Curve, x: Floats, scores: Floats, name: str, colour: str, dash: str) -> list[dict[str, Any]]:
    means, spread = fold_means(scores), fold_spread(scores)
    known = np.isfinite(means)
    if not known.any():
        return []
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if curve.is_ordered else "markers",
        "x": x[known],
        "y": means[known],
        "name": name,
        "line": {"width": 2.2, "color": colour, "dash": dash},
        "marker": {"size": 7, "color": colour, "symbol": "circle" if name == _VALID else "circle-open"},
        "customdata": [[f"± {sd:.2g} (sd over folds)" if np.isfinite(sd) else ""] for sd in spread[known].tolist()],
        "hovertemplate": f"{name} %{{y:.4~g}} %{{customdata[0]}}<br>%{{x}}<extra></extra>",
    }
    if not curve.is_ordered:
        trace["error_y"] = {
            "type": "data",
            "array": np.nan_to_num(spread[known]),
            "color": faint(colour, 0.5),
            "thickness": 1.6,
            "width": 0,
        }
    return [trace]


def _ahead(curve: Curve, look: Look) -> list[dict[str, Any]]:
    found = forecast(curve)
    if found is None:
        return []
    last = float(curve.valid_means[-1])
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": [float(curve.places[-1]), float(found.rows)],
            "y": [last, found.score],
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [0, max(0.0, found.high - found.score)],
                "arrayminus": [0, max(0.0, found.score - found.low)],
                "color": faint(look.arms[0], 0.6),
                "thickness": 1.6,
                "width": 4,
            },
            "line": {"width": 1.6, "color": look.arms[0], "dash": "dot"},
            "marker": {"size": [0, 8], "color": look.arms[0], "symbol": "circle-open"},
            "name": "expected",
            "hovertemplate": "expected with %{x:,.0f} rows: %{y:.4~g}<extra></extra>",
        }
    ]


def _star(curve: Curve, x: Floats, look: Look) -> list[dict[str, Any]]:
    value = float(curve.valid_means[curve.chosen])
    if not np.isfinite(value):
        return []
    mark = {"symbol": "star", "size": 15, "color": look.you, "line": {"width": 1, "color": look.surface}}
    hover = "the chosen configuration: %{y:.4~g}<extra></extra>"
    base = {"type": "scatter", "mode": "markers", "x": [float(x[curve.chosen])], "y": [value]}
    return [{**base, "marker": mark, "hovertemplate": hover, "name": "chosen"}]


def _x_axis(curve: Curve, look: Look) -> dict[str, Any]:
    title = shortened(curve.label, 40)
    if not curve.is_ordered:
        labels = [shortened(str(place)) for place in curve.places]
        n = len(labels)
        return axis(look, title, tickvals=np.arange(n), ticktext=labels, range=[-0.5, n - 0.5], showgrid=False)
    if curve.is_log:
        end = 2 * curve.places[-1] if curve.kind == "learning" else curve.places[-1]
        marks = log_ticks(float(curve.places[0]), float(end))
        words = [format_value(mark) for mark in marks]
        return axis(look, f"{title}, log", type="log", showgrid=False, tickvals=marks, ticktext=words)
    return axis(look, title, showgrid=False)


def _note(curve: Curve, limits: Limits, look: Look) -> list[dict[str, Any]]:
    """What is not in view, as it is far worse, and how many fits are done while some are not."""
    done, n = int(np.isfinite(curve.valid).sum()), curve.valid.size
    words = [f"{done} of {n} fits"] if done < n else []
    if outside := limits.n_outside:
        words.append(f"{format_count(outside, 'mean')} out of view; double-click to see all")
    level = 0 if curve.direction == "maximize" else 1
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": level, "yref": "paper"}
    anchor = {"yanchor": "bottom" if level == 0 else "top"}
    return [{"text": " · ".join(words), **place, **anchor, **note_style(look)}] if words else []
