"""The Rosenbrock function in two dimensions."""

from collections.abc import Mapping
from typing import Any

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace


def _height(configuration: Mapping[str, Any]) -> float:
    x, y = configuration["x"], configuration["y"]
    return float(100 * (y - x**2) ** 2 + (1 - x) ** 2)


ROSENBROCK = Landscape(
    key="rosenbrock",
    label="Rosenbrock",
    purpose="A long, bent, almost flat valley: finding it is easy, following it is hard, as the parameters interact.",
    source="Rosenbrock (1960), An automatic method for finding the greatest or least value of a function",
    space=SearchSpace(
        (
            Float(name="x", low=-2.048, high=2.048, default=-1.5),
            Float(name="y", low=-2.048, high=2.048, default=-1.0),
        )
    ),
    function=_height,
    minimum=0.0,
    minimisers=({"x": 1.0, "y": 1.0},),
    scale=658.5,
)
