"""The critical-difference diagram: where things stand, what is joined, and the words beside it."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.ranking import friedman
from hpo_core.plots import rank_alt, rank_figure, rank_height, rank_numbers, rank_plan
from tests.hpo_core.analysis.test_suite import contest, standing


def seen(scores, names="abcdef"):
    return standing(names[: len(scores[0])], [contest(row) for row in scores])


ORDERED = [[5, 4, 3, 2, 1]] * 12
KEYS = ("manual", "tpe", "random", "default", "sobol")


def test_bars_join_just_the_groups_that_cannot_be_told_apart():
    ranking = friedman(ORDERED)
    plan = rank_plan(ranking)
    groups = [group for group in ranking.tied_groups() if len(group) > 1]
    assert [(bar.low, bar.high) for bar in plan.bars] == [(min(g) + 1, max(g) + 1) for g in groups]
    assert all(high - low < ranking.critical_difference for low, high in [(b.low, b.high) for b in plan.bars])
    assert len({bar.depth for bar in plan.bars}) == len(plan.bars)


def test_lines_to_the_names_do_not_cross():
    """On each side an arm further in stands lower, so that its line passes below those further out."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        plan = rank_plan(friedman(rng.random((6, 7))))
        left = [(t.rank, t.depth) for t in plan.ticks if t.is_left]
        right = [(-t.rank, t.depth) for t in plan.ticks if not t.is_left]
        for side in (left, right):
            assert sorted(side) == sorted(side, key=lambda place: place[1])
            assert len({depth for _, depth in side}) == len(side)


def test_ruler_is_never_longer_than_the_axis_and_says_so():
    few = seen([[3, 2, 1]] * 2)
    assert rank_plan(few.ranking).ruler == 2
    texts = [note["text"] for note in rank_figure(few, ("tpe", "random", "default"))["layout"]["annotations"]]
    assert any("longer than the axis" in text for text in texts)


def test_arms_keep_their_colours_and_names_are_no_markup():
    found = standing(("<b>You</b>", "TPE", "Random", "Default", "Sobol"), [contest(row) for row in ORDERED])
    figure = rank_figure(found, KEYS)
    dots = figure["data"][-1]
    assert dots["x"] == [1, 2, 3, 4, 5]
    assert dots["marker"]["color"][0] == "var(--lab-you)"
    assert dots["marker"]["color"][3] == "var(--lab-default)"
    assert len(set(dots["marker"]["color"])) == 5
    shown = [*dots["text"], *(note["text"] for note in figure["layout"]["annotations"])]
    assert not any("<b>You" in text for text in shown)
    assert rank_height(found) > 200


def test_words_and_numbers_say_what_is_drawn():
    found = seen([*ORDERED, [1, 2, 3, 4, 5]])
    assert rank_alt(found).startswith("Mean ranks over 13 problems, best first: a 1.31; b 2.15; c 3.00")
    frame = rank_numbers(found)
    assert frame["arm"].tolist() == list("abcde")
    assert frame.iloc[0, 2:].tolist() == [1.0] * 12 + [5.0]
    assert frame["mean rank"].tolist() == pytest.approx(found.ranking.mean_ranks)
