"""The web application: `streamlit run app.py`. Routes, security headers and what happens at start; no page logic."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from hpo_core.errors import TuningError
from hpo_core.search import recover_all
from pages._shared.assets import PLOTLY_FILE, PLOTLY_PATH
from pages._shared.boot import BOOT_PATH, BootScript, boot_js
from pages._shared.fault import show_script_error
from pages._shared.headers import SecurityHeaders
from pages._shared.moves import ROUTES as MOVES

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def plotly_js(request: Request) -> FileResponse:
    """plotly.js out of the installed package. Its version is in the path, so that a browser may keep it for ever."""
    return FileResponse(PLOTLY_FILE, media_type="text/javascript", headers=FOREVER)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Opens the lab and recovers what dead runners left, before the first visitor comes; closes it at the end.

    What is imported by then is kept out of the garbage collector's way.
    """
    import pages._shared.chart_card  # noqa: F401
    from pages._shared.lab import close_lab, the_lab

    try:
        recover_all(the_lab().storage)
    except TuningError as fault:  # the pages say it too, and try again at each visit
        logging.getLogger(__name__).error("%s", fault)
    gc.collect()
    gc.freeze()
    yield
    close_lab()


ROUTES = [Route(PLOTLY_PATH, plotly_js), Route(BOOT_PATH, boot_js), *MOVES]
MIDDLEWARE = [Middleware(SecurityHeaders), Middleware(BootScript)]
app = st.App(
    Path(__file__).parent / "pages" / "_navigation.py",
    routes=ROUTES,
    middleware=MIDDLEWARE,
    lifespan=lifespan,
    on_script_error=show_script_error,
)
