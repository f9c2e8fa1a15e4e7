"""Where workers come from: `python -m hpo_core.nursery FD` loads the libraries once and forks a worker when asked to.

A worker costs milliseconds then, not a second and a half, and shares the memory of the libraries with the others. Where
a fork of a process with libraries in it is not safe, as on macOS, each worker is a program of its own.

Messages are lines of JSON in both directions: {"start": number} comes with the end of a socket, which the new worker
serves; {"kill": number} ends one. {"open": pid} says that the libraries are there, {"ended": number, "code": code} that
a worker is gone, with its exit code or minus the signal that ended it. When the other end closes, all workers end.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
from typing import Any

from hpo_core.worker import main as serve

_CAN_FORK = sys.platform == "linux"
_MOST_AT_ONCE = 64  # sockets in one read


class _Nursery:
    def __init__(self, control: socket.socket) -> None:
        self._control, self._rest = control, b""
        self._sockets: list[int] = []
        self._numbers: dict[int, int] = {}  # by process id
        self._ends_read, self._ends_write = os.pipe()

    def serve(self) -> None:
        """Starts and ends workers until the other end of the socket closes."""
        if _CAN_FORK:
            _load()
            gc.freeze()  # workers share what is there now, as long as nobody counts it anew
        for end in (self._ends_read, self._ends_write):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._ends_write, warn_on_full_buffer=False)
        self._tell({"open": os.getpid()})
        sources = selectors.DefaultSelector()
        sources.register(self._control, selectors.EVENT_READ)
        sources.register(self._ends_read, selectors.EVENT_READ)
        while True:
            for source, _ in sources.select():
                if source.fd == self._ends_read:
                    os.read(self._ends_read, 4096)
                    self._reap()
                elif not self._obey():
                    return self._end_all()

    def _obey(self) -> bool:
        """Does what has been asked; False when nobody is there any more to ask."""
        try:
            data, sockets, _, _ = socket.recv_fds(self._control, 65536, _MOST_AT_ONCE)
        except OSError:
            return False
        self._sockets += sockets
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "start" in message:
                self._start(message["start"], self._sockets.pop(0))
            else:
                self._kill(message["kill"])
        return bool(data)

    def _start(self, number: int, end: int) -> None:
        try:
            pid = self._forked(end) if _CAN_FORK else _begun(end)
            self._numbers[pid] = number
        except OSError:  # no memory or no process left for it
            logging.exception("no worker could be started")
            self._tell({"ended": number, "code": 1})
        os.close(end)

    def _forked(self, end: int) -> int:
        own = os.getpid()
        if pid := os.fork():
            return pid
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for other in (self._ends_read, self._ends_write, *self._sockets):
                os.close(other)
            serve(end, own)
            code = 0
        except BaseException:
            logging.exception("a worker broke off")
        finally:
            os._exit(code)

    def _kill(self, number: int) -> None:
        for pid, other in self._numbers.items():
            if other == number:
                os.kill(pid, signal.SIGKILL)  # it is a child that was not waited for yet, so the id is its own

    def _reap(self) -> None:
        while self._numbers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._tell({"ended": self._numbers.pop(pid), "code": os.waitstatus_to_exitcode(status)})

    def _end_all(self) -> None:
        for pid in self._numbers:
            os.kill(pid, signal.SIGKILL)
        for pid in self._numbers:
            os.waitpid(pid, 0)

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more, which the next read says too
            self._control.sendall(json.dumps(message).encode() + b"\n")


def _load() -> None:
    """The numerical libraries, and whatever a problem may be made of."""
    import hpo_core.picture  # noqa: F401
    from hpo_core.datasets import DATASETS
    from hpo_core.landscapes import LANDSCAPES
    from hpo_core.models import MODELS

    with contextlib.suppress(Exception):  # a file that does not load: each fit that needs it says so
        for registry in (DATASETS, LANDSCAPES, MODELS):
            len(registry)


def _begun(end: int) -> int:
    os.set_inheritable(end, True)
    return os.posix_spawn(sys.executable, [sys.executable, "-m", "hpo_core.worker", str(end)], os.environ)


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s worker %(process)d %(message)s", stream=sys.stderr)
    _Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
