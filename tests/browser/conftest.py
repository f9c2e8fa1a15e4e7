"""A real Streamlit server and a real Chromium."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.lab_server import ROOT, LabServer, serving

_PATIENCE_MS = 90_000  # a loaded machine is slow, not wrong
expect.set_options(timeout=_PATIENCE_MS)
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in _NAMES if (path := shutil.which(name))), "chromium")
# WebGL in software for the surface; everything else without it, which takes less than half the work.
ARGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-compositing"]
_DEMO_APP = """
import streamlit as st
import app as product
app = st.App("demo.py", routes=product.ROUTES, middleware=product.MIDDLEWARE)
"""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """One server of the product for all tests that do not mind the studies of others."""
    with serving(ROOT / "app.py", tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture
def new_name() -> Callable[[str], str]:
    """Gives a study a name that is another one at each try of a test: the lab keeps what an earlier try left."""
    return lambda name: f"{name} {time.time_ns()}"


@pytest.fixture
def fresh_lab(tmp_path: Path) -> Iterator[LabServer]:
    """A server of its own, without studies, to be killed and started again."""
    with serving(ROOT / "app.py", tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of the demo page with the product's routes, headers and theme."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
    shutil.copytree(ROOT / "pages" / "static", folder / "static")
    shutil.copy(ROOT / "tests" / "browser" / "demo.py", folder / "demo.py")
    script = folder / "demo_app.py"
    script.write_text(_DEMO_APP)
    with serving(script, folder) as server:
        yield server.url


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """One browser for all tests. Its profile is on disk, where it keeps scripts that it has compiled: half of the work
    of opening a page; a test leaves nothing else in it."""
    profile = tmp_path_factory.mktemp("profile")
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=ARGS)
        yield context
        context.close()


@pytest.fixture
def open_page(browser: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens pages that must show no console error and ask no other host for anything; checked at the end."""
    pages: list[Page] = []
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(f"console of {message.page.url if message.page else ''}: {message.text}")

    def watch(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            faults.append(f"request: {request.url}")

    def start(
        url: str, *, width: int = 1440, height: int = 900, scheme: str = "light", may_complain: bool = False
    ) -> Page:
        page = browser.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_default_timeout(_PATIENCE_MS)
        if not may_complain:
            page.on("console", note)
        page.on("request", watch)
        page.on("pageerror", lambda fault: faults.append(f"page: {fault}"))
        page.goto(url)
        pages.append(page)
        return page

    yield start
    for page in pages:
        if page.url.startswith("http") and not page.is_closed():
            page.evaluate("localStorage.clear()")
        page.close()
    assert not faults
