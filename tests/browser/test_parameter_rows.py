"""The rows of parameters on Tune: right at any speed, whatever is on its way between browser and server."""

from __future__ import annotations

import re
from typing import Any

import optuna
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

PROBLEM = "?data=iris&model=svm"
STEPS_OF_C = ("1", "1.1", "1.3", "1.5", "1.7", "2", "2.3", "2.6", "3")


def open_tune(open_page: Any, address: str, **options: Any) -> Page:
    page = open_page(address, **options)
    expect(page.locator(".lab-spread")).to_be_visible()
    return page


def row(page: Page, name: str = "C") -> Locator:
    return page.locator(f".st-key-parameter-{name}")


def slider(page: Page, name: str = "C") -> Locator:
    return row(page, name).locator("input[type=range]")


def entry(page: Page, name: str = "C") -> Locator:
    return row(page, name).locator("input[type=text]")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def badge(page: Page) -> Locator:
    return page.locator(".lab-score-card[aria-busy=false] .lab-badge")


def stands_at(page: Page, value: str, trial: int | None = None) -> None:
    """Slider, field and address say the value, and the score is of the trial."""
    expect(slider(page)).to_have_attribute("aria-valuetext", value)
    expect(entry(page)).to_have_value(value)
    expect(badge(page)).to_have_text(re.compile(r"trial \d+" if trial is None else f"trial {trial}$"))


def move_by_keys(page: Page, *keys: str, pause: int = 0) -> None:
    slider(page).focus()
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(pause)


def values_of_c(lab: Any, page: Page) -> list[float]:
    """C of all trials of the page's study, as Optuna itself reads them."""
    (name,) = re.findall(r"study=([^&]+)", page.url)
    return [t.params["C"] for t in optuna.load_study(study_name=name, storage=f"sqlite:///{lab.data}/lab.db").trials]


@pytest.mark.parametrize("pause", [0, 40, 130])
def test_eight_quick_steps_end_eight_steps_on(lab, open_page, pause):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    move_by_keys(page, *["ArrowRight"] * 8, pause=pause)
    expect(entry(page)).to_have_value(STEPS_OF_C[8])
    page.wait_for_url(re.compile(r"p\.C=3\.0"))
    stands_at(page, STEPS_OF_C[8])
    assert values_of_c(lab, page)[-1] == 3.0
    move_by_keys(page, *["ArrowLeft"] * 3, pause=pause)
    page.wait_for_url(re.compile(r"p\.C=2\.0"))
    stands_at(page, STEPS_OF_C[5])


