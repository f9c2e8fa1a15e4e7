"""One database, SQLite file or PostgreSQL, as every thread of this process shares it: connections and transactions."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, bindparam, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from hpo_core.errors import StorageError, UsageError
from hpo_core.studies import tables
from hpo_core.studies.faults import storage_faults

_LOCK_SECONDS = 20.0
_CONNECTIONS, _MORE_CONNECTIONS = 5, 40


class Database:
    """Connections to one database and the two kinds of transactions on them.

    Attributes:
        url: With the password, for another process to open.
        has_lab_tables: Whether the lab's own tables are there; they cannot be in a storage made by another program
            that may only be read.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self.url = url.render_as_string(hide_password=False)
        self.shown_url = url.render_as_string(hide_password=True)
        self.has_lab_tables = False
        self._prepared: object = None
        self.engine = _sqlite_engine(self) if self.path else _postgresql_engine(url)
        self._writer = self.engine.execution_options(lab_writes=True)

    @property
    def path(self) -> Path | None:
        """The file, of a SQLite database."""
        return Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: on SQLite, a snapshot of one moment."""
        with self.faults(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes, committed at the end: on SQLite, it holds the write lock from its start."""
        with self.faults(), self._writer.begin() as connection:
            yield connection

    @property
    def is_prepared(self) -> bool:
        """Whether its schema has been found right, and its file is still the same."""
        return self._prepared is not None and self._prepared == self._identity()

    def remember_prepared(self) -> None:
        self._prepared = self._identity()

    def _identity(self) -> object:
        return self.file_identity() if self.path else True

    def faults(self) -> AbstractContextManager[None]:
        return storage_faults(self.shown_url, str(self._url.password or ""))

    def lock_study(self, connection: Connection, study_id: int, key: str, name: str) -> None:
        """Keeps others from changing a study's trials and runs until the end of a writing transaction.

        Raises:
            UsageError: It has been deleted; another study may have its id by now.
        """
        arguments = {"study": study_id, "key": json.dumps(key)}
        if connection.execute(_LOCK_LAB_STUDY if key else _LOCK_STUDY, arguments).first() is None:
            raise study_is_gone(name)

    def file_identity(self) -> tuple[int, int] | None:
        """What tells the SQLite file from another one put in its place; None without a file."""
        try:
            status = os.stat(self.path or "")
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def connect_file(self, isolation_level: Any = None) -> sqlite3.Connection:
        """A new connection to the SQLite file, which must exist: a deleted one is not quietly made anew."""
        assert self.path is not None
        uri = f"file:{quote(str(self.path))}?mode=rw"
        if not self.path.exists() or not os.access(self.path.parent, os.W_OK):
            uri = self._uri_without_writing()
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._lock_seconds, check_same_thread=False, isolation_level=isolation_level
        )
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @property
    def _lock_seconds(self) -> float:
        return float(str(self._url.query.get("timeout", _LOCK_SECONDS)))

    def _uri_without_writing(self) -> str:
        # Where its folder cannot be written to, SQLite cannot read a WAL database unless told that nobody writes.
        log = Path(f"{self.path}-wal")
        is_at_rest = not log.exists() or log.stat().st_size == 0
        return f"file:{quote(str(self.path))}?mode=ro" + ("&immutable=1" if is_at_rest else "")


def study_is_gone(name: str) -> UsageError:
    """What is raised when a study that was open has been deleted meanwhile."""
    return UsageError(f"The study {name!r} is no longer there; it has been deleted.")


def parse_url(text: str) -> URL:
    """The URL of a storage, from a URL or from the path of a database file; relative paths become absolute.

    Raises:
        UsageError: It names something else than a SQLite file or a PostgreSQL database.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise UsageError(f"This is not the URL of a storage. {_ALLOWED}") from None
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise UsageError(f"A storage of the kind {backend!r} is not supported. {_ALLOWED}")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise UsageError("A storage must be a file that other processes can open, not a database in memory.")
    return url.set(drivername="sqlite", database=str(Path(url.database).expanduser().absolute()))


def shared_database(text: str) -> Database:
    """The database that this process uses for a URL or path; one for all its threads."""
    url = parse_url(text)
    with _lock:
        known = _databases.get(url)
        if known is None:
            known = _databases[url] = Database(url)
        return known


_ALLOWED = "Give sqlite:///folder/file.db, postgresql://user:password@host/database, or the path of a .db file."
_LOCK_STUDY = select(tables.studies.c.study_id).where(tables.studies.c.study_id == bindparam("study")).with_for_update()
_LOCK_LAB_STUDY = (
    select(tables.studies.c.study_id)
    .join(tables.user_attributes, tables.user_attributes.c.study_id == tables.studies.c.study_id)
    .where(tables.studies.c.study_id == bindparam("study"))
    .where(
        tables.user_attributes.c.key == tables.KEY_ATTRIBUTE, tables.user_attributes.c.value_json == bindparam("key")
    )
    .with_for_update(of=tables.studies)
)
_databases: dict[URL, Database] = {}
_lock = threading.Lock()


def _sqlite_engine(database: Database) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=database.connect_file,
        poolclass=QueuePool,
        pool_size=_CONNECTIONS,
        max_overflow=_MORE_CONNECTIONS,
    )

    @event.listens_for(engine, "connect")
    def remember_file(_: Any, record: Any) -> None:
        record.info["file"] = database.file_identity()

    @event.listens_for(engine, "checkout")
    def check_file(_: Any, record: Any, __: Any) -> None:
        # SQLite writes on into a file that was deleted or replaced, and all of it is lost.
        if record.info["file"] != database.file_identity():
            raise DisconnectionError("the file has been deleted or replaced")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("lab_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(
            url.update_query_dict({"connect_timeout": "10"}) if "connect_timeout" not in url.query else url,
            pool_size=_CONNECTIONS,
            max_overflow=_MORE_CONNECTIONS,
            pool_pre_ping=True,
        )
    except ImportError as fault:
        raise StorageError("PostgreSQL needs its driver: pip install 'psycopg[binary]'.") from fault


def _forget_connections() -> None:
    for database in _databases.values():
        database.engine.dispose(close=False)


# A forked process must not talk over its parent's connections.
os.register_at_fork(after_in_child=_forget_connections)
