"""An automatic accessibility check finds nothing serious, on any page, in either theme, wide or narrow."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LONG = 90_000


def serious_faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical: rule, place, and what is wrong there."""
    found: dict[str, Any] = Axe().run(page).response
    return [
        f"{fault['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_have_no_serious_fault(lab, open_page, scheme: str, width: int):
    page = open_page(f"{lab.url}/?data=iris&model=svm", width=width, scheme=scheme)
    expect(page.locator(".lab-spread")).to_be_visible(timeout=LONG)
    page.locator(".st-key-parameter-C input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=LONG)
    assert serious_faults(page) == []
    page.goto(f"{lab.url}/studies")
    expect(page.locator(".lab-table")).to_be_visible(timeout=LONG)
    assert serious_faults(page) == []
