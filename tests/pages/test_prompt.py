"""Connections that the server accepts answer at once, although Streamlit binds its socket without a protocol."""

from __future__ import annotations

import socket

from pages._shared.prompt import send_at_once


def is_prompt(listening):
    """Whether a connection that comes now is without Nagle's algorithm at the server's end."""
    with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        return bool(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_accepted_connections_send_at_once():
    with socket.socket(socket.AF_INET) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert not is_prompt(listening)
        send_at_once()
        assert is_prompt(listening)
