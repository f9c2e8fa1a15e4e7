"""Learning curves that are made up, so that the end of each is known before it is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.space import Float, SearchSpace

Floats = NDArray[np.float64]
AGREE, CROSS = "agree", "cross"


@dataclass(frozen=True, slots=True)
class Curves:
    """The validation loss of a network by epochs: it falls from 1 to a floor, with a pace of its own.

    Attributes:
        kind: AGREE, where all have the same pace, so that who leads early leads late; or CROSS, where a small learning
            rate is slow and ends low.
    """

    kind: str

    @property
    def space(self) -> SearchSpace:
        rate = Float(name="learning_rate", low=1e-3, high=1.0, default=0.03, log=True)
        return SearchSpace((rate, Float(name="width", low=16.0, high=256.0, default=64.0, log=True)))

    def loss(self, configuration: Mapping[str, Any], epochs: Any) -> Floats:
        """After so many epochs, a number or an array of them."""
        floor, pace = self._shape(configuration)
        return np.asarray(floor + (1 - floor) * np.exp(-np.asarray(epochs, dtype=np.float64) / pace))

    def seconds(self, configuration: Mapping[str, Any]) -> float:
        """Of an epoch: a wide network takes up to four times as long as a narrow one."""
        return 0.5 * math.sqrt(configuration["width"] / 16.0)

    def _shape(self, configuration: Mapping[str, Any]) -> tuple[float, float]:
        rate, width = (float(unit) for unit in self.space.to_unit([configuration])[0])
        off = (width - 0.5) ** 2
        if self.kind == AGREE:
            return 0.1 + 1.2 * (rate - 0.6) ** 2 + 0.4 * off, 2.5
        return 0.08 + 0.4 * rate + 0.3 * off, 1.0 + 24.0 * (1 - rate)
