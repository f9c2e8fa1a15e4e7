"""Where processes come from: `python -m hpo_core.nursery FD` loads the libraries once and forks what it is asked for.

A worker costs milliseconds then, not a second and a half, and shares the memory of the libraries with the others. Where
a fork of a process with libraries in it is not safe, as on macOS, or where $TUNING_LAB_FORK is "no", each is a program
of its own.

Messages are lines of JSON in both directions. Some come with ends of sockets or with files:

- {"start": number} and the socket that the new worker serves; {"kill": number} ends one.
- {"nursery": environment}, the socket that the new nursery serves, and its log.
- {"program": module, "arguments": [...], "environment": {...}} and its log: its `main` in a session of its own, which
  lives on when this process ends. Answered by {"begun": pid}, or None where it could not be.

{"open": pid} says that the libraries are there, {"ended": number, "code": code} that a worker is gone, with its exit
code or minus the signal that ended it. When the other end closes, all workers end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from hpo_core.worker import main as serve

FORK_VARIABLE = "TUNING_LAB_FORK"
_CAN_FORK = sys.platform == "linux" and os.environ.get(FORK_VARIABLE) != "no"
_MOST_AT_ONCE = 64  # sockets in one read


class _Nursery:
    def __init__(self, control: socket.socket) -> None:
        self._control, self._rest = control, b""
        self._files: list[int] = []
        self._numbers: dict[int, int] = {}  # of workers, by process id
        self._ends_read, self._ends_write = os.pipe()
        self._sources = selectors.DefaultSelector()

    def serve(self) -> None:
        """Starts and ends processes until the other end of the socket closes."""
        if _CAN_FORK:
            _load()
            gc.freeze()  # forks share what is there now, as long as nobody counts it anew
        for end in (self._ends_read, self._ends_write):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._ends_write, warn_on_full_buffer=False)
        self._tell({"open": os.getpid()})
        self._sources.register(self._control, selectors.EVENT_READ)
        self._sources.register(self._ends_read, selectors.EVENT_READ)
        while True:
            for source, _ in self._sources.select():
                if source.fd == self._ends_read:
                    os.read(self._ends_read, 4096)
                    self._reap()
                elif not self._obey():
                    return self._end_all()

    def _obey(self) -> bool:
        """Does what has been asked; False when nobody is there any more to ask."""
        try:
            data, files, _, _ = socket.recv_fds(self._control, 65536, _MOST_AT_ONCE)
        except OSError:
            return False
        for file in files:
            os.set_inheritable(file, False)
        self._files += files
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "start" in message:
                self._start(message["start"], self._files.pop(0))
            elif "kill" in message:
                self._kill(message["kill"])
            elif "nursery" in message:
                self._beget(message["nursery"], self._files.pop(0), self._files.pop(0))
            else:
                self._begin(**message, log=self._files.pop(0))
        return bool(data)

    def _start(self, number: int, end: int) -> None:
        own = os.getpid()
        try:
            pid = self._forked("worker", lambda: serve(end, own)) if _CAN_FORK else _spawned("hpo_core.worker", end)
            self._numbers[pid] = number
        except OSError:  # no memory or no process left for it
            logging.exception("no worker could be started")
            self._tell({"ended": number, "code": 1})
        os.close(end)

    def _beget(self, environment: dict[str, str], end: int, log: int) -> None:
        def nurse() -> None:
            _settle(environment, log)
            _Nursery(socket.socket(fileno=end)).serve()

        try:
            self._forked("nursery", nurse) if _CAN_FORK else _spawned("hpo_core.nursery", end, log, environment)
        except OSError:  # the one who asked finds the socket closed
            logging.exception("no nursery could be started")
        os.close(end)
        os.close(log)

    def _begin(self, program: str, arguments: list[str], environment: dict[str, str], log: int) -> None:
        def run() -> int:
            os.setsid()
            _settle(environment, log)
            return int(importlib.import_module(program).main(*arguments))

        with contextlib.suppress(Exception):  # the program says why it cannot be loaded
            importlib.import_module(program)  # here: the next one finds it loaded
        pid = None
        try:
            pid = self._forked(program.rpartition(".")[2], run) if _CAN_FORK else None
        except OSError:
            logging.exception("no program could be started")
        os.close(log)
        self._tell({"begun": pid})

    def _forked(self, name: str, task: Callable[[], int | None]) -> int:
        """Forks a child that does the task and ends with its exit code; its process id."""
        if pid := os.fork():
            return pid
        code = 1
        try:
            _call(name)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._sources.close()
            self._control.close()
            for other in (self._ends_read, self._ends_write, *self._files):
                os.close(other)
            code = task() or 0
        except BaseException:
            logging.exception("a process broke off")
        finally:
            os._exit(code)

    def _kill(self, number: int) -> None:
        for pid, other in self._numbers.items():
            if other == number:
                os.kill(pid, signal.SIGKILL)  # it is a child that was not waited for yet, so the id is its own

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):  # no child is left
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                if pid in self._numbers:
                    self._tell({"ended": self._numbers.pop(pid), "code": os.waitstatus_to_exitcode(status)})

    def _end_all(self) -> None:
        for pid in self._numbers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._numbers:
            os.waitpid(pid, 0)

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more, which the next read says too
            self._control.sendall(json.dumps(message).encode() + b"\n")


def fork_here(control: socket.socket, other_end: socket.socket) -> int | None:
    """Forks a copy of this process that serves a socket as a nursery, so that nothing is loaded twice; its process id.

    None where that is not safe: with a second thread, be it a library's, or on another system than Linux.
    """
    if not _CAN_FORK:
        return None
    _load()
    if psutil.Process().num_threads() > 1:
        return None
    if pid := os.fork():
        return pid
    try:
        _call("nursery")
        os.setpgid(0, 0)
        other_end.close()
        _Nursery(control).serve()
    except BaseException:
        logging.exception("a nursery broke off")
    finally:
        os._exit(0)


def _call(name: str) -> None:
    """Gives this process, which is a fork, a name in the lists of processes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(f"lab-{name}")


def _load() -> None:
    """The numerical libraries, and whatever a problem may be made of."""
    import hpo_core.picture  # noqa: F401
    from hpo_core.datasets import DATASETS
    from hpo_core.landscapes import LANDSCAPES
    from hpo_core.models import MODELS

    with contextlib.suppress(Exception):  # a file that does not load: each fit that needs it says so
        for registry in (DATASETS, LANDSCAPES, MODELS):
            len(registry)


def _settle(environment: Mapping[str, str], log: int) -> None:
    """Gives a fork the environment and the log of those who asked for it."""
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _spawned(module: str, end: int, log: int = 2, environment: Mapping[str, str] = os.environ) -> int:
    os.set_inheritable(end, True)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", module, str(end)],
        dict(environment),
        file_actions=[(os.POSIX_SPAWN_DUP2, log, 2)],
    )


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s worker %(process)d %(message)s", stream=sys.stderr)
    _Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
