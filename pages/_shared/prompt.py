"""Answers that leave at once."""

from __future__ import annotations

import contextlib
import os
import socket

import psutil


def send_at_once() -> None:
    """Turns Nagle's algorithm off on what this process listens on, and so on all connections that it accepts.

    Streamlit 1.67 binds its socket without a protocol number, for which asyncio leaves the algorithm on. Then, on
    Linux, an answer on a connection in use waits 40 ms for the browser's acknowledgement of the one before
    (https://github.com/Kludex/uvicorn/issues/3149).
    """
    with contextlib.suppress(psutil.Error):
        for connection in psutil.Process().net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.fd >= 0:
                with socket.socket(fileno=os.dup(connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
