"""Grid search."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from optuna.study import Study
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from hpo_core.methods import Capabilities, History, SearchExhausted, SearchMethod, SpaceSampler
from hpo_core.options import option
from hpo_core.space import AnyParameter, Configuration, SearchSpace

_MOST_SOBOL_POINTS = 2**29


@dataclass(frozen=True)
class GridSearch(SearchMethod):
    """All combinations of a few values of each parameter, coarse to fine."""

    key: ClassVar[str] = "grid"
    label: ClassVar[str] = "Grid"
    purpose: ClassVar[str] = "Tries all combinations of a few evenly spaced values, spread out first, the gaps later."
    when_to_use: ClassVar[str] = (
        "One to three parameters, when every combination should have been tried. The number of combinations multiplies "
        "with each parameter, so look at it first."
    )
    source: ClassVar[str] = (
        "Fisher (1935), The Design of Experiments (full factorial designs); order by the sequence of Sobol (1967)"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        is_conditional=True, is_finite=True, learns=False, is_multi_objective=True
    )

    resolution: int = option(
        5, "Values per number", "How many values each numeric parameter takes; categories take all.", low=1, high=1000
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _GridSampler(space, seed, Grid(space, self.resolution))

    def n_configurations(self, space: SearchSpace) -> int:
        return Grid(space, self.resolution).size


class Grid:
    """The configurations of a grid, each with a rank from 0 on; none is stored.

    A space is a forest: each parameter stands under the one that its condition names. The number of combinations under
    a parameter is the sum over its levels of the product over the parameters that this level makes active; ranks count
    through them in mixed radix.

    Attributes:
        size: The number of configurations.
    """

    def __init__(self, space: SearchSpace, resolution: int) -> None:
        self._space = space
        self._levels = {p.name: p.levels(resolution) for p in space.parameters}
        self._roots = [p for p in space.parameters if p.when is None]
        self._children: dict[tuple[str, int], list[AnyParameter]] = {}
        self._sizes: dict[tuple[str, int], int] = {}
        for p in reversed(space.parameters):
            for i, level in enumerate(self._levels[p.name]):
                children = [c for c in space.parameters if c.when and c.when.holds({p.name: level})]
                self._children[p.name, i] = children
                self._sizes[p.name, i] = math.prod(map(self._n_under, children))
        self.size = math.prod(map(self._n_under, self._roots))

    def __getitem__(self, rank: int) -> Configuration:
        """The configuration of a rank from 0 to size - 1."""
        configuration: Configuration = {}
        self._fill(configuration, self._roots, rank)
        return self._space.active(configuration)

    def at(self, point: Iterable[float]) -> Configuration:
        """The configuration whose cell holds a point of the unit cube; the levels of an axis share it evenly."""
        levels = {
            name: values[min(int(unit * len(values)), len(values) - 1)]
            for (name, values), unit in zip(self._levels.items(), point, strict=True)
        }
        return self._space.active(levels)

    def walk(self) -> Iterator[Configuration]:
        """Every configuration, some more than once, in an order that covers the grid evenly wherever it stops.

        First the cells that a Sobol sequence visits, from the middle on, for eight times as many points as there are
        configurations. What it has missed comes after that, at a golden-ratio stride through the ranks.
        """
        for point in _sobol_points(len(self._space), min(8 * self.size, _MOST_SOBOL_POINTS)):
            yield self.at(point)
        stride = self.size * 618_034 // 1_000_000 + 1
        while math.gcd(stride, self.size) > 1:
            stride += 1
        for i in range(self.size):
            yield self[i * stride % self.size]

    def _n_under(self, p: AnyParameter) -> int:
        return sum(self._sizes[p.name, i] for i in range(len(self._levels[p.name])))

    def _fill(self, configuration: Configuration, parameters: list[AnyParameter], rank: int) -> None:
        for p in parameters:
            rank, own = divmod(rank, self._n_under(p))
            level = 0
            while own >= self._sizes[p.name, level]:
                own -= self._sizes[p.name, level]
                level += 1
            configuration[p.name] = self._levels[p.name][level]
            self._fill(configuration, self._children[p.name, level], own)


def _sobol_points(n_parameters: int, n_points: int) -> Iterator[list[float]]:
    """Points of the unscrambled sequence after its first, which is a corner: the second is the middle."""
    if n_parameters:
        sequence = qmc.Sobol(n_parameters, scramble=False).fast_forward(1)
        for start in range(0, n_points, 64):
            yield from sequence.random(min(64, n_points - start)).tolist()


class _GridSampler(SpaceSampler):
    is_multi_objective = True

    def __init__(self, space: SearchSpace, seed: int, grid: Grid) -> None:
        super().__init__(space, seed)
        self._history = History(space)
        self._walk = grid.walk()
        self._next = next(self._walk, None)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Ends the search when nothing is left, unless this trial comes from the queue with values of its own."""
        if "fixed_params" not in trial.system_attrs and self._unseen(study, trial) is None:
            raise SearchExhausted(
                "The grid is finished: every combination has been tried. Raise its resolution for more."
            )

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        return self._unseen(study, trial) or {}

    def _unseen(self, study: Study, trial: FrozenTrial) -> Configuration | None:
        self._history.read(study, trial)
        while self._next is not None and self._history.has_seen(self.space.to_unit([self._next])[0]):
            self._next = next(self._walk, None)
        return self._next


GRID = GridSearch()
