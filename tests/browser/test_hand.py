"""The side of the person on Tune: exact values, resets, undo by keys, budgets, new ranges, theme, help."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from hpo_core.problem import make_problem
from hpo_core.search import make_study
from hpo_core.studies.storage import StudyStorage
from tests.finished_trials import finished

pytestmark = pytest.mark.browser

PROBLEM = "?data=iris&model=svm"


def open_tune(open_page, address: str, **options) -> Page:
    page = open_page(address, **options)
    expect(page.locator(".lab-value")).to_be_visible()
    return page


def slider(page: Page, name: str = "C") -> Locator:
    return page.locator(f".st-key-parameter-{name} input[type=range]")


def entry(page: Page, name: str = "C") -> Locator:
    return page.locator(f".st-key-parameter-{name} input[type=text]")


def type_exactly(page: Page, text: str, name: str = "C") -> None:
    entry(page, name).fill(text)
    entry(page, name).press("Enter")


def shows(page: Page, value: str, name: str = "C") -> None:
    """Slider, entry and score all are at the value."""
    expect(slider(page, name)).to_have_attribute("aria-valuetext", value)
    expect(entry(page, name)).to_have_value(value)
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text(re.compile(r"trial \d+"))


def test_typed_value_lies_between_the_stops_and_the_slider_goes_on_from_there(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    type_exactly(page, "3,123")
    expect(page.get_by_text("C must lie from")).to_be_visible()  # three thousand: a comma between thousands
    expect(entry(page)).to_have_value("1")
    type_exactly(page, "3.123")
    shows(page, "3.123")
    expect(page).to_have_url(re.compile("p.C=3.123"))
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    shows(page, "3.5")
    type_exactly(page, "3.123")
    shows(page, "3.123")
    slider(page).focus()
    page.keyboard.press("ArrowLeft")
    shows(page, "3")


def test_text_that_is_no_number_is_said_at_the_parameter_and_changes_nothing(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    type_exactly(page, "a lot")
    expect(page.locator(".st-key-parameters [role=alert]")).to_contain_text("C must be a number from")
    expect(entry(page)).to_have_value("1")
    assert "study=" not in page.url


def test_changed_parameter_is_reset_alone(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}&p.C=10&p.gamma=0.5")
    shows(page, "10")
    page.get_by_role("button", name="Reset C").click()
    shows(page, "1")
    shows(page, "0.5", "gamma")
    expect(page.get_by_role("button", name="Reset C")).to_have_count(0)


def test_undo_and_redo_by_keys_also_while_a_slider_has_the_focus(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    slider(page).focus()
    page.keyboard.press("PageUp")
    shows(page, "4")
    page.keyboard.press("Control+z")
    shows(page, "1")
    page.keyboard.press("Control+Shift+z")
    shows(page, "4")
    entry(page).fill("7")
    page.keyboard.press("Control+z")  # in a field the browser's own undo counts
    expect(slider(page)).to_have_attribute("aria-valuetext", "4")


def test_score_stands_against_default_previous_and_best(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    lines = page.locator(".lab-against tr")
    expect(lines).to_have_count(4)
    before = page.locator(".lab-score-card").bounding_box()
    type_exactly(page, "0.001")
    shows(page, "0.001")
    expect(lines.nth(0)).to_contain_text(re.compile("worse|within noise"))
    expect(lines.nth(1)).to_contain_text(re.compile("worse|within noise"))
    expect(lines.nth(2)).to_contain_text(re.compile("(worse|within noise) · trial 0"))
    assert page.locator(".lab-score-card").bounding_box() == before


def test_running_budget_takes_any_number_and_a_finished_search_goes_on(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/?data=digits&model=decision_tree")
    page.get_by_label("Amount").fill("400")
    page.keyboard.press("Tab")
    page.locator(".st-key-start button").click()
    expect(page.locator(".lab-progress .lab-state-running")).to_be_visible()
    expect(page.locator(".lab-progress")).to_contain_text("2 workers · seed 0")
    page.locator(".st-key-running-budget input").fill("5")
    page.keyboard.press("Enter")
    expect(page.locator(".lab-progress .lab-state-finished")).to_be_visible()
    done = int(page.locator(".lab-progress .lab-note").first.inner_text().split(" of ")[0])
    assert done < 400
    page.get_by_label("Amount").fill("4")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Go on, +4 trials").dblclick()
    expect(page.locator(".lab-progress .lab-note").first).to_contain_text(f"{done + 4} of {done + 4} trials")
    expect(page.locator(".lab-progress .lab-state-finished")).to_be_visible()


def test_new_ranges_make_a_child_that_keeps_what_fits(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    for value in ("10", "100", "0.5"):
        type_exactly(page, value)
        shows(page, value)
    (parent,) = re.findall(r"study=([^&]+)", page.url)
    page.get_by_role("button", name="Change ranges").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Nothing is changed yet")).to_be_visible()
    dialog.get_by_label("C, to").fill("oops")
    dialog.get_by_label("C, to").press("Enter")
    expect(dialog.get_by_text("C needs numbers for its range; got 'oops'")).to_be_visible()
    expect(dialog.get_by_role("button", name="Make child study")).to_be_disabled()
    dialog.get_by_label("C, to").fill("20")
    dialog.get_by_label("C, to").press("Enter")
    expect(dialog.get_by_text("3 of 4 trials fit and are kept")).to_be_visible()
    dialog.get_by_role("button", name="linear").click()
    dialog.get_by_role("button", name="poly").click()
    dialog.get_by_role("button", name="sigmoid").click()
    expect(dialog.get_by_role("button", name="Make child study")).to_be_enabled()
    dialog.get_by_role("button", name="Make child study").click()
    expect(page.locator(".lab-problem")).to_contain_text(f"child of {parent}")
    expect(page.locator(".st-key-parameter-C")).to_contain_text("20")
    expect(page.locator(".st-key-parameters")).to_contain_text("kernel locked at rbf")
    page.get_by_role("link", name=parent, exact=True).click()
    expect(page.locator(".lab-problem")).not_to_contain_text("child of")


def test_best_trial_at_an_end_offers_a_wider_range(lab, new_name, open_page):
    name, child = new_name("at-the-end"), new_name("locked at two")
    study = make_study(StudyStorage.open(folder=lab.data), make_problem("branin"), name)
    places = {"default": (2.0, 5.0), "random": (10.0, 0.5), "tpe": (0.0, 3.0)}
    study.record(
        *(
            finished(configuration={"x": x, "y": 9.0}, value=value, arm=arm, fold_scores=(value,), train_scores=())
            for arm, (x, value) in places.items()
        )
    )
    page = open_tune(open_page, f"{lab.url}/?study={quote(name)}")
    expect(page.locator(".lab-outcome")).to_contain_text("The best trial lies at the upper end of x, 10")
    page.get_by_role("button", name="Widen x").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("x, to")).to_have_value("17.5")
    dialog.locator("[data-testid=stCheckbox] label").first.click()
    expect(dialog.get_by_label("x, locked at")).to_have_value("2")
    dialog.get_by_label("Name").fill(child)
    dialog.get_by_label("Name").press("Enter")
    expect(dialog.get_by_text("1 of 3 trials fit and are kept")).to_be_visible()
    dialog.get_by_role("button", name="Make child study").click()
    expect(page.locator(".lab-problem")).to_contain_text(f"study {child}, child of {name}")
    expect(page.locator(".st-key-parameters")).to_contain_text("x locked at 2")


def test_study_deleted_in_another_tab_is_said_with_a_way_out(lab, new_name, open_page):
    storage, name = StudyStorage.open(folder=lab.data), new_name("short-lived")
    make_study(storage, make_problem("branin"), name)
    page = open_tune(open_page, f"{lab.url}/?study={quote(name)}")
    storage.delete(name)
    page.locator(".st-key-help button:visible").click()
    expect(page.locator(".lab-empty")).to_contain_text(name)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open the first problem").click()
    expect(page.locator("h1", has_text="Digits · SVM")).to_be_visible()


def test_theme_is_one_for_all_pages_and_survives_a_reload(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    is_dark = "() => getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'"
    assert not page.evaluate(is_dark)
    page.locator(".lab-theme").click()
    page.wait_for_function(is_dark)
    page.goto(f"{lab.url}/studies")
    expect(page.locator("h1")).to_have_text("Studies")
    page.wait_for_function(is_dark)
    page.locator(".lab-theme").click()
    page.locator(".lab-theme").click()
    page.wait_for_function(f"() => !({is_dark})()")


def test_help_opens_by_its_key_and_stays_while_the_page_reruns(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("How this works")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    shows(page, "1.1")
    expect(dialog).to_have_count(0)


def test_link_is_copied(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".lab-copy").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()) === location.href")


def test_search_form_is_folded_on_a_phone_and_opens(lab, open_page):
    page = open_tune(open_page, f"{lab.url}/{PROBLEM}", width=390)
    expect(page.locator(".st-key-start button")).to_be_hidden()
    page.get_by_text("By machine").click()
    expect(page.locator(".st-key-start button")).to_be_visible()
