"""Looks at the charts in both themes and two widths."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_charts_fit_the_page_in_both_themes(
    demo_url: str, open_page: Callable[..., Page], tmp_path: Path, scheme: str, width: int, height: int
) -> None:
    page = open_page(f"{demo_url}/?n=1000&still=1", width=width, height=height, scheme=scheme)
    for key in ("history", "parallel", "surface"):
        page.locator(f".st-key-{key}-plot .live-plot[data-drawn$={scheme}]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    folder = Path(os.environ.get("TUNING_LAB_SHOTS", tmp_path))
    for key in ("history", "parallel", "surface"):
        page.locator(f".st-key-card-{key}").screenshot(path=folder / f"{key}-{scheme}-{width}.png")
