"""Random search with a local grid around the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from optuna.trial import FrozenTrial

from hpo_core.formats import format_count
from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._boxes import BoxSampler
from hpo_core.methods._stages import Stage
from hpo_core.options import option
from hpo_core.space import Configuration, SearchSpace

_FINEST_WIDTH = 1e-3


@dataclass(frozen=True)
class RandomThenGrid(SearchMethod):
    """Random draws and a local grid around the best of all in turns; the grid is finer each time the best stays."""

    key: ClassVar[str] = "random_then_grid"
    label: ClassVar[str] = "Random, then local grid"
    purpose: ClassVar[str] = "Draws at random first, then tries a small grid around the best of the draws, in turns."
    when_to_use: ClassVar[str] = (
        "More parameters than a whole grid can pay for, of which a few matter: the draws find the region, the grid "
        "the place in it. With more than some six parameters only an even choice of the grid is tried."
    )
    source: ClassVar[str] = (
        "Bergstra and Bengio (2012), Random Search for Hyper-Parameter Optimization; the local grid after Hsu, Chang "
        "and Lin (2003), A Practical Guide to Support Vector Classification"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=20, most_parameters=6)

    n_random: int = option(20, "Random draws", "Trials at random before each local grid.", low=1, high=10_000)
    resolution: int = option(
        3, "Values per number", "How many values each numeric parameter takes in the local grid.", low=2, high=100
    )
    width: float = option(0.2, "Width", "Width of the first local grid, in widths of the ranges.", low=0.001, high=1.0)
    most: int = option(
        20, "Trials in a grid", "A larger grid is not tried in full, but an even choice of it.", low=1, high=100_000
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _RandomThenGridSampler(self, space, seed)


class _RandomThenGridSampler(BoxSampler):
    def __init__(self, method: RandomThenGrid, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed, method.key, method.most)
        self._method = method

    def first_stage(self) -> Stage:
        return Stage("random", f"First {format_count(self._method.n_random, 'draw')} at random, to find a good region.")

    def candidate(self, stage: Stage, trial: FrozenTrial) -> Configuration | None:
        if "centre" in stage.plan:
            return super().candidate(stage, trial)
        if self.log.n_trials(stage) >= self._method.n_random:
            return None
        found = self.drawn(trial)
        return found if self.is_untried(found) else None

    def next_stage(self, stage: Stage) -> Stage:
        best = self.best
        if "centre" in stage.plan:
            found = f"its best so far is {self.in_words(best)}" if best else "no trial has a value yet"
            more = format_count(self._method.n_random, "draw")
            why = f"The {stage.name} is finished and {found}, so {more} at random look for a better region."
            return stage.then("random", why, last=dict(stage.plan))
        if best is None:
            why = "No trial has a value yet, so there is nothing to lay a grid around, and the draws go on."
            return stage.then("random", why)
        centre = self.configuration(best)
        width = self._next_width(stage.plan.get("last"), centre)
        plan = {"centre": centre, "resolution": self._method.resolution, "width": width}
        share = f"{100 * width:.3g} % of each range"
        why = f"The best after the draws is {self.in_words(best)}, so a grid over {share} is laid around it: "
        return stage.then("local grid", f"{why}{self.size_in_words(plan)}.", **plan)

    def _next_width(self, last: Mapping[str, Any] | None, centre: Configuration) -> float:
        """Half of the last width while the best stays where it was."""
        if last and last["centre"] == centre and last["width"] > 2 * _FINEST_WIDTH:
            return float(last["width"]) / 2
        return self._method.width


RANDOM_THEN_GRID = RandomThenGrid()
