"""The grid of scikit-learn's GridSearchCV, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn.model_selection import ParameterGrid

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._listed import ListedSampler
from hpo_core.options import option
from hpo_core.space import AnyParameter, Configuration, SearchSpace


@dataclass(frozen=True)
class SklearnGrid(SearchMethod):
    """`sklearn.model_selection.ParameterGrid` over evenly spaced values."""

    key: ClassVar[str] = "sklearn_grid"
    label: ClassVar[str] = "scikit-learn grid"
    purpose: ClassVar[str] = "GridSearchCV's grid in GridSearchCV's order: parameters by name, the last one fastest."
    when_to_use: ClassVar[str] = (
        "To compare with GridSearchCV, or to repeat what it did. Broken off, it leaves a corner of the space untried: "
        "our grid goes from coarse to fine instead."
    )
    source: ClassVar[str] = "Pedregosa et al. (2011), Scikit-learn: Machine Learning in Python"
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True, is_finite=True, learns=False)
    strengths: ClassVar[Strengths] = Strengths(most_parameters=3, is_peer=True)

    resolution: int = option(
        5, "Values per number", "How many values each numeric parameter takes; categories take all.", low=1, high=1000
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        grid = ParameterGrid(sklearn_grid(space, self.resolution))
        # By index, as a grid may be far longer than any search.
        listed = (space.active(grid[i]) for i in range(len(grid)))
        return ListedSampler(space, seed, listed, "The grid is finished. Raise its resolution for more.")

    def n_configurations(self, space: SearchSpace) -> int:
        return len(ParameterGrid(sklearn_grid(space, self.resolution)))


def sklearn_grid(space: SearchSpace, resolution: int) -> list[dict[str, list[Any]]]:
    """The param_grid that a person would write: one dict for each combination of values that others depend on."""
    return list(_grids(space, list(space.parameters), {}, resolution))


def _grids(
    space: SearchSpace, left: list[AnyParameter], chosen: Configuration, resolution: int
) -> Iterator[dict[str, list[Any]]]:
    """Grids over the parameters that are left, under the values of parents that were chosen before."""
    grid: dict[str, list[Any]] = {name: [value] for name, value in chosen.items()}
    parents = {p.when.parent for p in space.parameters if p.when}
    for i, p in enumerate(left):
        if p.when is not None and not p.when.holds(chosen):
            continue
        if p.name in parents:
            for level in p.levels(resolution):
                for below in _grids(space, left[i + 1 :], {**chosen, p.name: level}, resolution):
                    yield {**grid, **below}
            return
        grid[p.name] = list(p.levels(resolution))
    yield grid


SKLEARN_GRID = SklearnGrid()
