"""The response surface: blank where nobody looked, honest about its quality, clicks give legal values."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import SVM, build_table

SURFACE = PLOTS["surface"]
CURRENT = {"C": 1.0, "gamma": 0.1, "kernel": "rbf", "shrinking": True}


def test_default_sides_are_the_parameters_that_matter_most() -> None:
    data = SURFACE.compute(build_table(80))
    assert (data.x.name, data.y.name) == ("C", "gamma")


def test_place_far_from_all_trials_is_blank() -> None:
    table = build_table(60)
    half = table.params | {"C": np.minimum(table.params["C"], 1.0)}
    data = SURFACE.compute(build_table(60, params=half))
    assert np.isnan(data.mean[:, data.x.units > 0.75]).all()
    assert np.isfinite(data.mean[:, data.x.units < 0.4]).mean() > 0.9


def test_surface_of_noise_warns() -> None:
    table = build_table(60, values=np.random.default_rng(0).normal(size=60))
    assert "do not read its details" in SURFACE.caption(SURFACE.compute(table))


def test_caption_says_what_the_other_parameters_are() -> None:
    table = build_table(60)
    assert f"the other 3 parameters as in trial {table.numbers[table.best()]}" in SURFACE.caption(
        SURFACE.compute(table)
    )


@pytest.mark.parametrize(
    ("sides", "place", "values"),
    [
        (("C", "degree"), (0.5, 3.4), {"C": 0.5, "degree": 3}),
        (("kernel", "shrinking"), ("poly", "True"), {"kernel": "poly", "shrinking": True}),
        (("C", "gamma"), (1e9, 1e-9), {"C": 1e3, "gamma": 1e-4}),
    ],
)
def test_click_gives_the_nearest_legal_values(sides: tuple[str, str], place: tuple, values: dict) -> None:
    plot = with_options(SURFACE, dict(zip(("x", "y"), sides, strict=True)))
    located = plot.locate(plot.compute(build_table(80)), *place)
    assert located == {name: pytest.approx(v) if isinstance(v, float) else v for name, v in values.items()}


def test_click_in_three_dimensions_is_in_units() -> None:
    plot = with_options(SURFACE, {"view": "3-D", "x": "C", "y": "kernel"})
    assert plot.locate(plot.compute(build_table(80)), 0.5, 0.9) == {"C": pytest.approx(1.0), "kernel": "sigmoid"}


def test_better_end_of_the_scale_is_the_same_for_both_directions() -> None:
    scales = {}
    for direction in ("minimize", "maximize"):
        table = build_table(60, direction=direction)
        scales[direction] = [c for _, c in SURFACE.draw(SURFACE.compute(table), LIVE)["data"][0]["colorscale"]]
    assert scales["maximize"][-1] == LIVE.scale[-1]
    assert scales["minimize"] == scales["maximize"][::-1]


def test_star_stands_where_the_sliders_are() -> None:
    figure = SURFACE.draw(SURFACE.compute(build_table(60)), LIVE, current=CURRENT)
    star = next(trace for trace in figure["data"] if trace["name"] == "the sliders")
    assert (star["x"][0], star["y"][0]) == pytest.approx((1.0, 0.1))


def test_unknown_parameter_is_a_sentence() -> None:
    why = with_options(SURFACE, {"x": "nothing"}).why_unavailable(build_table(60))
    assert why == f"There is no parameter 'nothing'; there are {', '.join(SVM)}."


@pytest.mark.parametrize(("view", "coloured"), [("map", "z"), ("3-D", "surfacecolor")])
def test_uncertainty_is_drawn_from_none_up_and_keeps_the_expected_value_at_hand(view: str, coloured: str) -> None:
    plot = with_options(SURFACE, {"view": view, "colour": "uncertainty"})
    data = plot.compute(build_table(80))
    ground = plot.draw(data, LIVE)["data"][0]
    np.testing.assert_allclose(ground[coloured], data.sd, rtol=1e-6)
    np.testing.assert_allclose(ground["z" if view == "3-D" else "customdata"], data.mean, rtol=1e-6)
    assert ground["cmin" if view == "3-D" else "zmin"] == 0.0
