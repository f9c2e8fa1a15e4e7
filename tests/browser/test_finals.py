"""The finalists round on Tune: begun, followed, found again after a reload, and read."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from hpo_core.problem import make_problem
from hpo_core.search import search

pytestmark = pytest.mark.browser
TIE_OR_WIN = re.compile("statistically tied with the best|wins: ")


@pytest.fixture(scope="module")
def searched(lab):
    """A study whose fits take long enough to be watched."""
    problem = make_problem("wine", "random_forest")
    search(problem, "random", trials=4, workers=2, study="finalists", folder=lab.data)
    return f"{lab.url}/?study=finalists"


def test_round_is_begun_followed_through_a_reload_and_read(searched, open_page):
    page = open_page(searched)
    page.get_by_role("button", name="Finalists round").click()
    card, line = page.locator(".st-key-finals"), page.locator(".st-key-finals-line")
    expect(card).to_contain_text("fits, about")
    page.get_by_role("spinbutton", name="Best configurations").fill("2")
    page.keyboard.press("Tab")
    cost = card.get_by_text(re.compile("^[23] configurations on 15 fresh folds"))  # the default may be among the two
    n = int(cost.inner_text()[0])
    card.get_by_role("button", name="Start", exact=True).dblclick()
    expect(line).to_contain_text(re.compile(rf"[1-9]\d* of {15 * n} fits"))
    page.reload()
    expect(line.or_(card).first).to_contain_text(re.compile(rf"\d+ of {15 * n} fits|fresh folds each"))
    expect(card).to_contain_text(TIE_OR_WIN)
    expect(card).to_contain_text("15 fresh folds each (5-fold, drawn 3 ×)")
    expect(card.locator("tbody tr")).to_have_count(n)
    expect(page.locator(".lab-outcome")).to_contain_text("on fresh folds")

    card.get_by_role("button", name="Put the sliders on the leader").click()
    expect(page.locator(".st-key-by-hand-buttons")).to_be_visible()

    rows = page.locator(".trial-grid tbody tr")
    expect(rows).to_have_count(4)
    for i in range(4):
        rows.nth(i).get_by_role("checkbox").check()
    page.get_by_role("button", name="Score again on fresh folds").click()
    expect(line).to_contain_text("Scoring ")
    line.get_by_role("button", name="Cancel").click()
    expect(line).to_contain_text("Cancelled")
    expect(card.locator("tbody tr")).to_have_count(n)  # what was found before is still there
    line.get_by_role("button", name="Go on").click()
    expect(card).to_contain_text("fresh folds each")
    expect(card.locator("tbody tr")).to_have_count(4)


def test_where_nothing_is_fresh_a_sentence_says_so(lab, open_page):
    search(make_problem("branin"), "random", trials=6, study="exact heights", folder=lab.data)
    page = open_page(f"{lab.url}/?study=exact%20heights")
    expect(page.locator(".lab-outcome")).to_contain_text("No finalists round: a landscape without noise")
    expect(page.get_by_role("button", name="Finalists round")).to_have_count(0)
    expect(page.get_by_role("button", name="Score again on fresh folds")).to_have_count(0)
