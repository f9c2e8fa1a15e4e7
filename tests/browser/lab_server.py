"""A real Streamlit server of the tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 90.0  # a loaded machine is slow, not wrong


class LabServer:
    """A server that can be killed and started again at the same address, with the same data folder."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._script, self._folder, self._port = script, folder, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "TUNING_LAB_DATA": str(self.data), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "streamlit", "run", str(self._script), "--server.port", str(self._port)]
        log_file = self._folder / "server.log"
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--server.address", "127.0.0.1"],
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _wait_until_healthy(self.url, self._process, log_file)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """Kills the server and every process that has this lab's data folder in its environment: runners, workers."""
        self.kill()
        mark = f"TUNING_LAB_DATA={self.data}"
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if mark in [f"{k}={v}" for k, v in process.environ().items()] and process.pid != os.getpid():
                    process.kill()


@contextlib.contextmanager
def serving(script: Path, folder: Path) -> Iterator[LabServer]:
    """A server for as long as the block takes, started from a folder that its data are in, too."""
    server = LabServer(script, folder)
    try:
        server.start()
        yield server
    finally:
        server.end()


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"The server did not come up: {log.read_text()}")
