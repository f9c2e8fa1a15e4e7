"""The Hartmann function in six dimensions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace

_DEPTHS = np.array([1.0, 1.2, 3.0, 3.2])
_WIDTHS = np.array(
    [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ]
)
_CENTRES = np.array(
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
)
_BEST = (
    0.2016895108930598,
    0.15001069007312473,
    0.47687397491622563,
    0.2753324290104689,
    0.3116516176446122,
    0.657300534345835,
)
_NAMES = tuple(f"x{i}" for i in range(1, 7))


def _height(configuration: Mapping[str, Any]) -> float:
    x = np.array([configuration[name] for name in _NAMES])
    return -float(_DEPTHS @ np.exp(-np.sum(_WIDTHS * (x - _CENTRES) ** 2, axis=1)))


HARTMANN6 = Landscape(
    key="hartmann6",
    label="Hartmann 6",
    purpose="Six parameters, four basins of different depth on a plain: too many dimensions for a grid.",
    source="Hartman (1973), Some experiments in global optimization; constants from Dixon and Szegö (1978)",
    space=SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.6) for name in _NAMES)),
    function=_height,
    minimum=-3.322368011415515,
    minimisers=(dict(zip(_NAMES, _BEST, strict=True)),),
    scale=0.3849,
)
