"""Database faults as plain sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from hpo_core.errors import StorageError

_FAULTS = (
    (("locked", "lock timeout", "deadlock"),
     "is locked by another program. Close what keeps it open, then try again; nothing was lost."),
    (("readonly", "read-only"),
     "is read-only. Give yourself permission to write to it and to its folder, or choose another storage."),
    (("disk is full", "no space left", "disk full"), "has no room left: the disk is full. Make room, then try again."),
    (("malformed", "corrupt", "invalid page"),
     "is damaged and cannot be read any further. Restore it from a copy, or choose another storage."),
    (("not a database", "encrypted"), "is not a database. Choose another file."),
    (("password authentication failed", "no password supplied", "authentication failed"),
     "refused the user name or the password. Correct them in the storage's URL."),
    (("does not exist", "no such table", "undefined table"),
     "does not exist, or lacks its tables. Create the database, or correct the storage's URL."),
    (("permission denied", "insufficient privilege"), "does not permit this. Ask its owner for the right to write."),
    (("unable to open", "no such file"),
     "cannot be opened. See that its folder is there and that you may write to it, or choose another storage."),
    (("connection refused", "connection failed", "could not connect", "could not translate", "timeout expired",
      "connection timeout", "server closed the connection", "the connection is closed", "terminating connection",
      "connection is lost", "consuming input failed", "too many clients", "starting up", "shutting down",
      "no such host", "name or service not known", "queuepool limit", "connection timed out"),
     "cannot be reached. See that the server runs and that the storage's URL names it rightly, then try again."),
    (("disk i/o error", "could not write", "could not read"),
     "cannot be read or written: the disk reports a fault. See that its folder is still there."),
)  # fmt: skip


@contextmanager
def storage_faults(shown_url: str, secret: str = "") -> Iterator[None]:
    """Turns every fault of the database underneath into a StorageError with a sentence that names the storage.

    Args:
        shown_url: The storage as it may be shown.
        secret: The password, which no message may hold.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, OSError) as fault:
        reason = _reason(fault).replace(secret, "***") if secret else _reason(fault)
        raise StorageError(f"The storage {shown_url} {_sentence(reason)}") from fault


def _sentence(reason: str) -> str:
    words = reason.lower()
    for signs, sentence in _FAULTS:
        if any(sign in words for sign in signs):
            return sentence
    return f"reports a fault: {reason}. Nothing that was written before is lost."


def _reason(fault: BaseException) -> str:
    while isinstance(fault, StorageInternalError) and fault.__cause__ is not None:
        fault = fault.__cause__
    text = str(getattr(fault, "orig", None) or fault).strip()
    return (text.splitlines() or [type(fault).__name__])[0].rstrip(".")
