"""Coarse-to-fine grid search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hpo_core.methods import Capabilities, SearchMethod, SpaceSampler, Strengths
from hpo_core.methods._boxes import BoxSampler
from hpo_core.methods._stages import Stage
from hpo_core.options import option
from hpo_core.space import SearchSpace

_MOST_VALUES = 1000


@dataclass(frozen=True)
class CoarseToFine(SearchMethod):
    """A coarse grid, then finer grids in a shrinking box around the best; then anew with a coarse grid twice as fine.

    The box moves without shrinking when the best trial lies on its edge. Categories stay as in the best trial until
    the next coarse grid.
    """

    key: ClassVar[str] = "coarse_to_fine"
    label: ClassVar[str] = "Coarse-to-fine grid"
    purpose: ClassVar[str] = "Tries a coarse grid, then finer and finer grids around the best of what it has found."
    when_to_use: ClassVar[str] = (
        "One to four parameters and one clear optimum: it reaches a precision that a full grid cannot pay for. It "
        "overlooks an optimum that is narrower than the coarse grid, and noise can send it to the wrong place."
    )
    source: ClassVar[str] = (
        "Hsu, Chang and Lin (2003), A Practical Guide to Support Vector Classification; nested grids after Kim (1997), "
        "Iterated Grid Search Algorithm on Unimodal Criteria"
    )
    capabilities: ClassVar[Capabilities] = Capabilities(is_conditional=True)
    strengths: ClassVar[Strengths] = Strengths(fewest=15, most_parameters=4, surface="smooth")

    resolution: int = option(
        5, "Values per number", "How many values each numeric parameter takes in a grid.", low=2, high=1000
    )
    shrink: float = option(
        0.5,
        "Shrinking",
        "Width of the next box as a share of the last; with 5 values, 0.5 reaches to the neighbours of the best.",
        low=0.05,
        high=0.9,
    )
    n_finer: int = option(
        5, "Finer grids", "How often the box shrinks before a new coarse grid of twice the resolution.", low=1, high=50
    )
    most: int = option(
        25, "Trials in a grid", "A larger grid is not tried in full, but an even choice of it.", low=1, high=100_000
    )

    def sampler(self, space: SearchSpace, seed: int) -> SpaceSampler:
        return _CoarseToFineSampler(self, space, seed)


class _CoarseToFineSampler(BoxSampler):
    def __init__(self, method: CoarseToFine, space: SearchSpace, seed: int) -> None:
        super().__init__(space, seed, method.key, method.most)
        self._method = method

    def first_stage(self) -> Stage:
        plan = {"resolution": self._method.resolution, "turn": 0, "level": 0}
        why = f"First a grid over the whole ranges, to see where it is good: {self.size_in_words(plan)}."
        return Stage("coarse grid", why, plan)

    def next_stage(self, stage: Stage) -> Stage:
        best, level = self.best, stage.plan["level"]
        if best is None:
            return self._next_turn(stage, f"No trial has a value yet after the {stage.name}")
        found = f"The {stage.name} is finished and the best so far is {self.in_words(best)}"
        if level and self.is_on_edge(best, stage.plan):
            plan = {**stage.plan, "centre": self.configuration(best)}
            why = f"{found}, on the edge of the grid, so the grid moves there as it is: {self.size_in_words(plan)}."
            return stage.then(stage.name, why, **plan)
        if level >= self._method.n_finer:
            return self._next_turn(stage, found)
        plan = {
            "resolution": self._method.resolution,
            "turn": stage.plan["turn"],
            "level": level + 1,
            "centre": self.configuration(best),
            "width": self._method.shrink ** (level + 1),
        }
        why = f"{found}, so a finer grid over {100 * plan['width']:.3g} % of each range is laid around it: "
        return stage.then(f"finer grid {level + 1}", f"{why}{self.size_in_words(plan)}.", **plan)

    def _next_turn(self, stage: Stage, found: str) -> Stage:
        turn = stage.plan["turn"] + 1
        resolution = min((self._method.resolution - 1) * 2 ** min(turn, 10) + 1, _MOST_VALUES)
        plan = {"resolution": resolution, "turn": turn, "level": 0}
        why = f"{found}, so a coarse grid of {resolution} values per number looks for what was overlooked: "
        return stage.then(f"coarse grid {turn + 1}", f"{why}{self.size_in_words(plan)}.", **plan)


COARSE_TO_FINE = CoarseToFine()
