"""Legal points of the unit cube."""

import itertools

import numpy as np
import pytest

from hpo_core.cube import Cube
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

MIXED = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", True, None), default=None),
        Float(name="c", low=1e-3, high=1e3, default=1.0, log=True),
        Int(name="layers", low=1, high=3, default=1),
        Int(name="width", low=1, high=300, default=10, log=True, when=Condition("layers", (2, 3))),
        Float(name="stepped", low=0.1, high=0.95, default=0.1, step=0.2, when=Condition("kernel", (True,))),
        Categorical(name="deep", choices=("a", "b"), default="a", when=Condition("width", tuple(range(100, 301)))),
        Int(name="even", low=2, high=9, default=4, step=2),
        Float(name="fixed", low=2.0, high=2.0, default=2.0),
    )
)

FINITE = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
        Float(name="share", low=0.0, high=1.0, default=0.5, step=0.25),
    )
)


def test_snapped_points_are_those_of_legal_configurations() -> None:
    snapped = Cube(MIXED).snap(np.random.default_rng(0).random((500, len(MIXED))))
    configurations = [MIXED.from_unit(np.nan_to_num(point, nan=0.5)) for point in snapped]
    for configuration in configurations:
        MIXED.check(configuration)
    np.testing.assert_allclose(MIXED.to_unit(configurations), snapped, atol=1e-12)


def test_snapping_twice_changes_nothing() -> None:
    once = Cube(FINITE).snap(np.random.default_rng(0).random((100, 3)))
    np.testing.assert_array_equal(Cube(FINITE).snap(np.nan_to_num(once, nan=0.5)), once)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_corners_are_legal(end: float) -> None:
    snapped = Cube(MIXED).snap(np.full((1, len(MIXED)), end))
    MIXED.check(MIXED.from_unit(np.nan_to_num(snapped[0], nan=0.5)))


def test_whole_numbers_are_equally_likely() -> None:
    space = SearchSpace((Int(name="n", low=1, high=5, default=1),))
    snapped = Cube(space).snap(np.random.default_rng(0).random((20_000, 1)))
    _, counts = np.unique(snapped, return_counts=True)
    assert len(counts) == 5
    assert counts.min() > 0.9 * 4000


def test_all_points_are_all_configurations_once() -> None:
    points = Cube(FINITE).all_points(1000)
    assert points is not None
    found = [FINITE.from_unit(np.nan_to_num(point, nan=0.5)) for point in points]
    shares = [0.0, 0.25, 0.5, 0.75, 1.0]
    expected = [{"kernel": kernel, "share": share} for kernel in ("linear", "rbf") for share in shares]
    expected += [{"kernel": "poly", "degree": d, "share": s} for d, s in itertools.product(range(2, 6), shares)]
    assert len(found) == len(expected)
    assert all(configuration in found for configuration in expected)


def test_all_points_are_not_listed_when_there_are_too_many_or_infinitely_many() -> None:
    assert Cube(FINITE).all_points(59) is None
    assert Cube(FINITE).all_points(60) is not None
    assert Cube(MIXED).all_points(10**12) is None
