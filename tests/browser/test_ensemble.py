"""The ensemble on Tune: mixed, judged, and still there after a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_best_trials_are_mixed_and_judged_on_the_page(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=nearest_neighbours")
    expect(page.locator(".lab-value")).to_be_visible()
    page.get_by_label("Amount").fill("8")
    page.keyboard.press("Tab")
    page.locator(".st-key-start button").click()
    expect(page.locator(".lab-progress .lab-state-finished")).to_be_visible()
    page.get_by_role("tab", name="Conclude").click()
    page.get_by_role("radio", name="Ensemble").click()
    page.get_by_role("button", name="Mix the best").click()
    card = page.locator(".st-key-ensemble")
    verdict = re.compile("ensemble is (better than|worse than|within noise of) the best single model|too few rows")
    expect(card).to_contain_text(verdict)
    expect(card.locator(".lab-members tbody tr").first).to_be_visible()
    expect(page.get_by_role("button", name="Mix the best")).to_have_count(0)
    page.reload()
    expect(card).to_contain_text(verdict)
    page.locator(".st-key-parameters input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(card).to_contain_text("1 more since")
    page.get_by_role("button", name="Mix again").click()
    expect(card).to_contain_text("Made of all")
    page.get_by_role("button", name="Close").click()
    expect(card.get_by_role("table")).to_have_count(0)
    expect(page.get_by_role("button", name="Mix the best")).to_be_visible()
