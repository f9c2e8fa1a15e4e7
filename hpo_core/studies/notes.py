"""Notes: what a person wrote on a study or on one of its trials, each a study attribute of its own.

Attributes of a study stay with it when it is renamed, deleted and brought back, and Optuna reads them as any other. A
note never changes, and no two have the same key, so that those who write at once lose nothing.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from hpo_core.errors import UsageError
from hpo_core.studies import tables

MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Note:
    """One note.

    Attributes:
        key: Of its attribute; later notes have greater keys.
        text: As it was written: not escaped.
        trial: Number of the trial that it is on; None where it is on the study.
        time: Seconds since the epoch.
        by: Who wrote it, as far as that is known.
    """

    key: str
    text: str
    trial: int | None
    time: float
    by: str


def checked_text(text: str) -> str:
    """The text without space around it.

    Raises:
        UsageError: There is none, or too much.
    """
    text = text.strip()
    if not text:
        raise UsageError("The note is empty. Write something first.")
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"A note has at most {MOST_CHARACTERS:,} characters; this one has {len(text):,}.")
    return text


def write_note(connection: Connection, study_id: int, text: str, trial: int | None, by: str) -> None:
    """Adds a note to a study, within the caller's transaction."""
    now = time.time()
    key = f"{tables.NOTE_ATTRIBUTE}{round(now * 1e6):020d}-{secrets.token_hex(4)}"
    value = json.dumps({"text": text, "trial": trial, "time": now, "by": by})
    connection.execute(insert(tables.user_attributes), {"study_id": study_id, "key": key, "value_json": value})


def remove_note(connection: Connection, study_id: int, note: Note) -> None:
    """Takes a note away, within the caller's transaction; nothing where it is gone already."""
    columns = tables.user_attributes.c
    connection.execute(
        delete(tables.user_attributes).where(columns.study_id == study_id, columns.key == note.key, is_note())
    )


def read_notes(connection: Connection, study_id: int) -> tuple[Note, ...]:
    """All notes of a study, oldest first; what is no note is passed over."""
    columns = tables.user_attributes.c
    query = select(columns.key, columns.value_json).where(columns.study_id == study_id, is_note())
    found = (_note(row.key, row.value_json) for row in connection.execute(query.order_by(columns.key)))
    return tuple(note for note in found if note is not None)


def is_note() -> ColumnElement[bool]:
    """Attributes that are notes."""
    return tables.user_attributes.c.key.startswith(tables.NOTE_ATTRIBUTE, autoescape=True)


def _note(key: str, value_json: str) -> Note | None:
    """The note that an attribute holds; None where another program wrote something else there."""
    try:
        value = json.loads(value_json)
        trial = None if value["trial"] is None else int(value["trial"])
        return Note(key, str(value["text"]), trial, float(value["time"]), str(value["by"]))
    except (KeyError, TypeError, ValueError):
        return None
