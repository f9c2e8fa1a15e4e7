"""Duels and suites in the list of studies: one line for each, that sums its studies up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from hpo_core.formats import format_count
from hpo_core.studies.run import Run
from hpo_core.studies.summary import StudySummary

_SEVERAL = "several problems"


@dataclass(frozen=True, slots=True)
class Contest:
    """A duel, a suite or a class.

    Attributes:
        key: Of the duel or suite.
        is_suite: Whether it is a suite.
        members: Its studies, in the order of their making.
        summary: All of them as if they were one study.
    """

    key: str
    is_suite: bool
    members: tuple[StudySummary, ...]
    summary: StudySummary

    @property
    def name(self) -> str:
        return self.summary.name

    @property
    def code(self) -> str:
        """Of the class that it is; "" for a duel or a suite."""
        return self.members[0].duel.code if self.members[0].duel else ""

    @property
    def is_hidden(self) -> bool:
        """Whether its studies are kept from everybody: those of a class that is not over."""
        return bool(self.code) and any(member.duel and member.duel.is_blind for member in self.members)

    @property
    def address(self) -> str:
        """Where it is opened."""
        if self.code:
            return f"/class?code={self.code}"
        return f"/duel?{'suite' if self.is_suite else 'name'}={quote(self.name)}"

    @property
    def noun(self) -> str:
        return "class" if self.code else "suite" if self.is_suite else "duel"

    @property
    def in_words(self) -> str:
        """What it is, in a few words: a duel, 7 searches."""
        if self.code:
            n_people = sum(member.duel is not None and member.duel.arm == "manual" for member in self.members)
            return f"class, {n_people} {'person' if n_people == 1 else 'people'}"
        n_duels = len({member.duel.key for member in self.members if member.duel})
        of = f", {format_count(n_duels, 'problem')}" if self.is_suite else ""
        n = len(self.members)
        return f"{self.noun}{of}, {n} search{'' if n == 1 else 'es'}"

    @property
    def n_arms(self) -> int:
        """How many kinds of arms its studies are of."""
        return len({member.duel.arm for member in self.members if member.duel})

    @property
    def n_finished(self) -> int:
        return sum(member.run is not None and member.run.state == "finished" for member in self.members)

    @property
    def n_runs(self) -> int:
        """Its searches by machine."""
        return sum(member.duel is not None and member.duel.arm != "manual" for member in self.members)


def contests_of(studies: Iterable[StudySummary]) -> tuple[list[StudySummary], list[Contest]]:
    """The studies that belong to no duel, and the duels and suites of the others."""
    singles: list[StudySummary] = []
    groups: dict[str, list[StudySummary]] = {}
    for study in studies:
        if study.duel is None:
            singles.append(study)
        else:
            groups.setdefault(study.duel.suite_key or study.duel.key, []).append(study)
    return singles, [_contest(key, sorted(group, key=lambda study: study.created)) for key, group in groups.items()]


def _contest(key: str, members: Sequence[StudySummary]) -> Contest:
    first = members[0]
    mark = first.duel
    assert mark is not None
    is_same = len({member.title for member in members}) == 1
    is_hidden = not is_same or any(member.duel and member.duel.is_blind for member in members)
    values = [member.best_value for member in members if member.best_value is not None]
    better = max if first.direction == "maximize" else min
    summary = StudySummary(
        name=mark.suite or mark.name,
        direction=first.direction,
        metric=first.metric if is_same else "",
        n_trials=sum(member.n_trials for member in members),
        n_complete=sum(member.n_complete for member in members),
        n_pruned=sum(member.n_pruned for member in members),
        n_failed=sum(member.n_failed for member in members),
        best_value=None if is_hidden or not values else better(values),
        created=first.created,
        changed=max(member.changed for member in members),
        run=_run_of(members),
        is_lab=True,
        title=first.title if is_same else _SEVERAL,
    )
    return Contest(key, bool(mark.suite), tuple(members), summary)


def _run_of(members: Sequence[StudySummary]) -> Run | None:
    """One that is on, else the one that was on last."""
    runs = [member.run for member in members if member.run is not None]
    active = [run for run in runs if run.is_active]
    return max(active or runs, key=lambda run: run.heartbeat, default=None)
