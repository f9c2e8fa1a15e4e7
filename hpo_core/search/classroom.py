"""Classes: many people tune one problem by hand under the same budget, beside the machine's arms, led by a teacher.

A class is a duel with a code. Each person who joins is an arm in a study of its own, so that fresh folds, locked rows
and the verdict are those of a duel. People and teacher are known by tokens in their addresses; only digests are kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from hpo_core.errors import UsageError
from hpo_core.problem import Problem, open_problem
from hpo_core.ranges import Range
from hpo_core.search.class_names import checked_name, digest, name_key, new_code, new_token, parsed_code
from hpo_core.search.duel import Duel, DuelArm, DuelPlan, Member, Person, duels, make_duel, open_coded_duel, seat_row
from hpo_core.search.locked import why_locked
from hpo_core.search.simple import make_study
from hpo_core.studies.run import Budget
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.summary import is_duel
from hpo_core.studies.tables import DUEL_ATTRIBUTE, DUEL_CONTROL

MOST_PEOPLE, MOST_TRIES = 60, 500
_RULES = "class_rules"

State = Literal["waiting", "running", "paused", "over"]


@dataclass(frozen=True, kw_only=True)
class ClassRules:
    """What was settled when the class was opened, beside the plan of its duel.

    Attributes:
        teacher: Digest of the teacher's token.
        shows_chart, shows_tries: Whether people see a chart and a list of their own trials while they play.
        shows_machine: Whether they see how good the best of each of the machine's arms is so far.
    """

    teacher: str
    shows_chart: bool = True
    shows_tries: bool = True
    shows_machine: bool = False


@dataclass(frozen=True)
class Seat:
    """One person's place in a class: all that their page needs, without a look at the others."""

    name: str
    plan: DuelPlan
    study: Study
    rules: ClassRules
    anchor: Study

    @property
    def n_tries(self) -> int:
        """Trials that each person has, that of the default included."""
        return int(self.plan.budget.amount)

    def state(self) -> State:
        """Of the class, as it is now."""
        return _state(self.anchor.attributes)


@dataclass(frozen=True)
class Classroom:
    """A class as the storage has it: the duel of the machine's arms and the people, and the rules."""

    duel: Duel

    @property
    def code(self) -> str:
        return self.duel.plan.code

    @property
    def _anchor(self) -> Study:
        return self.duel.members[0].study

    @cached_property
    def rules(self) -> ClassRules:
        return ClassRules(**self._anchor.attributes[_RULES])

    @property
    def state(self) -> State:
        """As it is now."""
        return _state(self._anchor.attributes)

    def is_teacher(self, token: str) -> bool:
        """Whether this is the teacher's token."""
        return digest(token) == self.rules.teacher

    def seat(self, token: str) -> Seat:
        """The seat of the person with this token.

        Raises:
            UsageError: Nobody has it, or the teacher took the name off.
        """
        known = digest(token)
        for member in self.duel.people:
            if member.person is not None and member.person.token == known:
                return Seat(member.person.name, self.duel.plan, member.study, self.rules, self._anchor)
        raise UsageError("This address is of nobody in this class. Ask the teacher, or join with another name.")

    def play(self, wanted: Literal["running", "paused"]) -> None:
        """Lets people begin or go on, or holds them."""
        self.duel.ask(play=wanted)

    def end(self, storage: StudyStorage) -> None:
        """Ends the play for good. What each arm has chosen is then scored by a lane of the duel, on the locked rows too
        where there are any."""
        self.duel.ask(is_hand_done=True, opens_lock=not why_locked(storage, self.duel.problem))

    def remove(self, storage: StudyStorage, name: str) -> None:
        """Takes a person off the class, with their trials; for an hour the list of studies can bring them back.

        Raises:
            UsageError: There is nobody of this name.
        """
        storage.discard(self._member(name).study.name)

    def _member(self, name: str) -> Member:
        for member in self.duel.people:
            if member.person is not None and member.person.name == name:
                return member
        raise UsageError(f"There is nobody called {name!r} in this class.")


