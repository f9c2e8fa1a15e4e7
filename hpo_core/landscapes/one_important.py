"""One parameter that matters and one that hardly does."""

import math
from collections.abc import Mapping
from typing import Any

from hpo_core.landscapes import Landscape
from hpo_core.space import Float, SearchSpace

_BEST_IMPORTANT = 0.73
_BEST_UNIMPORTANT = 0.3


def _height(configuration: Mapping[str, Any]) -> float:
    off = configuration["important"] - _BEST_IMPORTANT
    wave = 1 - math.cos(6 * math.pi * off) * math.exp(-8 * off**2)
    return wave + 0.1 * float(configuration["unimportant"] - _BEST_UNIMPORTANT) ** 2


ONE_IMPORTANT = Landscape(
    key="one_important",
    label="One important parameter",
    purpose="One parameter decides and the other hardly matters: a grid wastes most trials, random search does not.",
    source="After figure 1 of Bergstra and Bengio (2012), Random Search for Hyper-Parameter Optimization",
    space=SearchSpace(
        (
            Float(
                name="important",
                low=0.0,
                high=1.0,
                default=0.2,
                explanation="Decides nearly everything; good values lie in a narrow dip.",
            ),
            Float(name="unimportant", low=0.0, high=1.0, default=0.9, explanation="Hardly changes the height."),
        )
    ),
    function=_height,
    minimum=0.0,
    minimisers=({"important": _BEST_IMPORTANT, "unimportant": _BEST_UNIMPORTANT},),
    scale=0.4526,
)
