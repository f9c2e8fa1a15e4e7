"""Local importance: shares and losses along the axes through the best, as they are known of a function."""

from __future__ import annotations

import numpy as np
import pytest

from hpo_core.analysis.local_importance import local_importance, safe_range
from hpo_core.analysis.selection import moving_parameters
from hpo_core.analysis.surrogate import fit_surrogate
from tests.known_functions import of_units, table_of
from tests.trial_tables import build_table


def bowl(units: np.ndarray) -> np.ndarray:
    """Bowls of depth 2 and 1 around (0.5, 0.3), and nothing along x2."""
    return 2 * (units[:, 0] - 0.5) ** 2 + (units[:, 1] - 0.3) ** 2


def _variance(centre: float) -> float:
    """Of (x - centre)², x uniform on the unit interval."""
    ends = np.array([1 - centre, -centre])
    fourth, second = (float(ends[0] ** k - ends[1] ** k) / k for k in (5, 3))
    return fourth - second**2


def test_shares_are_those_of_the_variances_along_the_axes() -> None:
    found = local_importance(fit_surrogate(table_of(bowl, 150, 3)), ["x0", "x1", "x2"])
    expected = {"x0": 4 * _variance(0.5), "x1": _variance(0.3), "x2": 0.0}
    total = sum(expected.values())
    for axis in found.axes:
        assert axis.median == pytest.approx(expected[axis.name] / total, abs=0.03)
        assert axis.low <= axis.median <= axis.high
        assert axis.is_clear == (axis.name != "x2")
    medians = [axis.median for axis in found.axes]
    assert medians == sorted(medians, reverse=True)


def test_loss_is_what_moving_one_parameter_alone_costs() -> None:
    table = table_of(bowl, 150, 3)
    found = local_importance(fit_surrogate(table), ["x0", "x1", "x2"])
    best = table.best()
    assert found.row == best
    for axis in found.axes:
        points = np.tile([table.params[f"x{i}"][best] for i in range(3)], (len(axis.units), 1))
        base = float(bowl(points[:1])[0])
        points[:, int(axis.name[1])] = axis.units
        np.testing.assert_allclose(axis.loss, bowl(points) - base, atol=0.02)


def test_interaction_elsewhere_does_not_count() -> None:
    """x1 matters only where x0 is high; around the best it does nothing, though it matters over the whole space."""
    table = table_of(lambda u: 3 * np.maximum(u[:, 0] - 0.5, 0) * u[:, 1] + (u[:, 0] - 0.2) ** 2, 200, 2)
    shares = {axis.name: axis.median for axis in local_importance(fit_surrogate(table), ["x0", "x1"]).axes}
    assert shares["x1"] < 0.03


def test_what_few_trials_say_has_a_wide_interval() -> None:
    few, many = (local_importance(fit_surrogate(table_of(bowl, n, 3, noise=0.05)), ["x0", "x1"]) for n in (14, 200))
    widths = [{axis.name: axis.high - axis.low for axis in found.axes}["x0"] for found in (few, many)]
    assert widths[0] > 2 * widths[1]


def test_noise_alone_leaves_nothing_clear() -> None:
    clear = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        table = of_units(rng.random((40, 3)), rng.standard_normal(40))
        found = local_importance(fit_surrogate(table), ["x0", "x1", "x2"])
        clear += sum(axis.is_clear for axis in found.axes)
    assert clear <= 6  # of 30 axes, each with 24 places of which any may be one in ten


def test_parameter_that_the_best_does_not_use_is_named() -> None:
    table = build_table(80)
    names = moving_parameters(table)
    found = local_importance(fit_surrogate(table), names)
    uses = np.isfinite([table.params[name][found.row] for name in names])
    assert [axis.name for axis in found.axes if axis.name == "degree"] == ["degree"] * int(uses[names.index("degree")])
    assert set(found.unused) == {name for name, use in zip(names, uses, strict=True) if not use}
    assert len(found.unused) + len(found.axes) == len(names)


def test_categories_are_all_there() -> None:
    found = local_importance(fit_surrogate(build_table(80)), ["kernel", "C"])
    kernel = next(axis for axis in found.axes if axis.name == "kernel")
    np.testing.assert_allclose(kernel.units, [1 / 6, 0.5, 5 / 6])


@pytest.mark.parametrize(
    ("loss", "best", "expected"),
    [
        ([9, 1, 0, 1, 9], 0.5, (0.3, 0.7)),
        ([9, 9, 0, 9, 9], 0.5, (0.5, 0.5)),
        ([0, 0, 0, 0, 0], 0.5, (0.1, 0.9)),
        ([0, 9, 0, 1, 9], 0.5, (0.5, 0.7)),
        ([9, 9, 9, 0, 0], 0.83, (0.7, 0.9)),
    ],
)
def test_safe_range_ends_at_the_first_place_that_costs_more_than_noise(
    loss: list[float], best: float, expected: tuple[float, float]
) -> None:
    units = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    assert safe_range(units, np.array(loss, dtype=float), best, 2.0) == pytest.approx(expected)
