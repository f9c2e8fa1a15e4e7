"""What every landscape must keep, over all that discovery finds."""

import numpy as np
import pytest
from scipy.stats import qmc

from hpo_core.landscapes import LANDSCAPES, Landscape

pytestmark = pytest.mark.parametrize("landscape", LANDSCAPES, ids=LANDSCAPES.keys)


def _heights(landscape: Landscape, points: np.ndarray) -> np.ndarray:
    return np.array([landscape.function(landscape.space.from_unit(point)) for point in points])


def _sample(landscape: Landscape) -> np.ndarray:
    return _heights(landscape, qmc.Sobol(len(landscape.space), rng=5).random_base2(12))


def test_height_is_a_plain_finite_float(landscape: Landscape) -> None:
    height = landscape.function(landscape.space.default())
    assert type(height) is float
    assert np.isfinite(height)


def test_no_point_lies_below_the_minimum(landscape: Landscape) -> None:
    assert _sample(landscape).min() >= landscape.minimum


def test_every_minimiser_is_legal_and_reaches_the_minimum(landscape: Landscape) -> None:
    for minimiser in landscape.minimisers:
        height = landscape.function(landscape.space.check(minimiser))
        assert height == pytest.approx(landscape.minimum, abs=1e-9 * landscape.scale)


@pytest.mark.parametrize("step", [1e-2, 1e-4])
def test_no_neighbour_of_a_minimiser_is_lower(landscape: Landscape, step: float) -> None:
    rng = np.random.default_rng(0)
    centres = landscape.space.to_unit(landscape.minimisers)
    neighbours = np.repeat(centres, 200, axis=0) + step * rng.standard_normal((200 * len(centres), centres.shape[1]))
    assert _heights(landscape, np.clip(neighbours, 0, 1)).min() >= landscape.minimum - 1e-12 * landscape.scale


def test_scale_is_the_standard_deviation_over_the_space(landscape: Landscape) -> None:
    assert landscape.scale == pytest.approx(_sample(landscape).std(), rel=0.05)


def test_the_start_is_unremarkable(landscape: Landscape) -> None:
    start = landscape.function(landscape.space.default())
    assert (_sample(landscape) < start).mean() > 0.2


def test_no_minimiser_lies_in_the_middle_where_methods_begin(landscape: Landscape) -> None:
    assert (np.abs(landscape.space.to_unit(landscape.minimisers) - 0.5).max(axis=1) > 0.05).all()
