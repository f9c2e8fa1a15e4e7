"""Lessons on models in a real browser, each done to its check."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import expect_no_fault
from tests.browser.test_learn import drawn, fact

pytestmark = pytest.mark.browser


def test_playground_is_predicted_turned_and_answered_and_a_link_restores_it(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=playground&model=Nearest+neighbours")
    drawn(page, "model")
    page.locator("[data-testid=stButtonGroup]").get_by_text("Training better, new rows worse").click()
    expect(page).to_have_url(re.compile("did=p1"))
    slider = page.locator(".st-key-knob-playground-n_neighbors input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    expect(fact(page, "Score on training rows")).to_have_text("1.000")
    told = page.locator(".st-key-card-lesson")
    expect(told).to_contain_text("You predicted: training better, new rows worse.")
    expect(told).to_contain_text("neighbours 1, votes uniform")
    expect(page.locator(".lab-check-done")).to_contain_text("With neighbours 5")
    expect_no_fault(page)
    page.goto(page.url)
    expect(fact(page, "Learned")).to_have_text("384 remembered rows")
    page.get_by_role("button", name="Start again").click()
    expect(fact(page, "Score on training rows")).not_to_have_text("1.000")
    expect(page.locator(".st-key-knob-playground-n_neighbors")).to_contain_text("5")


def test_scores_are_predicted_before_they_are_run_and_compared_with_a_surrogate(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=calibration")
    drawn(page, "model")
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_disabled()
    page.locator(".st-key-knob-calibration-max_depth input[type=range]").focus()
    page.keyboard.press("Home")
    expect(run).to_be_enabled()
    page.locator(".st-key-knob-calibration-guess input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-knob-calibration-guess")).to_contain_text("0.81")
    run.click()
    drawn(page, "said")
    drawn(page, "miss")
    expect(page.locator(".st-key-card-lesson")).to_contain_text("You said 0.81 ± 0.1, the surrogate")
    expect(fact(page, "Your range held")).to_have_text("1 of 1")
    expect(run).to_be_disabled()
    expect(page.locator(".lab-lesson-check")).to_contain_text("1 of 5 runs.")
    expect_no_fault(page)
    page.goto(page.url)
    expect(fact(page, "Your range held")).to_have_text("1 of 1")


def test_winning_on_noise_is_predicted_played_and_answered(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=overfitting_noise&folds=2")
    page.locator("[data-testid=stButtonGroup]").get_by_text("About 0.5, as a coin").click()
    drawn(page, "search")
    drawn(page, "looks")
    expect(page.locator(".st-key-card-lesson")).to_contain_text("So it is.")
    expect(page.locator(".film-count")).to_have_text("trial 30 of 30")
    expect(page.locator(".lab-lesson-check")).to_contain_text("Luck still has much room")
    page.locator(".st-key-lesson-overfitting_noise-rows").get_by_text("150").click()
    expect(page.locator(".lab-check-done")).to_contain_text("Right")
    page.mouse.move(0, 0)  # what is hovered is paler for a moment
    expect_no_fault(page)
