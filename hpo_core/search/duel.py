"""Duels: arms on the same problem under the same budget, each arm and seed in a study of its own.

A duel has no record but its studies: each of them holds the plan in an attribute. Whoever opens the storage finds it.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hpo_core.analysis.duel import FEWEST
from hpo_core.errors import UsageError
from hpo_core.methods import METHODS
from hpo_core.problem import Problem, ProblemSpec
from hpo_core.search.finalists import suited_draws
from hpo_core.search.launch import check_run, problem_of
from hpo_core.search.simple import make_study
from hpo_core.search.suitability import suited_pruning, why_not
from hpo_core.studies.run import Budget, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.summary import is_duel
from hpo_core.studies.table import Direction
from hpo_core.studies.tables import DUEL_ATTRIBUTE, DUEL_CONTROL

MANUAL, DEFAULT, CONTROL = "manual", "default", "random"
_PLAN, _FINAL, _LOOK, _CONTROL = DUEL_ATTRIBUTE, "duel_final", "duel_look", DUEL_CONTROL
HOLDER = _CONTROL + "holder"  # of what comes after the searches, at the first study
_MOST_STUDIES, _MOST_SEEDS = 60, 20


@dataclass(frozen=True, slots=True)
class DuelArm:
    """One side of a duel.

    Attributes:
        method: Key of a search method, "manual" for a person, "default" for the default configuration alone.
        seeds: How many searches with seeds of their own; a person and the default have one.
        times: Multiple of the budget that it gets: 2 for the control that may spend double.
        person: Name of a person of a class; "" for all others.
    """

    method: str
    seeds: int = 1
    times: int = 1
    person: str = ""

    @property
    def label(self) -> str:
        if self.person:
            return self.person
        own = {MANUAL: "You", DEFAULT: "Default"}
        name = own.get(self.method) or (METHODS[self.method].label if self.method in METHODS else self.method)
        return name if self.times == 1 else f"{name}, {self.times} × the budget"

    @property
    def key(self) -> str:
        """What it has its colour by."""
        if self.person:
            return f"{self.method} {self.person}"
        return self.method if self.times == 1 else self.label


@dataclass(frozen=True, kw_only=True)
class DuelPlan:
    """What a duel is about, beside its problem.

    Attributes:
        key: Names it for good.
        name: On screen and in the names of its studies.
        arms: At least two.
        budget: Of each search; `times` as much for an arm that has more.
        finals: How often fresh folds are drawn to score what each search has chosen.
        is_blind: Whether the machine's progress is kept from the person until they are done.
        suite, suite_key: Of the suite that it belongs to; "" for none.
        fit_seconds: A fit that takes longer fails, of whichever arm; None for no limit.
        code: Of the class that it is: people who joined are arms too, but stand in their own studies; "" for a duel.
    """

    key: str
    name: str
    arms: tuple[DuelArm, ...]
    budget: Budget
    finals: int = 3
    is_blind: bool = False
    suite: str = ""
    suite_key: str = ""
    fit_seconds: float | None = None
    code: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it was made: without the people, who come and go."""
        return dataclasses.asdict(replace(self, arms=tuple(arm for arm in self.arms if not arm.person)))

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> DuelPlan:
        changed = {"arms": tuple(DuelArm(**arm) for arm in row["arms"]), "budget": Budget(**row["budget"])}
        return DuelPlan(**{**row, **changed})


@dataclass(frozen=True, slots=True)
class Person:
    """Who plays in a class: a name, and the digest of the token by which they are known."""

    name: str
    token: str


@dataclass(frozen=True)
class Member:
    """One search of a duel: an arm with one seed, and its study; of a class also a person."""

    arm: int
    seed: int
    study: Study
    person: Person | None = None

    def final(self) -> dict[str, Any] | None:
        """What the final round found: the configuration, its trial, and its scores on fresh folds; None before."""
        return self.study.attributes.get(_FINAL)

    def look(self) -> dict[str, Any] | None:
        """The score on the locked rows, None where it could not be fitted; None before they were opened."""
        return self.study.attributes.get(_LOOK)

    def set_look(self, score: float | None) -> None:
        self.study.set_attribute(_LOOK, {"score": score})

    def set_final(self, final: Mapping[str, Any] | None) -> None:
        self.study.set_attribute(_FINAL, None if final is None else dict(final))

    def set_plan(self, plan: DuelPlan) -> None:
        """Writes the plan of its duel."""
        self.study.set_attribute(_PLAN, seat_row(plan, self.arm, self.seed, self.person))


