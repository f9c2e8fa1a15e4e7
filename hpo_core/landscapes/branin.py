"""The Branin function."""

import math
from collections.abc import Mapping
from typing import Any

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace


def _height(configuration: Mapping[str, Any]) -> float:
    x, y = configuration["x"], configuration["y"]
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return float(valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


BRANIN = Landscape(
    key="branin",
    label="Branin",
    purpose="A smooth valley with three equally deep basins: easy to descend, and there is more than one right answer.",
    source="Dixon and Szegö (1978), Towards Global Optimisation 2",
    space=SearchSpace(
        (
            Float(name="x", low=-5.0, high=10.0, default=2.0),
            Float(name="y", low=0.0, high=15.0, default=9.0),
        )
    ),
    function=_height,
    minimum=5 / (4 * math.pi),
    minimisers=(
        {"x": -math.pi, "y": 12.275},
        {"x": math.pi, "y": 2.275},
        {"x": 3 * math.pi, "y": 2.475},
    ),
    scale=51.25,
)
