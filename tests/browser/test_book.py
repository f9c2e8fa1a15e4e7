"""The lab book and the glossary in a real browser: a note outlives a reload as text, a term is found from the help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hpo_core.studies.storage import StudyStorage
from tests.browser.test_views import action, tick
from tests.finished_trials import finished, new_study

pytestmark = pytest.mark.browser
NOTE = "<img src=x onerror=alert(1)> **why** so slow?"


def test_note_on_a_trial_outlives_a_reload_as_text_and_the_help_leads_to_the_words(
    lab: Any, new_name: Callable[[str], str], open_page: Callable[..., Page]
) -> None:
    name = new_name("noted")
    storage = StudyStorage.open(f"sqlite:///{lab.data}/lab.db")
    new_study(storage, name).record(*map(finished, range(3)))
    storage.close()
    page = open_page(f"{lab.url}/study?name={name}")
    tick(page, 1)
    action(page, "Note").click()
    page.get_by_label("Note on what is ticked").fill(NOTE)
    page.get_by_role("button", name="Keep note").click()
    row = page.locator(".trial-grid tr[data-trial='1']")
    expect(row).to_contain_text(f"✎ {NOTE}")
    page.reload()
    expect(row).to_contain_text(f"✎ {NOTE}")
    page.get_by_text("What was done to this study").click()
    expect(page.locator(".lab-steering")).to_contain_text(f"note on trial 1: {NOTE}")
    expect(page.locator(".lab-steering img, .trial-grid img")).to_have_count(0)

    page.get_by_role("button", name="?", exact=True).click()
    page.get_by_role("button", name="Glossary: the words of the lab").click()
    page.get_by_label("Find a term").fill("parzen")
    page.keyboard.press("Enter")
    expect(page.locator(".lab-glossary dt")).to_have_count(1)
    page.locator(".lab-glossary").get_by_role("link", name="surrogate").click()
    expect(page.locator(".lab-glossary-asked h2")).to_have_text("surrogate")
