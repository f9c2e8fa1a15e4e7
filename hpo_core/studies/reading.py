"""Reading trials in columns: plain SQL, only what is new, from any Optuna study."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from sqlalchemy import Connection, TextClause, text

from hpo_core.studies import tables
from hpo_core.studies.columns import Selection, read_columns, stacked
from hpo_core.studies.database import study_is_gone
from hpo_core.studies.distributions import joined_distributions
from hpo_core.studies.notes import read_notes
from hpo_core.studies.run_log import read_events
from hpo_core.studies.table import Direction, TrialTable


@dataclass(frozen=True, slots=True)
class StudyIdentity:
    """Which study is read, and the values of which objective."""

    storage: str
    study_id: int
    name: str
    key: str
    has_events: bool
    objective: int
    direction: Direction
    distributions: Mapping[str, BaseDistribution]

    def trials(self, where: str) -> Selection:
        return Selection(self.study_id, where, self.objective, self.key != "", self.distributions)

    @property
    def digest(self) -> str:
        named = f"{self.key or f'{self.storage}|{self.study_id}|{self.name}'}|{self.objective}"
        return hashlib.blake2b(named.encode(errors="surrogatepass"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class _Probe:
    """How many trials there are, the greatest id, when the last trial read before began, what is hidden, how many
    events and notes there are, and the key of the newest note."""

    n_trials: int
    last_id: int
    known_start: float
    hidden: frozenset[int]
    n_events: int
    n_notes: int
    last_note: str


def read_table(connection: Connection, study: StudyIdentity, previous: TrialTable | None) -> TrialTable:
    """All trials of a study; those of the previous table that are finished are not read again.

    Raises:
        UsageError: The study has been deleted.
    """
    probe = _look(connection, study, int(previous.ids[-1]) if previous is not None and len(previous) else 0)
    if previous is not None and _goes_on(study, previous, probe):
        table = _with_news(connection, study, previous, probe)
        if table is not None:
            return table
    columns = read_columns(connection, study.trials("t.trial_id > 0"))
    table = TrialTable(study=study.name, direction=study.direction, revision="", **columns)
    return _with_revision(study, _with_marks(connection, study, table, probe))


def _look(connection: Connection, study: StudyIdentity, known_id: int) -> _Probe:
    arguments: dict[str, Any] = {"study": study.study_id, "known": known_id, "hidden": tables.HIDDEN_ATTRIBUTE}
    arguments |= {"notes": f"{tables.NOTE_ATTRIBUTE}%"}
    if study.key:
        arguments |= {"name": tables.KEY_ATTRIBUTE, "key": json.dumps(study.key)}
    if study.has_events:
        arguments |= {"study_key": study.key}
    row = connection.execute(_look_query(study.key != "", study.has_events), arguments).one()
    there, n_trials, last_id, known_start, hidden, n_events, n_notes, last_note = row
    if not there:
        raise study_is_gone(study.name)
    start = int(np.array([known_start], dtype="datetime64[us]").astype(np.int64)[0])
    numbers = frozenset(json.loads(hidden)) if hidden else frozenset()
    return _Probe(
        n_trials,
        last_id or 0,
        np.nan if known_start is None else start / 1e6,
        numbers,
        n_events,
        n_notes,
        last_note or "",
    )


@cache
def _look_query(is_lab: bool, has_events: bool) -> TextClause:
    of_key = " WHERE study_id = :study AND key = :name AND value_json = :key"
    of_note = "FROM study_user_attributes WHERE study_id = :study AND key LIKE :notes"
    parts = (
        f"COUNT(*) FROM study_user_attributes{of_key}" if is_lab else "COUNT(*) FROM studies WHERE study_id = :study",
        "COUNT(*) FROM trials WHERE study_id = :study",
        "MAX(trial_id) FROM trials WHERE study_id = :study",
        "datetime_start FROM trials WHERE trial_id = :known AND study_id = :study",
        "value_json FROM study_user_attributes WHERE study_id = :study AND key = :hidden",
        "COUNT(*) FROM tuninglab_events WHERE study_key = :study_key" if has_events else "0",
        f"COUNT(*) {of_note}",
        f"MAX(key) {of_note}",
    )
    return text(f"SELECT {', '.join(f'(SELECT {part})' for part in parts)}")


def _with_marks(connection: Connection, study: StudyIdentity, table: TrialTable, probe: _Probe) -> TrialTable:
    """The table with what is hidden, the events and the notes; what has not changed is not read again."""
    has_same_events, has_same_notes = len(table.events) == probe.n_events, _has_notes_of(table, probe)
    if table.hidden == probe.hidden and has_same_events and has_same_notes:
        return table
    events = table.events if has_same_events else read_events(connection, study.key)
    notes = table.notes if has_same_notes else read_notes(connection, study.study_id)
    return replace(table, hidden=probe.hidden, events=events, notes=notes)


def _has_notes_of(table: TrialTable, probe: _Probe) -> bool:
    """A note never changes: with as many and the same newest one, they are the same."""
    return len(table.notes) == probe.n_notes and (not table.notes or table.notes[-1].key == probe.last_note)


def _goes_on(study: StudyIdentity, previous: TrialTable, probe: _Probe) -> bool:
    """Whether the trials of the previous table still are the first ones of the study."""
    if not previous.revision.startswith(study.digest) or probe.n_trials < len(previous):
        return False
    if not len(previous):
        return True
    is_same = not previous.is_finished[-1] or abs(probe.known_start - previous.started[-1]) < 1e-5
    return bool(is_same and probe.last_id >= previous.ids[-1])


def _with_news(connection: Connection, study: StudyIdentity, previous: TrialTable, probe: _Probe) -> TrialTable | None:
    """The previous table with what is new; None if it cannot be continued."""
    finished = previous.is_finished
    marked = _with_marks(connection, study, previous, probe)
    if probe.n_trials == len(previous) and finished.all():
        return previous if marked is previous else _with_revision(study, marked)
    after = int(previous.ids[-1]) if len(previous) else 0
    table = marked if finished.all() else marked.take(finished)
    open_ids = ",".join(map(str, previous.ids[~finished].tolist()))
    for where in ([f"t.trial_id IN ({open_ids})"] if open_ids else []) + [f"t.trial_id > {after}"]:
        columns = read_columns(connection, study.trials(where))
        table = _joined(table, replace(previous, **columns))
    if len(table) != probe.n_trials:
        return None
    table = _with_revision(study, table)
    return previous if table.revision == previous.revision else table


def _with_revision(study: StudyIdentity, table: TrialTable) -> TrialTable:
    """The table with the revision that its content has, whoever reads it and in however many steps."""
    unfinished = ~table.is_finished
    digest = hashlib.blake2b(digest_size=6)
    if unfinished.any():
        mutable: list[NDArray[Any]] = [table.ids, table.states, table.started, table.fold_scores]
        for column in [*mutable, *table.params.values()]:
            digest.update(np.ascontiguousarray(column[unfinished]).tobytes())
    marks = (sorted(table.hidden), len(table.events), *(note.key for note in table.notes))
    digest.update(repr(marks).encode())
    last = f"{table.ids[-1]}.{table.started[-1]:.6f}" if len(table) else "0"
    revision = f"{study.digest}.{len(table)}.{last}.{digest.hexdigest()}"
    for column in table.arrays().values():
        column.setflags(write=False)
    for column in table.params.values():
        column.setflags(write=False)
    return replace(table, revision=revision, arm_order=())


def _joined(first: TrialTable, second: TrialTable) -> TrialTable:
    """The trials of both tables in the order of their ids."""
    if not len(second):
        return first
    ours, theirs = first.arrays(), second.arrays()
    columns: dict[str, Any] = {name: stacked([ours[name], theirs[name]]) for name in ours}
    names = dict.fromkeys([*first.params, *second.params])
    nothing = (np.full(len(first), np.nan), np.full(len(second), np.nan))
    params = {
        name: np.concatenate([first.params.get(name, nothing[0]), second.params.get(name, nothing[1])])
        for name in names
    }
    distributions = joined_distributions(first.distributions, second.distributions)
    table = replace(first, params=params, distributions=distributions, **columns)
    is_sorted = not len(first) or first.ids[-1] < second.ids[0]
    return table if is_sorted else table.take(np.argsort(table.ids))
