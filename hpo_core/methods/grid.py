"""Grid search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from optuna.study import Study
from optuna.trial import FrozenTrial

from hpo_core.errors import UsageError
from hpo_core.methods import (
    Capabilities,
    History,
    SearchExhausted,
    SearchMethod,
    SpaceSampler,
    Strengths,
    record_thought,
)
from hpo_core.methods._grids import Grid, Walk, resolutions_in, whole_range, why_no_numbers, why_no_resolutions
from hpo_core.options import option
from hpo_core.space import Configuration, SearchSpace


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
    strengths: ClassVar[Strengths] = Strengths(most_parameters=3)

    resolution: int = option(
        5, "Values per number", "How many values each numeric parameter takes; categories take all.", low=1, high=1000
    )
    single: str = option(
        "",
        "Values of single parameters",
        "Other numbers of values for single parameters, such as C=9, gamma=5; 1 keeps a parameter at its default.",
        check=why_no_resolutions,
        example="C=9, gamma=5",
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        if why := self.why_unavailable(space):
            raise UsageError(why)
        return _GridSampler(self, space, seed)

    def why_unavailable(self, space: SearchSpace) -> str | None:
        return why_no_numbers(resolutions_in(self.single), space)

    def n_configurations(self, space: SearchSpace) -> int:
        return self.grid(space).size

    def grid(self, space: SearchSpace) -> Grid:
        """The grid of a space."""
        return Grid(space, whole_range(space, self.resolution, resolutions_in(self.single)))


class _GridSampler(SpaceSampler):
    is_multi_objective = True

    def __init__(self, method: GridSearch, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed)
        self._history = History(space)
        self._walk = Walk(method.grid(space))
        self._thought: dict[str, Any] = {"resolution": method.resolution}
        if single := resolutions_in(method.single):
            self._thought["single"] = single

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Ends the search when nothing is left, unless this trial comes from the queue with values of its own."""
        if "fixed_params" not in trial.system_attrs and self._unseen(study, trial) is None:
            raise SearchExhausted(
                "The grid is finished: every combination has been tried. Raise its resolution for more."
            )

    def proposal(self, study: Study, trial: FrozenTrial) -> Configuration:
        record_thought(study, trial, **self._thought)
        return self._unseen(study, trial) or {}

    def _unseen(self, study: Study, trial: FrozenTrial) -> Configuration | None:
        self._history.read(study, trial)
        return self._walk.first(lambda c: not self._history.has_seen(self.space.to_unit([c])[0]))


GRID = GridSearch()
