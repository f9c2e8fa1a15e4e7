"""Cheapest within noise: what is marked, and what is recommended."""

from dataclasses import replace

import numpy as np

from hpo_core.options import with_options
from hpo_core.plots import LIGHT, PLOTS
from tests.trial_tables import build_table

FOLDS = np.array([[0.95, 0.94, 0.96, 0.95], [0.94, 0.95, 0.95, 0.955], [0.955, 0.93, 0.95, 0.95], [0.5, 0.6, 0.5, 0.6]])
SECONDS = np.repeat([[8.0], [4.0], [1.0], [0.1]], 4, axis=1)
TABLE = build_table(4, n_folds=4, fold_scores=FOLDS, values=FOLDS.mean(axis=1), fit_seconds=SECONDS, arms=("tpe",))
PLOT = PLOTS["cheapest"]


def test_recommendation_names_the_trial_what_it_saves_and_what_it_gives_up():
    said = PLOT.alt(PLOT.compute(TABLE))
    assert said == (
        "Take trial 2: at 0.9463 it is tied with the best, trial 0 at 0.9500, and its fit time is 1 s instead of 8 s, "
        "8 times less."
    )
    assert PLOT.caption(PLOT.compute(TABLE)) == f"{said} Showing all 4 finished trials; 2 tied with the best."


def test_tied_marks_are_hollow_and_a_click_on_the_ring_loads_the_cheapest():
    traces = PLOT.draw(PLOT.compute(TABLE), LIGHT)["data"]
    named = {trace.get("name", "ring"): trace for trace in traces}
    tied, best = named["TPE, tied with the best"], named["TPE, the best"]
    assert tied["marker"]["color"] == LIGHT.surface
    assert best["marker"]["color"] != LIGHT.surface
    assert [row[0] for row in tied["customdata"]] == [1, 2]
    assert [row[0] for row in named["ring"]["customdata"]] == [2]
    assert named["ring"]["x"].tolist() == [1.0]


def test_numbers_say_how_each_stands():
    numbers = PLOT.numbers(PLOT.compute(TABLE))
    assert numbers["to the best"].tolist() == ["best", "tied", "tied", "worse"]
    assert numbers["cheapest as good"].tolist() == [False, False, True, False]


def test_another_cost_may_recommend_another_trial():
    sizes = np.repeat([[5e5], [1e3], [4e5], [1e2]], 4, axis=1)
    plot = with_options(PLOT, {"against": "model size"})
    table = replace(TABLE, model_bytes=sizes)
    assert plot.alt(plot.compute(table)).startswith("Take trial 1:")
    assert "1 kB instead of 500 kB" in plot.alt(plot.compute(table))


def test_nothing_cheaper_is_said():
    table = replace(TABLE, fit_seconds=SECONDS[::-1])
    assert PLOT.alt(PLOT.compute(table)).startswith("No trial that is tied with the best, trial 0, is notably cheaper")
    clear = replace(TABLE, fold_scores=FOLDS - np.array([[0.0], [0.1], [0.2], [0.3]]))
    assert PLOT.alt(PLOT.compute(clear)) == "No other trial is tied with the best, trial 0: 0.9500."


def test_one_fold_tells_no_ties():
    assert "fewer than two scored folds" in PLOT.why_unavailable(build_table(20, n_folds=1))
