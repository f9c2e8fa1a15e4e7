"""The web application: `streamlit run app.py`. Routes, security headers and what happens at start; no page logic."""

from __future__ import annotations

import gc
import importlib
import inspect
import logging
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

import pages._shared
from hpo_core.errors import TuningError
from hpo_core.methods import METHODS
from hpo_core.plots import PLOTS
from hpo_core.pruning import PRUNING
from hpo_core.search import recover_all
from pages._shared.assets import PLOTLY_FILE, PLOTLY_PATH, packed_plotly
from pages._shared.boot import BOOT_PATH, BootScript, boot_js
from pages._shared.fault import show_script_error
from pages._shared.headers import SecurityHeaders
from pages._shared.moves import ROUTES as MOVES
from pages._shared.prompt import send_at_once

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def plotly_js(request: Request) -> Response:
    """plotly.js out of the installed package. Its version is in the path, so that a browser may keep it for ever."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(PLOTLY_FILE, media_type="text/javascript", headers=FOREVER)
    packed = {**FOREVER, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(packed_plotly(), media_type="text/javascript", headers=packed)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Opens the lab and recovers what dead runners left, before the first visitor comes; closes it at the end.

    What the first page needs is imported by then, and kept out of the garbage collector's way.
    """
    from pages._shared.lab import close_lab, the_lab

    send_at_once()
    _make_ready()

    try:
        recover_all(the_lab().storage)
    except TuningError as fault:  # the pages say it too, and try again at each visit
        logging.getLogger(__name__).error("%s", fault)
    gc.collect()
    gc.freeze()
    yield
    close_lab()


def _make_ready() -> None:
    for info in pkgutil.iter_modules(pages._shared.__path__, "pages._shared."):
        importlib.import_module(info.name)
    for catalogue in (METHODS, PLOTS, PRUNING):
        len(catalogue)
    inspect.stack()  # Streamlit asks for it once, and the first answer looks through every module: 0.2 s
    packed_plotly()


ROUTES = [Route(PLOTLY_PATH, plotly_js), Route(BOOT_PATH, boot_js), *MOVES]
MIDDLEWARE = [Middleware(SecurityHeaders), Middleware(BootScript)]
app = st.App(
    Path(__file__).parent / "pages" / "_navigation.py",
    routes=ROUTES,
    middleware=MIDDLEWARE,
    lifespan=lifespan,
    on_script_error=show_script_error,
)
