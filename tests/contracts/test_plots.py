"""Every plot that discovery finds, against every odd study that a person may open."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from hpo_core.options import options_of, with_options
from hpo_core.plots import DARK, LIGHT, LIVE, PLOTS, Plot, figure_json
from hpo_core.studies.run import Event
from hpo_core.studies.table import TrialTable
from tests.trial_tables import (
    SVM,
    build_table,
    drawn_at_random,
    many_parameters,
    with_choices,
    with_faults,
    with_thoughts,
)

_WHAT = (
    ("begun", {"kind": "trials", "amount": 30}),
    ("claimed", {"pid": 1}),
    ("asked", {"wanted": "paused"}),
    ("budget", {"kind": "seconds", "amount": 40.5}),
    ("asked", {"wanted": "running"}),
    ("died", {"message": "<b>gone</b> %{x}"}),
    ("resumed", {}),
    ("something new", {"odd": None}),
    ("asked", {"wanted": "paused"}),
)
_EVENTS = tuple(Event(1.7e9 - 2 + 5 * i, what, detail) for i, (what, detail) in enumerate(_WHAT))


def _dynamic(table: TrialTable, every: int = 5) -> TrialTable:
    """Each parameter is used by its own part of the trials."""
    place = np.arange(len(table))
    params = {n: np.where((place + i) % every == 0, c, np.nan) for i, (n, c) in enumerate(table.params.items())}
    return replace(table, params=params)


def _hiding(table: TrialTable, numbers: Iterable[int]) -> TrialTable:
    return replace(table, hidden=frozenset(numbers))


def _missing_folds(table: TrialTable) -> TrialTable:
    """Trials with one fold less each, down to none."""
    done = np.arange(5) < (np.arange(len(table)) % 6)[:, None]
    return replace(table, fold_scores=np.where(done, table.fold_scores, np.nan))


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
    "forty parameters": lambda: with_faults(build_table(200, distributions=many_parameters(40))),
    "fifty categories": lambda: build_table(
        120, distributions={"many 🦊": CategoricalDistribution(tuple(f"choice <{i}> 🦊" for i in range(50)))} | SVM
    ),
    "dynamic parameters": lambda: _dynamic(build_table(120, distributions=many_parameters(12))),
    "no parameter in common": lambda: _dynamic(build_table(60, distributions=many_parameters(4)), every=4),
    "some hidden": lambda: _hiding(with_faults(build_table(60)), range(0, 60, 3)),
    "all hidden": lambda: _hiding(with_faults(build_table(60)), range(60)),
    "best and default hidden": lambda: _hiding(build_table(60), (0, int(build_table(60).best() or 0))),
    "part by rows": lambda: with_faults(build_table(60)).take(np.array([3, 9, 17, 22, 30, 41, 42, 43, 51, 58])),
    "part without trials": lambda: build_table(60).take(np.zeros(60, dtype=bool)),
    "missing folds": lambda: _missing_folds(build_table(60)),
    "infinite folds": lambda: build_table(20, fold_scores=np.full((20, 3), np.inf)),
    "one fold": lambda: build_table(40, n_folds=1),
    "clock set back": lambda: replace(build_table(30), completed=build_table(30).started - 3600),
    "events": lambda: replace(build_table(30), events=_EVENTS),
    "events before and after": lambda: replace(build_table(1), events=_EVENTS),
    "still running": lambda: replace(
        build_table(30),
        states=np.where(np.arange(30) < 27, 1, 0).astype(np.int8),
        values=np.where(np.arange(30) < 27, build_table(30).values, np.nan),
        completed=np.where(np.arange(30) < 27, build_table(30).completed, np.nan),
    ),
    "many arms": lambda: build_table(60, arms=tuple(f"arm {i}" for i in range(20))),
    "thoughts": lambda: with_thoughts(with_faults(build_table(60))),
    "thoughts of one": lambda: with_thoughts(build_table(1)),
    "thoughts of failed": lambda: with_thoughts(
        build_table(12, states=np.full(12, TrialState.FAIL.value, dtype=np.int8), values=np.full(12, np.nan))
    ),
    "thoughts and hidden": lambda: _hiding(with_thoughts(with_faults(build_table(60))), range(0, 60, 3)),
    "thoughts on one parameter": lambda: with_thoughts(build_table(40, distributions={"C": SVM["C"]})),
    "thoughts with infinite values": lambda: with_thoughts(
        build_table(40, values=np.where(np.arange(40) % 5 == 0, -np.inf, np.arange(40.0)))
    ),
    "thoughts of dynamic parameters": lambda: with_thoughts(_dynamic(build_table(60, distributions=SVM), every=2)),
    "ten thousand thoughts": lambda: with_thoughts(with_faults(build_table(10_000))),
    "hostile thoughts": lambda: build_table(len(_HOSTILE), thoughts=np.array(_HOSTILE, dtype=object)),
    "choices": lambda: with_choices(with_faults(build_table(60))),
    "choices of one": lambda: with_choices(build_table(1)),
    "choices of failed": lambda: with_choices(
        build_table(12, states=np.full(12, TrialState.FAIL.value, dtype=np.int8), values=np.full(12, np.nan))
    ),
    "choices and infinite values": lambda: with_choices(
        build_table(40, values=np.where(np.arange(40) % 5 == 0, np.inf, np.arange(40.0)))
    ),
    "choices without folds": lambda: with_choices(build_table(20, n_folds=0)),
    "choices and hidden": lambda: _hiding(with_choices(with_faults(build_table(60))), range(0, 60, 3)),
    "choices used at times": lambda: _dynamic(with_choices(build_table(60))),
    "ten thousand choices": lambda: with_choices(with_faults(build_table(10_000))),
    "family that is a number": lambda: build_table(
        30, distributions={"family": FloatDistribution(0, 1), "n_layers": FloatDistribution(0, 3), "units_1": SVM["C"]}
    ),
    "layers without widths": lambda: build_table(30, distributions={"n_layers": IntDistribution(1, 3), "C": SVM["C"]}),
    "ten thousand": lambda: with_faults(build_table(10_000)),
    "random": lambda: drawn_at_random(with_faults(build_table(60))),
    "a few random": lambda: drawn_at_random(build_table(8)),
    "random and failed": lambda: drawn_at_random(STUDIES["all failed"]()),
    "random and infinite": lambda: drawn_at_random(STUDIES["best infinite"]()),
    "random and equal": lambda: drawn_at_random(STUDIES["constant values"]()),
    "random and terrible": lambda: drawn_at_random(STUDIES["terrible outlier"]()),
    "random and hidden": lambda: _hiding(drawn_at_random(with_faults(build_table(60))), range(0, 60, 3)),
    "ten thousand random": lambda: drawn_at_random(with_faults(build_table(10_000))),
}
_HOSTILE = (
    "",
    "[1, 2]",
    "{broken",
    "null",
    '{"generation": "many", "parents": 7, "id": {}}',
    '{"generation": 3.5, "mean": [1], "axes": 5, "sigma": "wide"}',
    '{"generation": true, "axes": ["C", "C"], "mean": [0, 0], "sigma": 1}',
    '{"generation": -1}',
    '{"generation": 1e400}',
    '{"generation": 2, "id": "<b>%{x}</b>", "parents": ["<i>", null, 5], "operator": ["%{y}", 1]}',
    '{"generation": 2, "axes": ["C", "gone"], "mean": [0.5, 0.5], "sigma": 0.1}',
    '{"generation": 3, "axes": ["C", "gamma"], "mean": [NaN, 0.5], "sigma": 0.1}',
    '{"generation": 3, "axes": ["C", "gamma"], "mean": [0.5, 1e300], "sigma": Infinity}',
    '{"generation": 4, "axes": ["C", "gamma"], "mean": [0.5, 7], "sigma": 0.1, "covariance": [[1, 2]]}',
    '{"scheme": 1, "bracket": 0, "rung": 0, "slot": 0, "resource": 0.5}',
    '{"scheme": {}, "bracket": "0", "rung": 0, "slot": null, "resource": 7}',
    '{"scheme": "a", "bracket": 0, "rung": 0, "slot": 1e9, "resource": NaN}',
    '{"scheme": [], "round": 0, "member": 0, "turn": 0, "parent": null, "resource": 0.5}',
    '{"scheme": "p", "round": 0, "member": 1, "turn": 1, "parent": [0, 0, 0], "resource": 1.0, "past": [["C", 0.1]]}',
    '{"scheme": "p", "round": 0, "member": -1, "turn": 0, "parent": "<b>", "resource": "%{x}", "past": 5}',
    '{"scheme": "p", "round": 0, "member": 2, "turn": 3, "parent": [9, 9], "resource": 1, "past": [[{"C": "x"}, 0.5]]}',
    '{"scheme": "p", "round": 0, "member": 3, "turn": 3, "parent": [3, 3], "resource": 1, "past": [[{"C": [1]}, 0.5]]}',
    '{"generation": 99999999, "axes": ["C", "gamma"], "mean": [0.5, 0.5], "sigma": 9, "covariance": [[-1, 5], [0, 0]]}',
)
_MARKS = ("scatter", "scatter3d", "bar")
CURRENT = {"C": 1.0, "gamma": 0.1, "kernel": "rbf", "shrinking": True}


def settings_of(plot: Plot[Any]) -> list[Plot[Any]]:
    """The plot with its defaults, and with every choice and both ends of every number."""
    found = [plot]
    for option in options_of(type(plot)):
        ends = {"bool": (True, False), "choice": option.choices}.get(option.kind, (option.low, option.high))
        found += [with_options(plot, {option.name: value}) for value in ends if value is not None]
    return list(dict.fromkeys(found))


VARIANTS = [variant for plot in PLOTS for variant in settings_of(plot)]


def for_plot(plot: Plot[Any], table: TrialTable) -> TrialTable:
    """The table; for a plot that needs them, with thoughts, with some parameters, or with trials drawn at random."""
    richer = (lambda: table, lambda: with_thoughts(table), lambda: with_choices(table), lambda: drawn_at_random(table))
    return next((found for make in richer if plot.why_unavailable(found := make()) is None), table)


def as_it_is(table: TrialTable) -> TrialTable:
    return table


@cache
def _large(enriched: Callable[[TrialTable], TrialTable]) -> TrialTable:
    return enriched(with_faults(build_table(100_000, distributions=many_parameters(12))))


@cache
def _table_of(study: str) -> TrialTable:
    return STUDIES[study]()


@pytest.mark.parametrize("plot", VARIANTS, ids=repr)
@pytest.mark.parametrize("study", STUDIES)
def test_plot_gives_a_drawing_or_a_sentence(plot: Plot[Any], study: str) -> None:
    table = _table_of(study)
    why = plot.why_unavailable(table)
    if why is not None:
        assert why[0].isupper()
        assert why.endswith(".")
        return
    data = plot.compute(table)
    light, dark = (plot.draw(data, look, current=CURRENT) for look in (LIGHT, DARK))
    go.Figure(light)  # which checks every name and value
    assert [trace.keys() for trace in dark["data"]] == [trace.keys() for trace in light["data"]]
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
def test_hundred_thousand_trials_are_less_than_500_kilobytes(plot: Plot[Any]) -> None:
    richer = map(_large, (as_it_is, with_thoughts, with_choices, drawn_at_random))
    table = next(found for found in richer if plot.why_unavailable(found) is None)
    assert len(figure_json(plot.draw(plot.compute(table), LIVE))) < 500_000


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_hidden_trials_are_in_no_mark_and_no_number(plot: Plot[Any]) -> None:
    table = for_plot(plot, with_faults(build_table(60)))
    hidden = {int(table.best() or 0), *range(2, 60, 5)}
    data = plot.compute(replace(table, hidden=frozenset(hidden)))
    figure = plot.draw(data, LIVE)
    marked = {int(row[0]) for t in figure["data"] for row in _rows(t.get("customdata")) if t["type"] in _MARKS}
    assert not hidden & marked
    numbers = plot.numbers(data)
    assert "trial" not in numbers or not hidden & set(numbers["trial"])


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_same_trials_give_the_same_drawing(plot: Plot[Any]) -> None:
    tables = [for_plot(plot, with_faults(build_table(60))) for _ in range(2)]
    first, second = (figure_json(plot.draw(plot.compute(table), LIVE)) for table in tables)
    assert first == second


@pytest.mark.parametrize("key", ["history", "slice", "timeline", "folds"])
def test_arm_keeps_its_colour_when_others_are_filtered_out(key: str) -> None:
    plot, table = PLOTS[key], build_table(90, arms=("default", "random", "tpe"))
    part = table.take(table.arms == "tpe")
    assert set(part.arms) == {"tpe"}

    def colours(shown: TrialTable) -> set[str]:
        figure = plot.draw(plot.compute(shown), LIVE)
        marker = next(t["marker"] for t in figure["data"] if t.get("name") == "TPE" and "marker" in t)
        return {*np.atleast_1d(marker["color"]).tolist(), marker["line"]["color"]} - {LIVE.surface}

    assert len(colours(part)) == 1
    assert colours(part) == colours(table)


def test_tabs_stand_in_their_order() -> None:
    assert [plot.key for plot in PLOTS][:3] == ["history", "parallel", "surface"]
    assert [plot.place for plot in PLOTS] == sorted(plot.place for plot in PLOTS)


@pytest.mark.parametrize("plot", [plot for plot in PLOTS if plot.shows_trials], ids=lambda p: p.key)
def test_customdata_begins_with_the_number_of_the_trial(plot: Plot[Any]) -> None:
    table = for_plot(plot, with_faults(build_table(60)))
    shifted = replace(table, numbers=table.numbers + 1000)
    assert plot.why_unavailable(shifted) is None
    figure = plot.draw(plot.compute(shifted), LIVE)
    found = [row[0] for t in figure["data"] if t["type"] in _MARKS for row in _rows(t.get("customdata"))]
    assert found
    assert set(found) <= set(range(1000, 1060))


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_live_figure_holds_no_colour_of_one_theme(plot: Plot[Any]) -> None:
    text = figure_json(plot.draw(plot.compute(for_plot(plot, build_table(60))), LIVE, current=CURRENT))
    assert not [colour for colour in (*LIGHT.palette().values(), *DARK.palette().values()) if colour in text]


@pytest.mark.parametrize("plot", list(PLOTS), ids=lambda p: p.key)
def test_drawing_leaves_the_table_alone(plot: Plot[Any]) -> None:
    table, twin = (for_plot(plot, build_table(60)) for _ in range(2))
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
