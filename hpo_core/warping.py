"""Bending values towards a normal distribution, and predictions back into their own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import yeojohnson, yeojohnson_llf

Floats = NDArray[np.float64]
WarpKind = Literal["none", "yeo_johnson"]

_POWER_LIMITS = (-5.0, 7.0)
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(24)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


class Prediction(NamedTuple):
    """Mean and standard deviation at n points, each of shape (n,)."""

    mean: Floats
    sd: Floats


@dataclass(frozen=True, slots=True)
class Warp:
    """A monotone map from values to targets of mean 0 and variance 1: a Yeo-Johnson power between two rescalings.

    Source: Yeo and Johnson (2000), A new family of power transformations to improve normality or symmetry. Power 1 is
    the identity, so that the map is then linear.

    Attributes:
        power: The exponent.
        centre, spread: Rescaling of values before the power.
        mean, sd: Rescaling after it.
        lowest, highest: Targets are cut to these before they are mapped back: one range of the data beyond the data.
    """

    power: float
    centre: float
    spread: float
    mean: float
    sd: float
    lowest: float
    highest: float

    @staticmethod
    def learned(values: Floats, kind: WarpKind) -> Warp:
        """The warp that makes values most like a normal sample, or only rescales them."""
        centre, spread = float(values.mean()), float(values.std())
        if spread <= 1e-13 * abs(centre) or not len(values) > 1:
            # Values that do not vary carry no scale: their own size is all there is to go by.
            return Warp(1.0, centre, abs(centre) or 1.0, 0.0, 1.0, -np.inf, np.inf)
        x = (values - centre) / spread
        power = _likeliest_power(x) if kind == "yeo_johnson" and len(values) > 2 else 1.0
        powered = yeojohnson(x, power)
        mean, sd = float(powered.mean()), float(powered.std())
        ends = np.array([2 * x.min() - x.max(), 2 * x.max() - x.min()])
        lowest, highest = (yeojohnson(ends, power) - mean) / sd
        return Warp(power, centre, spread, mean, sd, float(lowest), float(highest))

    def forward(self, values: Floats) -> Floats:
        x = (values - self.centre) / self.spread
        return np.asarray((yeojohnson(x, self.power) - self.mean) / self.sd)

    def inverse(self, targets: Floats) -> Floats:
        if self.power == 1.0:
            return self.centre + self.spread * (self.mean + self.sd * targets)
        powered = self.mean + self.sd * np.clip(targets, self.lowest, self.highest)
        return self.centre + self.spread * _inverse_power(powered, self.power)

    def moments(self, mean: Floats, sd: Floats) -> Prediction:
        """Mean and standard deviation of the value whose target is normal with these, by Gauss-Hermite quadrature."""
        if self.power == 1.0:
            return Prediction(self.inverse(mean), self.spread * self.sd * sd)
        values = self.inverse(mean[:, None] + sd[:, None] * _NODES)
        centre = values @ _NODE_WEIGHTS
        return Prediction(centre, np.sqrt((values - centre[:, None]) ** 2 @ _NODE_WEIGHTS))


def _likeliest_power(x: Floats) -> float:
    def loss(power: float) -> float:
        return -float(yeojohnson_llf(power, x))

    return float(minimize_scalar(loss, bounds=_POWER_LIMITS, method="bounded").x)


def _inverse_power(powered: Floats, power: float) -> Floats:
    """The inverse of the Yeo-Johnson transformation, for arguments within its range."""
    above, below = np.maximum(powered, 0.0), np.maximum(-powered, 0.0)
    return _inverse_half(above, power) - _inverse_half(below, 2.0 - power)


def _inverse_half(powered: Floats, power: float) -> Floats:
    if abs(power) < 1e-9:
        return np.asarray(np.expm1(powered))
    return np.asarray(np.expm1(np.log1p(power * powered) / power))
