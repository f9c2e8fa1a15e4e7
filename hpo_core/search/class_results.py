"""How a class stands and what came of it: a row for each person and each of the machine's arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hpo_core.analysis.class_verdict import class_sentences
from hpo_core.analysis.duel import Outcome, Side, spent
from hpo_core.search.duel import Duel, DuelArm
from hpo_core.search.dueling import has_finals, has_looked, is_searched, why_no_finals
from hpo_core.search.hand import counted
from hpo_core.search.judging import sides_of, verdict_on
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_SAME = 1e-12
Read = Callable[[Study], TrialTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSoFar:
    """One person while the class plays.

    Attributes:
        name: As it is shown.
        arm: Place of their arm in the plan.
        n_tries: Trials used, the default's included.
        best: Of those that count; NaN without any.
    """

    name: str
    arm: int
    n_tries: int
    best: float


@dataclass(frozen=True, slots=True)
class ArmSoFar:
    """One of the machine's arms while the class plays: the best value of each seed that has one."""

    arm: DuelArm
    best: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """What one person or one arm of the machine came to; an arm as the mean over its seeds.

    Attributes:
        place: From 1 for the best on fresh folds, or else on those of the search, shared by equals; None without one.
        name: Of the person or the arm.
        is_person: Whether it is a person.
        n_tries: Trials of each search.
        best: Of the folds of the search, flattered by the choice of the best.
        fresh: Of what was chosen, on folds that had no part in choosing it.
        locked: Of what was chosen, on the rows that nobody had seen.
    """

    place: int | None
    name: str
    is_person: bool
    n_tries: float
    best: float
    fresh: float
    locked: float


@dataclass(frozen=True)
class ClassResults:
    """The rows, the best first, and the verdict in words, the most important first."""

    rows: tuple[ResultRow, ...]
    sentences: tuple[str, ...]


def is_scored(duel: Duel) -> bool:
    """Whether all that comes after the play is done."""
    is_judged = has_finals(duel) or (bool(why_no_finals(duel)) and all(map(is_searched, duel.searches)))
    return is_judged and (not duel.control.get("opens_lock") or has_looked(duel))


def people_so_far(duel: Duel, read: Read = Study.read) -> tuple[PersonSoFar, ...]:
    """The people in the order in which they joined."""
    found = []
    for member in duel.people:
        table = counted(duel, member, read)
        n_tries = int(table.is_finished.sum())
        name = duel.plan.arms[member.arm].label
        found.append(PersonSoFar(name=name, arm=member.arm, n_tries=n_tries, best=_best(table)))
    return tuple(found)


def machine_so_far(duel: Duel, read: Read = Study.read) -> tuple[ArmSoFar, ...]:
    """The machine's arms in the order of the plan."""
    found = []
    for place, arm in enumerate(duel.plan.arms):
        if not arm.person:
            best = {member.seed: _best(read(member.study)) for member in duel.of_arm(place)}
            found.append(ArmSoFar(arm, {seed: value for seed, value in best.items() if not math.isnan(value)}))
    return tuple(found)


def results_of(duel: Duel, read: Read = Study.read) -> ClassResults:
    """The results as far as there are any."""
    sides = sides_of(duel, read)
    scored = [i for i, side in enumerate(sides) if any(table.best() is not None for table in side.tables)]
    shown = [sides[i] for i in scored]
    found = verdict_on(duel, shown) if shown else None
    places = dict(zip(scored, _places(found, sides[0]), strict=True)) if found else {}
    rows = [_row(duel, side, i, places.get(i)) for i, side in enumerate(sides)]
    rows.sort(key=lambda row: math.inf if row.place is None else row.place)
    people = {shown_place for shown_place, i in enumerate(scored) if duel.plan.arms[i].person}
    said = class_sentences(shown, people, found) if found else ["Nobody has a score."]
    return ClassResults(tuple(rows), tuple(said))


def results_frame(results: ClassResults) -> pd.DataFrame:
    """The rows as a table, all digits."""
    names = ("place", "name", "who", "tries", "best of own folds", "fresh folds", "locked rows")
    rows = [
        (r.place, r.name, "person" if r.is_person else "machine", r.n_tries, r.best, r.fresh, r.locked)
        for r in results.rows
    ]
    return pd.DataFrame(rows, columns=list(names)).astype({"place": "Int64"})


def _places(found: Outcome, any_side: Side) -> list[int | None]:
    """From 1, those with the same score at the same place; None without one."""
    signed = any_side.tables[0].sign * np.array(found.means)
    return [None if math.isnan(own) else 1 + int((signed < own - _SAME).sum()) for own in signed]


def _row(duel: Duel, side: Side, arm: int, place: int | None) -> ResultRow:
    looks = [found["score"] for member in duel.of_arm(arm) if (found := member.look()) is not None]
    return ResultRow(
        place=place,
        name=side.label,
        is_person=bool(duel.plan.arms[arm].person),
        n_tries=_mean([float(np.nanmax(spent(table, "trials"), initial=0.0)) for table in side.tables]),
        best=side.best_found,
        fresh=_mean([float(np.mean(final)) for final in side.finals if final]),
        locked=_mean([score for score in looks if score is not None]),
    )


def _best(table: TrialTable) -> float:
    row = table.best()
    return math.nan if row is None else float(table.values[row])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
