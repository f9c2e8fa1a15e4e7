"""The executor's end of the nursery, see `hpo_core.nursery`."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from hpo_core.worker import THREAD_LIMITS

_COMMAND = (sys.executable, "-m", "hpo_core.nursery")
_PATIENCE_SECONDS = 5.0
_ONE_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}  # a fork copies the thread that forks alone
_ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """A process that starts and ends workers. Not thread-safe.

    Attributes:
        is_open: Whether it has loaded the libraries, so that workers can come.

    Args:
        log: Where it and its workers write traces.
    """

    def __init__(self, log: IO[bytes] | int) -> None:
        self.is_open, self._rest = False, b""
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*_COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=_ROOT,
                env={**os.environ, **THREAD_LIMITS, **_ONE_THREAD},
                process_group=0,  # Ctrl-C in a terminal is for the runner: it decides what becomes of fits
            )

    def fileno(self) -> int:
        """For `selectors`."""
        return self._control.fileno()

    def start(self, number: int) -> Connection:
        """Asks for a worker that goes by this number; what it serves is the other end of the connection."""
        ours, theirs = socket.socketpair()
        with theirs, contextlib.suppress(OSError):  # that it is gone is noticed where its messages are read
            socket.send_fds(self._control, [_line({"start": number})], [theirs.fileno()])
        return Connection(ours.detach())

    def kill(self, number: int) -> None:
        """Ends a worker, whatever it does; nothing where it has ended before."""
        with contextlib.suppress(OSError):
            self._control.sendall(_line({"kill": number}))

    def receive(self) -> list[dict[str, Any]] | None:
        """The messages that have come: {"ended": number, "code": exit code}; None when the process is gone."""
        try:
            data = self._control.recv(65536)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        messages: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.is_open = self.is_open or any("open" in message for message in messages)
        return [message for message in messages if "ended" in message]

    def close(self) -> int:
        """Ends it and all of its workers; the exit code."""
        self._control.close()
        if not self.is_open:
            self._process.kill()  # there are no workers yet, and loading libraries takes a while
        try:
            return self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
