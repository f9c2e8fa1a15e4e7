"""The ensemble of a study: its best configurations refitted on the folds, and the best mix of their predictions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hpo_core.analysis.ensemble import Floats, cross_check, select_greedily
from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.analysis.selection import best_rows
from hpo_core.errors import UsageError
from hpo_core.formats import format_score
from hpo_core.problem import ModelProblem, Problem
from hpo_core.search.out_of_fold import out_of_fold
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable


@dataclass(frozen=True, slots=True)
class Member:
    """A trial of the ensemble.

    Attributes:
        number: Of the trial.
        weight: Share in the mean of the predictions.
        score: Of its own refitted out-of-fold predictions.
    """

    number: int
    weight: float
    score: float
    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEnsemble:
    """What greedy selection made of a study's best trials. Scores are in the metric's unit.

    Attributes:
        members: The trials with a weight, the heaviest first.
        n_candidates: Trials that were refitted.
        score: Of the ensemble, on the rows that chose it: optimistic.
        best_number, best_score: The best single trial on the same rows.
        checked_score: On rows that had no part in the choice; NaN where that cannot be told.
        checked_best_score: Of the best single model, chosen and scored in the same way.
        checked: The difference of the two, over parts of the rows.
        is_higher_better: Direction of the metric.
        faults: By trial number, why it could not be fitted again.
    """

    members: tuple[Member, ...]
    n_candidates: int
    score: float
    best_number: int
    best_score: float
    checked_score: float
    checked_best_score: float
    checked: Difference
    is_higher_better: bool
    faults: dict[int, str]

    @property
    def verdict(self) -> str:
        """One sentence on whether the mix helps, from rows that did not choose it."""
        if self.checked.verdict == "unknown":
            return "There are too few rows to check the ensemble on rows that did not choose it."
        words = {"better": "better than", "worse": "worse than", "tie": "within noise of"}[self.checked.verdict]
        scores = f"{format_score(self.checked_score)} against {format_score(self.checked_best_score)}"
        return f"On rows that had no part in the choice the ensemble is {words} the best single model: {scores}."


def ensemble_of(
    problem: Problem,
    table: TrialTable,
    *,
    top: int = 20,
    n_rounds: int = 50,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> StudyEnsemble:
    """Refits the best trials of a study on its folds and mixes them.

    Raises:
        UsageError: There is nothing to mix.
        FitError: No trial could be fitted again.
    """
    if not isinstance(problem, ModelProblem):
        raise UsageError("A landscape has no predictions to mix: an ensemble needs a study of a model on data.")
    if top < 1 or n_rounds < 1:
        raise UsageError(f"An ensemble takes at least one trial and one round; got {top} and {n_rounds}.")
    chosen = best_rows(table, top)
    if not chosen:
        raise UsageError("The study has no finished trial with a value yet, so there is nothing to mix.")
    known, faults = out_of_fold(problem, [table.configuration(row) for row in chosen], on_progress)
    kept = [row for place, row in enumerate(chosen) if place not in faults]
    sign = table.sign
    selection = select_greedily(known.predictions, lambda p: sign * known.score(p), n_rounds)
    check = cross_check(known.predictions, known.rows, lambda p, part: sign * known.score(p, part), seed=seed)
    mixed, single = sign * check.ensemble, sign * check.single
    both = np.isfinite(mixed) & np.isfinite(single)
    overlap = 1 / max(len(mixed) - 1, 1)
    scores = np.array([known.score(prediction) for prediction in known.predictions])
    best = int(np.nanargmin(sign * scores))
    return StudyEnsemble(
        members=_members(table, kept, selection.weights, scores),
        n_candidates=len(kept),
        score=sign * selection.loss,
        best_number=int(table.numbers[kept[best]]),
        best_score=float(scores[best]),
        checked_score=float(mixed[both].mean()) if both.any() else math.nan,
        checked_best_score=float(single[both].mean()) if both.any() else math.nan,
        checked=compare_folds(mixed, single, is_higher_better=table.direction == "maximize", overlap=overlap),
        is_higher_better=table.direction == "maximize",
        faults={int(table.numbers[chosen[place]]): why for place, why in faults.items()},
    )


def _members(table: TrialTable, rows: Sequence[int], weights: Floats, scores: Floats) -> tuple[Member, ...]:
    order = [place for place in np.argsort(-weights, kind="stable").tolist() if weights[place] > 0]
    return tuple(
        Member(int(table.numbers[rows[i]]), float(weights[i]), float(scores[i]), table.configuration(rows[i]))
        for i in order
    )
