"""The views of a study in a real browser: one filter for all, the table of trials, and studies of other programs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import optuna
import pytest
from playwright.sync_api import Locator, Page, expect

from hpo_core.studies.storage import StudyStorage
from tests.browser.test_live_plot import drag, drawn, pixel, until
from tests.finished_trials import BEGIN, failed, finished, new_study

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PARALLEL = "chart-parallel-plot"


@pytest.fixture(scope="session")
def study(lab: Any) -> str:
    """A study with 300 trials, every seventeenth failed."""
    storage = StudyStorage.open(f"sqlite:///{lab.data}/lab.db")
    made = new_study(storage, "views")
    made.record(*[finished(i) if i % 17 else failed(i) for i in range(300)])
    storage.close()
    return "views"


def rows(page: Page) -> Locator:
    return page.locator(".trial-grid tbody tr")


def numbers(page: Page) -> list[int]:
    return [int(number) for number in rows(page).evaluate_all("rows => rows.map(r => r.dataset.trial)")]


def column(page: Page, name: str) -> list[str]:
    heads = [head.strip() for head in page.locator(".trial-grid thead th").all_inner_texts()]
    place = heads.index(name)
    return rows(page).evaluate_all(f"rows => rows.map(r => r.children[{place}].textContent)")


def tick(page: Page, number: int) -> None:
    page.get_by_label(f"Tick trial {number}", exact=True).check()


def action(page: Page, name: str) -> Locator:
    return page.locator(".st-key-views-trials-actions").get_by_role("button", name=name, exact=True)


def trials_of(lab: Any, name: str) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=f"sqlite:///{lab.data}/lab.db").trials


def test_brush_filters_the_table_and_the_other_charts_until_it_is_cleared(
    lab: Any, study: str, open_page: Open
) -> None:
    page = open_page(f"{lab.url}/study?name={study}&view=parallel")
    drawn(page, PARALLEL)
    drag(page, pixel(page, PARALLEL, 0, 0.4), pixel(page, PARALLEL, 0, 0.8))
    line = page.locator(".lab-filter")
    expect(line).to_have_text(re.compile(r"^C 0\.25\d? to 6[23](\.\d)?: \d+ of 300 trials$"))
    low, high = map(float, re.findall(r"[\d.]+", line.inner_text())[:2])
    inside = [t.number for t in trials_of(lab, study) if low <= t.params["C"] <= high]
    expect(page.locator(".trial-grid-foot")).to_contain_text(f"of {len(inside)}")
    assert set(numbers(page)) <= set(inside)
    drag(page, pixel(page, PARALLEL, 1, 0.45), pixel(page, PARALLEL, 1, 0.6))
    expect(line).to_contain_text("kernel poly")
    expect(page.locator(".trial-grid-foot")).not_to_contain_text(f"of {len(inside)}")
    assert set(column(page, "kernel")) == {"poly"}
    page.get_by_role("tab", name="History").click()
    drawn(page, "chart-history-plot")
    n_poly = page.locator(".trial-grid-foot").inner_text().split()[0]
    shown = page.locator(".st-key-card-chart-history").get_by_text(re.compile("Showing all"))
    expect(shown).to_contain_text(re.compile(r"Showing all \d+ finished"))
    assert int(re.findall(r"all (\d+)", shown.inner_text())[0]) <= int(n_poly)
    page.get_by_role("tab", name="Parallel").click()
    expect(page.locator(".live-plot-brush")).to_have_count(2)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator(".live-plot-brush")).to_have_count(0)
    expect(page.locator(".trial-grid-foot")).to_contain_text("of 300")
    expect(page.get_by_text("All 300 trials")).to_be_visible()


def test_address_keeps_the_chart_and_the_filter(lab: Any, study: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/study?name={study}&view=parallel&only.C=0.1..10&only.kernel=rbf")
    expect(page.locator(".lab-filter")).to_contain_text("C 0.1 to 10 · kernel rbf")
    drawn(page, PARALLEL)
    expect(page.locator(".live-plot-brush")).to_have_count(2)
    page.get_by_role("tab", name="Timeline").click()
    page.wait_for_url(re.compile(r"view=timeline"))
    assert "only.C=0.1..10" in page.url
    page.reload()
    expect(page.get_by_role("tab", name="Timeline")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".lab-filter")).to_contain_text("C 0.1 to 10 · kernel rbf")


@pytest.mark.parametrize("query", ["view=nothing", "only.C=x..y", "only.never=1..2", "only.kernel=%3Cscript%3E"])
def test_address_that_means_nothing_shows_everything(lab: Any, study: str, open_page: Open, query: str) -> None:
    page = open_page(f"{lab.url}/study?name={study}&{query}")
    expect(page.get_by_text("All 300 trials")).to_be_visible()
    drawn(page, "chart-history-plot")


def test_filter_form_does_what_a_brush_does(lab: Any, study: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/study?name={study}&view=parallel&only.C=0.1..10")
    drawn(page, PARALLEL)
    page.get_by_role("button", name="Filter").click()
    lowest = page.get_by_label("C, from")
    expect(lowest).to_have_value("0.1")
    lowest.fill("1")
    lowest.press("Enter")
    expect(page.locator(".lab-filter")).to_contain_text("C 1 to 10")
    expect(page.locator(".live-plot-brush")).to_have_count(1)


def test_table_sorts_by_any_column_and_pages(lab: Any, study: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/study?name={study}")
    known = {t.number: t for t in trials_of(lab, study)}
    complete = [t for t in known.values() if t.value is not None]
    best_first = [t.number for t in sorted(complete, key=lambda t: -t.value)]
    expect(rows(page)).to_have_count(50)
    assert numbers(page) == best_first[:50]
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".trial-grid")).to_have_attribute("data-page", "1")
    assert numbers(page) == best_first[50:100]
    page.get_by_role("button", name="C", exact=True).click()
    expect(page.locator("th[aria-sort]")).to_have_text("C")
    expect(page.locator(".trial-grid")).to_have_attribute("data-page", "0")
    by_c = [t.params["C"] for t in known.values() if "C" in t.params]
    assert [known[n].params["C"] for n in numbers(page)] == sorted(by_c)[:50]
    page.get_by_role("button", name="C", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("C")
    assert [known[n].params["C"] for n in numbers(page)] == sorted(by_c, reverse=True)[:50]


def test_text_and_state_find_trials(lab: Any, study: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/study?name={study}")
    expect(rows(page)).to_have_count(50)
    page.get_by_label("Find trials").fill("singular")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(18)
    assert set(column(page, "state")) == {"failed"}
    page.get_by_label("Find trials").fill("no such thing")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No trial is like this.")).to_be_visible()


def test_two_ticked_trials_stand_side_by_side(lab: Any, study: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/study?name={study}")
    expect(rows(page)).to_have_count(50)
    first, second = numbers(page)[:2]
    expect(action(page, "Compare")).to_be_disabled()
    tick(page, first)
    tick(page, second)
    action(page, "Compare").click()
    heads = page.locator(".lab-compare thead th")
    expect(heads).to_have_count(2)
    expect(heads.nth(0)).to_contain_text(f"trial {first}")
    expect(heads.nth(1)).to_contain_text(f"trial {second}")
    page.get_by_role("button", name="Close", exact=True).click()
    expect(heads).to_have_count(0)


def test_hidden_trial_leaves_every_view_and_comes_back(lab: Any, study: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/study?name={study}")
    expect(rows(page)).to_have_count(50)
    best, second = numbers(page)[:2]
    tick(page, best)
    action(page, "Hide").click()
    expect(page.get_by_text(f"Hidden from all views: trial {best}.")).to_be_visible()
    expect(page.get_by_text("All 299 trials, 1 hidden")).to_be_visible()
    expect(page.locator(".lab-problem")).to_contain_text(f"in trial {second}")
    assert numbers(page)[0] == second
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("All 300 trials")).to_be_visible()
    expect(page.locator(".lab-problem")).to_contain_text(f"in trial {best}")


def test_ticks_stay_on_their_trials_while_others_come(lab: Any, open_page: Open) -> None:
    storage = StudyStorage.open(f"sqlite:///{lab.data}/lab.db")
    made = new_study(storage, "growing")
    made.record(*[finished(i) for i in range(60)])
    page = open_page(f"{lab.url}/study?name=growing")
    expect(rows(page)).to_have_count(50)
    page.get_by_role("button", name="trial", exact=True).click()
    expect(rows(page).first).to_have_attribute("data-trial", "59")
    tick(page, 57)
    page.get_by_label("Tick trial 57", exact=True).focus()
    made.record(*[finished(i, started=BEGIN + i, completed=BEGIN + i + 0.1) for i in range(60, 63)])
    storage.close()
    expect(rows(page).first).to_have_attribute("data-trial", "62")
    expect(page.get_by_label("Tick trial 57", exact=True)).to_be_checked()
    expect(page.get_by_label("Tick trial 57", exact=True)).to_be_focused()
    expect(page.locator(".trial-grid input:checked")).to_have_count(1)
    page.keyboard.press("Space")
    expect(page.locator(".trial-grid input:checked")).to_have_count(0)


def test_study_of_another_program_opens_by_its_address_and_follows_it(fresh_lab: Any, open_page: Open) -> None:
    name = "<b>foreign</b> & 🚀"
    foreign = optuna.create_study(
        study_name=name, storage=f"sqlite:///{fresh_lab.data}/lab.db", directions=["minimize", "maximize"]
    )
    for i in range(5):
        trial = foreign.ask()
        x = trial.suggest_float("x", 0, 1)
        foreign.tell(trial, (x, 100.0 + i))
    page = open_page(f"{fresh_lab.url}/study?name={quote(name)}")
    expect(page.locator("h1")).to_contain_text(name)
    expect(page.locator(".lab-problem")).to_contain_text("made by another program")
    expect(rows(page)).to_have_count(5)
    trial = foreign.ask()
    trial.suggest_float("x", 0, 1)
    expect(page.locator(".lab-state-running")).to_be_visible()
    expect(rows(page)).to_have_count(6)
    foreign.tell(trial, (0.5, 200.0))
    expect(page.locator(".lab-state-running")).to_have_count(0)
    page.get_by_role("radio", name="objective 1").click()
    expect(page.locator(".lab-problem")).to_contain_text("best 200.0 in trial 5")
    assert numbers(page)[0] == 5


def test_study_deleted_elsewhere_is_said_and_the_page_recovers(fresh_lab: Any, open_page: Open) -> None:
    storage = StudyStorage.open(f"sqlite:///{fresh_lab.data}/lab.db")
    new_study(storage, "mine").record(*[finished(i) for i in range(5)])
    page = open_page(f"{fresh_lab.url}/study?name=mine")
    expect(rows(page)).to_have_count(5)
    storage.delete("mine")
    expect(page.get_by_text("There is no study 'mine'")).to_be_visible()
    new_study(storage, "mine").record(*[finished(i) for i in range(3)])
    storage.close()
    expect(rows(page)).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_views_fit_a_phone(lab: Any, study: str, open_page: Open, scheme: str) -> None:
    page = open_page(f"{lab.url}/study?name={study}", width=390, height=844, scheme=scheme)
    expect(rows(page)).to_have_count(50)
    drawn(page, "chart-history-plot")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("place", ["study?name=mine", "studies"])
def test_storage_that_is_away_is_said_and_the_page_comes_back_with_it(
    fresh_lab: Any, open_page: Open, place: str
) -> None:
    storage = StudyStorage.open(f"sqlite:///{fresh_lab.data}/lab.db")
    new_study(storage, "mine").record(*[finished(i) for i in range(5)])
    storage.close()
    fresh_lab.kill()
    kept = {file: file.read_bytes() for file in fresh_lab.data.glob("lab.db*")}
    for file in kept:
        file.unlink()
    (fresh_lab.data / "lab.db").write_bytes(b"this is not a database" * 400)
    fresh_lab.start()
    page = open_page(f"{fresh_lab.url}/{place}")
    expect(page.get_by_text("is not a database")).to_be_visible()
    for file, content in kept.items():
        file.write_bytes(content)
    expect(page.get_by_text("is not a database")).to_have_count(0)
    expect(page.get_by_text("mine", exact=True).first).to_be_visible()


def test_trial_of_the_table_is_loaded_and_a_new_one_is_marked(lab: Any, open_page: Open) -> None:
    page = open_page(f"{lab.url}/?data=iris&model=svm")
    expect(page.locator(".lab-value")).to_be_visible()
    slider = page.locator(".st-key-parameter-C input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text("trial 1")
    drawn(page, "chart-history-plot")
    page.evaluate(
        """() => { const look = () => { window.wasMarked ||= !!document.querySelector('.live-plot-newest circle'); };
        new MutationObserver(look).observe(document.body, { childList: true, subtree: true }); }"""
    )
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(rows(page)).to_have_count(3)
    until(page, "window.wasMarked === true")
    tick(page, 0)
    action(page, "Load").click()
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text("trial 0")
    expect(page).not_to_have_url(re.compile(r"p.C="))


def test_filter_becomes_the_ranges_of_a_child_study(lab: Any, open_page: Open) -> None:
    page = open_page(f"{lab.url}/?data=iris&model=svm")
    expect(page.locator(".lab-value")).to_be_visible()
    page.locator(".st-key-parameter-C input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text("trial 1")
    page.get_by_role("tab", name="Parallel").click()
    drawn(page, PARALLEL)
    drag(page, pixel(page, PARALLEL, 0, 0.4), pixel(page, PARALLEL, 0, 0.8))
    low, high = re.findall(r"[\d.]+", page.locator(".lab-filter").inner_text())[:2]
    page.get_by_role("button", name="Search only here").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 of 2 trials fit")
    assert dialog.locator("input[type=text]").first.input_value() == low
    assert dialog.locator("input[type=text]").nth(1).input_value() == high


def test_study_that_somebody_deletes_is_said_beside_the_charts(lab: Any, open_page: Open) -> None:
    page = open_page(f"{lab.url}/?data=iris&model=nearest_neighbours")
    expect(page.locator(".lab-value")).to_be_visible()
    page.locator(".st-key-parameter-n_neighbors input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(rows(page)).to_have_count(2)
    (name,) = re.findall(r"study=([^&]+)", page.url)
    storage = StudyStorage.open(f"sqlite:///{lab.data}/lab.db")
    storage.delete(name)
    storage.close()
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text("has been deleted")
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
