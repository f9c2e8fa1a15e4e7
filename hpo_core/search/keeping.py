"""Duels and suites as a whole: their studies together are renamed, deleted, brought back, or scored anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpo_core.errors import StudyBusyError, UsageError
from hpo_core.search.duel import Duel, DuelPlan, duels, open_duel, study_name
from hpo_core.search.dueling import is_held
from hpo_core.search.suite import Suite, open_suite, suites
from hpo_core.studies.discarding import Discarded
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.summary import is_duel
from hpo_core.studies.tables import DUEL_ATTRIBUTE, NAME_LENGTH

_STEM_LENGTH = 400  # room for the arm and the seed behind it


@dataclass(frozen=True)
class Deleted:
    """A duel or suite that can be brought back.

    Attributes:
        key, name: Of the duel or suite.
        is_suite: Whether it is a suite, or a part of one.
        studies: Its discarded studies, of a suite those of all its duels.
    """

    key: str
    name: str
    is_suite: bool
    studies: tuple[Discarded, ...]


def rename_duel(storage: StudyStorage, duel: Duel, name: str) -> None:
    """Gives a duel another name, and its studies those that go with it; a search that is on goes on.

    Raises:
        UsageError: The name is taken, empty or too long.
    """
    _check_name(name)
    if any(plan.name == name and plan.key != duel.plan.key for plan in duels(storage).values()):
        raise UsageError(f"There is a duel called {name!r} already. Choose another name.")
    _rename(storage, duel, replace(duel.plan, name=name))


def rename_suite(storage: StudyStorage, suite: Suite, name: str) -> None:
    """Gives a suite another name; its duels, whose names begin with it, go along.

    Raises:
        UsageError: The name is taken, empty or too long.
    """
    _check_name(name)
    if any(plans[0].suite == name and key != suite.key for key, plans in suites(storage).items()):
        raise UsageError(f"There is a suite called {name!r} already. Choose another name.")
    for duel in suite.duels:
        own = duel.plan.name
        if own.startswith(f"{suite.name}, "):
            own = name + own.removeprefix(suite.name)
        _rename(storage, duel, replace(duel.plan, name=own, suite=name))


def discard_duels(storage: StudyStorage, chosen: Sequence[Duel]) -> None:
    """Takes all studies of some duels out of all lists, as if deleted; for an hour `bring_back` undoes it.

    Raises:
        StudyBusyError: One of them is at it. All stay then.
    """
    busy = next((duel.plan.name for duel in chosen if is_held(duel)), None)
    if busy:
        raise StudyBusyError(f"{busy} is being scored. Stop it first, or wait for its end.")
    storage.discard(*(member.study.name for duel in chosen for member in duel.members))


def deleted_duels(storage: StudyStorage) -> tuple[Deleted, ...]:
    """The duels and suites of which studies were discarded, those discarded last first."""
    found: dict[str, tuple[DuelPlan, list[Discarded]]] = {}
    for study, row in storage.discarded_having(DUEL_ATTRIBUTE):
        if is_duel(row):
            plan = DuelPlan.from_json(row["plan"])
            found.setdefault(plan.suite_key or plan.key, (plan, []))[1].append(study)
    return tuple(
        Deleted(key, plan.suite or plan.name, bool(plan.suite), tuple(studies))
        for key, (plan, studies) in found.items()
    )


def bring_back(storage: StudyStorage, deleted: Deleted) -> None:
    """Brings back all studies of a duel or suite; where its name is taken by now, under another one.

    Raises:
        UsageError: Their time is over.
    """
    for study in sorted(deleted.studies, key=lambda one: one.study_id):
        storage.restore(study.name, study.key)
    plans = duels(storage)
    if deleted.is_suite:
        names = {own[0].suite for key, own in suites(storage).items() if key != deleted.key}
        if deleted.name in names:
            rename_suite(storage, open_suite(storage, deleted.key), _restored(deleted.name, names))
        return
    names = {plan.name for key, plan in plans.items() if key != deleted.key}
    if deleted.name in names:
        rename_duel(storage, open_duel(storage, deleted.key), _restored(deleted.name, names))


def _restored(name: str, taken: set[str]) -> str:
    tries = (f"{name} (restored{'' if n == 1 else f' {n}'})" for n in range(1, len(taken) + 2))
    return next(free for free in tries if free not in taken)


def draw_anew(duel: Duel, finals: int) -> None:
    """Forgets what was scored on fresh folds, and plans so many draws of them; a lane then scores on all."""
    plan = replace(duel.plan, finals=finals)
    for member in duel.members:
        member.set_plan(plan)
        member.set_final(None)


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise UsageError(f"A name must be printable, on one line, and not empty; got {name!r}.")
    if len(name) > _STEM_LENGTH:
        raise UsageError(f"The name has at most {_STEM_LENGTH} characters; got {len(name)}.")


def _rename(storage: StudyStorage, duel: Duel, plan: DuelPlan) -> None:
    """The plan first: it makes the duel, and its studies may be called anything."""
    for member in duel.members:
        member.set_plan(plan)
    for member in duel.members:
        if member.study.name.startswith(f"{duel.plan.name}: ") and plan.name != duel.plan.name:
            arm = plan.arms[member.arm]
            storage.rename(member.study.name, study_name(storage, plan, arm, member.seed)[:NAME_LENGTH])
