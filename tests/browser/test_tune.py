"""Tune as a person uses it: nudges, a search beside them, and whatever happens to the server meanwhile."""

from __future__ import annotations

import re
from typing import Any

import optuna
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

SECONDS = 1000
LONG = 90 * SECONDS
PROBLEM = "?data=iris&model=svm"
SLOW_PROBLEM = "?data=digits&model=random_forest"


def score(page: Page) -> Locator:
    return page.locator(".lab-score:not(.lab-waiting)")


def state(page: Page, name: str) -> Locator:
    return page.locator(f".lab-progress .lab-state-{name}")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-card-by-machine .st-key-{key} button").click()


def nudge(page: Page, parameter: str, steps: int = 1) -> None:
    slider = page.locator(f".st-key-parameter-{parameter} input[type=range]").first
    slider.focus()
    for _ in range(steps):
        page.keyboard.press("ArrowRight")


def wait_for_trial(page: Page, number: int) -> None:
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text(f"trial {number}", timeout=LONG)


def study_name(page: Page) -> str:
    page.wait_for_url(re.compile("study="), timeout=LONG)
    (name,) = re.findall(r"study=([^&]+)", page.url)
    return name


def n_done(page: Page) -> int:
    text = page.locator(".lab-progress .lab-note").first.inner_text()
    return int(text.split(" of ")[0])


def trials_in(lab: Any, name: str) -> list[optuna.trial.FrozenTrial]:
    """The trials of a study as Optuna itself reads them."""
    return optuna.load_study(study_name=name, storage=f"sqlite:///{lab.data}/lab.db").trials


def test_opens_with_the_default_configuration_scored(lab, open_page):
    page = open_page(lab.url + "/")
    expect(page.locator("h1", has_text="Digits · SVM")).to_be_visible(timeout=LONG)
    expect(score(page)).to_contain_text(re.compile(r"0\.9\d\d\d"), timeout=LONG)
    expect(page.locator(".lab-spread")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("the library's default configuration")).to_be_visible()
    assert not (lab.data / "lab.db-journal").exists()


def test_nudges_become_trials_of_a_study_that_the_address_names(lab, open_page):
    page = open_page(f"{lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    nudge(page, "C")
    wait_for_trial(page, 1)
    nudge(page, "C")
    wait_for_trial(page, 2)
    recorded = trials_in(lab, study_name(page))
    assert [t.user_attrs["arm"] for t in recorded] == ["default", "manual", "manual"]
    assert recorded[0].params["C"] == 1.0 < recorded[1].params["C"] < recorded[2].params["C"]
    expect(page).to_have_url(re.compile("p.C="))


def test_undo_goes_back_without_a_new_trial(lab, open_page):
    page = open_page(f"{lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    nudge(page, "C")
    wait_for_trial(page, 1)
    page.get_by_role("button", name="Undo").click()
    wait_for_trial(page, 0)
    expect(page).not_to_have_url(re.compile(r"p.C="))
    assert len(trials_in(lab, study_name(page))) == 2


def test_address_restores_the_parameters_and_names_what_it_cannot(lab, open_page):
    page = open_page(f"{lab.url}/?data=branin&p.x=3&p.nothing=7&p.y=99")
    expect(page.get_by_label("x, exact value")).to_have_value("3", timeout=LONG)
    expect(page.get_by_text("sets nothing = '7'")).to_be_visible()
    expect(page.get_by_text("y must lie from 0 to 15; got 99")).to_be_visible()


def test_address_brings_somebody_to_a_method_and_names_what_means_nothing(lab, open_page):
    page = open_page(f"{lab.url}/?data=branin&method=tpe&colour=green")
    machine = page.get_by_label("Method", exact=True)
    expect(machine).to_have_value("TPE", timeout=LONG)
    expect(page.get_by_text("The address says colour: that means nothing here.")).to_be_visible()
    machine.click()
    page.get_by_role("option", name="Sobol", exact=True).click()
    expect(page).to_have_url(re.compile(r"method=sobol"), timeout=LONG)
    page.reload()
    expect(machine).to_have_value("Sobol", timeout=LONG)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("method=witchcraft", "There is no method 'witchcraft'"),
        ("method=gradient", "Random forest cannot be differentiated"),
    ],
)
def test_method_that_cannot_be_had_is_said_and_another_is_offered(lab, open_page, query, sentence):
    page = open_page(f"{lab.url}/?data=iris&model=random_forest&{query}")
    expect(page.get_by_text(sentence)).to_be_visible(timeout=LONG)
    expect(page.get_by_label("Method", exact=True)).to_have_value("Auto")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?data=nowhere", "There are no data 'nowhere'"),
        ("?data=iris&model=oracle", "There is no model 'oracle'"),
        ("?data=iris&model=svm&metric=luck", "There is no metric 'luck'"),
        ("?data=iris&model=svm&folds=many", "must be a number"),
        ("?study=never", "never"),
        ("?data=../../etc/passwd&model=svm", "There are no data"),
    ],
)
def test_address_that_cannot_be_opened_says_why_and_offers_a_way_out(lab, open_page, query, sentence):
    page = open_page(f"{lab.url}/{query}")
    expect(page.get_by_text("This address cannot be opened")).to_be_visible(timeout=LONG)
    expect(page.locator(".lab-empty")).to_contain_text(sentence)
    page.get_by_role("button", name="Open the first problem").click()
    expect(page.locator("h1", has_text="Digits · SVM")).to_be_visible(timeout=LONG)


