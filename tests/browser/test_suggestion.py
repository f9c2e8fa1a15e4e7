"""The next suggestion before anything runs, the advice when to stop, and a search that ends by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_tune import LONG, PROBLEM, press, score, state, study_name, trials_in, wait_for_trial

pytestmark = pytest.mark.browser

NOISY = "?data=branin&noise=0.3&folds=5"


def card(page: Page) -> Locator:
    return page.locator(".st-key-suggestion").last


def act(page: Page, what: str) -> None:
    names = {"refuse": "Refuse", "edit": "Edit", "run": "Run it"}
    card(page).get_by_role("button", name=names[what]).click()  # with help there is a second one, hidden


def search_for(page: Page, trials: int) -> None:
    page.locator(".st-key-machine-amount-trials input").fill(str(trials))
    page.keyboard.press("Enter")
    press(page, "start")
    expect(state(page, "finished")).to_be_visible(timeout=LONG)


@pytest.mark.parametrize("width", [1440, 390])
def test_suggestion_is_looked_at_refused_and_run(lab, open_page, width):
    page = open_page(f"{lab.url}/{PROBLEM}", width=width)
    expect(score(page)).to_be_visible(timeout=LONG)
    if width < 1000:
        page.locator(".lab-unfold summary").click()
    press(page, "suggest")
    expect(card(page).locator("b").first).to_have_text("Auto would try", timeout=LONG)
    first = card(page).locator(".lab-suggested").inner_text()
    expect(card(page)).to_contain_text("Nothing has been tried yet")
    act(page, "refuse")
    expect(card(page).locator(".lab-badge")).to_have_text("1 refused", timeout=LONG)
    assert card(page).locator(".lab-suggested").inner_text() != first
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "study=" not in page.url  # nothing was recorded so far
    act(page, "run")
    wait_for_trial(page, 1)
    expect(card(page)).to_have_count(0)
    default, tried = trials_in(lab, study_name(page))
    assert [default.user_attrs["arm"], tried.user_attrs["arm"]] == ["default", "manual"]
    assert tried.params != default.params


def test_editing_moves_the_sliders_and_scores_nothing_yet(lab, open_page):
    page = open_page(f"{lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    press(page, "suggest")
    expect(card(page)).to_be_visible(timeout=LONG)
    expect(card(page)).to_contain_text(re.compile(r"now \d"))
    act(page, "edit")
    expect(page.get_by_text("not scored yet")).to_be_visible(timeout=LONG)
    expect(card(page)).not_to_contain_text(re.compile(r"now \d"))  # the sliders stand there
    assert "study=" not in page.url


def test_value_is_predicted_after_a_search_and_stopping_is_advised_on(lab, open_page):
    page = open_page(f"{lab.url}/{NOISY}")
    expect(score(page)).to_be_visible(timeout=LONG)
    search_for(page, 30)
    advice = page.locator(".lab-stop-advice")
    expect(advice).to_contain_text("Stop advice: ", timeout=LONG)
    expect(advice).to_contain_text("20 more trials are expected to gain")
    n_before = len(trials_in(lab, study_name(page)))
    press(page, "suggest")
    expect(card(page)).to_contain_text(re.compile(r"expected [\d−.-]+ ± [\d.]+ · best so far"), timeout=LONG)
    assert len(trials_in(lab, study_name(page))) == n_before


def test_search_ends_by_itself_when_told_to(lab, open_page):
    page = open_page(f"{lab.url}/{NOISY}&metric=height")
    expect(score(page)).to_be_visible(timeout=LONG)
    page.locator(".st-key-card-by-machine").get_by_role("button", name="Settings").click()
    page.locator(".st-key-machine-stops [data-baseweb=select], .st-key-machine-stops input").first.click()
    page.get_by_role("option", name="below the noise of the best score").click()
    page.keyboard.press("Escape")
    search_for(page, 200)
    expect(page.locator(".lab-progress")).to_contain_text("Stopped by itself: 20 more trials are expected to gain")
    assert 12 <= len(trials_in(lab, study_name(page))) < 200
