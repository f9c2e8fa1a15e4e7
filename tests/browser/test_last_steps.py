"""The last steps on Tune: nested cross-validation of the search, and the locked rows, opened on purpose."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from hpo_core.problem import make_problem
from hpo_core.search.nesting import nested_of
from hpo_core.search.simple import search
from hpo_core.studies.storage import StudyStorage

pytestmark = pytest.mark.browser
LONG = 180_000


def searched(lab, name: str, data: str):
    """A study of eight random trials."""
    storage = StudyStorage.open(folder=lab.data)
    return search(make_problem(data, "svm"), "random", trials=8, study=name, storage=storage, folder=lab.data)


def test_locked_rows_are_opened_once_on_purpose_and_locked_for_good(fresh_lab, open_page):
    searched(fresh_lab, "last step", "breast_cancer")
    page = open_page(f"{fresh_lab.url}/?study=last%20step&view=locked")
    card = page.locator(".st-key-locked-step")
    expect(card).to_contain_text("Nobody has looked at the 114 locked rows yet.")
    expect(page.locator(".lab-arm-machine")).to_contain_text(re.compile(r"about 0\.\d+ on new rows"))
    card.get_by_role("button", name="Open the lock").click()
    expect(page.get_by_text("every look is counted")).to_be_visible()
    page.get_by_role("button", name="Open it").click()
    expect(card).to_contain_text(re.compile(r"[12] looks? at the 114 locked rows so far"), timeout=LONG)
    expect(card).to_contain_text("What you chose was scored on them.", timeout=LONG)
    expect(card.get_by_role("rowheader", name=re.compile("trial")).first).to_be_visible()
    card.get_by_role("button", name="Lock for good").click()
    page.get_by_role("button", name="Lock them").click()
    expect(card).to_contain_text("The rows were locked for good.")
    expect(card.get_by_role("button", name="Open the lock")).to_have_count(0)
    page.reload()
    expect(card).to_contain_text("The rows were locked for good.")


def test_nested_card_says_its_cost_is_called_off_goes_on_and_ends_with_a_verdict(lab, new_name, open_page):
    study = searched(lab, new_name("nested"), "iris")
    page = open_page(f"{lab.url}/?study={quote(study.name)}&view=nested")
    card = page.locator(".st-key-nested-step")
    expect(card).to_contain_text("5 searches of 8 trials each, about 210 fits")
    card.get_by_role("spinbutton", name="Outer folds").fill("2")
    page.keyboard.press("Tab")
    expect(card).to_contain_text("2 searches of 8 trials each, about 84 fits")
    card.get_by_role("button", name="Run it").click()
    expect(card.get_by_role("progressbar")).to_be_visible()
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text(re.compile("Called off after [01] of 2 outer folds"), timeout=LONG)
    card.get_by_role("button", name="Go on").click()
    expect(card).to_contain_text("the search's own best said", timeout=LONG)
    expect(card.get_by_role("button", name="Run it anew")).to_be_visible(timeout=LONG)
    assert nested_of(study).is_complete
    card.get_by_text("By outer fold").click()
    expect(card.get_by_role("rowheader", name="2", exact=True)).to_be_visible()
