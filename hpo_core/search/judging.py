"""A duel and a finalists round as the judge sees them: who is judged by what, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from hpo_core.analysis.duel import FEWEST, Outcome, Side, outcome, practical_equivalence
from hpo_core.analysis.finals import Candidate, FinalsVerdict, judge_finals
from hpo_core.analysis.study_comparison import overlap_of
from hpo_core.metrics import find_metric, ideal_score
from hpo_core.problem import LandscapeProblem, ModelProblem, Problem
from hpo_core.search.duel import DEFAULT, Duel, suited_finals
from hpo_core.search.dueling import has_finals, why_no_finals
from hpo_core.search.finalists import MANUAL, Finalist
from hpo_core.search.finals_round import FinalsFound
from hpo_core.search.hand import counted
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable


def sides_of(duel: Duel, read: Callable[[Study], TrialTable] = Study.read) -> list[Side]:
    """The arms of a duel, in the order of its plan; an arm whose studies were deleted has no tables."""
    return [_side(duel, place, read) for place in range(len(duel.plan.arms))]


def verdict_on(duel: Duel, sides: list[Side]) -> Outcome:
    """The verdict on arms of which one at least has a value."""
    problem = duel.problem
    values = [float(t.values[row]) for side in sides for t in side.tables if (row := t.best()) is not None]
    overlap, rope = overlap_of(problem.spec), rope_of(problem, values)
    return outcome(sides, overlap=overlap, rope=rope, remedy=_remedy(duel))


def draws_for_verdict(duel: Duel) -> int:
    """How often fresh folds must be drawn anew for a verdict that too few of them cannot give; 0 where they are enough
    or there are none.
    """
    if why_no_finals(duel) and duel.plan.finals:
        return 0
    n = suited_finals(duel.spec)
    return n if n > duel.plan.finals else 0


def _remedy(duel: Duel) -> str:
    problem = duel.problem
    if isinstance(problem, LandscapeProblem) and not problem.spec.noise:
        return f"Give each search method {FEWEST} seeds or more."
    if isinstance(problem, ModelProblem) and problem.spec.protocol.kind == "time":
        return f"Choose a problem with {FEWEST} folds or more."
    if (n := draws_for_verdict(duel)) > 0:
        return f"Fresh folds drawn {n} times would be enough."
    return "" if has_finals(duel) else "Fresh folds come at the end."


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


def verdict_on_finals(problem: Problem, found: FinalsFound) -> FinalsVerdict:
    """The verdict on what a finalists round has found."""
    candidates = [
        Candidate(
            label=finalist_name(problem, one),
            value=math.nan if one.value is None else one.value,
            scores=fresh.scores,
            is_default=is_default(problem, one),
        )
        for one, fresh in zip(found.plan.finalists, found.scores, strict=True)
    ]
    return judge_finals(
        candidates,
        is_higher_better=problem.direction == "maximize",
        overlap=overlap_of(problem.spec),
        rope=rope_of(problem, [one.value for one in found.plan.finalists if one.value is not None]),
    )


def finalist_name(problem: Problem, one: Finalist) -> str:
    """What a finalist is called in a sentence."""
    if is_default(problem, one):
        return "the default"
    return f"your trial {one.trial}" if one.arm == MANUAL else f"trial {one.trial}"


def is_default(problem: Problem, one: Finalist) -> bool:
    """Whether a finalist is the default configuration, whoever tried it."""
    return one.configuration == problem.space.default() and not one.schedule.past


def rope_of(problem: Problem, values: Sequence[float]) -> float:
    """Half-width of the region in which nobody would mind a difference of scores on a problem.

    Args:
        problem: Whose metric they are in.
        values: Typical ones; the scale of metrics that are no shares.
    """
    if isinstance(problem, LandscapeProblem):
        return practical_equivalence(problem.landscape.scale, is_share=False)
    is_share = ideal_score(find_metric(problem.spec.metric)) == 1.0
    return practical_equivalence(float(np.mean(values)) if len(values) else math.nan, is_share=is_share)
