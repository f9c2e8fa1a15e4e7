"""Configurations at the ends of their space."""

from __future__ import annotations

import pytest

from hpo_core.analysis.edges import edges
from hpo_core.space import Categorical, Float, Int, SearchSpace

SPACE = SearchSpace(
    (
        Float(name="C", low=1e-3, high=1e3, default=1.0, log=True),
        Int(name="depth", low=1, high=20, default=5),
        Int(name="trees", low=10, high=500, default=100, log=True),
        Float(name="share", low=0.0, high=1.0, default=0.5),
        Float(name="x", low=-5.0, high=10.0, default=0.0),
        Float(name="rate", low=0.0, high=0.5, default=0.1, step=0.1),
        Categorical(name="kernel", choices=("rbf", "poly"), default="rbf"),
        Int(name="locked", low=3, high=3, default=3),
    )
)


def found(**changes):
    return {e.parameter.name: e for e in edges(SPACE, {**SPACE.default(), **changes})}


def test_middle_of_the_space_has_no_edge():
    assert found() == {}


@pytest.mark.parametrize(
    ("name", "value", "side"),
    [
        ("C", 990.0, "upper"),
        ("C", 1.01e-3, "lower"),
        ("depth", 20, "upper"),
        ("trees", 500, "upper"),
        ("trees", 10, "lower"),
        ("x", -5.0, "lower"),
        ("x", 9.9, "upper"),
        ("rate", 0.5, "upper"),
    ],
)
def test_value_at_an_end_can_be_widened_beyond_it(name, value, side):
    edge = found(**{name: value})[name]
    assert edge.side == side
    wider = SPACE.narrowed({name: edge.wider})[name]
    assert (wider.low < SPACE[name].low) if side == "lower" else (wider.high > SPACE[name].high)
    assert (wider.low == SPACE[name].low) if side == "upper" else (wider.high == SPACE[name].high)


@pytest.mark.parametrize(("name", "value"), [("depth", 1), ("share", 0.0), ("share", 1.0), ("rate", 0.0)])
def test_end_beyond_which_nothing_lies_is_no_edge(name, value):
    assert name not in found(**{name: value})
