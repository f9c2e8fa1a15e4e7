"""Halving grid search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.methods import Capabilities, ResultsNeeded, SearchExhausted, Strengths
from hpo_core.methods._grids import Grid, whole_range
from hpo_core.methods._rungs import Place, Rung, RungMethod, RungSampler, halving_rungs, key_of, place_in
from hpo_core.options import option
from hpo_core.space import Configuration, SearchSpace


@dataclass(frozen=True)
class HalvingGrid(RungMethod):
    """Successive halving over all combinations of a grid."""

    key: ClassVar[str] = "halving_grid"
    label: ClassVar[str] = "Halving grid"
    purpose: ClassVar[str] = "Tries a whole grid on small fits, and again and again only the best of it on larger ones."
    when_to_use: ClassVar[str] = (
        "One to three parameters of a model that takes long to train, when every combination should have had a chance. "
        "The number of combinations multiplies with each parameter."
    )
    source: ClassVar[str] = (
        "Jamieson and Talwalkar (2016), Non-stochastic Best Arm Identification and Hyperparameter Optimization; "
        "as in scikit-learn's HalvingGridSearchCV"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True, is_finite=True)
    strengths: ClassVar[Strengths] = Strengths(most_parameters=3, is_partial=True, waits=True)
    cost: ClassVar[str] = "Little thought; most fits are partial ones."

    resolution: int = option(
        5, "Values per number", "How many values each numeric parameter takes; categories take all.", low=1, high=1000
    )

    def rungs(self, space: SearchSpace) -> tuple[Rung, ...]:
        return halving_rungs(self._grid(space).size, self.eta, self.smallest)

    def _grid(self, space: SearchSpace) -> Grid:
        return Grid(space, whole_range(space, self.resolution))

    def rung_sampler(self, space: SearchSpace, seed: int, noun: str) -> RungSampler:
        scheme = self.scheme(self.resolution)
        return _HalvingGridSampler(space, seed, scheme, noun, self._grid(space), self.rungs(space))

    def n_configurations(self, space: SearchSpace) -> int:
        return sum(rung.n for rung in self.rungs(space))


class _HalvingGridSampler(RungSampler):
    def __init__(
        self, space: SearchSpace, seed: int, scheme: str, noun: str, grid: Grid, rungs: tuple[Rung, ...]
    ) -> None:
        super().__init__(space, seed, scheme, noun)
        self._rungs = rungs
        self._walk = grid.walk()
        self._next: Configuration = next(self._walk)

    def bracket(self, number: int) -> tuple[Rung, ...]:
        return self._rungs

    def next_place(self) -> Place:
        """Raises what ends the search, or lets it wait, where there is none."""
        on_rungs = [self._ladders.entries(0, i) for i in range(len(self._rungs))]
        if place := place_in(0, self._rungs, on_rungs):
            return place
        if any(e.value is None for on_rung in on_rungs for e in on_rung):
            raise ResultsNeeded("The next rung is not known before the last trials of this one have ended.")
        raise SearchExhausted(
            "The halving grid is finished: its best have been fitted in full. Raise its resolution for more."
        )

    def _fresh(self, study: Study, trial: FrozenTrial, place: Place) -> Configuration:
        """The next of the grid that is not on the first rung yet."""
        here = {e.key for e in self._ladders.entries(0, 0)}
        while key_of(self.space.check(self._next)) in here:
            self._next = next(self._walk)
        return self._next


HALVING_GRID = HalvingGrid()