@dataclass(frozen=True)
class Duel:
    """A duel as the storage has it."""

    plan: DuelPlan
    members: tuple[Member, ...]

    @cached_property
    def problem(self) -> Problem:
        return problem_of(self.members[0].study)

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return self.members[0].study.attributes

    @property
    def spec(self) -> ProblemSpec:
        """The problem, without opening it."""
        return ProblemSpec.from_json(self._kept["problem"])

    @property
    def title(self) -> str:
        """The problem in one line."""
        return str(self._kept.get("title", ""))

    @property
    def direction(self) -> Direction:
        """Whether lower or higher scores are better."""
        return self.members[0].study.direction

    @property
    def by_hand(self) -> Member | None:
        """The one person of a duel; a class has `people`."""
        return (
            None if self.plan.code else next((m for m in self.members if self.plan.arms[m.arm].method == MANUAL), None)
        )

    @property
    def people(self) -> tuple[Member, ...]:
        """Of a class, in the order in which they joined."""
        return tuple(member for member in self.members if member.person is not None)

    @property
    def searches(self) -> tuple[Member, ...]:
        """All but the person's, those with the first seed first."""
        return tuple(m for m in self.members if self.plan.arms[m.arm].method != MANUAL)

    def of_arm(self, arm: int) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.arm == arm)

    def settings(self, member: Member) -> tuple[RunSettings, Budget]:
        """How the search of a member is run."""
        arm, budget, limit = self.plan.arms[member.arm], self.plan.budget, self.plan.fit_seconds
        if arm.method == DEFAULT:
            return RunSettings(method=CONTROL, seed=member.seed, fit_seconds_limit=limit), Budget("trials", 1)
        pruning = suited_pruning(METHODS[arm.method], self.problem)
        settings = RunSettings(method=arm.method, seed=member.seed, pruning=pruning, fit_seconds_limit=limit)
        return settings, Budget(budget.kind, arm.times * budget.amount)

    @property
    def control(self) -> dict[str, Any]:
        """What was asked of the duel: `is_stopped`, `is_hand_done`, `opens_lock`; what it says: `fault`."""
        attributes = self.members[0].study.attributes
        return {key.removeprefix(_CONTROL): value for key, value in attributes.items() if key.startswith(_CONTROL)}

    def ask(self, **changes: Any) -> None:
        """Changes `control`. Each entry is written by itself, so that processes do not undo each other's."""
        for key, value in changes.items():
            self.members[0].study.set_attribute(_CONTROL + key, value)


def make_duel(
    storage: StudyStorage,
    problem: Problem,
    arms: Sequence[DuelArm],
    budget: Budget,
    *,
    name: str = "",
    finals: int | None = None,
    is_blind: bool = False,
    suite: tuple[str, str] = ("", ""),
    fit_seconds: float | None = None,
    code: str = "",
) -> Duel:
    """A new duel with its studies, none of them begun.

    Args:
        storage: Where its studies are made.
        problem: What all arms tune, on the same folds.
        arms: At least two; each method once with the same multiple of the budget.
        budget: Of each search.
        name: A free one is made when empty.
        finals: How often fresh folds are drawn at the end; as often as a verdict takes where None.
        is_blind: Whether the machine's progress is kept from the person until they are done.
        suite: Name and key of the suite that it belongs to.
        fit_seconds: The longest that a fit may take.
        code: Of the class that it is.

    Raises:
        UsageError: The arms do not make a duel, or one of them cannot search this problem.
    """
    finals = suited_finals(problem.spec) if finals is None else finals
    check_duel(problem, arms, budget, finals, fit_seconds)
    taken = {plan.name for plan in duels(storage).values()}
    title = name or next(t for i in range(1, len(taken) + 2) if (t := f"duel {i}") not in taken)
    if title in taken:
        raise UsageError(f"There is a duel called {title!r} already. Choose another name.")
    plan = DuelPlan(
        key=uuid.uuid4().hex,
        name=title,
        arms=tuple(arms),
        budget=budget,
        finals=finals,
        is_blind=is_blind,
        suite=suite[0],
        suite_key=suite[1],
        fit_seconds=fit_seconds,
        code=code,
    )
    most = max(arm.seeds for arm in arms)
    members = []
    for seed in range(most):
        for place, arm in enumerate(arms):
            if seed < arm.seeds:
                study = make_study(storage, problem, study_name(storage, plan, arm, seed))
                members.append(Member(place, seed, study))
                members[-1].set_plan(plan)
    return Duel(plan, tuple(members))


def duels(storage: StudyStorage) -> dict[str, DuelPlan]:
    """The plans of all duels by key, oldest first."""
    rows = _kept(storage).values()
    return {row["plan"]["key"]: DuelPlan.from_json(row["plan"]) for row in rows}


def _kept(storage: StudyStorage) -> dict[str, Any]:
    """What the studies of duels say of them, by name of study; other programs may use the same attribute."""
    return {name: row for name, row in storage.having(_PLAN).items() if is_duel(row)}


def open_duel(storage: StudyStorage, name: str) -> Duel:
    """The duel of this name or key. Studies of it that were deleted are missing.

    Raises:
        UsageError: There is none.
    """
    kept = _kept(storage)
    key = next((row["plan"]["key"] for row in kept.values() if name in (row["plan"]["key"], row["plan"]["name"])), None)
    if key is None:
        raise UsageError(f"There is no duel {name!r}.")
    return _opened(storage, {study: row for study, row in kept.items() if row["plan"]["key"] == key})


