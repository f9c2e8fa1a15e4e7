"""Discarded studies: out of every list at once, brought back on demand, deleted when their time is over.

A discarded study gives its name free and loses its key, so that whoever still has it open finds it gone.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from hpo_core.studies import tables

KEPT_SECONDS = 3600.0
_STEM_LENGTH = 480


@dataclass(frozen=True, slots=True)
class Discarded:
    """A discarded study: its name and key before, and when it was discarded (epoch seconds)."""

    study_id: int
    name: str
    key: str
    time: float


def discard(connection: Connection, study_id: int, name: str, key: str) -> None:
    """Marks a study that is locked as discarded."""
    mark = {"name": name, "key": key, "time": time.time()}
    _remove_attribute(connection, study_id, tables.KEY_ATTRIBUTE)
    _add_attribute(connection, study_id, tables.DISCARDED_ATTRIBUTE, mark)
    _set_name(connection, study_id, f"{name[:_STEM_LENGTH]} (discarded {uuid.uuid4().hex[:8]})")


def restore(connection: Connection, discarded: Discarded, name: str) -> bool:
    """Brings a study back under a free name; False if it has just been deleted, or brought back by another."""
    if not take(connection, discarded):
        return False
    if discarded.key:
        _add_attribute(connection, discarded.study_id, tables.KEY_ATTRIBUTE, discarded.key)
    _set_name(connection, discarded.study_id, name)
    return True


def take(connection: Connection, discarded: Discarded) -> bool:
    """Takes the mark away; of all who would delete a study or bring it back, one succeeds."""
    return _remove_attribute(connection, discarded.study_id, tables.DISCARDED_ATTRIBUTE)


def read_discarded(connection: Connection) -> tuple[Discarded, ...]:
    """All discarded studies, the newest first."""
    columns = tables.user_attributes.c
    rows = connection.execute(
        select(columns.study_id, columns.value_json).where(columns.key == tables.DISCARDED_ATTRIBUTE)
    )
    found = [Discarded(row.study_id, **json.loads(row.value_json)) for row in rows]
    return tuple(sorted(found, key=lambda discarded: discarded.time, reverse=True))


def _remove_attribute(connection: Connection, study_id: int, key: str) -> bool:
    columns = tables.user_attributes.c
    statement = delete(tables.user_attributes).where(columns.study_id == study_id, columns.key == key)
    return connection.execute(statement).rowcount > 0


def _add_attribute(connection: Connection, study_id: int, key: str, value: object) -> None:
    row = {"study_id": study_id, "key": key, "value_json": json.dumps(value)}
    connection.execute(insert(tables.user_attributes), row)


def _set_name(connection: Connection, study_id: int, name: str) -> None:
    connection.execute(update(tables.studies).where(tables.studies.c.study_id == study_id), {"study_name": name})
