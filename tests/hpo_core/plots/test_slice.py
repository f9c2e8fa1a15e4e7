"""The slice: trials where their values are, an honest trend, clicks that give legal values."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import FloatDistribution

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import SVM, build_table

SLICE = PLOTS["slice"]


def along(name: str) -> object:
    return with_options(SLICE, {"x": name})


def test_parameter_that_matters_most_is_shown_first() -> None:
    values = np.linspace(0, 1, 80)
    table = build_table(80, values=values, params=build_table(80).params | {"gamma": 10 ** (5 * values - 4)})
    assert SLICE.compute(table).side.name == "gamma"


def test_trials_stand_at_their_values() -> None:
    table = build_table(50)
    data = along("C").compute(table)
    np.testing.assert_allclose(data.x, table.params["C"][data.rows], rtol=1e-9)


def test_categories_are_spread_within_their_place_and_always_alike() -> None:
    table = build_table(200)
    first, second = (along("kernel").compute(table) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    np.testing.assert_array_equal(np.round(first.x), table.params["kernel"])
    assert len(np.unique(first.x)) > 150


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_trend_is_the_average_over_the_other_parameters(direction: str) -> None:
    """The builder's value is a parabola in C with its top at 0.6 of the range, plus what the others add."""
    table = build_table(150, direction=direction)
    data = along("C").compute(table)
    expected = table.sign * (data.side.units - 0.6) ** 2 * (0.6 if direction == "maximize" else 1.0)
    gap = data.trend.mean - expected
    assert np.ptp(gap) < 0.03
    assert data.trend.quality.r2 > 0.9


def test_trend_is_broken_where_no_trial_is_near() -> None:
    table = build_table(80)
    left = table.params | {"C": np.where(table.params["C"] > 1, 1e3, table.params["C"])}
    data = along("C").compute(build_table(80, params=left))
    empty = (data.side.units > 0.6) & (data.side.units < 0.9)
    assert np.isnan(data.trend.mean[empty]).all()
    assert np.isfinite(data.trend.mean[data.side.units < 0.45]).all()


def test_trend_of_noise_warns() -> None:
    table = build_table(60, values=np.random.default_rng(0).normal(size=60))
    assert "do not read its details" in SLICE.caption(SLICE.compute(table))


def test_parameter_without_effect_is_said_to_make_no_difference() -> None:
    assert "no difference" in along("shrinking").alt(along("shrinking").compute(build_table(150)))


def test_few_trials_have_no_trend_and_say_why() -> None:
    data = SLICE.compute(build_table(4))
    assert data.trend is None
    assert "at least 8 finished trials" in SLICE.caption(data)


def test_unused_trials_are_counted() -> None:
    table = build_table(90)
    used = int((~np.isnan(table.params["degree"])).sum())
    caption = along("degree").caption(along("degree").compute(table))
    assert f"all {used} finished trials that use degree, of 90" in caption


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("C", 0.5, 0.5),
        ("C", 1e9, 1e3),
        ("degree", 3.4, 3),
        ("degree", 0.0, 2),
        ("kernel", 1.3, "poly"),
        ("kernel", -9.0, "rbf"),
        ("kernel", 99.0, "sigmoid"),
        ("shrinking", 1.0, False),
    ],
)
def test_click_gives_the_nearest_legal_value(name: str, place: float, value: object) -> None:
    located = along(name).locate(along(name).compute(build_table(80)), place, 0.9)
    assert located == {name: pytest.approx(value) if isinstance(value, float) else value}


def test_star_stands_on_the_trend_where_the_sliders_are() -> None:
    figure = along("C").draw(along("C").compute(build_table(60)), LIVE, current={"C": 1.0, "kernel": "rbf"})
    star = next(trace for trace in figure["data"] if trace.get("name") == "the sliders")
    assert star["x"] == [pytest.approx(1.0)]
    assert 0.8 < star["y"][0] < 1
    assert figure["layout"]["shapes"][0]["x0"] == pytest.approx(1.0)


def test_colour_by_order_runs_from_the_first_trial_to_the_newest() -> None:
    plot = with_options(SLICE, {"colour": "by order"})
    figure = plot.draw(plot.compute(build_table(60)), LIVE)
    markers = [t["marker"] for t in figure["data"] if t.get("customdata")]
    assert sum(marker["showscale"] for marker in markers) == 1
    assert {(marker["cmin"], marker["cmax"]) for marker in markers} == {(0, 59)}
    for trace in (t for t in figure["data"] if t.get("customdata")):
        assert trace["marker"]["color"] == [row[0] for row in trace["customdata"]]


def test_long_study_shows_its_best_and_a_sample() -> None:
    data = along("C").compute(build_table(5000))
    assert len(data.rows) == 1000
    assert "1,000 of 5,000 finished trials (best 300 and a sample)" in along("C").caption(data)


def test_constant_parameter_has_no_trend() -> None:
    table = build_table(30, distributions={"one": FloatDistribution(1, 1), "C": SVM["C"]})
    data = along("one").compute(table)
    assert data.trend is None
    assert "the same one" in along("one").caption(data)


def test_unknown_parameter_is_a_sentence() -> None:
    assert along("nothing").why_unavailable(build_table(9)) == (
        f"There is no parameter 'nothing'; there are {', '.join(SVM)}."
    )
