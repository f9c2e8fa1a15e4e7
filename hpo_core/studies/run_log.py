"""The runs of one study in the database: their control, their live record, and what happened when."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, insert, select, update

from hpo_core.errors import StorageError, StudyBusyError, UsageError
from hpo_core.studies import tables
from hpo_core.studies.database import Database, study_is_gone
from hpo_core.studies.owner import Owner
from hpo_core.studies.run import (
    ACTIVE_STATES,
    Budget,
    Event,
    Live,
    Run,
    RunSettings,
    RunState,
    Spent,
    Wanted,
    to_json,
)


class RunLog:
    """The runs of one study and the events in them. Only the newest run counts; every change is one transaction.

    Studies of other programs, and studies in a storage that cannot be written to, have no runs.

    Args:
        by: Who steers through this object, as the events say; "" leaves it out.
    """

    def __init__(self, database: Database, study_id: int, key: str, name: str, by: str = "") -> None:
        self._database, self._study_id, self._key, self._name, self._by = database, study_id, key, name, by

    def current(self) -> Run | None:
        """The newest run."""
        if not self._has_runs:
            return None
        with self._database.reading() as connection:
            return self._newest(connection)

    def events(self) -> tuple[Event, ...]:
        """All events of the study, oldest first."""
        if not self._has_runs:
            return ()
        with self._database.reading() as connection:
            return read_events(connection, self._key)

    def begin(self, settings: RunSettings, budget: Budget) -> Run:
        """A new run that waits for its runner.

        Raises:
            StudyBusyError: A run of this study is active.
        """
        with self._changing() as connection:
            self._refuse_if_active(self._newest(connection))
            now = time.time()
            row = {"study_key": self._key, "wanted": "running", "state": "starting", "started": now, "heartbeat": now}
            records = {"settings": settings, "budget": budget, "spent": Spent(), "live": Live()}
            row |= {name: to_json(record) for name, record in records.items()}
            connection.execute(insert(tables.runs), {**row, "owner": None, "message": '""'})
            self._log_steering(
                connection, "begun", {"settings": dataclasses.asdict(settings), **dataclasses.asdict(budget)}
            )
            return self._known(connection)

    def claim(self, run_id: int, owner: Owner) -> Run:
        """Makes a process the owner of a run; a dead owner is replaced.

        Raises:
            StudyBusyError: Another owner, still alive, holds it.
            UsageError: The run is over, or there is a newer one.
        """
        with self._changing() as connection:
            run = self._known(connection)
            if run.id != run_id or run.state not in ACTIVE_STATES:
                raise UsageError(f"Run {run_id} of the study {self._name!r} is over. Resume it, or begin a new one.")
            if run.owner not in (None, owner):
                self._refuse_if_active(run)
            self._set(connection, run_id, owner=to_json(owner), heartbeat=time.time())
            log_event(connection, self._key, "claimed", dataclasses.asdict(owner))
            return self._known(connection)

    def publish(
        self,
        run_id: int,
        *,
        state: RunState | None = None,
        spent: Spent | None = None,
        live: Live | None = None,
        message: str | None = None,
    ) -> None:
        """Writes what is given, and a sign of life.

        Raises:
            UsageError: The study has been deleted.
        """
        given = {"spent": spent, "live": live}
        changes: dict[str, Any] = {name: to_json(record) for name, record in given.items() if record is not None}
        if state is not None:
            changes["state"] = state
        if message is not None:
            changes["message"] = json.dumps(message)
        with self._database.writing() as connection:
            self._set(connection, run_id, heartbeat=time.time(), **changes)

    def ask_for(self, wanted: Wanted) -> None:
        """Asks the newest run to go on, to pause or to stop; its runner looks between fits."""
        if wanted not in ("running", "paused", "stopped"):
            raise UsageError(f"A run can be asked to be running, paused or stopped; got {wanted!r}.")
        with self._changing() as connection:
            self._set(connection, self._known(connection).id, wanted=wanted)
            self._log_steering(connection, "asked", {"wanted": wanted})

    def set_budget(self, budget: Budget) -> None:
        """Changes the budget of the newest run; its runner looks between fits."""
        with self._changing() as connection:
            self._set(connection, self._known(connection).id, budget=to_json(budget))
            self._log_steering(connection, "budget", dataclasses.asdict(budget))

    def resume_with(self, budget: Budget | None = None) -> Run:
        """Makes the newest run wait for a runner again; settings, what it spent and its live record stay.

        Raises:
            StudyBusyError: The run is active.
        """
        with self._changing() as connection:
            run = self._known(connection)
            self._refuse_if_active(run)
            budget = budget or run.budget
            changes = {"state": "starting", "wanted": "running", "owner": None, "message": '""'}
            self._set(connection, run.id, **changes, budget=to_json(budget), heartbeat=time.time())
            self._log_steering(connection, "resumed", dataclasses.asdict(budget))
            return self._known(connection)

    def bury(self, message: str) -> Run | None:
        """Marks the newest run as died if it says that it is active while its owner is dead; that run, else None."""
        if not _is_dead(self.current()):
            return None
        with self._changing() as connection:
            run = self._newest(connection)
            if run is None or not _is_dead(run):
                return None
            self._set(connection, run.id, state="died", message=json.dumps(message))
            log_event(connection, self._key, "died", {"message": message})
            return self._known(connection)

    def add_event(self, what: str, detail: Mapping[str, Any] | None = None) -> None:
        with self._changing() as connection:
            log_event(connection, self._key, what, detail or {})

    def add_steering(self, what: str, detail: Mapping[str, Any] | None = None) -> None:
        """An event that somebody caused: it says by whom."""
        with self._changing() as connection:
            self._log_steering(connection, what, dict(detail or {}))

    @property
    def _has_runs(self) -> bool:
        return bool(self._key) and self._database.has_lab_tables

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        if not self._key:
            raise UsageError(f"The study {self._name!r} was made by another program, so the lab cannot run it.")
        if not self._database.has_lab_tables:
            raise StorageError(f"The storage {self._database.shown_url} is read-only, so nothing can be run in it.")
        with self._database.writing() as connection:
            self._database.lock_study(connection, self._study_id, self._key, self._name)
            yield connection

    def _newest(self, connection: Connection) -> Run | None:
        query = select(tables.runs).where(tables.runs.c.study_key == self._key)
        row = connection.execute(query.order_by(tables.runs.c.run_id.desc()).limit(1)).mappings().first()
        return None if row is None else run_of_row(row)

    def _known(self, connection: Connection) -> Run:
        run = self._newest(connection)
        if run is None:
            raise UsageError(f"The study {self._name!r} has no run yet. Start a search on it first.")
        return run

    def _refuse_if_active(self, run: Run | None) -> None:
        if run is not None and run.is_active:
            by = f" by process {run.owner.pid} on {run.owner.host}" if run.owner else ""
            raise StudyBusyError(f"The study {self._name!r} is being run already{by}. Stop that run first.")

    def _set(self, connection: Connection, run_id: int, **changes: Any) -> None:
        done = connection.execute(update(tables.runs).where(tables.runs.c.run_id == run_id), changes)
        if done.rowcount == 0:
            raise study_is_gone(self._name)

    def _log_steering(self, connection: Connection, what: str, detail: dict[str, Any]) -> None:
        log_event(connection, self._key, what, signed(detail, self._by))


def signed(detail: Mapping[str, Any], by: str) -> dict[str, Any]:
    """What an event holds, with who caused it where that is known."""
    return {**detail, "by": by} if by else dict(detail)


def log_event(connection: Connection, key: str, what: str, detail: Mapping[str, Any]) -> None:
    """Adds an event to the study with this key, within the caller's transaction."""
    row = {"study_key": key, "time": time.time(), "what": what, "detail": json.dumps(detail)}
    connection.execute(insert(tables.events), row)


def read_events(connection: Connection, key: str) -> tuple[Event, ...]:
    """All events of the study with this key, oldest first."""
    columns = tables.events.c
    query = select(columns.time, columns.what, columns.detail).where(columns.study_key == key)
    rows = connection.execute(query.order_by(columns.event_id)).all()
    return tuple(Event(row.time, row.what, json.loads(row.detail)) for row in rows)


def run_of_row(row: RowMapping | Mapping[str, Any]) -> Run:
    """The run that a row of the table of runs holds."""
    return Run(
        id=row["run_id"],
        settings=RunSettings(**json.loads(row["settings"])),
        budget=Budget(**json.loads(row["budget"])),
        spent=Spent(**json.loads(row["spent"])),
        wanted=cast(Wanted, row["wanted"]),
        state=cast(RunState, row["state"]),
        owner=Owner(**json.loads(row["owner"])) if row["owner"] else None,
        heartbeat=row["heartbeat"],
        started=row["started"],
        live=Live.from_json(row["live"]),
        message=json.loads(row["message"]),
    )


def _is_dead(run: Run | None) -> bool:
    return run is not None and run.state in ACTIVE_STATES and not run.is_active
