"""The process that owns a run, and whether it still lives."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from functools import cache

import psutil

SILENCE_SECONDS = 30.0
"""A run without a sign of life for longer is dead, where its process cannot be looked at."""

# What a correction of the system clock may move a time of creation by.
_CLOCK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told from a later one with the same number by its time of creation (seconds since the epoch)."""

    host: str
    pid: int
    create_time: float

    @staticmethod
    def of_this_process() -> Owner:
        return _owner_of(os.getpid())

    def is_alive(self, heartbeat: float = 0.0) -> bool:
        """Whether the process runs; on another host whether its heartbeat (seconds since the epoch) is fresh."""
        if self.host != socket.gethostname():
            return time.time() - heartbeat <= SILENCE_SECONDS
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.create_time) < _CLOCK_SECONDS
            return is_same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


@cache
def _owner_of(pid: int) -> Owner:
    return Owner(socket.gethostname(), pid, psutil.Process(pid).create_time())
