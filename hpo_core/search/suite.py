"""Suites: the same arms over many problems, a duel on each.

A suite has no record but its duels, which share its name in their plans. Lanes fight them one after the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpo_core.analysis.duel import Outcome, Side
from hpo_core.analysis.suite import Contest, Standing, standing
from hpo_core.errors import UsageError
from hpo_core.problem import Problem, ProblemSpec
from hpo_core.search.duel import (
    DEFAULT,
    MANUAL,
    Duel,
    DuelArm,
    DuelPlan,
    check_duel,
    duels,
    make_duel,
    open_suite_duels,
    suited_finals,
)
from hpo_core.search.judging import sides_of, verdict_on
from hpo_core.studies.run import Budget
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_MOST_PROBLEMS, _MOST_SEARCHES = 40, 1000


@dataclass(frozen=True)
class Suite:
    """A suite as the storage has it; duels of it that were deleted are missing."""

    key: str
    name: str
    duels: tuple[Duel, ...]

    @property
    def arms(self) -> tuple[DuelArm, ...]:
        return self.duels[0].plan.arms

    @property
    def n_searches(self) -> int:
        return sum(len(duel.searches) for duel in self.duels)


@dataclass(frozen=True)
class Bout:
    """One duel of a suite as the judge saw it; an outcome only where an arm has a value."""

    duel: Duel
    sides: tuple[Side, ...]
    outcome: Outcome | None


def make_suite(
    storage: StudyStorage,
    problems: Sequence[Problem],
    arms: Sequence[DuelArm],
    budget: Budget,
    *,
    name: str = "",
    finals: int | None = None,
    fit_seconds: float | None = None,
) -> Suite:
    """A new suite with its duels, none of them begun.

    Args:
        storage: Where its studies are made.
        problems: At least two, no two of them the same.
        arms: At least two search methods, the default configuration and random search among them if wanted.
        budget: Of each search.
        name: A free one is made when empty.
        finals: How often fresh folds are drawn at the end; as often as a verdict takes on each problem where None.
        fit_seconds: The longest that a fit may take; it then fails, so that one cannot hold up all that follow.

    Raises:
        UsageError: The arms or the problems do not make a suite, or an arm cannot search one of the problems. Nothing
            is made then.
    """
    check_suite(problems, arms, budget, finals, fit_seconds)
    taken = {plans[0].suite for plans in suites(storage).values()}
    title = name or next(t for i in range(1, len(taken) + 2) if (t := f"suite {i}") not in taken)
    if title in taken:
        raise UsageError(f"There is a suite called {title!r} already. Choose another name.")
    key = uuid.uuid4().hex
    made = (
        make_duel(storage, problem, arms, budget, name=own, finals=finals, suite=(title, key), fit_seconds=fit_seconds)
        for own, problem in zip(_names(storage, title, problems), problems, strict=True)
    )
    return Suite(key, title, tuple(made))


def check_suite(
    problems: Sequence[Problem],
    arms: Sequence[DuelArm],
    budget: Budget,
    finals: int | None = None,
    fit_seconds: float | None = None,
) -> None:
    """Refuses what is no suite, all problems that an arm cannot search together.

    Raises:
        UsageError: Names what is wrong.
    """
    if not 2 <= len(problems) <= _MOST_PROBLEMS:
        raise UsageError(f"A suite has from 2 to {_MOST_PROBLEMS} problems; got {len(problems)}.")
    twice = next((p.title for i, p in enumerate(problems) if p.spec in [q.spec for q in problems[:i]]), None)
    if twice:
        raise UsageError(f"Each problem of a suite must be another; {twice} is there twice.")
    if any(arm.method == MANUAL for arm in arms):
        raise UsageError("A person plays one problem at a time: make a duel of it, or leave yourself out of the suite.")
    n = len(problems) * sum(arm.seeds for arm in arms)
    if n > _MOST_SEARCHES:
        raise UsageError(f"A suite has at most {_MOST_SEARCHES:,} searches; got {n:,}. Take fewer arms or seeds.")
    faults: dict[str, None] = {}
    for problem in problems:
        try:
            n = suited_finals(problem.spec) if finals is None else finals
            check_duel(problem, arms, budget, n, fit_seconds)
        except UsageError as fault:
            faults[str(fault)] = None
    if faults:
        raise UsageError(" ".join(faults))


def suites(storage: StudyStorage) -> dict[str, tuple[DuelPlan, ...]]:
    """The plans of the duels of all suites by key of the suite, oldest first."""
    found: dict[str, tuple[DuelPlan, ...]] = {}
    for plan in duels(storage).values():
        if plan.suite:
            found[plan.suite_key] = (*found.get(plan.suite_key, ()), plan)
    return found


def open_suite(storage: StudyStorage, name: str) -> Suite:
    """The suite of this name or key.

    Raises:
        UsageError: There is none.
    """
    for key, plans in suites(storage).items():
        if name in (key, plans[0].suite):
            return Suite(key, plans[0].suite, open_suite_duels(storage, key))
    raise UsageError(f"There is no suite {name!r}.")


def bouts_of(chosen: Sequence[Duel], read: Callable[[Study], TrialTable] = Study.read) -> tuple[Bout, ...]:
    """Duels as they stand."""
    return tuple(_bout(duel, read) for duel in chosen)


def standing_of(bouts: Sequence[tuple[Bout, bool]]) -> Standing:
    """How the arms of a suite stand; see `standing`.

    Args:
        bouts: Its duels, and whether each is over.
    """
    contests = [
        Contest(
            title=bout.duel.title,
            sign=1.0 if bout.duel.direction == "minimize" else -1.0,
            outcome=bout.outcome,
            is_over=is_done,
        )
        for bout, is_done in bouts
    ]
    return standing([arm.label for arm in bouts[0][0].duel.plan.arms], contests)


def unbegun(duel: Duel) -> Bout:
    """A duel of which nothing is there to read."""
    return Bout(duel, tuple(Side(arm.label, (), is_default=arm.method == DEFAULT) for arm in duel.plan.arms), None)


def _bout(duel: Duel, read: Callable[[Study], TrialTable]) -> Bout:
    sides = sides_of(duel, read)
    has_value = any(table.best() is not None for side in sides for table in side.tables)
    return Bout(duel, tuple(sides), verdict_on(duel, sides) if has_value else None)


def _names(storage: StudyStorage, suite: str, problems: Sequence[Problem]) -> list[str]:
    """A free name for the duel on each problem: the suite, data and model."""
    taken = {plan.name for plan in duels(storage).values()}
    names: list[str] = []
    for problem in problems:
        base = f"{suite}, {_short(problem.spec)}"
        tries = (base if i == 1 else f"{base} ({i})" for i in range(1, len(taken) + len(problems) + 2))
        names.append(next(name for name in tries if name not in taken and name not in names))
    return names


def _short(spec: ProblemSpec) -> str:
    return " ".join(part for part in (Path(spec.data).stem, spec.model) if part)
