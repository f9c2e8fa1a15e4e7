"""The spread of a class: a row for each group, names as text, numbers and alt as drawn."""

from __future__ import annotations

from hpo_core.plots import LIGHT, Spread, spread_alt, spread_figure, spread_numbers

PEOPLE = Spread("manual", "People", ("Ada", "<b>Bob</b>", "Cleo"), (0.9, 0.95, 0.9))
RANDOM = Spread("random", "Random", ("Random, seed 0",), (0.8,))


def test_each_group_is_a_row_whose_dots_do_not_hide_each_other():
    figure = spread_figure([PEOPLE, RANDOM], "maximize", LIGHT)
    people, random = figure["data"]
    assert len({(x, y) for x, y in zip(people["x"], people["y"], strict=True)}) == 3
    assert all(0.5 < y < 1.5 for y in people["y"])
    assert random["y"] == [0.0]
    assert people["customdata"][1] == "&lt;b&gt;Bob&lt;/b&gt;"
    assert figure["layout"]["yaxis"]["ticktext"] == ["People", "Random"]
    assert figure["layout"]["yaxis"]["tickvals"] == [1, 0]


def test_numbers_and_alt_say_what_is_drawn():
    assert spread_numbers([PEOPLE, RANDOM])["best so far"].tolist() == [0.9, 0.95, 0.9, 0.8]
    assert "People: 3 values, median 0.9000, from 0.9000 to 0.9500" in spread_alt([PEOPLE, RANDOM])
    assert spread_alt([]) == "Nobody has a value yet."
