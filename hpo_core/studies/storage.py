"""The study storage: one database with all its studies."""

from __future__ import annotations

import difflib
import itertools
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.study import StudyDirection
from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from hpo_core.errors import StorageError, StudyBusyError, UsageError
from hpo_core.space import SearchSpace
from hpo_core.studies import tables
from hpo_core.studies.copying import copy_trials
from hpo_core.studies.database import Database, shared_database
from hpo_core.studies.discarding import KEPT_SECONDS, Discarded, discard, read_discarded, restore, take
from hpo_core.studies.run_log import log_event, signed
from hpo_core.studies.schema import prepare
from hpo_core.studies.study import Objective, Study, put_attribute
from hpo_core.studies.summary import StudySummary, read_summaries
from hpo_core.studies.table import Direction, TrialTable

DATA_FOLDER_VARIABLE = "TUNING_LAB_DATA"
DATABASE_FILE = "lab.db"


def data_folder(folder: str | Path | None = None) -> Path:
    """The folder of the lab's data, created if missing: the one given, else $TUNING_LAB_DATA, else the user's own."""
    chosen = folder or os.environ.get(DATA_FOLDER_VARIABLE)
    if not chosen:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        chosen = Path(base) / "tuning-lab"
    path = Path(chosen).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise StorageError(
            f"The data folder {path} cannot be made: {fault.strerror}. Choose another one with {DATA_FOLDER_VARIABLE}."
        ) from fault
    return path


