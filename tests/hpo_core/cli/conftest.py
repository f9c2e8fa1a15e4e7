"""The command line as a person starts it, in a folder of its own: as a process, or quicker, in this one."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from hpo_core.cli.main import main
from tests.moody_landscape import ROOT, is_gone, moody_known

_PROGRAM = (sys.executable, "-m", "hpo_core")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output; anything else there is a fault."""
        assert self.code in (0, 1), self.err
        return json.loads(self.out)


class Lab:
    """Runs commands on a storage and a data folder of the test; a search works with real workers either way."""

    def __init__(self, folder: Path, storage: str) -> None:
        self.folder, self.storage = folder, storage

    def __call__(self, *arguments: str) -> Done:
        """The command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(self.completed(*arguments))
            except SystemExit as end:
                code = int(str(end.code))
        return Done(code, out.getvalue(), err.getvalue())

    def process(self, *arguments: str, **options: Any) -> Done:
        """The command as a process of its own."""
        process = subprocess.run(
            [*_PROGRAM, *self.completed(*arguments)], capture_output=True, text=True, cwd=ROOT,
            stdin=subprocess.DEVNULL, timeout=120, check=False, **options,
        )  # fmt: skip
        return Done(process.returncode, process.stdout, process.stderr)

    def completed(self, *arguments: str) -> list[str]:
        """The arguments with the storage of the test, where they take one and name none."""
        is_stored = arguments[0] in ("search", "suggest", "studies", "class") and "--storage" not in arguments
        return [*arguments, *(["--storage", self.storage] if is_stored else [])]

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command in a process group of its own, as a terminal starts it; killed at the end with all it started."""
        process = subprocess.Popen(
            [*_PROGRAM, *self.completed(*arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            family = [process.pid]
            if not is_gone(process.pid):
                family += [p.pid for p in psutil.Process(process.pid).children(recursive=True)]
            for pid in filter(lambda p: not is_gone(p), family):
                os.kill(pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def moody_landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("customisation")
    with moody_known(folder):
        yield folder


@pytest.fixture
def lab(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("TUNING_LAB_DATA", str(tmp_path))
    monkeypatch.setenv("MOODY_FITS", str(tmp_path / "fits"))
    return Lab(tmp_path, sqlite_url)