def open_coded_duel(storage: StudyStorage, code: str) -> Duel | None:
    """The duel of the class with this code; None where there is none."""
    rows = {study: row for study, row in _kept(storage).items() if code and row["plan"].get("code") == code}
    return _opened(storage, rows) if rows else None


def open_suite_duels(storage: StudyStorage, suite_key: str) -> tuple[Duel, ...]:
    """All duels of a suite, oldest first, in one look at the storage."""
    rows = {name: row for name, row in _kept(storage).items() if row["plan"].get("suite_key") == suite_key}
    found: dict[str, tuple[DuelPlan, list[Member]]] = {}
    for row, study in zip(rows.values(), storage.studies(list(rows)), strict=True):
        plan = DuelPlan.from_json(row["plan"])
        found.setdefault(plan.key, (plan, []))[1].append(Member(row["arm"], row["seed"], study))
    return tuple(Duel(plan, tuple(members)) for plan, members in found.values())


def _opened(storage: StudyStorage, rows: Mapping[str, Any]) -> Duel:
    """People are arms behind those of the plan, in the order of their studies."""
    studies = storage.studies(list(rows))
    plan = DuelPlan.from_json(next(iter(rows.values()))["plan"])
    arms, members = list(plan.arms), []
    for row, study in zip(rows.values(), studies, strict=True):
        person = _person_of(row)
        if person is not None:
            arms.append(DuelArm(MANUAL, person=person.name))
        place = row["arm"] if person is None else len(arms) - 1
        members.append(Member(place, row["seed"], study, person))
    return Duel(replace(plan, arms=tuple(arms)), tuple(members))


def seat_row(plan: DuelPlan, arm: int, seed: int, person: Person | None = None) -> dict[str, Any]:
    """What a study keeps of the duel that it was made for."""
    row = {"plan": plan.to_json(), "arm": arm, "seed": seed}
    return row if person is None else {**row, "person": dataclasses.asdict(person)}


def _person_of(row: Mapping[str, Any]) -> Person | None:
    return Person(**row["person"]) if row.get("person") else None


def suited_finals(spec: ProblemSpec) -> int:
    """How often fresh folds must be drawn for a verdict; three times where that is enough."""
    return suited_draws(spec, fewest=FEWEST)


def seat_of(study: Study) -> tuple[DuelPlan, DuelArm] | None:
    """The duel that a study was made for, and its arm; None for all other studies."""
    row: Any = study.attributes.get(_PLAN)
    if not is_duel(row):
        return None
    plan, person = DuelPlan.from_json(row["plan"]), _person_of(row)
    return plan, plan.arms[row["arm"]] if person is None else DuelArm(MANUAL, person=person.name)


def check_duel(
    problem: Problem, arms: Sequence[DuelArm], budget: Budget, finals: int, fit_seconds: float | None = None
) -> None:
    """Refuses what is no duel.

    Raises:
        UsageError: Names what is wrong.
    """
    if len(arms) < 2:
        raise UsageError(f"A duel needs at least two arms; got {len(arms)}.")
    if len({(arm.method, arm.times) for arm in arms}) < len(arms):
        raise UsageError("Each arm of a duel must be another; one of them is there twice.")
    if problem.spec.second:
        raise UsageError("A duel is decided by one score. Choose a problem without a second objective.")
    if not 0 <= finals <= 20:
        raise UsageError(f"Fresh folds can be drawn from 0 to 20 times; got {finals}.")
    if sum(arm.seeds for arm in arms) > _MOST_STUDIES:
        raise UsageError(f"A duel has at most {_MOST_STUDIES} searches. Take fewer arms or seeds.")
    for arm in arms:
        if not 1 <= arm.seeds <= (1 if arm.method in (MANUAL, DEFAULT) else _MOST_SEEDS) or not 1 <= arm.times <= 10:
            raise UsageError(
                f"A search method has from 1 to {_MOST_SEEDS} seeds and 1 to 10 times the budget, a person and the "
                f"default one; got {arm.seeds} and {arm.times} for {arm.label}."
            )
        if arm.method in (MANUAL, DEFAULT):
            continue
        if why := why_not(METHODS[arm.method], problem):
            raise UsageError(why)
        check_run(problem, RunSettings(method=arm.method, fit_seconds_limit=fit_seconds), budget)


def study_name(storage: StudyStorage, plan: DuelPlan, arm: DuelArm, seed: int) -> str:
    """A free name for the study of one search."""
    of = f", seed {seed}" if arm.seeds > 1 else ""
    base = f"{plan.name}: {arm.label.lower()}{of}"
    return next(name for i in range(1, 1000) if not storage.has(name := base if i == 1 else f"{base} ({i})"))
