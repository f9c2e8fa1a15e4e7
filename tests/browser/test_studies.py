"""The list of studies in a real browser: rename, delete and undo, steer, family, compare, and two tabs at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from optuna.trial import TrialState
from playwright.sync_api import Locator, Page, expect

from hpo_core.problem import Problem, make_problem
from hpo_core.search import make_study
from hpo_core.search.child import make_child
from hpo_core.space import Range
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.trial import FinishedTrial
from tests.browser.lab_server import ROOT, LabServer, serving

pytestmark = pytest.mark.browser

LONG = 90_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with serving(ROOT / "app.py", tmp_path_factory.mktemp("studies")) as server:
        yield server


@pytest.fixture
def empty_lab(server: LabServer) -> LabServer:
    """A lab without studies."""
    storage = StudyStorage.open(folder=server.data)
    storage.discard(*(study.name for study in storage.summaries()))
    storage.purge(kept_seconds=0.0)
    return server


@pytest.fixture
def storage(empty_lab: LabServer) -> StudyStorage:
    return StudyStorage.open(folder=empty_lab.data)


@pytest.fixture(scope="module")
def iris() -> Problem:
    return make_problem("iris", "svm")


def filled(storage: StudyStorage, problem: Problem, name: str, level: float = 0.9, count: int = 6) -> Study:
    """A study with trials around a level; the first is the default configuration."""
    rng = np.random.default_rng(count)
    study = make_study(storage, problem, name)
    configurations = [problem.space.default()]
    configurations += [problem.space.from_unit(rng.uniform(size=len(problem.space))) for _ in range(count - 1)]
    study.record(*(_trial(problem, c, level + rng.normal(0, 0.002, problem.n_folds)) for c in configurations))
    return study


def _trial(problem: Problem, configuration: dict[str, Any], folds: np.ndarray) -> FinishedTrial:
    scores = tuple(folds.tolist())
    return FinishedTrial(
        configuration=configuration,
        state=TrialState.COMPLETE,
        value=problem.value(scores),
        arm="manual",
        started=1.7e9,
        completed=1.7e9 + 1,
        fold_scores=scores,
    )


def row_of(page: Page, name: str) -> Locator:
    link = page.get_by_role("link", name=name, exact=True)
    return page.locator("[class*=st-key-study-row-]").filter(has=link)


def choose(page: Page, name: str, action: str) -> None:
    row_of(page, name).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def tick(page: Page, name: str) -> None:
    row_of(page, name).locator("label").first.click()
    expect(row_of(page, name).get_by_role("checkbox")).to_be_checked()


def test_renaming_says_its_faults_in_the_dialog(empty_lab, storage, iris, open_page):
    for name in ("first", "second"):
        filled(storage, iris, name)
    page = open_page(f"{empty_lab.url}/studies")
    choose(page, "first", "Rename")
    field = page.get_by_role("dialog").get_by_label("New name")
    field.fill("second")
    field.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("There is a study 'second' already")
    field.fill("renamed <b>")
    field.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row_of(page, "renamed <b>")).to_be_visible()
    expect(row_of(page, "first")).to_have_count(0)


def test_deleting_asks_once_names_the_study_and_can_be_undone(empty_lab, storage, iris, open_page):
    for name in ("kept", "doomed"):
        filled(storage, iris, name)
    page = open_page(f"{empty_lab.url}/studies")
    choose(page, "doomed", "Delete")
    expect(page.get_by_role("dialog")).to_contain_text("doomed and its 6 trials are deleted")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    choose(page, "doomed", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("doomed is deleted")
    expect(row_of(page, "doomed")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, "doomed")).to_contain_text("6")
    expect(page.get_by_role("status")).to_contain_text("doomed is back")


def test_children_stand_below_their_parent_and_open(empty_lab, storage, iris, open_page):
    parent = filled(storage, iris, "parent")
    filled(storage, iris, "other")
    child = make_child(storage, parent, {"C": Range(low=0.1, high=10.0)})
    page = open_page(f"{empty_lab.url}/studies")
    expect(row_of(page, child.name)).to_contain_text("child of parent")
    links = page.locator(".lab-study .lab-link").all_inner_texts()
    assert links.index(child.name) == links.index("parent") + 1
    row_of(page, child.name).get_by_role("button", name="Open").click()
    expect(page.get_by_text(f"study {child.name}")).to_be_visible(timeout=LONG)
    assert f"study={child.name}" in page.url


def test_ticked_studies_are_compared_with_a_verdict_and_without_luck(empty_lab, storage, iris, open_page):
    filled(storage, iris, "poor", 0.80)
    table = filled(storage, iris, "good", 0.95).read()
    page = open_page(f"{empty_lab.url}/studies")
    tick(page, "poor")
    tick(page, "good")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".lab-compare-verdict")).to_contain_text("Beyond noise, good is better than poor")
    expect(page.locator(".live-plot .main-svg").first).to_be_visible()
    expect(page.get_by_role("region", name="Luck")).to_contain_text("better")
    assert re.search(r"compare\?study=poor&study=good", page.url)
    page.get_by_role("link", name="good", exact=True).click()
    expect(page.get_by_text("study good")).to_be_visible(timeout=LONG)
    best = table.configuration(table.best())["C"]
    expect(page.locator(".st-key-parameter-C input[type=text]")).to_have_value(f"{best:.6g}")


def test_studies_that_do_not_compare_say_why(empty_lab, storage, iris, open_page):
    filled(storage, iris, "here")
    filled(storage, make_problem("wine", "svm"), "there")
    page = open_page(f"{empty_lab.url}/compare?study=here&study=there&study=nowhere")
    expect(page.locator(".lab-compare-verdict")).to_contain_text("different data (iris, wine)")
    expect(page.get_by_text("There is no study 'nowhere'")).to_be_visible()
    expect(page.locator(".lab-verdict")).to_have_count(0)
    expect(page.locator(".live-plot")).to_have_count(0)
    page.goto(f"{empty_lab.url}/compare")
    expect(page.locator(".lab-empty")).to_contain_text("Nothing to compare yet")


def test_study_deleted_in_another_tab_leaves_by_itself_and_its_dialog_says_so(empty_lab, storage, iris, open_page):
    for name in ("first", "second"):
        filled(storage, iris, name)
    page = open_page(f"{empty_lab.url}/studies")
    tick(page, "first")
    choose(page, "second", "Rename")
    expect(page.get_by_role("dialog")).to_be_visible()
    storage.delete("second")
    expect(row_of(page, "second")).to_have_count(0)  # the list renews itself behind the dialog
    field = page.get_by_role("dialog").get_by_label("New name")
    field.fill("third")
    field.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("There is no study 'second'")
    page.keyboard.press("Escape")
    expect(row_of(page, "first").get_by_role("checkbox")).to_be_checked()


def test_running_search_is_paused_resumed_and_stopped_from_its_row(empty_lab, open_page):
    page = open_page(f"{empty_lab.url}/?data=digits&model=random_forest")
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)
    page.get_by_label("Amount").fill("300")
    page.keyboard.press("Tab")
    page.locator(".st-key-start button").click()
    expect(page.locator(".lab-progress .lab-state-running")).to_be_visible(timeout=LONG)
    page.goto(f"{empty_lab.url}/studies")
    row = row_of(page, "digits-random_forest-1")
    expect(row.locator(".lab-state-running")).to_be_visible()
    expect(row).to_contain_text("of 300 trials")
    tick(page, "digits-random_forest-1")
    choose(page, "digits-random_forest-1", "Pause")
    expect(row.locator(".lab-state-paused")).to_be_visible()
    choose(page, "digits-random_forest-1", "Go on")
    expect(row.locator(".lab-state-running")).to_be_visible()
    choose(page, "digits-random_forest-1", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Stop the run first")
    page.keyboard.press("Escape")
    choose(page, "digits-random_forest-1", "Stop")
    expect(row.locator(".lab-state-stopped")).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()


def test_list_is_used_by_keyboard_alone_and_fits_a_phone(empty_lab, storage, iris, open_page):
    filled(storage, iris, "only")
    page = open_page(f"{empty_lab.url}/studies", width=390, height=844)
    expect(row_of(page, "only")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    row_of(page, "only").get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menu").press("End")  # takes the focus, which the menu itself takes only once it is drawn
    expect(page.get_by_role("menuitem", name="Delete")).to_have_attribute("data-focused", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("only and its 6 trials")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