def test_undo_and_redo_in_quick_turns_leave_slider_field_and_score_agreed(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    move_by_keys(page, "PageUp")
    stands_at(page, "4", trial=1)
    move_by_keys(page, "PageUp")
    stands_at(page, "16", trial=2)
    for _ in range(10):
        button(page, "Undo").click()
        stands_at(page, "4", trial=1)
        button(page, "Redo").click()
        stands_at(page, "16", trial=2)
    assert values_of_c(lab, page) == [1.0, 4.0, 16.0]


def test_default_and_best_hold_right_after_a_move(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/?data=digits&model=svm")
    for _ in range(3):
        move_by_keys(page, "PageUp", "ArrowRight", "ArrowRight")
        button(page, "Default").click()
        stands_at(page, "1", trial=0)
        expect(page).not_to_have_url(re.compile(r"p.C="))
    slider(page).press("Home")
    stands_at(page, "0.001")
    button(page, "Best").click()
    expect(page.locator(".lab-against")).to_contain_text("the best so far")
    stands_at(page, slider(page).get_attribute("aria-valuetext") or "")
    expect(entry(page)).not_to_have_value("0.001")


def test_text_left_by_a_click_on_default_does_not_come_back(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}&p.C=20")
    stands_at(page, "20")
    entry(page).fill("7")
    button(page, "Default").click()
    stands_at(page, "1", trial=0)


def test_what_the_server_sets_meanwhile_does_not_move_a_slider_under_the_pointer(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    move_by_keys(page, "PageUp")
    stands_at(page, "4", trial=1)
    box = slider(page).bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, middle, steps=4)
    held = entry(page).input_value()
    assert float(held) < 0.1
    button(page, "Undo").dispatch_event("click")
    expect(badge(page)).to_have_text("trial 0")
    expect(entry(page)).to_have_value(held)
    page.mouse.up()
    stands_at(page, held, trial=2)
    assert values_of_c(lab, page)[-1] == float(held)


def test_text_being_typed_is_left_alone_until_it_is_entered_or_given_up(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}&p.C=20")
    stands_at(page, "20")
    entry(page).fill("5")
    page.locator(".st-key-to-default button").dispatch_event("click")
    expect(slider(page, "gamma")).to_have_attribute("aria-valuetext", "0.25")
    expect(badge(page)).to_have_text("trial 0")
    expect(entry(page)).to_have_value("5")
    entry(page).press("Escape")
    entry(page).blur()
    stands_at(page, "1", trial=0)


def test_two_tabs_of_a_study_each_keep_their_own_place(lab, open_page):
    first = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    move_by_keys(first, "PageUp")
    stands_at(first, "4", trial=1)
    second = open_tune(open_page, first.url)
    stands_at(second, "4", trial=1)
    move_by_keys(second, *["ArrowLeft"] * 4)
    stands_at(second, "2.3")
    move_by_keys(first, *["ArrowRight"] * 10)
    stands_at(first, "16")
    stands_at(second, "2.3")
    assert {1.0, 4.0, 2.3, 16.0} <= set(values_of_c(lab, first))


def test_wrong_text_is_said_at_its_row_until_the_next_move(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    for text, sentence in (("a lot", "C must be a number from"), ("5000", "C must lie from 0.001 to 1000; got 5000")):
        entry(page).fill(text)
        entry(page).press("Enter")
        expect(row(page).get_by_role("alert")).to_contain_text(sentence)
        expect(entry(page)).to_have_value("1")
    expect(row(page, "gamma").get_by_role("alert")).to_have_count(0)
    move_by_keys(page, "ArrowRight")
    stands_at(page, "1.1")
    expect(row(page).get_by_role("alert")).to_have_count(0)


def test_typed_value_is_kept_exactly_and_written_as_the_lab_writes_it(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    entry(page).fill("0,5")
    entry(page).press("Enter")
    stands_at(page, "0.5")
    entry(page).fill("1.2345678")
    entry(page).press("Enter")
    stands_at(page, "1.23457")
    assert values_of_c(lab, page)[-1] == 1.2345678
    move_by_keys(page, "ArrowLeft")
    stands_at(page, "1.1")


def test_row_of_a_parameter_comes_and_goes_with_its_condition(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    expect(page.locator(".st-key-parameters")).to_contain_text("degree only for kernel = poly")
    expect(row(page, "degree")).to_have_count(0)
    page.get_by_role("combobox", name="kernel").select_option("poly")
    expect(slider(page, "degree")).to_have_attribute("aria-valuetext", "3")
    page.get_by_role("button", name="Reset kernel").click()
    expect(row(page, "degree")).to_have_count(0)
    expect(page.get_by_role("combobox", name="kernel")).to_have_value("0")


def test_few_choices_are_radio_buttons_that_keys_move_too(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    page.get_by_role("radio", name="balanced").check()
    page.wait_for_url(re.compile("p.class_weight=balanced"))
    page.get_by_role("radio", name="balanced").press("ArrowLeft")
    expect(page.get_by_role("radio", name="None")).to_be_checked()
    expect(badge(page)).to_have_text("trial 0")
    expect(page).not_to_have_url(re.compile("p.class_weight"))


def test_slider_has_its_name_its_explanation_and_all_its_keys(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    named = page.get_by_role("slider", name="C", exact=True)
    expect(named).to_have_accessible_description(re.compile("From 0.001 to 1,000, on a log scale. Default 1."))
    for key, value in (
        ("End", "1000"),
        ("ArrowRight", "1000"),
        ("PageDown", "250"),
        ("Home", "0.001"),
        ("ArrowUp", "0.0011"),
    ):
        named.press(key)
        expect(named).to_have_attribute("aria-valuetext", value)
    row(page).hover()
    button(page, "About C").hover()
    expect(page.get_by_role("tooltip")).to_contain_text("Name in code: C.")
