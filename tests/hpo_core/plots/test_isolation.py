"""The isolation plot: marks are the best of their stretch, the line ends where nothing is known, clicks give more."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.known_functions import crowded, table_of
from tests.trial_tables import SVM, build_table

ISOLATION = PLOTS["isolation"]


def along(name: str) -> object:
    return with_options(ISOLATION, {"x": name})


def valley(units: np.ndarray) -> np.ndarray:
    """The best over x1 lies at x1 = x0, and is (x0 - 0.3)² there."""
    return 0.5 * (units[:, 0] - units[:, 1]) ** 2 + (units[:, 0] - 0.3) ** 2


def test_strong_marks_are_the_best_of_their_stretch_and_no_others() -> None:
    table = build_table(100)
    data = along("C").compute(table)
    figure = along("C").draw(data, LIVE)
    marked = {int(row[0]) for t in figure["data"] for row in t.get("customdata", [])}
    assert marked == set(data.found.rows.tolist())
    assert len(marked) <= 12
    assert table.best() in marked


def test_line_is_blank_where_nobody_looked() -> None:
    data = along("x1").compute(crowded(60))
    assert data.expected.is_shown[data.side.units < 0.1].all()
    assert not data.expected.is_shown[data.side.units > 0.3].any()


def test_click_gives_the_configuration_behind_the_line_with_the_parameter_where_it_was_clicked() -> None:
    data = along("x0").compute(table_of(valley, 120, 2))
    place = along("x0").locate(data, 0.7, 0.0)
    assert place["x0"] == 0.7
    assert place["x1"] == pytest.approx(0.7, abs=0.1)


def test_click_on_a_log_axis_finds_the_nearest_place_on_its_own_scale() -> None:
    table = build_table(100)
    data = along("C").compute(table)
    for c in (0.0012, 1.0, 900.0):
        place = along("C").locate(data, c, 0.9)
        assert place["C"] == pytest.approx(c)
        assert place == data.expected.configurations[int(np.abs(data.side.units - (np.log10(c) + 3) / 6).argmin())] | {
            "C": place["C"]
        }


def test_freedom_is_said() -> None:
    table = table_of(lambda u: np.maximum(np.abs(u[:, 0] - 0.5) - 0.2, 0) + u[:, 1], 150, 2, noise=0.01)
    low, high = along("x0").compute(table).free
    assert low == pytest.approx(0.3, abs=0.06)
    assert high == pytest.approx(0.7, abs=0.06)
    assert "Fixed anywhere from 0." in along("x0").caption(along("x0").compute(table))


def test_few_trials_show_what_was_found_and_say_why_nothing_is_expected() -> None:
    data = ISOLATION.compute(build_table(6))
    assert data.expected is None
    assert "it takes at least 12 finished trials; so far there are 6." in ISOLATION.caption(data)
    assert "expected best" not in ISOLATION.numbers(data)
    assert ISOLATION.locate(data, 1.0, 0.9).keys() == {data.side.name}


def test_category_has_a_mark_and_a_dash_for_each_choice() -> None:
    data = along("kernel").compute(build_table(80))
    figure = along("kernel").draw(data, LIVE)
    assert len(data.found.rows) == 3
    assert any("error_y" in trace and trace["name"] == "expected best" for trace in figure["data"])


def test_numbers_hold_the_configuration_and_the_count() -> None:
    table = build_table(100)
    numbers = along("C").numbers(along("C").compute(table))
    assert {"with gamma", "with kernel", "with degree", "trials near", "best found by"} <= set(numbers)
    assert numbers["best found near"].max() == table.values.max()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", f"There is no parameter 'nothing'; there are {', '.join(SVM)}."),
        ("degree", "No finished trial uses degree"),
    ],
)
def test_why_it_cannot_be_shown(name: str, words: str) -> None:
    table = build_table(30)
    unused = {**table.params, "degree": np.full(30, np.nan)}
    assert words in str(along(name).why_unavailable(build_table(30, params=unused)))
