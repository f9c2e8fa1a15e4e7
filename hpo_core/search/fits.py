"""The fit store: results of fits already done, so that no identical fit is ever done twice on this machine."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from hpo_core.fit_result import FitResult

_PAUSE_SECONDS = 0.1
_MANY = 500  # below SQLite's limit of bound variables


class FitStore:
    """Results by `Problem.fit_key`, in one SQLite file that all processes of a data folder share.

    Failed fits are not kept: they may have failed for want of memory or time. The store is a cache: what the file does
    not take (a full disk, a read-only folder, a broken file) is kept in memory for as long as the process lives.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._unwritten: dict[str, FitResult] = {}
        self._written = -math.inf
        try:
            self._connection = _connected(str(path))
        except sqlite3.Error:
            self._connection = _connected(":memory:")

    def get(self, keys: Sequence[str]) -> dict[str, FitResult]:
        """The results that are known among these keys."""
        with self._lock:
            found = {key: self._unwritten[key] for key in keys if key in self._unwritten}
        for start in range(0, len(keys), _MANY):
            part = keys[start : start + _MANY]
            marks = ",".join("?" * len(part))
            rows = []
            with self._lock, contextlib.suppress(sqlite3.Error):
                rows = self._connection.execute(f"SELECT key, result FROM fits WHERE key IN ({marks})", part).fetchall()
            found |= {key: FitResult(**json.loads(result)) for key, result in rows}
        return found

    def put(self, key: str, result: FitResult) -> None:
        """Keeps a result; written at once, but for results that come within a tenth of a second of each other."""
        with self._lock:
            self._unwritten[key] = result
        if time.monotonic() - self._written > _PAUSE_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is not written yet. What the file does not take stays in memory."""
        with self._lock:
            if not self._unwritten:
                return
            rows = [(key, json.dumps(result.to_json())) for key, result in self._unwritten.items()]
            with contextlib.suppress(sqlite3.Error), self._connection:
                self._connection.execute("BEGIN")
                self._connection.executemany("INSERT OR IGNORE INTO fits VALUES (?, ?)", rows)
                self._unwritten = {}
            self._written = time.monotonic()

    def close(self) -> None:
        """Writes what is left. What comes later, from a fit that still ends, is kept in memory alone."""
        self.flush()
        with self._lock:  # SQLite breaks down when a connection is closed while another thread writes to it
            self._connection.close()


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS fits (key TEXT PRIMARY KEY, result TEXT) WITHOUT ROWID")
    return connection
