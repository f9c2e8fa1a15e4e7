"""The frame on a fresh server: every page opens cold by its link, and every answer carries the security headers."""

from __future__ import annotations

import gzip
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_server import ROOT, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def new_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(ROOT / "app.py", tmp_path_factory.mktemp("new")) as server:
        yield server.url


@pytest.mark.parametrize(("path", "title"), [("studies", "Studies"), ("tune", "Tune"), ("duel", "Duel"), ("", "Tune")])
def test_page_opens_cold_by_its_link(new_url: str, open_page: Callable[..., Page], path: str, title: str) -> None:
    page = open_page(f"{new_url}/{path}")
    expect(page.get_by_role("link", name="Studies")).to_be_visible()
    expect(page).to_have_title(f"{title} · Tuning Lab")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def test_every_answer_carries_the_security_headers(demo_url: str) -> None:
    for path in ("/", "/_stcore/health", "/nothing-here"):
        with urllib.request.urlopen(demo_url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'self'" in policy
            assert "http" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_chart_library_may_be_kept_for_ever(demo_url: str) -> None:
    from pages._shared.assets import PLOTLY_PATH

    with urllib.request.urlopen(demo_url + PLOTLY_PATH) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert b"plotly.js v" in answer.read(200)


def test_chart_library_comes_packed_to_those_who_can_unpack(demo_url: str) -> None:
    from pages._shared.assets import COMPILE_HINT, PLOTLY_FILE, PLOTLY_PATH

    request = urllib.request.Request(demo_url + PLOTLY_PATH, headers={"Accept-Encoding": "gzip, br"})
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.read()) == COMPILE_HINT + PLOTLY_FILE.read_bytes()
