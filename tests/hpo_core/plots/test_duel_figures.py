"""The pictures of a duel: an arm keeps its colour, regret is never below 0, and the words give the order."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.duel import Side, chance_ahead, curve
from hpo_core.plots import chance_figure, duel_alt, duel_figure, duel_numbers
from tests.trial_tables import build_table


def named(direction="maximize"):
    levels = {"auto": (0.9, 0.95), "manual": (0.93,), "random": (0.8, 0.85)}
    labels = {"auto": "Auto", "manual": "You", "random": "Random"}
    curves = []
    for key, values in levels.items():
        tables = tuple(build_table(6, values=v - 0.01 * np.arange(6)[::-1], direction=direction) for v in values)
        curves.append((key, labels[key], curve(Side(labels[key], tables), "trials", 6)))
    return curves


def colours(figure):
    return {
        trace["name"].removeprefix("against "): trace["line"]["color"] for trace in figure["data"] if "name" in trace
    }


def test_an_arm_keeps_its_colour_from_one_picture_to_the_other() -> None:
    curves = named()
    lines = colours(duel_figure(curves, "trials", "maximize"))
    rivals = [(key, name, chance_ahead(curves[0][2], one, -1.0)) for key, name, one in curves[1:]]
    chances = colours(chance_figure(rivals, curves[0][2].x, "trials", "Auto", [key for key, _, _ in curves]))
    assert len(set(lines.values())) == 3
    assert chances == {name: lines[name] for name in ("You", "Random")}


def test_bands_are_drawn_of_arms_with_several_seeds_alone() -> None:
    traces = duel_figure(named(), "trials", "maximize")["data"]
    assert sum("fillcolor" in trace for trace in traces) == 2


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_regret_is_the_distance_to_the_best_and_never_below_it(direction: str) -> None:
    curves = named(direction)
    ends = [v for _, _, one in curves for v in one.values[:, -1]]
    best = max(ends) if direction == "maximize" else min(ends)
    lines = [t for t in duel_figure(curves, "trials", direction, best)["data"] if "name" in t]
    assert all((np.asarray(t["y"]) >= 0).all() for t in lines)
    assert min(float(np.asarray(t["y"])[-1]) for t in lines) <= 0.03


def test_words_and_numbers_say_what_is_drawn() -> None:
    curves = named()
    assert duel_alt(curves, "maximize").startswith(
        "Best so far at the end, best first: You 0.9300; Auto 0.9250; Random"
    )
    frame = duel_numbers(curves, "trials")
    assert set(frame["arm"]) == {"Auto", "You", "Random"}
    assert (frame["low"] <= frame["best so far"]).all()
