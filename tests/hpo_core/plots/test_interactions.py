"""The matrix of interactions: single shares on the diagonal, pairs below, strong where they are beyond chance."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.plots import LIVE, PLOTS
from tests.known_functions import table_of
from tests.trial_tables import build_table, many_parameters

PLOT = PLOTS["interactions"]


def thirds(units: np.ndarray) -> np.ndarray:
    """A third of the variance each: x0 alone, x1 alone, and both together."""
    return units[:, 0] + units[:, 1] + 2 * np.sqrt(3) * (units[:, 0] - 0.5) * (units[:, 1] - 0.5)


def test_matrix_holds_each_pair_once_below_the_diagonal() -> None:
    data = PLOT.compute(table_of(thirds, 200, 4, noise=0.02))
    heat = PLOT.draw(data, LIVE)["data"][0]
    filled = np.isfinite(heat["z"])
    np.testing.assert_array_equal(filled, np.tril(np.ones((4, 4), dtype=bool)))
    assert heat["z"][1, 0] == pytest.approx(1 / 3, abs=0.08)
    assert "x0 × x1" in heat["text"][1][0] or "x1 × x0" in heat["text"][1][0]


def test_figures_beyond_chance_are_strong() -> None:
    data = PLOT.compute(table_of(thirds, 200, 4, noise=0.02))
    strong, pale = PLOT.draw(data, LIVE)["data"][1:]
    assert {*zip(strong["x"], strong["y"], strict=True)} == {(0, 0), (1, 1), (0, 1)}
    assert len(pale["x"]) == 7
    assert PLOT.alt(data).startswith("Acting together beyond each alone: x")


def test_sum_has_nothing_to_show_and_says_so() -> None:
    data = PLOT.compute(table_of(lambda u: 4 * u[:, 0] + 2 * u[:, 1], 200, 4, noise=0.2))
    assert PLOT.alt(data).startswith("No two parameters act together")


def test_noise_is_told_over_the_chart() -> None:
    data = PLOT.compute(build_table(80, values=np.random.default_rng(0).normal(size=80)))
    figure = PLOT.draw(data, LIVE)
    assert any("do not tell" in note["text"] for note in figure["layout"]["annotations"])
    assert not figure["data"][1]["text"]


def test_parameters_that_are_left_out_are_counted() -> None:
    data = PLOT.compute(build_table(120, distributions=many_parameters(12)))
    assert len(data.names) == 8
    assert "4 parameters that matter least alone left out" in PLOT.caption(data)


def test_why_there_is_no_matrix() -> None:
    one = {"C": many_parameters(1)["parameter_number_0"]}
    assert "takes two parameters" in str(PLOT.why_unavailable(build_table(40, distributions=one)))
    assert "5 parameters need at least 20 finished trials; so far there are 15" in str(
        PLOT.why_unavailable(build_table(15))
    )
