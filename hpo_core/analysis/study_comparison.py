"""Studies beside each other: whether their values compare at all, their best trials, what they spent, and luck."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hpo_core.analysis.comparison import Compared, compared_trial, training_overlap
from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.analysis.optimism import corrected_best
from hpo_core.formats import format_count, format_score, format_seconds
from hpo_core.problem import ProblemSpec
from hpo_core.studies.study import Study
from hpo_core.studies.table import Floats, TrialTable

_FEWEST_FOLDS = 2  # one fold has no noise to judge by


@dataclass(frozen=True, kw_only=True)
class StudyUnderTest:
    """A study that is compared.

    Attributes:
        problem: None where another program made the study.
        method: How its search is called.
    """

    name: str
    table: TrialTable
    problem: ProblemSpec | None
    method: str = ""


def why_incomparable(studies: Sequence[StudyUnderTest]) -> str | None:
    """The sentence why the values of these studies were not measured in the same way, or None.

    Different models may be compared: what counts is that rows, folds and metric are the same.
    """
    strange = [study.name for study in studies if study.problem is None]
    if strange:
        were = "was" if len(strange) == 1 else "were"
        return (
            f"{' and '.join(strange)} {were} made by another program, which does not say on which data and folds its "
            "values were measured. They stand side by side without a verdict."
        )
    problems = [study.problem for study in studies if study.problem is not None]
    faults = [f"{what} ({_told_apart(texts)})" for what, texts in _unequal(problems)]
    if not faults:
        return None
    return f"The values do not compare: the studies have different {' and '.join(faults)}."


def overlap_of(problem: ProblemSpec) -> float:
    """Validation rows over training rows of a fold, see `compare_folds`; looks at a landscape share nothing."""
    return training_overlap(problem.protocol) if problem.model else 0.0


def overlap_of_study(study: Study) -> float:
    """Of the protocol that the study says it has; 0 where it says none, as for studies of other programs."""
    try:
        return overlap_of(ProblemSpec.from_json(study.attributes["problem"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return 0.0


def best_of_study(study: StudyUnderTest, n_fits: int = 0) -> Compared | None:
    """The best trial of a study with what the study spent; None without a complete trial.

    Args:
        n_fits: A number of fits that all studies have done: says what was the best within it; 0 leaves that out.
    """
    table = study.table
    row = table.best()
    if row is None:
        return None
    trial = compared_trial(table, row, heading=study.name, subtitle=f"its best, trial {int(table.numbers[row])}")
    return replace(trial, figures={**_spent(study), **_best_within(table, n_fits), **trial.figures})


def fits_done(table: TrialTable) -> int:
    """Fits of all trials; a trial of another program counts as one."""
    return int(_fits(table).sum())


def fold_scores_without_luck(table: TrialTable) -> Floats:
    """Fold scores of the best trial, each less what picking has gained by luck, shape (k,); empty with under two folds.

    The luck is that of `corrected_best`, which counts trials that lost a race, too; a single trial owes nothing to it.
    """
    scores = table.fold_scores[table.is_complete]
    scores = scores[np.isfinite(scores).all(axis=1)]
    if len(scores) == 0 or scores.shape[1] < _FEWEST_FOLDS:
        return np.empty(0)
    best: Floats = scores[np.argmin(table.sign * scores.mean(axis=1))]
    found = corrected_best(table)
    return best if found is None else best + (found.value - found.raw)


def difference_without_luck(first: TrialTable, second: TrialTable, overlap: float) -> Difference | None:
    """The difference of two studies by `fold_scores_without_luck`; None where either has too few folds."""
    a, b = fold_scores_without_luck(first), fold_scores_without_luck(second)
    if not len(a) or not len(b):
        return None
    return compare_folds(a, b, is_higher_better=first.direction == "maximize", overlap=overlap)


def _unequal(problems: Sequence[ProblemSpec]) -> list[tuple[str, list[str]]]:
    """What is not the same for all problems, with what it is in each."""
    parts: dict[str, Callable[[ProblemSpec], Any]] = {
        "data": lambda p: p.data_hash or p.data,
        "targets": lambda p: p.target,
        "tasks": lambda p: p.task,
        "metrics": lambda p: p.metric,
        "validation protocols": lambda p: json.dumps(p.protocol.to_json(), sort_keys=True),
        "noise": lambda p: p.noise,
    }
    words: Mapping[str, Callable[[ProblemSpec], str]] = {
        "data": lambda p: p.data.replace("\\", "/").rsplit("/", 1)[-1],
        "targets": lambda p: str(p.target),
        "tasks": lambda p: p.task or "detected",
        "metrics": lambda p: p.metric,
        "validation protocols": lambda p: f"{p.protocol.title}, seed {p.protocol.seed}",
        "noise": lambda p: f"{p.noise:g}",
    }
    return [
        (what, [words[what](problem) for problem in problems])
        for what, part in parts.items()
        if len({part(problem) for problem in problems}) > 1
    ]


def _told_apart(texts: Sequence[str]) -> str:
    names = list(dict.fromkeys(texts))
    return ", ".join(names) if len(names) > 1 else f"{names[0]}, changed in between"


def _fits(table: TrialTable) -> Floats:
    """Fits of each trial, shape (n,)."""
    fits: Floats = np.maximum(np.isfinite(table.fold_scores).sum(axis=1), table.is_finished).astype(float)
    return fits


def _spent(study: StudyUnderTest) -> dict[str, str]:
    table = study.table
    parts = {"pruned": int(table.is_pruned.sum()), "failed": int(table.is_failed.sum())}
    more = "".join(f", {count:,} {word}" for word, count in parts.items() if count)
    fit_seconds = float(np.nansum(table.fit_seconds) + np.nansum(table.predict_seconds))
    seconds = {"seconds of all fits": format_seconds(fit_seconds)} if fit_seconds else {}
    method = {"method": study.method} if study.method else {}
    return {**method, "trials": f"{format_count(len(table))}{more}", "fits": f"{fits_done(table):,}", **seconds}


def _best_within(table: TrialTable, n_fits: int) -> dict[str, str]:
    """The best value after so many fits, in the order in which the trials ended."""
    if not n_fits:
        return {}
    ended = np.where(np.isfinite(table.completed), table.completed, np.inf)
    order = np.argsort(ended, kind="stable")
    inside = order[np.cumsum(_fits(table)[order]) <= n_fits]
    values = (table.sign * table.values)[inside[table.is_complete[inside]]]
    best = table.sign * float(values.min()) if len(values) else float("nan")
    return {f"best within {n_fits:,} fits": format_score(best)}
