"""Latin hypercube search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, record_thought, thought_of
from hpo_core.options import option
from hpo_core.space import Configuration, SearchSpace

Floats = NDArray[np.float64]

_DESIGNS = 16
_MOST_COMPARED = 256


@dataclass(frozen=True)
class LatinHypercube(SearchMethod):
    """Hypercubes of a fixed number of points, one after the other.

    A point of a hypercube is used up by a trial of this search alone: it is kept with the trial. Trials of others leave
    no gap in the design, and a search that goes on takes the points that are still free.
    """

    key: ClassVar[str] = "latin_hypercube"
    label: ClassVar[str] = "Latin hypercube"
    purpose: ClassVar[str] = "Cuts each range into as many slices as there are trials, and tries each slice once."
    when_to_use: ClassVar[str] = (
        "A first look with a budget that is known beforehand: every parameter is seen at as many values as there are "
        "trials. Stopped half-way it is no better than random; Sobol and Halton are. It learns nothing from results."
    )
    source: ClassVar[str] = (
        "McKay, Beckman and Conover (1979), A Comparison of Three Methods for Selecting Values of Input Variables in "
        "the Analysis of Output from a Computer Code"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(learns=False)

    n_points: int = option(
        20,
        "Points",
        "Trials in a hypercube, best as many as the budget allows; another hypercube begins after them.",
        low=2,
        high=1000,
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _LatinHypercubeSampler(space, seed, self.n_points)


class _LatinHypercubeSampler(SpaceSampler):
    def __init__(self, space: SearchSpace, seed: int, n_points: int) -> None:
        super().__init__(space, seed)
        self._n_points = n_points
        self._design = [seed, n_points]
        self._cubes: dict[int, Floats] = {}
        self._used: set[int] = set()
        self._n_read = self._next = 0

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._read(study, trial)
        while self._next in self._used:
            self._next += 1
        cube, place = divmod(self._next, self._n_points)
        record_thought(
            study,
            trial,
            stage=f"hypercube {cube + 1}",
            why=self._why(cube),
            point=self._next,
            design=self._design,
        )
        return self.space.from_unit(self._points(cube)[place])

    def _read(self, study: Study, asking: FrozenTrial) -> None:
        """Points that trials have used, counted through all hypercubes of this seed and size."""
        for trial in study.get_trials(deepcopy=False)[self._n_read : asking.number]:
            thought = thought_of(trial)
            if thought.get("design") == self._design and isinstance(thought.get("point"), int):
                self._used.add(thought["point"])
        self._n_read = max(self._n_read, asking.number)

    def _why(self, cube: int) -> str:
        slices = f"{self._n_points} slices of each range"
        if not cube:
            return f"Every one of {slices} is to be tried once."
        return f"All {self._n_points} points of hypercube {cube} are tried, so {slices} are shuffled anew."

    def _points(self, cube: int) -> Floats:
        if cube not in self._cubes:
            self._cubes = {cube: _design(len(self.space), self._n_points, [self.seed, cube])}
        return self._cubes[cube]


def _design(n_parameters: int, n_points: int, seed: list[int]) -> Floats:
    """A hypercube, shape (n, d): of several the one that fills the cube most evenly, while comparing is cheap."""
    rng = np.random.default_rng(seed)
    engine = qmc.LatinHypercube(max(n_parameters, 1), rng=rng)
    designs = [engine.random(n_points) for _ in range(_DESIGNS if n_points <= _MOST_COMPARED else 1)]
    best: Floats = min(designs, key=qmc.discrepancy)
    return best[:, :n_parameters]


LATIN_HYPERCUBE = LatinHypercube()
