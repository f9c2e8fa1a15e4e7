"""Parallel coordinates: lines cross the axes at their values, brushes select in the parameters' own terms."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import build_table, many_parameters, with_faults

PARALLEL = PLOTS["parallel"]


def test_lines_cross_log_axes_at_their_exponents() -> None:
    table = build_table(50)
    data = PARALLEL.compute(table)
    np.testing.assert_allclose(data.places[:, 0], (np.log10(table.params["C"]) + 3) / 6, atol=1e-9)


def test_unused_parameters_have_a_place_of_their_own() -> None:
    table = build_table(50)
    data = PARALLEL.compute(table)
    column = data.places[:, data.names.index("degree")]
    np.testing.assert_array_equal(column < 0, np.isnan(table.params["degree"]))


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_best_trial_ends_highest(direction: str) -> None:
    table = build_table(50, direction=direction)
    assert int(PARALLEL.compute(table).places[:, -1].argmax()) == table.best()


def test_brush_selects_the_trials_that_it_says() -> None:
    table = build_table(200)
    data = PARALLEL.compute(table)
    inside = data.is_within({"C": (0.5, 2 / 3)})
    np.testing.assert_array_equal(inside, (table.params["C"] >= 1) & (table.params["C"] <= 10))
    assert data.ranges({"C": (0.5, 2 / 3), "kernel": (0.1, 0.7)}) == {"C": "1 to 10", "kernel": "rbf, poly"}


def test_brush_on_the_value_selects_by_value() -> None:
    table = build_table(200)
    data = PARALLEL.compute(table)
    threshold = data.limits.low + 0.5 * (data.limits.high - data.limits.low)
    np.testing.assert_array_equal(data.is_within({"": (0.5, 1.01)}), table.values[data.rows] >= threshold)


def test_few_trials_are_all_lines_and_many_leave_a_shade() -> None:
    assert PARALLEL.compute(build_table(50)).density is None
    data = PARALLEL.compute(with_faults(build_table(5000)))
    assert data.density is not None
    assert data.density.max() == 255
    assert len(data.lines) == PARALLEL.top


def test_shade_lies_where_the_lines_are() -> None:
    table = build_table(1000, distributions={"a": many_parameters(1)["parameter_number_0"]})
    low = {"a": np.full(1000, 0.1)}
    data = PARALLEL.compute(build_table(1000, distributions=dict(table.distributions), params=low))
    assert data.density is not None
    rows_with_lines = np.flatnonzero(data.density[:, 0])
    assert len(rows_with_lines) == 1
    assert rows_with_lines[0] < 20


def test_most_telling_parameters_get_the_axes() -> None:
    data = with_options(PARALLEL, {"axes": 2}).compute(build_table(400))
    assert data.names == ("C", "gamma")
    assert "2 of 5 parameters" in PARALLEL.caption(data)


def test_top_k_is_the_number_of_lines() -> None:
    data = with_options(PARALLEL, {"top": 25}).compute(build_table(300, arms=("tpe",)))
    assert set(data.rows[data.lines]) == set(np.argsort(-data.table.values)[:25])


def test_sliders_are_drawn_where_they_stand() -> None:
    data = PARALLEL.compute(build_table(50))
    figure = PARALLEL.draw(data, LIVE, current={"C": 1.0, "gamma": 10.0, "kernel": "rbf", "shrinking": False})
    places = next(trace for trace in figure["data"] if trace.get("name") == "the sliders")["y"]
    np.testing.assert_allclose(places[[0, 1, 2, 4]], [0.5, 1.0, 1 / 6, 0.75], atol=1e-6)
    assert places[3] < 0
