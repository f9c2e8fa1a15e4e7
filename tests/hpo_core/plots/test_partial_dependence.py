"""Partial dependence: the band holds the doubt, the line says where nobody looked, the words follow."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.known_functions import crowded, of_units, table_of
from tests.trial_tables import build_table

PLOT = PLOTS["partial_dependence"]


def along(name: str, over: str = "the whole space") -> object:
    return with_options(PLOT, {"x": name, "over": over})


def _gap() -> object:
    """Nobody looked between 0.4 and 0.8 of x0."""
    units = np.random.default_rng(0).random((80, 2))
    units[:, 0] = np.where(units[:, 0] < 0.6, units[:, 0] * 2 / 3, 0.8 + (units[:, 0] - 0.6) / 2)
    return of_units(units, np.sin(5 * units[:, 0]) + units[:, 1])


def test_line_is_broken_and_dotted_where_nobody_looked() -> None:
    data = along("x0").compute(_gap())
    lines = {trace["name"]: trace for trace in along("x0").draw(data, LIVE)["data"]}
    gap = (data.side.units > 0.5) & (data.side.units < 0.7)
    assert np.isnan(lines["average"]["y"][gap]).all()
    assert np.isfinite(lines["no trial near"]["y"]).all()
    assert lines["no trial near"]["line"]["dash"] == "dot"
    assert f"{data.unseen:.0%} of the range has no trial near." in along("x0").caption(data)
    assert data.unseen == pytest.approx(0.24, abs=0.04)


def test_bars_below_count_all_trials() -> None:
    for name in ("C", "kernel", "degree"):
        table = build_table(100)
        data = along(name).compute(table)
        counts = next(t for t in along(name).draw(data, LIVE)["data"] if t["name"] == "trials")["y"]
        assert counts.reshape(-1, 4)[:, 1].sum() == np.isfinite(table.params[name]).sum()


def test_crowded_search_is_told_what_it_does_not_know() -> None:
    data = along("x0").compute(crowded(60))
    assert "Little is known about" in along("x0").caption(data)
    assert "Little is known" not in along("x0", "the trials").caption(along("x0", "the trials").compute(crowded(60)))


def test_parameter_that_does_nothing_is_called_level() -> None:
    table = table_of(lambda u: u[:, 0], 60, 2, noise=0.05)
    assert "x1 makes no difference beyond doubt" in along("x1").alt(along("x1").compute(table))
    assert "is best with" in along("x0").alt(along("x0").compute(table))


def test_interval_is_about_the_average_and_the_spread_about_configurations() -> None:
    numbers = along("x0").numbers(along("x0").compute(table_of(lambda u: u[:, 0] + 4 * u[:, 1], 100, 2)))
    assert (numbers["configurations from (5 %)"] < numbers["low (5 %)"]).all()
    assert (numbers["configurations to (95 %)"] > numbers["high (95 %)"]).all()


def test_why_it_cannot_be_shown() -> None:
    assert "Too few trials to tell what each parameter does" in str(PLOT.why_unavailable(build_table(4)))
    table = build_table(40)
    same = build_table(40, params=table.params | {"C": np.full(40, 1.0)})
    assert "All finished trials have the same C" in str(along("C").why_unavailable(same))
