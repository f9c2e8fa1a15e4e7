"""The schema of a storage: made where it is missing, checked where it is there."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy import NullPool, insert, inspect, select, text

from hpo_core.errors import StorageError
from hpo_core.studies import tables
from hpo_core.studies.database import Database

_OPTUNA_REVISION = "v3.2.0.a"
_OPTUNA_TABLES = (*tables.OPTUNA_TABLES, "alembic_version")
_RACE_SIGNS = ("already exists", "duplicate key", "unique constraint", "locked", "deadlock")
_TRIES, _PAUSE_SECONDS = 30, 0.1


def prepare(database: Database) -> None:
    """Makes a storage ready for use: its file, Optuna's tables, the lab's tables.

    Raises:
        StorageError: It cannot be opened, is no database, or was made by a version that does not fit.
    """
    if database.is_prepared:
        return
    if database.path:
        _make_file(database)
    present = _table_names(database)
    if not present.issuperset(_OPTUNA_TABLES):
        _check_foreign_tables(database, present)
        _create_together(database, _create_optuna_tables)
    _check_optuna_revision(database)
    _prepare_lab_tables(database, present)
    database.remember_prepared()


def _make_file(database: Database) -> None:
    path = database.path
    assert path is not None
    if not path.parent.is_dir():
        raise StorageError(f"The folder {path.parent} of the storage is not there. Create it, or choose another one.")
    if path.is_dir():
        raise StorageError(f"The storage {path} is a folder. Name a file in it, for example {path / 'lab.db'}.")
    with database.faults():
        if not path.exists():
            path.touch()
    _use_write_ahead_log(database)


def _use_write_ahead_log(database: Database) -> None:
    try:
        connection = database.connect_file()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except sqlite3.Error:
        # Locked for the moment or not ours to write: it works without, and what is really wrong shows in what follows.
        return


def _table_names(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(inspect(connection).get_table_names())


def _check_foreign_tables(database: Database, present: set[str]) -> None:
    if "alembic_version" in present and "studies" not in present:
        raise StorageError(
            f"The database {database.shown_url} belongs to another program. Give the lab a database of its own."
        )


def _create_optuna_tables(database: Database) -> None:
    """Lets Optuna create what is missing of its tables and check their version."""
    kwargs: dict[str, Any] = {"poolclass": NullPool}
    url = database.url
    if database.path:
        url = "sqlite://"
        kwargs["creator"] = lambda: database.connect_file("DEFERRED")
    try:
        # Optuna fills braces in a URL as a template.
        storage = RDBStorage(url.replace("{", "{{").replace("}", "}}"), engine_kwargs=kwargs)
    except RuntimeError as fault:
        raise StorageError(_version_sentence(database, str(fault))) from fault
    storage.remove_session()
    storage.engine.dispose()


def _version_sentence(database: Database, reason: str) -> str:
    is_older = "storage upgrade" in reason
    cure = f"optuna storage upgrade --storage {database.shown_url}" if is_older else "pip install -U optuna"
    age = "an older" if is_older else "a newer"
    return f"The storage {database.shown_url} was made by {age} version of Optuna. Cure that with: {cure}."


def _create_together(database: Database, create: Callable[[Database], None]) -> None:
    """Creates tables while other processes may be creating the same ones."""
    for remaining in reversed(range(_TRIES)):
        try:
            with database.faults():
                create(database)
            return
        except StorageError as fault:
            if not (remaining and _is_race(fault)):
                raise
            time.sleep(_PAUSE_SECONDS)


def _is_race(fault: StorageError) -> bool:
    reason = str(fault.__cause__).lower()
    return any(
        sign in reason for sign in ("already exists", "duplicate key", "unique constraint", "locked", "deadlock")
    )


def _check_optuna_revision(database: Database) -> None:
    with database.reading() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision != _OPTUNA_REVISION:
        with database.faults():
            _create_optuna_tables(database)


def _prepare_lab_tables(database: Database, present: set[str]) -> None:
    if not present.issuperset(tables.LAB_TABLES):
        try:
            _create_together(database, _create_lab_tables)
        except StorageError:
            database.has_lab_tables = False
            return
    with database.reading() as connection:
        version = connection.execute(select(tables.schema.c.version)).scalar() or tables.LAB_SCHEMA_VERSION
    if version > tables.LAB_SCHEMA_VERSION:
        raise StorageError(
            f"The storage {database.shown_url} was written by a newer Tuning Lab. Update this one, or choose another."
        )
    database.has_lab_tables = True


def _create_lab_tables(database: Database) -> None:
    with database.writing() as connection:
        tables.create_lab_tables(connection)
        if connection.execute(select(tables.schema.c.version)).scalar() is None:
            connection.execute(insert(tables.schema), {"version": tables.LAB_SCHEMA_VERSION})
