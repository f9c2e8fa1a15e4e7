"""The Ackley function in two dimensions."""

import math
from collections.abc import Mapping
from typing import Any

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace


def _height(configuration: Mapping[str, Any]) -> float:
    x, y = configuration["x"], configuration["y"]
    distance = math.sqrt((x**2 + y**2) / 2)
    ripple = (math.cos(2 * math.pi * x) + math.cos(2 * math.pi * y)) / 2
    return 20 - 20 * math.exp(-0.2 * distance) + math.e - math.exp(ripple)


# The domain lies off centre: over a symmetric one, a method that begins in the middle is done at once.
ACKLEY = Landscape(
    key="ackley",
    label="Ackley",
    purpose="A wide rippled plain with one steep funnel: little to learn far away, everything near the bottom.",
    source="Ackley (1987), A Connectionist Machine for Genetic Hillclimbing; domain of Eriksson et al. (2019)",
    space=SearchSpace(
        (
            Float(name="x", low=-5.0, high=10.0, default=7.5),
            Float(name="y", low=-5.0, high=10.0, default=6.5),
        )
    ),
    function=_height,
    minimum=0.0,
    minimisers=({"x": 0.0, "y": 0.0},),
    scale=3.529,
)
