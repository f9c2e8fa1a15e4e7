"""The Himmelblau function."""

from collections.abc import Mapping
from typing import Any

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace


def _height(configuration: Mapping[str, Any]) -> float:
    x, y = configuration["x"], configuration["y"]
    return float((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2)


HIMMELBLAU = Landscape(
    key="himmelblau",
    label="Himmelblau",
    purpose="Four equally deep basins around a hill: where a search ends depends on where it began.",
    source="Himmelblau (1972), Applied Nonlinear Programming",
    space=SearchSpace(
        (
            Float(name="x", low=-5.0, high=5.0, default=-0.5),
            Float(name="y", low=-5.0, high=5.0, default=-1.0),
        )
    ),
    function=_height,
    minimum=0.0,
    minimisers=(
        {"x": 3.0, "y": 2.0},
        {"x": -2.805118086952745, "y": 3.131312518250573},
        {"x": -3.779310253377747, "y": -3.283185991286169},
        {"x": 3.584428340330492, "y": -1.848126526964404},
    ),
    scale=111.8,
)
