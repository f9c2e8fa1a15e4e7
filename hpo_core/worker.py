"""A worker process does the fits that arrive on a socket, one at a time, on one thread; see `hpo_core.nursery`.

Messages are JSON in both directions: {"spec": ...} makes the problem that later fits belong to and is answered by
{"opened": ...}, {"fit": ...} asks for fits of one configuration and is answered by {"results": ...} or {"error": ...}.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
import uuid
from multiprocessing.connection import Connection
from typing import Any

import psutil

_MEMORY_SHARE = 0.9
_WATCH_SECONDS = 0.5
_TOGETHER_SECONDS = 0.02  # fits of one message: short beside a blink, long beside the way of a message
# One thread per worker, or workers fight for cores; set before any numerical library is loaded.
_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "BLIS")
THREAD_LIMITS = {f"{library}_NUM_THREADS": "1" for library in _LIBRARIES} | {"VECLIB_MAXIMUM_THREADS": "1"}


def main(fd: int, parent: int) -> None:
    """Serves fits until the other end of the socket closes, or the process dies that it belongs to."""
    die_with_parent(parent)
    limit_memory()
    connection = Connection(fd)
    with contextlib.suppress(EOFError, OSError):
        _serve(connection)


def _serve(connection: Connection) -> None:
    import hpo_core.picture  # noqa: F401 - after the limits: this loads the numerical libraries

    _reply(connection, {"ready": os.getpid()})
    problem = _Opened()
    while True:
        message = json.loads(connection.recv_bytes())
        if "spec" in message:
            problem = _Opened(message["spec"])
            _reply(connection, {"opened": True})
        else:
            _reply(connection, _answer(problem, message["fit"]))


class _Opened:
    """A problem whose data are read at once, since that is no part of a fit's time. What is wrong with them, each fit
    says again."""

    def __init__(self, spec: dict[str, Any] | None = None) -> None:
        self._spec = spec or {}
        self._problem: Any = None
        if spec is not None:
            with contextlib.suppress(Exception):
                self.get()

    def get(self) -> Any:
        from hpo_core.problem import ProblemSpec, open_problem

        self._problem = self._problem or open_problem(ProblemSpec.from_json(self._spec))
        return self._problem


def _answer(problem: _Opened, fit: dict[str, Any]) -> dict[str, Any]:
    from hpo_core.errors import TuningError
    from hpo_core.picture import fit_with_picture
    from hpo_core.schedule import Schedule

    results: list[dict[str, Any]] = []
    try:
        schedule = Schedule.from_json(fit["resource"], fit["past"], fit["rows"])
        end = time.perf_counter() + _TOGETHER_SECONDS
        for fold in fit["folds"]:
            if fit["is_pictured"]:
                result = fit_with_picture(problem.get(), fit["configuration"], fold)
            else:
                result = problem.get().fit(fit["configuration"], fold, schedule)
            results.append(result.to_json())
            if time.perf_counter() > end:
                break
    except TuningError as fault:
        error = str(fault)
    except Exception as fault:  # the worker's edge: whatever a library raises fails this fit alone
        mark = uuid.uuid4().hex[:8]
        logging.exception("fit failed, %s", mark)
        error = f"The fit broke off with {type(fault).__name__}: {fault} (trace in the log under {mark})."
    # A fit that fails after others is asked for again, and then comes first.
    return {"results": results} if results else {"error": error}


def _reply(connection: Connection, message: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(message).encode())


def die_with_parent(parent: int) -> None:
    """Ends this process soon after its parent died, also in the middle of a long fit."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def limit_memory() -> None:
    """Too large a fit gets a MemoryError, and when memory runs out all the same, the kernel takes the worker first."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        limit = int(psutil.virtual_memory().total * _MEMORY_SHARE)
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("800")


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s worker %(process)d %(message)s", stream=sys.stderr)
    main(int(sys.argv[1]), os.getppid())
