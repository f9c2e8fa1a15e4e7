"""Heights from the literature, and the shape that each landscape is there to show."""

import numpy as np
import pytest

from hpo_core.landscapes import LANDSCAPES


@pytest.mark.parametrize(
    ("key", "configuration", "height"),
    [
        ("branin", {"x": 0.0, "y": 0.0}, 55.602112642270262),
        ("himmelblau", {"x": 0.0, "y": 0.0}, 170.0),
        ("rosenbrock", {"x": -1.2, "y": 1.0}, 24.2),
        ("rastrigin", {"x": 1.0, "y": 1.0}, 2.0),
        ("rastrigin", {"x": 0.5, "y": 0.0}, 20.25),
        ("ackley", {"x": 1.0, "y": 1.0}, 20 - 20 * np.exp(-0.2)),
        ("hartmann6", {f"x{i}": 0.5 for i in range(1, 7)}, -0.5053149916022333),
    ],
)
def test_height_is_that_of_the_literature(key: str, configuration: dict[str, float], height: float) -> None:
    assert LANDSCAPES[key].function(configuration) == pytest.approx(height)


def test_branin_and_himmelblau_have_all_their_basins() -> None:
    assert len(LANDSCAPES["branin"].minimisers) == 3
    assert len(LANDSCAPES["himmelblau"].minimisers) == 4


def test_one_parameter_explains_nearly_all_variance_of_one_important() -> None:
    axis = np.linspace(0, 1, 101)
    function = LANDSCAPES["one_important"].function
    heights = np.array([[function({"important": x, "unimportant": y}) for y in axis] for x in axis])
    assert heights.mean(axis=1).var() / heights.var() > 0.99
    assert heights.mean(axis=0).var() > 0
