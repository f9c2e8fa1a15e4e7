"""The other end of nurseries, see `hpo_core.nursery`: this process has one root, of which all others are forks.

The root loads the libraries once. An executor's nursery costs milliseconds then, and so does a detached program.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, cast

from hpo_core.nursery import FORK_VARIABLE, fork_here
from hpo_core.worker import THREAD_LIMITS

_PATIENCE_SECONDS = 5.0
_BEGINNING_SECONDS = 30.0
# A fork copies the thread that forks alone, so libraries must not have any.
ONE_THREAD = {**THREAD_LIMITS, "JE_ARROW_MALLOC_CONF": "background_thread:false"}
ROOT_FOLDER = Path(__file__).resolve().parents[2]


class Nursery:
    """A process that starts and ends workers. Not thread-safe.

    Attributes:
        is_open: Whether it has the libraries, so that workers can come.

    Args:
        log: Where it and its workers write traces.
    """

    def __init__(self, log: IO[bytes] | int) -> None:
        self.is_open, self._pid, self._rest = False, 0, b""
        self._control, theirs = socket.socketpair()
        with theirs:
            _ask_root(log, {"nursery": {**os.environ, **ONE_THREAD}}, [theirs.fileno()])

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
        for message in messages:
            self._pid = message.get("open", self._pid)
        self.is_open = bool(self._pid)
        return [message for message in messages if "ended" in message]

    def close(self) -> None:
        """Ends it and all of its workers, and waits for that where it has any."""
        try:
            self._control.shutdown(socket.SHUT_WR)
            self._control.settimeout(_PATIENCE_SECONDS)
            while self.is_open and self._control.recv(65536):
                pass
        except TimeoutError:
            _kill(self._pid)
        except OSError:
            pass
        self._control.close()


class _Root:
    def __init__(self, control: socket.socket, pid: int, wait: Callable[[], object]) -> None:
        self.kind = _kind_of_root()
        self._control, self._pid, self._wait = control, pid, wait
        self._is_open, self._rest = False, b""

    @classmethod
    def started(cls, log: int) -> _Root:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "hpo_core.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=ROOT_FOLDER,
                env={**os.environ, **ONE_THREAD},
                process_group=0,  # Ctrl-C in a terminal is for the runner: it decides what becomes of fits
            )
        return cls(ours, process.pid, process.wait)

    @classmethod
    def forked(cls) -> _Root | None:
        ours, theirs = socket.socketpair()
        with theirs:
            pid = fork_here(theirs, ours)
        if pid is not None:
            return cls(ours, pid, lambda: os.waitpid(pid, 0))
        ours.close()
        return None

    def ask(self, message: dict[str, Any], files: Sequence[int]) -> None:
        line = _line(message)
        n_sent = socket.send_fds(self._control, [line], list(files))
        self._control.sendall(line[n_sent:])

    def begin(self, message: dict[str, Any], log: int) -> int | None:
        self.ask(message, [log])
        for answer in iter(lambda: self._hear(_BEGINNING_SECONDS), None):
            if "begun" in answer:
                return cast("int | None", answer["begun"])
        _kill(self._pid)  # it is gone or hangs; a late answer would be taken for that to the next question
        raise TimeoutError("the root does not answer")

    @property
    def is_open(self) -> bool:
        while not self._is_open and self._hear(0.0):
            pass
        return self._is_open

    def _hear(self, seconds: float) -> dict[str, Any] | None:
        """Its next message; None where none came in so many seconds, or it is gone."""
        self._control.settimeout(seconds)
        try:
            while b"\n" not in self._rest:
                data = self._control.recv(65536)
                if not data:
                    return None
                self._rest += data
        except OSError:
            return None
        finally:
            self._control.settimeout(None)
        line, self._rest = self._rest.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        self._is_open = self._is_open or "open" in message
        return message

    def close(self) -> None:
        is_open = self.is_open
        self._control.close()
        if not is_open:
            _kill(self._pid)  # loading libraries takes a while
        with contextlib.suppress(ChildProcessError):
            self._wait()


_root: _Root | None = None
_lock = threading.Lock()


def begin_program(module: str, arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> int | None:
    """Runs `main` of a module in a process of its own session, which outlives this one; its id.

    None where there is no root to fork, so that it must be started as a program.
    """
    message = {"program": module, "arguments": list(arguments), "environment": dict(environment)}
    with _lock:
        if _root is not None and _root.kind == _kind_of_root() and _root.is_open:
            try:
                return _root.begin(message, log.fileno())
            except OSError:
                _close_root()
    return None


def keep_copy() -> None:
    """Makes a fork of this process the root where that is safe: before it has threads. Nothing is loaded twice then."""
    global _root
    with _lock:
        _root = _root or _Root.forked()


def _ask_root(log: IO[bytes] | int, message: dict[str, Any], files: Sequence[int]) -> None:
    """Asks the root for a fork that gets these files and a log; what does not come shows in what was to serve."""
    global _root
    with _lock, open(os.devnull, "ab") as nothing:
        output = nothing.fileno() if isinstance(log, int) else log.fileno()
        for _ in range(2):
            if _root is None or _root.kind != _kind_of_root():
                _close_root()
                _root = _Root.started(output)
            try:
                return _root.ask(message, [*files, output])
            except OSError:  # it is gone
                _close_root()
        return None


def _kind_of_root() -> dict[str, str]:
    """What decides which libraries a process finds, and whether it may be forked."""
    return {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", FORK_VARIABLE))}


@atexit.register
def _close_root() -> None:
    global _root
    if _root is not None:
        _root.close()
        _root = None


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