def test_page_is_not_drawn_anew_when_a_search_begins_and_ends(lab, open_page):
    page = open_page(f"{lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    card = page.locator(".st-key-card-by-hand")
    card.evaluate("card => card.dataset.mark = 'the same'")
    page.get_by_label("Amount").fill("4")
    page.keyboard.press("Tab")
    press(page, "start")
    expect(page.get_by_text("1 running")).to_be_visible(timeout=LONG)
    expect(card).to_have_attribute("data-mark", "the same")
    expect(state(page, "finished")).to_be_visible(timeout=2 * LONG)
    expect(page.get_by_text("1 running")).to_have_count(0, timeout=LONG)
    expect(card).to_have_attribute("data-mark", "the same")


def test_search_runs_to_its_end_beside_the_sliders(lab, open_page):
    page = open_page(f"{lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    page.get_by_label("Amount").fill("12")
    page.keyboard.press("Tab")
    press(page, "start")
    expect(state(page, "finished")).to_be_visible(timeout=2 * LONG)
    expect(page.locator(".lab-arm-machine").last).to_contain_text("trial")  # for a moment the old one stays
    recorded = trials_in(lab, study_name(page))
    assert len(recorded) == 13
    assert {t.user_attrs["arm"] for t in recorded} == {"default", "auto"}
    for tab in ("Parallel", "Surface", "History"):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(".live-plot .main-svg").first).to_be_visible(timeout=LONG)
    n_complete = sum(trial.state.name == "COMPLETE" for trial in recorded)  # the others lost the race
    expect(page.get_by_text(re.compile(f"Showing all {n_complete} finished"))).to_be_visible(timeout=LONG)
    assert n_complete < 13


def test_two_clicks_on_start_begin_one_search(lab, open_page):
    page = open_page(f"{lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    page.get_by_label("Amount").fill("6")
    page.keyboard.press("Tab")
    page.locator(".st-key-start button").dblclick()
    expect(page.locator(".lab-progress .lab-badge").first).to_have_text(
        re.compile("finished|stopped"), timeout=2 * LONG
    )
    arms = [t.user_attrs["arm"] for t in trials_in(lab, study_name(page))]
    assert arms.count("auto") <= 6


def test_search_survives_reload_and_a_killed_server_and_stops_on_demand(fresh_lab, open_page):
    page = open_page("about:blank", may_complain=True)  # its server is killed on purpose
    page.goto(f"{fresh_lab.url}/{SLOW_PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    page.get_by_label("Amount").fill("500")
    page.keyboard.press("Tab")
    press(page, "start")
    expect(state(page, "running")).to_be_visible(timeout=LONG)
    name = study_name(page)

    press(page, "pause")
    expect(state(page, "paused")).to_be_visible(timeout=LONG)
    page.reload()
    expect(state(page, "paused")).to_be_visible(timeout=LONG)
    press(page, "resume")
    expect(state(page, "running")).to_be_visible(timeout=LONG)

    before = n_done(page)
    fresh_lab.kill()
    fresh_lab.start()
    page.goto(f"{fresh_lab.url}/?study={name}")
    expect(state(page, "running")).to_be_visible(timeout=LONG)
    page.wait_for_function(
        "n => parseInt(document.querySelector('.lab-progress .lab-note').innerText) > n", arg=before, timeout=LONG
    )
    other_tab = open_page(f"{fresh_lab.url}/?study={name}")
    expect(state(other_tab, "running")).to_be_visible(timeout=LONG)

    press(page, "stop")
    expect(state(page, "stopped")).to_be_visible(timeout=LONG)
    expect(state(other_tab, "stopped")).to_be_visible(timeout=LONG)
    numbers = [t.number for t in trials_in(fresh_lab, name)]
    assert numbers == list(range(len(numbers)))
    assert all(t.state.is_finished() for t in trials_in(fresh_lab, name))


def test_studies_page_lists_what_was_tuned_and_opens_it(fresh_lab, open_page):
    page = open_page(f"{fresh_lab.url}/studies")
    expect(page.get_by_text("No studies yet")).to_be_visible(timeout=LONG)
    page.goto(f"{fresh_lab.url}/{PROBLEM}")
    expect(score(page)).to_be_visible(timeout=LONG)
    nudge(page, "C")
    wait_for_trial(page, 1)
    page.goto(f"{fresh_lab.url}/studies")
    page.get_by_role("link", name="iris-svm-1").click()
    expect(page.locator(".lab-problem")).to_contain_text("iris-svm-1", timeout=LONG)
    expect(page.locator(".lab-arm-manual")).to_contain_text("trial 1", timeout=LONG)


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_scrolls_sideways(lab, open_page, width):
    page = open_page(f"{lab.url}/{PROBLEM}", width=width)
    expect(score(page)).to_be_visible(timeout=LONG)
    nudge(page, "C")
    wait_for_trial(page, 1)
    expect(page.locator(".live-plot .main-svg").first).to_be_visible(timeout=LONG)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
