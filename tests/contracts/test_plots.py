"""Every plot that discovery finds, against every odd study that a person may open."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from hpo_core.options import options_of, with_options
from hpo_core.plots import DARK, LIGHT, LIVE, PLOTS, Plot, figure_json
from hpo_core.studies.table import TrialTable
from tests.trial_tables import SVM, build_table, many_parameters, with_faults

STUDIES: dict[str, Callable[[], TrialTable]] = {
    "empty": lambda: build_table(0),
    "one trial": lambda: build_table(1),
    "two trials": lambda: build_table(2),
    "ordinary": lambda: with_faults(build_table(60)),
    "minimised": lambda: with_faults(build_table(60, direction="minimize")),
    "all failed": lambda: build_table(
        12, states=np.full(12, TrialState.FAIL.value, dtype=np.int8), values=np.full(12, np.nan)
    ),
    "all running": lambda: build_table(
        4, states=np.full(4, TrialState.RUNNING.value, dtype=np.int8), values=np.full(4, np.nan)
    ),
    "all pruned": lambda: build_table(9, states=np.full(9, TrialState.PRUNED.value, dtype=np.int8)),
    "constant values": lambda: build_table(40, values=np.full(40, 0.5)),
    "all infinite": lambda: build_table(40, values=np.full(40, np.inf)),
    "some infinite": lambda: build_table(40, values=np.where(np.arange(40) % 5 == 0, -np.inf, np.arange(40.0))),
    "best infinite": lambda: build_table(40, values=np.where(np.arange(40) % 5 == 0, np.inf, np.arange(40.0))),
    "terrible outlier": lambda: build_table(40, values=np.where(np.arange(40) == 7, -1e12, np.linspace(0, 1, 40))),
    "tiny differences": lambda: build_table(40, values=0.5 + np.arange(40) * 1e-15),
    "no parameter": lambda: build_table(10, distributions={}),
    "single parameter": lambda: build_table(40, distributions={"C": SVM["C"]}),
    "single category": lambda: build_table(40, distributions={"kernel": SVM["kernel"]}),
    "categories only": lambda: build_table(40, distributions={"kernel": SVM["kernel"], "shrinking": SVM["shrinking"]}),
    "one-valued ranges": lambda: build_table(
        40,
        distributions={
            "fixed": FloatDistribution(1.0, 1.0),
            "whole": IntDistribution(3, 3),
            "only": CategoricalDistribution(("one",)),
        },
    ),
    "twenty parameters": lambda: build_table(80, distributions=many_parameters(20)),
    "stepped": lambda: build_table(
        60, distributions={"a": IntDistribution(0, 100, step=10), "b": FloatDistribution(0, 1, step=0.25)}
    ),
    "hostile names": lambda: build_table(
        40, distributions={"<b>x</b>": SVM["C"], "%{y}": SVM["gamma"], "=1+1": SVM["kernel"], "": SVM["degree"]}
    ),
    "foreign": lambda: build_table(
        60, arms=("",), n_folds=0, completed=np.full(60, np.nan), started=np.full(60, np.nan)
    ),
    "first parameter unused at times": lambda: replace(
        build_table(60), params=build_table(60).params | {"C": np.where(np.arange(60) % 3, np.nan, 1.0)}
    ),
    "many arms": lambda: build_table(60, arms=tuple(f"arm {i}" for i in range(20))),
    "ten thousand": lambda: with_faults(build_table(10_000)),
}
CURRENT = {"C": 1.0, "gamma": 0.1, "kernel": "rbf", "shrinking": True}


def settings_of(plot: Plot[Any]) -> list[Plot[Any]]:
    """The plot with its defaults, and with every choice and both ends of every number."""
    found = [plot]
    for option in options_of(type(plot)):
        ends = {"bool": (True, False), "choice": option.choices}.get(option.kind, (option.low, option.high))
        found += [with_options(plot, {option.name: value}) for value in ends if value is not None]
    return found


VARIANTS = [variant for plot in PLOTS for variant in settings_of(plot)]


@pytest.mark.parametrize("plot", VARIANTS, ids=repr)
@pytest.mark.parametrize("study", STUDIES)
def test_plot_gives_a_drawing_or_a_sentence(plot: Plot[Any], study: str) -> None:
    table = STUDIES[study]()
    why = plot.why_unavailable(table)
    if why is not None:
        assert why[0].isupper()
        assert why.endswith(".")
        return
    data = plot.compute(table)
    for look in (LIGHT, DARK):
        go.Figure(plot.draw(data, look, current=CURRENT))
    figure = json.loads(figure_json(plot.draw(data, LIVE)))
    assert figure["data"]
    assert plot.alt(data).endswith(".")
    assert plot.caption(data).endswith(".")
    assert len(plot.numbers(data).columns) >= 3


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_plot_says_what_it_is(plot: Plot[Any]) -> None:
    assert plot.question.endswith("?")
    assert plot.how_to_read.endswith(".")
    assert plot.label
    assert 200 <= plot.height <= 900


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_ten_thousand_trials_are_less_than_300_kilobytes(plot: Plot[Any]) -> None:
    data = plot.compute(STUDIES["ten thousand"]())
    assert len(figure_json(plot.draw(data, LIVE))) < 300_000


@pytest.mark.parametrize("plot", [plot for plot in PLOTS if plot.shows_trials], ids=lambda p: p.key)
def test_customdata_begins_with_the_number_of_the_trial(plot: Plot[Any]) -> None:
    table = with_faults(build_table(60))
    shifted = replace(table, numbers=table.numbers + 1000)
    figure = plot.draw(plot.compute(shifted), LIVE)
    kinds = ("scatter", "scatter3d", "bar")
    found = [row[0] for t in figure["data"] if t["type"] in kinds for row in _rows(t.get("customdata"))]
    assert found
    assert set(found) <= set(range(1000, 1060))


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_live_figure_holds_no_colour_of_one_theme(plot: Plot[Any]) -> None:
    text = figure_json(plot.draw(plot.compute(build_table(60)), LIVE, current=CURRENT))
    assert not [colour for colour in (*LIGHT.palette().values(), *DARK.palette().values()) if colour in text]


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_drawing_leaves_the_table_alone(plot: Plot[Any]) -> None:
    table, twin = build_table(60), build_table(60)
    plot.draw(plot.compute(table), LIVE)
    for name in ("values", "numbers", "arms", "fold_scores"):
        np.testing.assert_array_equal(getattr(table, name), getattr(twin, name))


def _rows(customdata: Any) -> list[Any]:
    return [] if customdata is None else list(customdata)


def test_json_keeps_arrays_to_the_bit() -> None:
    array = np.array([[0.1, math.nan], [math.inf, -3.5]])
    spec = json.loads(figure_json({"data": [{"z": array}], "layout": {}}))["data"][0]["z"]
    back = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=spec["dtype"]).reshape(2, 2)
    np.testing.assert_array_equal(back, array)
    assert spec["shape"] == "2,2"


def test_json_refuses_a_number_that_no_browser_reads() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        figure_json({"data": [{"x": [math.nan]}], "layout": {}})
