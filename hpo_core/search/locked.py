"""The locked rows: opened on purpose only, and every look at them is counted and dated from then on.

Looks are kept with the study that they were made for. They count for all studies whose locked rows are the same,
however they divide the others into folds: what was seen once is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hpo_core.errors import FitError, UsageError
from hpo_core.problem import ModelProblem, Problem, open_problem
from hpo_core.search.executor import Executor, FitRequest
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study

_LOOKS, _SEAL = "locked_looks", "locked_for_good"

Scorer = Callable[[Executor, FitRequest], float]


def first_score(executor: Executor, request: FitRequest) -> float:
    """Waits for a fit and gives the score of its first fold."""
    return executor.submit(request).result()[0].score


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the locked rows.

    Attributes:
        time: Seconds since the epoch.
        what: What was scored, in words.
        configuration: Of the model that was trained on all other rows.
        score: Its score on the locked rows; None where it could not be fitted.
        rows: Which rows, as `locked_rows` names them.
        study: The study that it was made for.
    """

    time: float
    what: str
    configuration: Mapping[str, Any]
    score: float | None
    rows: str
    study: str = ""


def locked_rows(problem: Problem) -> str:
    """A name for the rows that are locked away from a problem; "" where there are none."""
    if not isinstance(problem, ModelProblem) or not len(problem.split.test):
        return ""
    protocol = problem.spec.protocol
    return f"{problem.data.hash}:{protocol.kind}:{protocol.column}:{protocol.test_fraction:g}:{protocol.seed}"


def looks_at(storage: StudyStorage, problem: Problem) -> tuple[Look, ...]:
    """All looks at the locked rows of a problem, by any study of the storage, oldest first."""
    rows = locked_rows(problem)
    kept = storage.having(_LOOKS) if rows else {}
    looks = [Look(**{**row, "study": name}) for name, found in kept.items() for row in found if row["rows"] == rows]
    return tuple(sorted(looks, key=lambda look: look.time))


def seal(study: Study, problem: Problem) -> None:
    """Locks the rows of a problem for good: nobody looks at them again."""
    if rows := locked_rows(problem):
        study.set_attribute(_SEAL, rows)


def looks_of(storage: StudyStorage, study: Study, problem: Problem) -> tuple[Look, ...]:
    """The looks that were made for one study, oldest first."""
    return tuple(one for one in looks_at(storage, problem) if one.study == study.name)


def why_locked(storage: StudyStorage, problem: Problem) -> str:
    """The sentence why the rows cannot be opened, or ""."""
    rows = locked_rows(problem)
    if not rows:
        return "This problem has no rows locked away."
    if rows in storage.having(_SEAL).values():
        return "The rows were locked for good."
    return ""


def look(
    storage: StudyStorage,
    study: Study,
    problem: Problem,
    chosen: Sequence[tuple[str, Mapping[str, Any]]],
    executor: Executor,
    score: Scorer = first_score,
) -> tuple[Look, ...]:
    """Opens the locked rows for some configurations of one problem: each look is recorded before the next is made.

    Args:
        storage: Where looks are counted.
        study: The study that keeps them.
        problem: Whose rows are opened.
        chosen: What is scored: words, and a configuration.
        executor: Does the fits, each on all rows that are not locked.
        score: Waits for one of them; what it raises beside `FitError` ends the looks before that one is made.

    Raises:
        UsageError: There are no such rows, or they are locked for good.
    """
    if why := why_locked(storage, problem):
        raise UsageError(why)
    opened = open_problem(replace(problem.spec, protocol=problem.spec.protocol.opened()))
    made: list[Look] = []
    for what, configuration in chosen:
        try:
            request = FitRequest(spec=opened.spec, configuration=configuration, folds=(0,))
            found: float | None = score(executor, request)
        except FitError:
            found = None
        one = Look(time.time(), what, dict(configuration), found, locked_rows(problem))
        kept = [{k: v for k, v in asdict(one).items() if k != "study"}]
        study.set_attribute(_LOOKS, [*study.attributes.get(_LOOKS, []), *kept])
        study.runs.add_steering("looked", {"what": what, "score": found})
        made.append(replace(one, study=study.name))
    return tuple(made)
