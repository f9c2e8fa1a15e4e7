"""Losses over one parameter with their slopes, and walks that go down along them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from hpo_core.hypergradients import HYPERGRADIENTS, ValidationLoss
from hpo_core.landscapes import LANDSCAPES
from hpo_core.lessons._asking import asked_trials
from hpo_core.methods import METHODS
from hpo_core.options import with_options
from hpo_core.problem import ModelProblem, make_problem
from hpo_core.space import Float, SearchSpace

Floats = NDArray[np.float64]
ARRIVED, TRAPPED, JUMPING, ON_ITS_WAY = "arrived", "trapped", "jumping", "on its way"
_PLACES = 351  # at which a landscape is looked at
_FITTED = 31  # at which a model is fitted
_CLOSE = 0.02  # of the range of losses
_SHORT, _ASIDE = 0.06, 0.02  # of the range of the parameter
_TAIL = 6  # places at the end of a walk that say how it stands


@dataclass(frozen=True, eq=False)
class Slope:
    """A loss over one parameter, by its place in [0, 1]: exact at some places, with the exact slope, smooth between.

    Attributes:
        parameter: What is tuned.
        places: Shape (n,), ascending from 0 to 1.
        losses: There, lower being better.
        slopes: There, by place.
    """

    parameter: Float
    places: Floats
    losses: Floats
    slopes: Floats

    @cached_property
    def curve(self) -> CubicHermiteSpline:
        return CubicHermiteSpline(self.places, self.losses, self.slopes)

    @cached_property
    def steepest(self) -> float:
        return float(np.abs(self.slopes).max())

    def loss(self, place: float) -> float:
        return float(self.curve(place))

    def slope(self, place: float) -> float:
        """As a share of the steepest one, from -1 to 1 at the exact places."""
        return float(self.curve(place, 1)) / self.steepest

    def outcome(self, walk: Floats) -> str:
        """How a walk stands at its end: ARRIVED, TRAPPED, JUMPING or ON_ITS_WAY."""
        if self.loss(walk[-1]) - self.losses.min() <= _CLOSE * np.ptp(self.losses):
            return ARRIVED
        moves = np.diff(walk[-_TAIL:])
        if np.abs(moves[-1:]).max(initial=0.0) < _SHORT and self._is_hollow(walk[-1]):
            return TRAPPED
        return ON_ITS_WAY if (moves >= 0).all() or (moves <= 0).all() else JUMPING

    def _is_hollow(self, place: float) -> bool:
        """Whether the loss rises to both sides, the ends of the range taken for walls."""
        left, right = place - _ASIDE, place + _ASIDE
        return (left < 0 or self.slope(left) < 0) and (right > 1 or self.slope(right) > 0)


def model_slope(data: str, model: str, name: str, report: Callable[[str], None]) -> Slope:
    """The validation loss of a model over one of its parameters, the others at their defaults; its slope is exact."""
    problem = make_problem(data, model)
    assert isinstance(problem, ModelProblem)
    parameter = problem.space[name]
    assert isinstance(parameter, Float)
    known = ValidationLoss(
        problem, HYPERGRADIENTS[model], most_rows=200, most_folds=2, most_epochs=30, most_milliseconds=1000.0
    )
    places, losses, slopes = np.linspace(0.0, 1.0, _FITTED), [], []
    for place in places.tolist():
        value = parameter.from_unit(place)
        found = known.at(problem.space.completed({**problem.space.defaults(), name: value}))
        width = value * np.log(parameter.high / parameter.low) if parameter.log else parameter.high - parameter.low
        losses.append(found.value)
        slopes.append(found.gradient[name] * width)
        report(f"{len(losses)} of {_FITTED} places are fitted")
    return Slope(parameter, places, np.array(losses), np.array(slopes))


def landscape_slope(key: str) -> Slope:
    """A landscape along its first parameter, the others at their best; its slope is that of a cubic spline."""
    landscape = LANDSCAPES[key]
    parameter = landscape.space.parameters[0]
    assert isinstance(parameter, Float)
    best, places = dict(landscape.minimisers[0]), np.linspace(0.0, 1.0, _PLACES)
    losses = np.array([landscape.function({**best, parameter.name: parameter.from_unit(p)}) for p in places.tolist()])
    return Slope(parameter, places, losses, np.gradient(losses, places, edge_order=2))


def fixed_walk(slope: Slope, start: float, step: float, n_steps: int) -> Floats:
    """Against the slope, by so much of the range where it is steepest, shape (n + 1,)."""
    walk = [start]
    for _ in range(n_steps):
        walk.append(min(max(walk[-1] - step * slope.slope(walk[-1]), 0.0), 1.0))
    return np.array(walk)


def method_walk(slope: Slope, start: float, step: float, n_steps: int, seed: int) -> Floats:
    """The places that the lab's gradient descent steps to from a start, shape (m,), without those that it probes."""
    begin = replace(slope.parameter, default=slope.parameter.from_unit(start))
    space = SearchSpace((begin,))
    method = with_options(METHODS["gradient"], {"first_step": step})

    def score(configuration: dict[str, float], _thought: object) -> float:
        return slope.loss(float(begin.unit(configuration[begin.name])))

    trials = asked_trials(method.sampler(space, seed), space, score, 3 * n_steps + 1)
    steps = [t.point[0] for t in trials if t.thought.get("walk") == 0 and "side" not in t.thought]
    return np.array(steps[: n_steps + 1])
