"""Curves as drawn: both scores, the chosen one, what lies ahead, and what is still missing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from hpo_core.analysis.curves import Curve
from hpo_core.plots import DARK, LIGHT, LIVE, curve_alt, curve_figure, curve_numbers, figure_json


def curve_of(kind: str = "learning", direction: str = "maximize", folds: int = 4, n: int = 6) -> Curve:
    rng = np.random.default_rng(0)
    means = 0.9 - 0.3 * np.arange(1, n + 1.0) ** -1.0
    valid = means[:, None] + 0.003 * rng.standard_normal((n, folds))
    valid = valid if direction == "maximize" else 1 - valid
    return Curve(
        kind=kind,  # type: ignore[arg-type]
        label="training rows" if kind == "learning" else "<b>C</b>",
        places=tuple(50 * 2**i for i in range(n)),
        is_log=True,
        is_ordered=True,
        chosen=n - 1 if kind == "learning" else 2,
        train=np.full((n, folds), 0.95 if direction == "maximize" else 0.05),
        valid=valid,
        direction=direction,  # type: ignore[arg-type]
        overlap=0.25,
        ideal=None,
    )


def categories(**changes: object) -> Curve:
    return replace(curve_of("validation", n=3), places=("rbf", None, "<i>%{x}</i>"), is_ordered=False, is_log=False)


def named(curve: Curve) -> dict[str, dict[str, object]]:
    return {trace["name"]: trace for trace in curve_figure(curve)["data"] if "name" in trace}


EMPTY = np.full((6, 4), np.nan)
ODD = {
    "learning": curve_of(),
    "validation, minimised": curve_of("validation", "minimize"),
    "categories": categories(),
    "one fold": curve_of(folds=1),
    "two places": curve_of(n=2),
    "no training scores": replace(curve_of("validation"), train=EMPTY),
    "nothing done": replace(curve_of(), train=EMPTY, valid=EMPTY),
    "part done": replace(curve_of(), valid=np.where(np.arange(24).reshape(6, 4) % 3 == 0, np.nan, curve_of().valid)),
}


@pytest.mark.parametrize("name", ODD)
def test_every_curve_is_drawn_in_both_themes(name: str) -> None:
    curve = ODD[name]
    for look in (LIGHT, DARK):
        go.Figure(curve_figure(curve, look))
    json.loads(figure_json(curve_figure(curve, LIVE)))
    assert curve_alt(curve).endswith(".")
    assert len(curve_numbers(curve)) == len(curve.places)


def test_lines_are_means_over_the_folds_and_the_star_is_the_chosen_one() -> None:
    curve = curve_of("validation")
    traces = named(curve)
    np.testing.assert_allclose(traces["on new rows"]["y"], curve.valid.mean(axis=1))
    np.testing.assert_allclose(traces["on training rows"]["y"], 0.95)
    assert traces["chosen"]["x"] == [200.0]
    assert "expected" not in traces


def test_a_learning_curve_goes_on_to_twice_the_rows() -> None:
    ahead = named(curve_of())["expected"]
    assert ahead["x"] == [1600.0, 3200.0]


def test_what_is_missing_is_said_on_the_chart() -> None:
    texts = [note["text"] for note in curve_figure(ODD["part done"])["layout"]["annotations"]]
    assert texts == ["16 of 24 fits"]


def test_names_of_categories_are_shown_as_they_stand() -> None:
    labels = curve_figure(categories())["layout"]["xaxis"]["ticktext"]
    assert labels[0] == "rbf"
    assert "&lt;i&gt;" in labels[2]


def test_the_gap_is_what_new_rows_lose_in_either_direction() -> None:
    for direction in ("maximize", "minimize"):
        frame = curve_numbers(curve_of("validation", direction))
        assert (frame["gap"] > 0).all()
        assert (frame["folds"] == 4).all()
