"""The importance chart: sorted bars, hollow where chance would do the same, words that follow the numbers."""

from __future__ import annotations

import numpy as np

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import build_table, many_parameters

IMPORTANCE = PLOTS["importance"]


def test_bars_are_sorted_and_those_of_chance_are_hollow() -> None:
    data = IMPORTANCE.compute(build_table(300))
    figure = IMPORTANCE.draw(data, LIVE)
    bars = figure["data"][0]
    singles = [share.median for share in data.bars if len(share.names) == 1]
    assert singles == sorted(singles, reverse=True)
    filled = {text for text, c in zip(figure["layout"]["yaxis"]["ticktext"], bars["marker"]["color"], strict=True)
              if not c.startswith("rgba(0,0,0")}  # fmt: skip
    assert {"C", "gamma"} <= filled
    assert not filled & {"kernel", "shrinking"}


def test_noise_is_told_over_the_chart() -> None:
    data = IMPORTANCE.compute(build_table(80, values=np.random.default_rng(0).normal(size=80)))
    figure = IMPORTANCE.draw(data, LIVE)
    assert any("do not tell" in note["text"] for note in figure["layout"]["annotations"])
    assert IMPORTANCE.alt(data).startswith("The trials do not tell")
    assert all(colour.startswith("rgba(0,0,0") for colour in figure["data"][0]["marker"]["color"])


def test_what_is_not_drawn_is_in_the_table() -> None:
    data = IMPORTANCE.compute(build_table(200, distributions=many_parameters(40)))
    assert len([bar for bar in data.bars if len(bar.names) == 1]) == 12
    assert len(IMPORTANCE.numbers(data)) >= 40
    assert "28 parameters that matter least" in IMPORTANCE.caption(data)


def test_conditional_parameter_is_marked_and_explained() -> None:
    data = IMPORTANCE.compute(build_table(200))
    assert "degree *" in IMPORTANCE.draw(data, LIVE)["layout"]["yaxis"]["ticktext"]
    assert "judged among the trials that use it" in IMPORTANCE.caption(data)


def test_better_half_is_another_question() -> None:
    table = build_table(200)
    top = with_options(IMPORTANCE, {"among": "better half"})
    assert set(top.numbers(top.compute(table))["among"]) >= {"better half"}
    assert top.compute(table).shares != IMPORTANCE.compute(table).shares
