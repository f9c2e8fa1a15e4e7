"""The misbehaving landscape of the tests, made known to this process and to all that it starts, and runs on it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

import hpo_core.landscapes
from hpo_core.landscapes import LANDSCAPES
from hpo_core.problem import Problem, make_problem
from hpo_core.search.executor import FitRequest
from hpo_core.search.local import LocalExecutor
from hpo_core.space import AnyParameter, Float, SearchSpace

ROOT = Path(__file__).parents[1]
_FOLDER = Path(__file__).parent / "landscapes"
LOG_VARIABLE = "MOODY_FITS"
X = Float(name="x", low=0.0, high=1.0, default=0.5)


@contextmanager
def moody_known(folder: Path) -> Iterator[None]:
    """Discovery finds the landscape inside, in child processes by a customisation in `folder`."""
    (folder / "sitecustomize.py").write_text(
        f"import hpo_core.landscapes\nhpo_core.landscapes.__path__.append({str(_FOLDER)!r})\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{ROOT}")
        patch.setattr(hpo_core.landscapes, "__path__", [*hpo_core.landscapes.__path__, str(_FOLDER)])
        LANDSCAPES.__dict__.pop("_items", None)
        yield
    LANDSCAPES.__dict__.pop("_items", None)


@contextmanager
def pool(n_workers: int, folder: Path, **options: Any) -> Iterator[LocalExecutor]:
    """A local executor whose fits of the landscape are counted, see `fits_done`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOG_VARIABLE, str(folder / "fits"))
        executor = LocalExecutor(n_workers, log_file=folder / "workers.log", **options)
        try:
            yield executor
        finally:
            executor.shutdown()


def fits_done(folder: Path) -> list[dict[str, Any]]:
    """The configurations that processes of a `pool` in this folder have begun to fit, in order, with the worker."""
    log = folder / "fits"
    lines = log.read_text().splitlines() if log.exists() else []
    return [{**configuration, "pid": pid} for configuration, pid in map(json.loads, lines)]


def moody(*parameters: AnyParameter, **options: Any) -> Problem:
    """The landscape over these parameters, or over its own if none is given."""
    space = tuple(SearchSpace(parameters).to_json()) or None
    return make_problem("moody", space=space, **options)


def request(mood: str = "calm", seconds: float = 0.0, x: float = 0.5, limit: float | None = None) -> FitRequest:
    """A fit of the landscape."""
    configuration = {"x": x, "mood": mood, "seconds": seconds}
    return FitRequest(spec=make_problem("moody").spec, configuration=configuration, folds=(0,), seconds_limit=limit)


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """What the condition returns as soon as it is true; fails the test when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"After {seconds:g} s there still was not: {what}.")
        time.sleep(0.02)
    return value


def is_gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
