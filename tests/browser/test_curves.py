"""The curves card on Tune, found again after a reload; and what was done to a study, marked and listed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_curves_are_drawn_on_demand_and_found_again(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=nearest_neighbours")
    expect(page.locator(".lab-value")).to_be_visible()
    page.locator(".st-key-parameters input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("tab", name="Conclude").click()
    page.get_by_role("radio", name="Learning curves").click()
    card = page.locator(".st-key-curves-step")
    expect(card).to_contain_text(re.compile(r"8 points × 5 folds = 40 fits"))
    card.get_by_role("button", name="Draw the curve").click()
    words = card.locator(".lab-outcome")
    expect(words).to_contain_text(re.compile("levelled off|More rows"))
    expect(words).to_contain_text(re.compile("gap"))
    expect(card).to_contain_text("Learning curve of trial 1")
    expect(card.locator(".js-plotly-plot")).to_be_visible()
    expect(card).to_contain_text("All 40 fits are known already")
    card.get_by_role("radio", name="a parameter").click()
    expect(card.get_by_text(re.compile(r"fits, \d+ of them known"))).to_be_visible()
    card.get_by_role("button", name="Draw the curve").click()
    expect(card).to_contain_text("Validation curve over")
    expect(words).to_contain_text(re.compile("is the best of these|Best is"))
    page.reload()
    expect(card).to_contain_text("Validation curve over")
    card.get_by_role("button", name="Numbers").click()
    expect(page.get_by_role("button", name="CSV").last).to_be_visible()
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Close").click()
    expect(card.locator(".js-plotly-plot")).to_have_count(0)


def test_what_was_done_is_marked_and_listed(lab, open_page):
    page = open_page(f"{lab.url}/?data=branin")
    expect(page.locator(".lab-value")).to_be_visible()
    page.get_by_label("Amount").fill("8")
    page.keyboard.press("Tab")
    page.locator(".st-key-start button").click()
    expect(page.locator(".lab-progress .lab-state-finished")).to_be_visible()
    expect(page.locator(".legendtext", has_text="what was done").first).to_be_visible()
    page.get_by_text("What was done to this study, by whom and when").click()
    log = page.locator(".lab-steering")
    expect(log).to_contain_text("search started: Auto, 8 trials")
    expect(log).to_contain_text("a person in the lab")
    expect(log).to_contain_text("search finished")