def make_class(
    storage: StudyStorage,
    problem: Problem,
    arms: Sequence[DuelArm],
    n_tries: int,
    *,
    name: str = "",
    movable: Collection[str] | None = None,
    finals: int | None = None,
    **shown: bool,
) -> tuple[Classroom, str]:
    """A new class that waits for people, and the teacher's token, which is kept nowhere.

    Args:
        storage: Where its studies are made.
        problem: What everybody tunes, on the same folds.
        arms: The machine's, at least two; the default counts.
        n_tries: Trials of each person, and of each search.
        name: A free one is made when empty.
        movable: Names of the parameters that may be moved; the others are locked at their defaults, for the machine
            too. All by default.
        finals: See `make_duel`.
        shown: What people see, see `ClassRules`.

    Raises:
        UsageError: It cannot be held like that.
    """
    if not 2 <= n_tries <= MOST_TRIES:
        raise UsageError(f"Each person has from 2 to {MOST_TRIES} tries, the default included; got {n_tries}.")
    plans = duels(storage).values()
    codes, names = {plan.code for plan in plans}, {plan.name for plan in plans}
    duel = make_duel(
        storage,
        problem if movable is None else with_movable(problem, movable),
        arms,
        Budget("trials", n_tries),
        name=name or next(free for i in range(1, len(names) + 2) if (free := f"class {i}") not in names),
        finals=finals,
        is_blind=True,
        code=next(code for code in iter(new_code, "") if code not in codes),
    )
    token = new_token()
    rules = ClassRules(teacher=digest(token), **shown)
    duel.members[0].study.set_attribute(_RULES, dataclasses.asdict(rules))
    return Classroom(duel), token


def with_movable(problem: Problem, movable: Collection[str]) -> Problem:
    """The problem with all other parameters locked at their defaults.

    Raises:
        UsageError: Nothing is left to move.
    """
    locked = {p.name: Range.lock(p, p.default) for p in problem.space.parameters if p.name not in movable}
    space = problem.space.narrowed(locked)
    if not set(movable) & set(space.names):
        raise UsageError("Nothing is left to move: choose a parameter that does not depend on one that is locked.")
    return open_problem(replace(problem.spec, space=tuple(space.to_json())))


def open_class(storage: StudyStorage, code: str) -> Classroom:
    """The class with this code, typed in whatever case.

    Raises:
        UsageError: There is none.
    """
    clean = parsed_code(code)
    duel = open_coded_duel(storage, clean)
    if duel is None:
        raise UsageError(f"There is no class with the code {clean!r}. Look at the teacher's screen again.")
    return Classroom(duel)


def classes(storage: StudyStorage) -> tuple[Classroom, ...]:
    """All classes, oldest first."""
    return tuple(open_class(storage, plan.code) for plan in duels(storage).values() if plan.code)


def join(storage: StudyStorage, room: Classroom, text: str) -> str:
    """Seats a person under a name; returns the token by which they are known from then on.

    Raises:
        UsageError: The name is not allowed or taken, or the class is over or full.
    """
    name = checked_name(text)
    duel, key = room.duel, name_key(name)
    if room.state == "over":
        raise UsageError("This class is over: nobody can join any more.")
    if len(duel.people) >= MOST_PEOPLE:
        raise UsageError(f"This class is full: it has {MOST_PEOPLE} people.")
    if key in {name_key(arm.label) for arm in duel.plan.arms}:
        raise UsageError(_taken(name))
    token = new_token()
    row = seat_row(duel.plan, len(duel.plan.arms), 0, Person(name, digest(token)))
    own_name = f"{duel.plan.name}: {key}"  # of two who come at once the storage lets one have it
    if storage.has(own_name):
        raise UsageError(_taken(name))
    try:
        make_study(storage, duel.problem, own_name, {DUEL_ATTRIBUTE: row})
    except UsageError as fault:
        raise UsageError(_taken(name)) from fault
    return token


def why_hidden(storage: StudyStorage, study: Study) -> str:
    """The sentence why a study is not shown to everybody, or "": it belongs to a class that is not over."""
    row: Any = study.attributes.get(DUEL_ATTRIBUTE)
    code = row["plan"].get("code", "") if is_duel(row) else ""
    room = open_coded_duel(storage, code) if code else None
    if room is None or Classroom(room).state == "over":
        return ""
    return "This study belongs to a class that is not over: until then only the teacher's page shows it."


def _state(attributes: dict[str, Any]) -> State:
    if attributes.get(f"{DUEL_CONTROL}is_hand_done"):
        return "over"
    state: State = attributes.get(f"{DUEL_CONTROL}play", "waiting")
    return state


def _taken(name: str) -> str:
    return f"The name {name!r} is taken in this class. Choose another one."
