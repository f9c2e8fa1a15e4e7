"""Some parameters on a grid, the others at random."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.errors import UsageError
from hpo_core.formats import format_count
from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths, record_thought, thought_of
from hpo_core.methods._grids import Grid, Walk, whole_range
from hpo_core.methods._stages import Stage, StagedSampler
from hpo_core.options import option
from hpo_core.space import Categorical, Configuration, SearchSpace

_MOST_CELLS = 30
_DRAWS = 50


def _names_in(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _why_no_names(text: str) -> str | None:
    names = _names_in(text)
    twice = [name for name in names if names.count(name) > 1]
    return f"{twice[0]} is named twice." if twice else None


@dataclass(frozen=True)
class GridAndRandom(SearchMethod):
    """Goes round by round through a grid of some parameters, and draws the others anew for every trial."""

    key: ClassVar[str] = "grid_and_random"
    label: ClassVar[str] = "Grid and random"
    purpose: ClassVar[str] = "Tries some parameters in all combinations, and draws the others at random each time."
    when_to_use: ClassVar[str] = (
        "A few parameters, such as categories, of which every combination must have been seen, among others that only "
        "need to be covered. It learns nothing from results."
    )
    source: ClassVar[str] = (
        "Full factorial designs of Fisher (1935), The Design of Experiments, crossed with Bergstra and Bengio (2012), "
        "Random Search for Hyper-Parameter Optimization"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True, learns=False)
    strengths: ClassVar[Strengths] = Strengths(most_parameters=8)

    gridded: str = option(
        "",
        "On the grid",
        "Names of the parameters to try in all combinations, with commas between; nothing takes the categories and the "
        "first numbers, up to 30 combinations. What they depend on joins them.",
        check=_why_no_names,
        example="kernel, C",
    )
    resolution: int = option(4, "Values per number", "How many values each number on the grid takes.", low=1, high=1000)

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return _GridAndRandomSampler(self, space, seed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        unknown = [name for name in _names_in(self.gridded) if name not in space.names]
        if unknown:
            known = ", ".join(space.names) or "none"
            return f"There is no parameter {unknown[0]!r} to put on the grid; there are {known}."
        return None

    def gridded_space(self, space: SearchSpace) -> SearchSpace:
        """The parameters on the grid, with those that they depend on."""
        names = set(_names_in(self.gridded)) or self._automatic(space)
        for p in reversed(space.parameters):
            if p.name in names and p.when:
                names.add(p.when.parent)
        return SearchSpace(tuple(p for p in space.parameters if p.name in names))

    def grid(self, space: SearchSpace) -> Grid:
        """The grid of the parameters on it."""
        gridded = self.gridded_space(space)
        return Grid(gridded, whole_range(gridded, self.resolution))

    def _automatic(self, space: SearchSpace) -> set[str]:
        """Categories and then numbers that are always active, as long as the grid stays small and one is left over."""
        moving = [p for p in space.parameters if p.when is None and not p.distribution().single()]
        moving.sort(key=lambda p: not isinstance(p, Categorical))
        names: set[str] = set()
        size = 1
        for p in moving[: max(1, len(moving) - 1)]:
            size *= len(p.levels(self.resolution))
            if names and size > _MOST_CELLS:
                break
            names.add(p.name)
        return names


class _GridAndRandomSampler(StagedSampler):
    """Every cell of the grid is tried as often as every other; its trials are counted by what they recorded."""

    def __init__(self, method: GridAndRandom, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed, method.key)
        self._grid = method.grid(space)
        self._names = method.gridded_space(space).names
        self._counts: Counter[str] = Counter()
        self._finished: set[str] = set()
        self._n_read = 0
        self._walk: tuple[int, Walk] | None = None
        self._cell: Configuration = {}

    def first_stage(self) -> Stage:
        cells = format_count(self._grid.size, "combination")
        others = [name for name in self.space.names if name not in self._names]
        drawn = f"{', '.join(others)} drawn at random" if others else "nothing left to draw"
        why = f"Each of {cells} of {', '.join(self._names) or 'no parameter'} is to be tried once, with {drawn}."
        return Stage("round 1", why)

    def next_stage(self, stage: Stage) -> Stage:
        best = self.best
        found = f"; the best so far is {self.in_words(best)}" if best else ""
        why = f"Every combination has been tried {stage.number + 1}x{found}. Each gets another draw of the others."
        return stage.then(f"round {stage.number + 2}", why)

    def candidate(self, stage: Stage, trial: FrozenTrial) -> Configuration | None:
        if self._walk is None or self._walk[0] != stage.number:
            self._walk = (stage.number, Walk(self._grid))
        while (cell := self._walk[1].first(lambda c: self._is_open(c, stage.number))) is not None:
            if (found := self._with_draws(cell, trial)) is not None:
                self._cell = cell
                return found
            self._finished.add(_key(cell))
        return None

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        self._cell = {}
        configuration = super().proposal(study, trial)
        record_thought(study, trial, cell=self._cell)
        return configuration

    def read(self, study: Study, trial: FrozenTrial) -> None:
        super().read(study, trial)
        for earlier in study.get_trials(deepcopy=False)[self._n_read : trial.number]:
            if cell := thought_of(earlier).get("cell"):
                self._counts[_key(cell)] += 1
        self._n_read = max(self._n_read, trial.number)

    def _is_open(self, cell: Configuration, n_rounds: int) -> bool:
        return self._counts[_key(cell)] <= n_rounds and _key(cell) not in self._finished

    def _with_draws(self, cell: Configuration, trial: FrozenTrial) -> Configuration | None:
        """The cell with the other parameters at random; None when nothing in it is left to try."""
        rng = self.rng(trial)
        for _ in range(_DRAWS):
            units = rng.random(len(self.space)).tolist()
            drawn = {p.name: p.from_unit(unit) for p, unit in zip(self.space.parameters, units, strict=True)}
            found = self.space.active({**drawn, **cell})
            if self.is_untried(found):
                return found
        return None


def _key(cell: Mapping[str, Any]) -> str:
    return json.dumps(dict(cell), sort_keys=True)


GRID_AND_RANDOM = GridAndRandom()
