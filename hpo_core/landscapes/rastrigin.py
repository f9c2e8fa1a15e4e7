"""The Rastrigin function in two dimensions."""

import math
from collections.abc import Mapping
from typing import Any

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace


def _height(configuration: Mapping[str, Any]) -> float:
    x, y = configuration["x"], configuration["y"]
    return float(x**2 + y**2 + 20 - 10 * (math.cos(2 * math.pi * x) + math.cos(2 * math.pi * y)))


# The domain lies off centre: over the usual -5.12 to 5.12, a method that begins in the middle is done at once.
RASTRIGIN = Landscape(
    key="rastrigin",
    label="Rastrigin",
    purpose="A bowl full of holes: dozens of local minima punish whoever trusts the slope.",
    source="Rastrigin (1974), Systems of Extremal Control; in two dimensions, domain moved off centre",
    space=SearchSpace(
        (
            Float(name="x", low=-3.0, high=4.0, default=2.6),
            Float(name="y", low=-3.0, high=4.0, default=3.3),
        )
    ),
    function=_height,
    minimum=0.0,
    minimisers=({"x": 0.0, "y": 0.0},),
    scale=11.52,
)
