"""Reading trials in columns: plain SQL, only what is new, from any Optuna study."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState
from sqlalchemy import Connection, text

from hpo_core.studies import tables
from hpo_core.studies.columns import Selection, read_columns, stacked
from hpo_core.studies.database import study_is_gone
from hpo_core.studies.distributions import joined_distributions
from hpo_core.studies.table import Direction, TrialTable

_FINISHED = [state.value for state in TrialState if state.is_finished()]


@dataclass(frozen=True, slots=True)
class StudyIdentity:
    """Which study is read."""

    storage: str
    study_id: int
    name: str
    key: str
    direction: Direction
    distributions: Mapping[str, BaseDistribution]

    def trials(self, where: str) -> Selection:
        return Selection(self.study_id, where, self.key != "", self.distributions)

    @property
    def digest(self) -> str:
        named = self.key or f"{self.storage}|{self.study_id}|{self.name}"
        return hashlib.blake2b(named.encode(errors="surrogatepass"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class _Probe:
    """How many trials there are, the greatest id, and when the last trial read before began."""

    n_trials: int
    last_id: int
    known_start: float


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
    return _with_revision(study, TrialTable(study=study.name, direction=study.direction, revision="", **columns))


def _look(connection: Connection, study: StudyIdentity, known_id: int) -> _Probe:
    arguments: dict[str, Any] = {"study": study.study_id, "known": known_id}
    if study.key:
        arguments |= {"name": tables.KEY_ATTRIBUTE, "key": json.dumps(study.key)}
    there, n_trials, last_id, known_start = connection.execute(_LOOK_LAB if study.key else _LOOK, arguments).one()
    if not there:
        raise study_is_gone(study.name)
    start = int(np.array([known_start], dtype="datetime64[us]").astype(np.int64)[0])
    return _Probe(n_trials, last_id or 0, np.nan if known_start is None else start / 1e6)


_COUNTS = """
    (SELECT COUNT(*) FROM trials WHERE study_id = :study),
    (SELECT MAX(trial_id) FROM trials WHERE study_id = :study),
    (SELECT datetime_start FROM trials WHERE trial_id = :known AND study_id = :study)
"""
_LOOK = text(f"SELECT (SELECT COUNT(*) FROM studies WHERE study_id = :study), {_COUNTS}")
_LOOK_LAB = text(
    "SELECT (SELECT COUNT(*) FROM study_user_attributes"
    f" WHERE study_id = :study AND key = :name AND value_json = :key), {_COUNTS}"
)


def _goes_on(study: StudyIdentity, previous: TrialTable, probe: _Probe) -> bool:
    """Whether the trials of the previous table still are the first ones of the study."""
    if not previous.revision.startswith(study.digest) or probe.n_trials < len(previous):
        return False
    if not len(previous):
        return True
    is_same = not _is_finished(previous)[-1] or abs(probe.known_start - previous.started[-1]) < 1e-5
    return bool(is_same and probe.last_id >= previous.ids[-1])


def _with_news(connection: Connection, study: StudyIdentity, previous: TrialTable, probe: _Probe) -> TrialTable | None:
    """The previous table with what is new; None if it cannot be continued."""
    finished = _is_finished(previous)
    if probe.n_trials == len(previous) and finished.all():
        return previous
    after = int(previous.ids[-1]) if len(previous) else 0
    table = _rows(previous, finished)
    open_ids = ",".join(map(str, previous.ids[~finished].tolist()))
    for where in ([f"t.trial_id IN ({open_ids})"] if open_ids else []) + [f"t.trial_id > {after}"]:
        columns = read_columns(connection, study.trials(where))
        table = _joined(table, replace(previous, **columns))
    if len(table) != probe.n_trials:
        return None
    table = _with_revision(study, table)
    return previous if table.revision == previous.revision else table


def _is_finished(table: TrialTable) -> NDArray[np.bool_]:
    return np.isin(table.states, _FINISHED)


def _with_revision(study: StudyIdentity, table: TrialTable) -> TrialTable:
    """The table with the revision that its content has, whoever reads it and in however many steps."""
    unfinished = ~_is_finished(table)
    digest = hashlib.blake2b(digest_size=6)
    if unfinished.any():
        mutable: list[NDArray[Any]] = [table.ids, table.states, table.started, table.fold_scores]
        for column in [*mutable, *table.params.values()]:
            digest.update(np.ascontiguousarray(column[unfinished]).tobytes())
    last = f"{table.ids[-1]}.{table.started[-1]:.6f}" if len(table) else "0"
    revision = f"{study.digest}.{len(table)}.{last}.{digest.hexdigest()}"
    for column in _arrays(table).values():
        column.setflags(write=False)
    for column in table.params.values():
        column.setflags(write=False)
    return replace(table, revision=revision)


def _arrays(table: TrialTable) -> dict[str, NDArray[Any]]:
    named = {field.name: getattr(table, field.name) for field in fields(table)}
    return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}


def _rows(table: TrialTable, chosen: NDArray[Any]) -> TrialTable:
    if chosen.dtype == bool and chosen.all():
        return table
    params = {name: column[chosen] for name, column in table.params.items()}
    columns: dict[str, Any] = {name: column[chosen] for name, column in _arrays(table).items()}
    return replace(table, params=params, **columns)


def _joined(first: TrialTable, second: TrialTable) -> TrialTable:
    """The trials of both tables in the order of their ids."""
    if not len(second):
        return first
    ours, theirs = _arrays(first), _arrays(second)
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
    return table if is_sorted else _rows(table, np.argsort(table.ids))
