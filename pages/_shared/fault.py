"""The edge of a page or a card: what the lab raises on purpose is shown as it stands, anything else under an id."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from hpo_core.errors import TuningError

_LOG = logging.getLogger(__name__)


@contextmanager
def fault_edge(what: str) -> Iterator[None]:
    """Shows a fault inside as one sentence. `what` failed: "The page Tune". The trace goes to the log under an id."""
    try:
        yield
    except TuningError as fault:
        st.error(str(fault))
    except Exception:
        fault_id = secrets.token_hex(4)
        _LOG.exception("%s failed; id %s", what, fault_id)
        st.error(
            f"{what} stopped on a fault of the lab itself, not of yours. Nothing that was recorded is lost. "
            f"The details are in the server's log under {fault_id}; reload the page to go on."
        )
