"""A duel as the judge sees it: its arms with what counts of their trials, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hpo_core.analysis.comparison import training_overlap
from hpo_core.analysis.duel import Outcome, Side, outcome, practical_equivalence
from hpo_core.metrics import find_metric, ideal_score
from hpo_core.problem import LandscapeProblem, ModelProblem
from hpo_core.search.duel import DEFAULT, Duel
from hpo_core.search.dueling import counted
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable


def sides_of(duel: Duel, read: Callable[[Study], TrialTable] = Study.read) -> list[Side]:
    """The arms of a duel, in the order of its plan; an arm whose studies were deleted has no tables."""
    return [_side(duel, place, read) for place in range(len(duel.plan.arms))]


def verdict_on(duel: Duel, sides: list[Side]) -> Outcome:
    """The verdict on arms of which one at least has a value."""
    problem = duel.problem
    overlap = training_overlap(problem.spec.protocol) if isinstance(problem, ModelProblem) else 0.0
    return outcome(sides, overlap=overlap, rope=_rope(duel, sides))


def _side(duel: Duel, place: int, read: Callable[[Study], TrialTable]) -> Side:
    members = duel.of_arm(place)
    finals = [member.final() for member in members]
    scores = tuple(tuple(final["scores"]) for final in finals if final is not None and final["scores"])
    return Side(
        label=duel.plan.arms[place].label,
        tables=tuple(counted(duel, member, read) for member in members),
        finals=scores if len(scores) == len(members) else (),
        is_default=duel.plan.arms[place].method == DEFAULT,
    )


def _rope(duel: Duel, sides: list[Side]) -> float:
    problem = duel.problem
    if isinstance(problem, LandscapeProblem):
        return practical_equivalence(problem.landscape.scale, is_share=False)
    values = [float(t.values[row]) for side in sides for t in side.tables if (row := t.best()) is not None]
    is_share = ideal_score(find_metric(problem.spec.metric)) == 1.0
    return practical_equivalence(float(np.mean(values)) if values else math.nan, is_share=is_share)