class StudyStorage:
    """All studies of one database, a SQLite file or PostgreSQL.

    Cheap to open again, and safe to share between threads.

    Attributes:
        url: What another process opens it by; may hold a password.
        shown_url: The same without the password, for messages and screens.
    """

    def __init__(self, database: Database, by: str = "") -> None:
        self._database, self._by = database, by
        self.url, self.shown_url = database.url, database.shown_url

    @classmethod
    def open(cls, url: str | None = None, *, folder: str | Path | None = None, by: str = "") -> StudyStorage:
        """The storage at a URL or path of a file, made if it is not there yet.

        Args:
            url: `sqlite:///...`, `postgresql://...` or a path; without it, the lab's own file in the data folder.
            folder: The data folder.
            by: Who steers studies through it, as their logs shall say: "command line", say.

        Raises:
            StorageError: It cannot be opened.
            UsageError: The URL names no storage.
        """
        database = shared_database(url or str(data_folder(folder) / DATABASE_FILE))
        is_new_here = not database.is_prepared
        prepare(database)
        storage = cls(database, by)
        if is_new_here:
            with suppress(StorageError):
                storage.purge()
        return storage

    def create(
        self,
        name: str,
        *,
        direction: Direction,
        metric: str,
        space: SearchSpace | None,
        attributes: Mapping[str, Any] | None = None,
        second: str = "",
    ) -> Study:
        """A new, empty study; `second` is the figure of its fits that is to be small as well, such as fit_seconds.

        Raises:
            UsageError: The name is taken, empty or too long.
        """
        _check_name(name)
        if direction not in ("minimize", "maximize"):
            raise UsageError(f"The direction of a study is minimize or maximize; got {direction!r}.")
        with self._database.writing() as connection:
            objectives = (Objective(metric, direction), *([Objective(second, "minimize")] if second else []))
            return self._create(connection, name, objectives, space, attributes or {})

    def branch(
        self,
        parent: Study,
        name: str,
        *,
        space: SearchSpace,
        attributes: Mapping[str, Any],
        trials: TrialTable,
        ranges: Mapping[str, Any],
    ) -> Study:
        """A new study with another search space that begins with finished trials of its parent, in one transaction.

        Both logs say so: with `ranges`, what changed in the search space as JSON values.

        Raises:
            UsageError: The name is taken, empty or too long, or the parent has been deleted.
        """
        _check_name(name)
        family = {tables.PARENT_ATTRIBUTE: parent.key, tables.PARENT_NAME_ATTRIBUTE: parent.name}
        with self._database.writing() as connection:
            self._database.lock_study(connection, parent.study_id, parent.key, parent.name)
            study = self._create(connection, name, parent.objectives, space, {**attributes, **family})
            copy_trials(connection, trials.ids.tolist(), study.study_id, space, trials.distributions)
            made = {"ranges": dict(ranges), "n_trials": len(trials)}
            log_event(connection, study.key, "branched", signed({"parent": parent.name, **made}, self._by))
            if parent.key:
                log_event(connection, parent.key, "child", signed({"child": name, **made}, self._by))
        return study

    def _create(
        self,
        connection: Connection,
        name: str,
        objectives: tuple[Objective, ...],
        space: SearchSpace | None,
        attributes: Mapping[str, Any],
    ) -> Study:
        key = uuid.uuid4().hex
        own: dict[str, Any] = {tables.KEY_ATTRIBUTE: key, tables.CREATED_ATTRIBUTE: time.time()}
        if space is not None:
            own[tables.SPACE_ATTRIBUTE] = space.to_json()
        study_id = _insert_study(connection, name, objectives)
        _insert_attributes(connection, tables.user_attributes, study_id, {**attributes, **own})
        names = {tables.METRIC_NAMES_ATTRIBUTE: [objective.name for objective in objectives]}
        _insert_attributes(connection, tables.system_attributes, study_id, names)
        return Study(self._database, study_id, name, key, objectives, self._by)

    def study(self, name: str) -> Study:
        """The study of this name.

        Raises:
            UsageError: There is none; the message names the nearest ones.
        """
        with self._database.reading() as connection:
            study_id = _study_id(connection, name)
            if study_id is None or _attribute(connection, tables.user_attributes, study_id, tables.DISCARDED_ATTRIBUTE):
                raise UsageError(_unknown(connection, name))
            directions = _directions(connection, study_id)
            key = _attribute(connection, tables.user_attributes, study_id, tables.KEY_ATTRIBUTE) or ""
            metrics = _attribute(connection, tables.system_attributes, study_id, tables.METRIC_NAMES_ATTRIBUTE)
            is_copy = bool(key) and _first_with_key(connection, key) != study_id
        if is_copy:
            key = self._give_key(study_id)
        return Study(self._database, study_id, name, key, _objectives(directions, metrics), self._by)

    def studies(self, names: Collection[str]) -> tuple[Study, ...]:
        """Several studies in a handful of queries, in the order of the names.

        Raises:
            UsageError: There is no study of one of the names.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(tables.studies.c.study_id, tables.studies.c.study_name))
            ids = {row.study_name: row.study_id for row in rows}
            keys = _attributes(connection, tables.user_attributes, tables.KEY_ATTRIBUTE)
            metrics = _attributes(connection, tables.system_attributes, tables.METRIC_NAMES_ATTRIBUTE)
            directions = _all_directions(connection)
        counts = Counter(keys.values())
        found = []
        for name in names:
            study_id = ids.get(name, -1)
            key = keys.get(study_id, "")
            if not key or counts[key] > 1:  # of another program, discarded, a copy, or not there
                found.append(self.study(name))
                continue
            objectives = _objectives(directions.get(study_id, ["minimize"]), metrics.get(study_id))
            found.append(Study(self._database, study_id, name, key, objectives, self._by))
        return tuple(found)

    def has(self, name: str) -> bool:
        with self._database.reading() as connection:
            return _study_id(connection, name) is not None

    def having(self, attribute: str) -> dict[str, Any]:
        """Values of a user attribute by name of study, of all studies that have it, in the order of their making."""
        studies, columns = tables.studies.c, tables.user_attributes.c
        discarded = select(columns.study_id).where(columns.key == tables.DISCARDED_ATTRIBUTE)
        query = (
            select(studies.study_name, columns.value_json)
            .join_from(tables.studies, tables.user_attributes, studies.study_id == columns.study_id)
            .where(columns.key == attribute, columns.study_id.not_in(discarded))
            .order_by(columns.study_id)
        )
        with self._database.reading() as connection:
            return {name: json.loads(text) for name, text in connection.execute(query)}

    def summaries(self) -> tuple[StudySummary, ...]:
        """All studies, the one that changed last first."""
        with suppress(StorageError):  # a storage that may only be read keeps what was discarded
            self.purge()
        with self._database.reading() as connection:
            return read_summaries(connection, has_runs=self._database.has_lab_tables)

    def rename(self, old: str, new: str) -> None:
        """Gives a study another name; its trials, runs and key stay.

        Raises:
            UsageError: There is no such study, or the new name is taken, empty or too long.
        """
        _check_name(new)
        with self._database.writing() as connection:
            if _study_id(connection, old) is None:
                raise UsageError(_unknown(connection, old))
            if new != old and _study_id(connection, new) is not None:
                raise UsageError(_taken(new))
            _unique(
                connection, update(tables.studies).where(tables.studies.c.study_name == old), {"study_name": new}, new
            )

    def delete(self, name: str) -> None:
        """Deletes a study with everything that hangs on it, for good.

        Raises:
            StudyBusyError: A runner works on it.
            UsageError: There is no such study.
        """
        study = self.study(name)
        with self._database.writing() as connection:
            self._lock_at_rest(connection, study)
            self._delete(connection, study.study_id, study.key)

    def discard(self, *names: str) -> None:
        """Takes studies out of all lists, as if deleted; for an hour `restore` brings them back. Their names are free.

        Raises:
            StudyBusyError: A runner works on one of them. All stay then.
            UsageError: There is no such study.
        """
        studies = [self.study(name) for name in names]
        with self._database.writing() as connection:
            for study in studies:
                self._lock_at_rest(connection, study)
                discard(connection, study.study_id, study.name, study.key)

    def restore(self, name: str, key: str = "") -> Study:
        """Brings back the study of this name that was discarded last; if the name is taken by now, under another one.

        Args:
            name: That it had.
            key: That it had, where several of the name were discarded and a certain one is meant.

        Raises:
            UsageError: No study of this name was discarded, or its time is over.
        """
        with self._database.writing() as connection:
            found = next((d for d in read_discarded(connection) if d.name == name and key in ("", d.key)), None)
            new = name if _study_id(connection, name) is None else _restored_name(connection, name)
            if found is None or not restore(connection, found, new):
                raise UsageError(f"The study {name!r} cannot be brought back: it is deleted for good.")
        return self.study(new)

    def discarded(self) -> tuple[str, ...]:
        """Names of the studies that `restore` would bring back, the one discarded last first."""
        with self._database.reading() as connection:
            return tuple(dict.fromkeys(d.name for d in read_discarded(connection)))

    def discarded_having(self, attribute: str) -> tuple[tuple[Discarded, Any], ...]:
        """Discarded studies that have a user attribute, with its value, the one discarded last first."""
        columns = tables.user_attributes.c
        query = select(columns.study_id, columns.value_json).where(columns.key == attribute)
        with self._database.reading() as connection:
            values = {row.study_id: row.value_json for row in connection.execute(query)}
            found = [d for d in read_discarded(connection) if d.study_id in values]
        return tuple((one, json.loads(values[one.study_id])) for one in found)

    def purge(self, kept_seconds: float = KEPT_SECONDS) -> int:
        """Deletes for good what was discarded longer ago; returns how many studies."""
        with self._database.reading() as connection:
            overdue = [d for d in read_discarded(connection) if time.time() - d.time > kept_seconds]
        if overdue:
            with self._database.writing() as connection:
                overdue = [d for d in read_discarded(connection) if d in overdue and take(connection, d)]
                for discarded in overdue:
                    self._delete(connection, discarded.study_id, discarded.key)
        return len(overdue)

    def _lock_at_rest(self, connection: Connection, study: Study) -> None:
        self._database.lock_study(connection, study.study_id, study.key, study.name)
        run = study.runs.current()
        if run is not None and run.is_active:
            raise StudyBusyError(f"The study {study.name!r} is being run. Stop the run first, then delete the study.")

    def _delete(self, connection: Connection, study_id: int, key: str) -> None:
        _delete_study(connection, study_id)
        if key and self._database.has_lab_tables:
            for table in (tables.runs, tables.events):
                connection.execute(delete(table).where(table.c.study_key == key))

    def _give_key(self, study_id: int) -> str:
        """A key of its own for a study that `optuna.copy_study` made, which has the one of its original."""
        key = uuid.uuid4().hex
        with self._database.writing() as connection:
            put_attribute(connection, study_id, tables.KEY_ATTRIBUTE, key)
        return key

    def close(self) -> None:
        """Closes the connections of this process to the database; they open again when needed."""
        self._database.engine.dispose()


def _check_name(name: str) -> None:
    if not name.strip():
        raise UsageError("A study needs a name; got an empty one.")
    if len(name) > tables.NAME_LENGTH:
        raise UsageError(f"The name of a study has at most {tables.NAME_LENGTH} characters; got {len(name)}.")
    if not name.isprintable():
        raise UsageError(f"The name of a study must be printable, on one line; got {name!r}.")


def _insert_study(connection: Connection, name: str, objectives: tuple[Objective, ...]) -> int:
    if _study_id(connection, name) is not None:
        raise UsageError(_taken(name))
    _unique(connection, insert(tables.studies), {"study_name": name}, name)
    study_id = _study_id(connection, name)
    assert study_id is not None
    _delete_trials(connection, study_id)  # Optuna leaves those that came while it deleted a study, and ids are reused
    rows = [
        {"study_id": study_id, "direction": StudyDirection[objective.direction.upper()], "objective": place}
        for place, objective in enumerate(objectives)
    ]
    connection.execute(insert(tables.directions), rows)
    return study_id


def _unique(connection: Connection, statement: Any, row: dict[str, Any], name: str) -> None:
    try:
        connection.execute(statement, row)
    except IntegrityError:
        raise UsageError(_taken(name)) from None


def _insert_attributes(connection: Connection, table: Table, study_id: int, attributes: Mapping[str, Any]) -> None:
    rows = [{"study_id": study_id, "key": key, "value_json": json.dumps(value)} for key, value in attributes.items()]
    connection.execute(insert(table), rows)


def _study_id(connection: Connection, name: str) -> int | None:
    return connection.execute(select(tables.studies.c.study_id).where(tables.studies.c.study_name == name)).scalar()


def _attribute(connection: Connection, table: Table, study_id: int, key: str) -> Any:
    query = select(table.c.value_json).where(table.c.study_id == study_id, table.c.key == key)
    text = connection.execute(query).scalar()
    return None if text is None else json.loads(text)


def _attributes(connection: Connection, table: Table, key: str) -> dict[int, Any]:
    rows = connection.execute(select(table.c.study_id, table.c.value_json).where(table.c.key == key))
    return {row.study_id: json.loads(row.value_json) for row in rows}


def _all_directions(connection: Connection) -> dict[int, list[Direction]]:
    columns = tables.directions.c
    rows = connection.execute(select(columns.study_id, columns.direction).order_by(columns.study_id, columns.objective))
    found: dict[int, list[Direction]] = {}
    for row in rows:
        is_rising = row.direction == StudyDirection.MAXIMIZE
        found.setdefault(row.study_id, []).append("maximize" if is_rising else "minimize")
    return found


def _first_with_key(connection: Connection, key: str) -> int | None:
    columns = tables.user_attributes.c
    query = select(func.min(columns.study_id)).where(
        columns.key == tables.KEY_ATTRIBUTE, columns.value_json == json.dumps(key)
    )
    return connection.execute(query).scalar()


def _directions(connection: Connection, study_id: int) -> list[Direction]:
    columns = tables.directions.c
    query = select(columns.direction).where(columns.study_id == study_id).order_by(columns.objective)
    found = connection.execute(query).scalars()
    directions: list[Direction] = ["maximize" if d == StudyDirection.MAXIMIZE else "minimize" for d in found]
    return directions or ["minimize"]


def _objectives(directions: list[Direction], names: Any) -> tuple[Objective, ...]:
    """Names may be missing, in studies of other programs."""
    given = [str(name) for name in names] if isinstance(names, list) else []
    given += [""] * (len(directions) - len(given))
    return tuple(Objective(name, direction) for name, direction in zip(given, directions, strict=False))


def _delete_study(connection: Connection, study_id: int) -> None:
    _delete_trials(connection, study_id)
    for table in (*tables.STUDY_CHILDREN, tables.studies):
        connection.execute(delete(table).where(table.c.study_id == study_id))


def _delete_trials(connection: Connection, study_id: int) -> None:
    of_study = select(tables.trials.c.trial_id).where(tables.trials.c.study_id == study_id)
    for table in tables.TRIAL_CHILDREN:
        connection.execute(delete(table).where(table.c.trial_id.in_(of_study)))
    connection.execute(delete(tables.trials).where(tables.trials.c.study_id == study_id))


def _restored_name(connection: Connection, name: str) -> str:
    stem = name[: tables.NAME_LENGTH - 24]
    names = (f"{stem} (restored{'' if n == 1 else f' {n}'})" for n in itertools.count(1))
    return next(free for free in names if _study_id(connection, free) is None)


def _unknown(connection: Connection, name: str) -> str:
    gone = {discarded.study_id for discarded in read_discarded(connection)}
    rows = connection.execute(select(tables.studies.c.study_id, tables.studies.c.study_name))
    names = [row.study_name for row in rows if row.study_id not in gone]
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"There is no study {name!r}. Did you mean {' or '.join(map(repr, close))}?"
    return f"There is no study {name!r}; the storage holds {len(names)} {'study' if len(names) == 1 else 'studies'}."


def _taken(name: str) -> str:
    return f"There is a study {name!r} already. Choose another name, or open that one."
