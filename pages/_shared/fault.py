"""The edge of a page or a card: what the lab raises on purpose is shown as it stands, anything else under an id."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from hpo_core.errors import TuningError

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 3.0
_MARKUP = frozenset("\\`*_[]$:<>~#|&")


@contextmanager
def fault_edge(what: str, *, tries_again: bool = False) -> Iterator[None]:
    """Shows a fault inside as one sentence. `what` failed: "The page Tune". The trace goes to the log under an id.

    Args:
        what: Its name in a sentence.
        tries_again: Whether the page runs again by itself after a fault that may pass, such as a storage that is away.
    """
    try:
        yield
    except Exception as fault:
        _show(what, fault)
        if tries_again and isinstance(fault, TuningError):
            st.fragment(_run_again_after, run_every=_RETRY_SECONDS, key="run-again")(time.monotonic())


def show_script_error(fault: Exception) -> bool:
    """Shows what no edge caught, such as a fault in the callback of a widget, in the same way."""
    _show("What you just did", fault)
    return True


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is: names of columns and files may hold anything."""
    return "".join("\\" + c if c in _MARKUP else c for c in text)


def done_or_said(key: str, change: Callable[[], None]) -> bool:
    """Callback of a widget: makes a change, or leaves the sentence why it cannot be made in the state `key`-fault."""
    try:
        change()
    except TuningError as fault:
        st.session_state[f"{key}-fault"] = str(fault)
        return False
    st.session_state.pop(f"{key}-fault", None)
    return True


def _run_again_after(shown: float) -> None:
    if time.monotonic() - shown > _RETRY_SECONDS / 2:  # not at once, when the fault was only just shown
        st.rerun()


def _show(what: str, fault: Exception) -> None:
    if isinstance(fault, TuningError):
        st.error(plain(str(fault)))
        return
    fault_id = secrets.token_hex(4)
    _LOG.error("%s failed; id %s", what, fault_id, exc_info=fault)
    st.error(
        f"{what} stopped on a fault of the lab itself, not of yours. Nothing that was recorded is lost. "
        f"The details are in the server's log under {fault_id}; reload the page to go on."
    )


def guarded_fragment(
    draw: Callable[..., None], *, what: str, key: str, every: float | None = None
) -> Callable[..., None]:
    """A fragment with an edge of its own, as its reruns go past the edge of the page.

    Args:
        draw: Draws the fragment.
        what: Its name in a sentence: "The search panel".
        key: Names the fragment among all runs.
        every: Seconds between reruns by itself; None for none.
    """

    def guarded(*arguments: Any) -> None:
        with fault_edge(what):
            draw(*arguments)

    fragment: Callable[..., None] = st.fragment(guarded, run_every=every, key=key)
    return fragment
