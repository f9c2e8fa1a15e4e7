"""Lessons in a real browser: lesson 1 by mouse and by keyboard to its reveal, from a link too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import LOOKS, expect_no_fault

pytestmark = pytest.mark.browser
WALKED = "learn?lesson=landscape&steps=16&did=68jj.cld4"


def drawn(page, board="you"):
    plot = page.locator(f"[data-board={board}] .film-plot[data-drawn]")
    expect(plot).to_be_visible()
    return plot


def fact(page, label):
    return page.locator(f".lab-lesson-facts div:has(dt:text-is('{label}')) dd")


def test_lesson_1_is_played_to_its_reveal_and_a_link_restores_it(lab, open_page):
    page = open_page(f"{lab.url}/learn")
    page.get_by_role("button", name="Open lesson 1", exact=True).click()
    board = drawn(page)
    expect(page.get_by_role("button", name="Send the drones")).to_be_disabled()
    board.click(position={"x": 150, "y": 150})
    expect(fact(page, "Steps left")).to_have_text("23 of 25")
    board.focus()
    for _ in range(3):  # faster than the server answers
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    expect(fact(page, "Steps left")).to_have_text("19 of 25")
    page.locator("[data-testid=stButtonGroup]").get_by_text("Bayesian").click()
    page.get_by_role("button", name="Send the drones").click()
    drawn(page, "regret")
    expect(page.locator("[data-board] .heatmaplayer .hm")).to_have_count(0)
    page.get_by_label("Speed").select_option("16")
    if page.get_by_role("button", name="Play", exact=True).count():
        page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".film-count")).to_have_text("step 25 of 25")
    expect(page).to_have_url(re.compile("step=25"))
    page.get_by_role("button", name="Lift the fog").click()
    expect(page.locator("[data-board=grid] .heatmaplayer image")).to_have_count(1)
    told = page.locator(".st-key-card-lesson")
    expect(told).to_contain_text(re.compile(r"You ended .* below the summit, \w+ of 6, with 6 of 25 steps"))
    expect(told).to_contain_text("You predicted Bayesian")
    words, address = page.locator(".lab-lesson-told li").all_inner_texts(), page.url
    page.get_by_label("step shown", exact=False).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-board=random] path.point:visible")).to_have_count(24 + 3)  # and the stars of the summits
    page.goto(address)
    expect(page.locator(".lab-lesson-told li")).to_have_text(words)


def test_check_of_lesson_1_ticks_it_for_the_browser_session(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=landscape&terrain=Himmelblau&did=68jj.fly&step=25&revealed=1")
    expect(page.locator(".lab-check-done")).to_contain_text("Right: on Himmelblau")
    page.get_by_role("button", name="All lessons").click()
    card = page.locator(".st-key-card-lesson-landscape")
    expect(card).to_contain_text("✓ done")
    page.reload()
    expect(card).to_contain_text("✓ done")


def test_settings_begin_anew_and_stand_in_the_address(lab, open_page):
    page = open_page(f"{lab.url}/{WALKED}")
    drawn(page)
    expect(fact(page, "Steps left")).to_have_text("13 of 16")
    page.locator(".st-key-lesson-landscape-noise").get_by_text("some").click()
    expect(fact(page, "Steps left")).to_have_text("15 of 16")
    expect(page).to_have_url(re.compile("noise=some"))
    assert "did=" not in page.url


def test_film_stands_still_where_less_motion_is_wanted(lab, open_page):
    page = open_page("about:blank")
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{lab.url}/{WALKED}.fly")
    drawn(page, "regret")
    page.wait_for_timeout(1500)
    expect(page.locator(".film-count")).to_have_text("step 0 of 16")
    page.get_by_role("button", name="One step on").click()
    expect(page.locator(".film-count")).to_have_text("step 1 of 16")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_nothing_serious_is_found_and_nothing_scrolls_sideways(lab, open_page, scheme, width):
    page = open_page(f"{lab.url}/learn", width=width, scheme=scheme)
    expect(page.get_by_role("button", name="Open lesson 1", exact=True)).to_be_visible()
    expect_no_fault(page)
    for address in (WALKED, f"{WALKED}.fly&step=16&revealed=1"):
        page.goto(f"{lab.url}/{address}")
        drawn(page)
        expect_no_fault(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_lesson_2_is_predicted_played_and_answered(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=grid_or_random")
    page.locator("[data-testid=stButtonGroup]").get_by_text("grid 3, random 9").click()
    drawn(page, "grid")
    drawn(page, "random")
    expect(page.locator(".st-key-card-lesson")).to_contain_text("You predicted grid 3, random 9, and so it is.")
    expect(fact(page, "Values of the first parameter")).to_have_text("grid 3, random 9")
    expect(fact(page, "Random ahead, of 100 seeds")).to_have_text(re.compile(r"\d+"))
    expect(page.locator(".film-count")).to_have_text("trial 9 of 9")
    page.locator(".st-key-lesson-grid_or_random-parameters input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(fact(page, "Values of the first parameter")).to_have_text("grid 1, random 9")
    page.goto(f"{lab.url}/learn?lesson=grid_or_random&importance=50&trials=16&did=guessed&step=16")
    expect(page.locator(".lab-check-done")).to_contain_text("a grid is about as good")
    expect_no_fault(page)


def test_lesson_3_is_predicted_by_mouse_and_by_keyboard(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=bayesian")
    drawn(page, "belief").click(position={"x": 400, "y": 200})
    expect(page.locator(".st-key-card-lesson")).to_contain_text("your prediction", ignore_case=True)
    expect(fact(page, "Looks")).to_have_text("3")
    page.get_by_role("button", name="Let it look there").click()
    expect(fact(page, "Looks")).to_have_text("4")
    expect(page.locator(".lab-lesson-told")).to_have_count(0)
    board = drawn(page, "belief")
    board.focus()
    expect(page.locator(".film-cross")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(fact(page, "Predictions within a tenth of the range")).to_have_text(re.compile("of 2"))
    expect_no_fault(page)
    page.locator(".st-key-lesson-bayesian-exploration input[type=range]").focus()
    page.keyboard.press("End")
    expect(page.locator(".lab-check-done")).to_contain_text("it looks where it knows least")
    expect(fact(page, "Looks")).to_have_text("4")
    page.goto(f"{lab.url}/learn?lesson=bayesian&dimensions=two&did=pdwdw&revealed=1")
    for key in ("belief_two", "doubt", "promise", "true"):
        drawn(page, key)
    expect_no_fault(page)


def test_inside_lessons_are_predicted_and_answered(lab, open_page):
    page = open_page(f"{lab.url}/learn?lesson=evolution&method=Differential+evolution&strength=small&terrain=Ackley")
    drawn(page, "map").click(position={"x": 150, "y": 150})
    drawn(page, "chart")
    expect(page.locator(".st-key-card-lesson")).to_contain_text(re.compile("next centre"))
    expect(page.locator(".lab-check-done")).to_contain_text("their children are alike too")
    expect(page).to_have_url(re.compile("did="))
    page.goto(f"{lab.url}/learn?lesson=hyperband&longest=27&curves=curves+cross")
    page.locator("[data-testid=stButtonGroup]").get_by_text("B", exact=True).click()
    drawn(page, "workers")
    expect(page.locator(".st-key-card-lesson")).to_contain_text("You predicted B")
    page.goto(f"{lab.url}/learn?lesson=population_based_training")
    page.locator("[data-testid=stButtonGroup]").get_by_text("about 1.2").click()
    drawn(page, "turns")
    expect(page.locator(".st-key-card-lesson")).to_contain_text("You predicted about 1.2; it reached 1.")
    page.get_by_text("Explore", exact=True).click()
    expect(page.locator(".lab-check-done")).to_contain_text("copying alone ends at 0.39")
    expect_no_fault(page)
    page.goto(f"{lab.url}/learn?lesson=gradient&surface=Rastrigin&start=40&stride=2")
    page.locator("[data-testid=stButtonGroup]").get_by_text("It arrives at the lowest place").click()
    expect(page.locator(".st-key-card-lesson")).to_contain_text("and so it is")
    expect(page.locator(".lab-check-done")).to_contain_text("the hollow that it begins in")
    page.goto(f"{lab.url}/learn?lesson=architecture&leaves=the+weakest&noise=much")
    page.locator("[data-testid=stButtonGroup]").get_by_text("when it looks weakest").click()
    drawn(page, "lives")
    expect(page.locator(".st-key-card-lesson")).to_contain_text("and so it is")
    expect(page.locator(".lab-check-done")).to_contain_text("a lucky look lasts")
    page.goto(f"{lab.url}/learn?lesson=automl&kept=3")
    page.locator("[data-testid=stButtonGroup]").get_by_text("Kernel ridge").click()
    for key in ("pipeline", "race", "turns"):
        drawn(page, key)
    # Who ends first may differ between processors, on which fits differ in their last digits.
    expect(page.locator(".st-key-card-lesson")).to_contain_text(
        re.compile(r"You predicted Kernel ridge[.,] (and so|It) ")
    )
    expect(page.locator(".lab-lesson-check")).to_contain_text(re.compile("overtook|leads from its defaults"))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_adviser_changes_its_mind_and_its_advice_is_taken_to_tune(lab, open_page, scheme, width):
    page = open_page(f"{lab.url}/learn", width=width, scheme=scheme)
    page.get_by_role("button", name="Which method when?").click()
    first = page.locator(".lab-advice").first
    expect(first).to_contain_text("1. Auto")
    expect(page.get_by_role("region", name="All methods").get_by_role("rowheader", name="Hyperband")).to_be_attached()
    expect_no_fault(page)
    page.get_by_role("radio", name="a list made before").click()
    expect(first).to_contain_text("It learns nothing from the results.")
    label = first.locator("b").inner_text().removeprefix("1. ")
    page.get_by_role("button", name="Take it").first.click()
    expect(page.locator(".lab-value")).to_be_visible()
    expect(page.get_by_role("combobox", name="Method")).to_have_value(label)
