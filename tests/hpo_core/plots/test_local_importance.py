"""Local importance: rows in order, blank where unknown, a click moves one parameter of the best alone."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.plots import LIVE, PLOTS
from tests.known_functions import of_units, table_of
from tests.trial_tables import build_table, many_parameters

PLOT = PLOTS["local_importance"]


def bowl(units: np.ndarray) -> np.ndarray:
    return 2 * (units[:, 0] - 0.5) ** 2 + (units[:, 1] - 0.3) ** 2


def test_rows_are_sorted_and_hollow_where_nothing_is_clear() -> None:
    data = PLOT.compute(table_of(bowl, 120, 3, noise=0.01))
    figure = PLOT.draw(data, LIVE)
    assert figure["layout"]["yaxis"]["ticktext"] == ["x0", "x1", "x2"]
    hollow = [colour.startswith("rgba(0,0,0") for colour in figure["data"][0]["marker"]["color"]]
    assert hollow == [False, False, True]


def test_strip_is_best_at_the_ring() -> None:
    data = PLOT.compute(table_of(bowl, 120, 2))
    traces = {trace["name"]: trace for trace in PLOT.draw(data, LIVE)["data"]}
    for row, along in enumerate(data.rows):
        ring = traces["the best"]["x"][row] - 2.0
        assert ring == pytest.approx(along.best)
        brightest = traces["lost"]["x"][int(np.argmax(traces["lost"]["z"][row]))] - 2.0
        assert brightest == pytest.approx(ring, abs=0.12)


def test_strip_is_blank_where_little_is_known() -> None:
    units = np.random.default_rng(0).random((60, 2)) * [0.3, 1.0]
    data = PLOT.compute(of_units(units, np.sin(30 * units[:, 0]) + units[:, 1]))
    strip = next(t for t in PLOT.draw(data, LIVE)["data"] if t["name"] == "lost")
    row = [along.name for along in data.rows].index("x0")
    assert np.isnan(strip["z"][row][-10:]).all()
    assert "little is known here" in strip["text"][row][-1]


def test_click_on_a_strip_moves_that_parameter_of_the_best_alone() -> None:
    table = build_table(100)
    data = PLOT.compute(table)
    names = [along.name for along in data.rows]
    best = table.configuration(data.found.row)
    place = PLOT.locate(data, 2.5, names.index("C"))
    assert place == best | {"C": pytest.approx(1.0)}
    assert PLOT.locate(data, 2.99, names.index("kernel"))["kernel"] == "sigmoid"
    assert PLOT.locate(data, 0.4, 0) == {}
    assert PLOT.locate(data, 2.5, len(names) + 1) == {}


def test_promise_of_a_single_move_is_said() -> None:
    """The best trial got its value by luck: its place on x0 is a bad one."""
    units = np.random.default_rng(0).random((150, 2))
    units[0] = [0.9, 0.1]
    values = np.abs(units[:, 0] - 0.3) + units[:, 1]
    values[0] = values.min() - 0.01
    data = PLOT.compute(of_units(units, values + 0.01 * np.random.default_rng(1).standard_normal(150)))
    assert "Moving x0 alone to 0.3" in PLOT.caption(data)


@pytest.mark.parametrize("key", ["local_importance", "ablation"])
def test_model_of_noise_is_told_on_the_chart(key: str) -> None:
    noise = build_table(60, values=np.random.default_rng(1).normal(size=60))
    for table, is_told in ((noise, True), (build_table(60), False)):
        notes = PLOTS[key].draw(PLOTS[key].compute(table), LIVE)["layout"]["annotations"]
        assert any("hardly predicts" in note["text"] for note in notes) == is_told


def test_what_is_not_drawn_is_in_the_table() -> None:
    data = PLOT.compute(build_table(150, distributions=many_parameters(20)))
    assert len(data.rows) == 12
    assert len(PLOT.numbers(data)) == len(data.found.axes) > 12
    assert "are in the table only" in PLOT.caption(data)


def test_too_few_trials_and_unused_parameters_get_a_sentence() -> None:
    assert "it takes at least 12 finished trials; so far there are 9." in str(PLOT.why_unavailable(build_table(9)))
    table = build_table(40, distributions={"a": many_parameters(1)["parameter_number_0"]})
    column = np.where(np.arange(40) == table.best(), np.nan, table.params["a"])
    why = PLOT.why_unavailable(build_table(40, distributions=table.distributions, params={"a": column}))
    assert "The best trial uses none" in str(why)
