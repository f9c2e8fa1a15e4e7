"""What a person sees when something breaks underneath: one sentence, nothing lost, and a way to go on."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import Page, expect

from hpo_core.studies.storage import StudyStorage
from tests.browser.lab_server import LabServer

pytestmark = pytest.mark.browser

LONG = 90_000


def kill_runner(lab: LabServer) -> None:
    (summary,) = StudyStorage.open(folder=lab.data).summaries()
    os.kill(summary.run.owner.pid, signal.SIGKILL)


def start_search(page: Page, trials: int) -> None:
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)
    page.get_by_label("Amount").fill(str(trials))
    page.keyboard.press("Tab")
    page.locator(".st-key-start button").click()
    expect(page.locator(".lab-progress .lab-state-running")).to_be_visible(timeout=LONG)


def test_runner_that_dies_is_said_and_resumes(fresh_lab, open_page):
    page = open_page(f"{fresh_lab.url}/?data=digits&model=random_forest")
    start_search(page, 300)
    kill_runner(fresh_lab)
    expect(page.locator(".lab-progress .lab-state-died")).to_be_visible(timeout=LONG)
    expect(page.locator(".lab-progress")).to_contain_text("Resume to go on where it stopped")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".lab-progress .lab-state-running")).to_be_visible(timeout=LONG)
    page.locator(".st-key-card-by-machine .st-key-stop button").click()
    expect(page.locator(".lab-progress .lab-state-stopped")).to_be_visible(timeout=LONG)


def test_what_the_search_found_is_judged_and_can_be_put_on_the_sliders(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=nearest_neighbours")
    start_search(page, 8)
    expect(page.locator(".lab-progress .lab-state-finished")).to_be_visible(timeout=LONG)
    expect(page.locator(".lab-outcome")).to_contain_text("Machine, best of 8")
    expect(page.locator(".lab-outcome")).to_contain_text(re.compile("(tied with|better than|worse than) the default"))
    page.get_by_role("button", name="Put the sliders there").click()
    tile = page.locator(".lab-arm-machine .lab-note").inner_text()
    (number,) = re.findall(r"trial (\d+)", tile)
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text(f"trial {number}", timeout=LONG)
    expect(page.locator(".lab-arm-manual")).to_contain_text("no trial yet")


def test_damaged_storage_is_one_sentence_until_it_is_repaired(fresh_lab, open_page):
    page = open_page(f"{fresh_lab.url}/?data=iris&model=svm", may_complain=True)  # its server is killed
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)
    fresh_lab.kill()
    files = [fresh_lab.data / f"lab.db{end}" for end in ("", "-wal", "-shm")]
    kept = {file: file.read_bytes() for file in files if file.exists()}
    for file in kept:
        file.unlink()
    files[0].write_bytes(b"this is not a database" * 400)
    fresh_lab.start()
    for address in ("/", "/studies"):
        broken = open_page(fresh_lab.url + address)
        expect(broken.get_by_text("is not a database")).to_have_count(1, timeout=LONG)
        expect(broken.locator("[data-testid=stException]")).to_have_count(0)
    for file, content in kept.items():
        file.write_bytes(content)
    os.sync()
    page = open_page(f"{fresh_lab.url}/?data=iris&model=svm")
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)


def test_study_whose_table_is_gone_says_so_and_offers_a_way_out(fresh_lab, open_page):
    table = fresh_lab.data / "tables" / "mine.csv"
    table.parent.mkdir(parents=True)
    table.write_text("\n".join(["a,b,kind", *(f"{i},{i % 7},{'xy'[i % 2]}" for i in range(60))]))
    page = open_page(f"{fresh_lab.url}/?data=mine.csv&model=svm&target=kind")
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)
    page.locator(".st-key-parameter-C input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text("trial 1", timeout=LONG)
    table.unlink()
    page = open_page(f"{fresh_lab.url}/studies")
    page.get_by_role("link", name="mine").click()
    expect(page.locator(".lab-empty")).to_contain_text("mine.csv", timeout=LONG)
    page.get_by_role("button", name="Open the first problem").click()
    expect(page.locator("h1", has_text="Digits · SVM")).to_be_visible(timeout=LONG)


def test_study_of_another_program_opens_its_views_and_says_why_it_cannot_be_tuned(fresh_lab, open_page):
    import optuna

    storage = f"sqlite:///{fresh_lab.data}/lab.db"
    study = optuna.create_study(study_name="<b>foreign</b>", storage=storage)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    page = open_page(f"{fresh_lab.url}/studies")
    expect(page.get_by_role("link", name="<b>foreign</b>")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("other program")).to_be_visible()
    page.get_by_role("link", name="<b>foreign</b>").click()
    expect(page.get_by_role("heading", name="<b>foreign</b>")).to_be_visible(timeout=LONG)
    page.goto(f"{fresh_lab.url}/?study=%3Cb%3Eforeign%3C/b%3E")
    expect(page.locator(".lab-empty")).to_contain_text("made by another program", timeout=LONG)


def test_nonsense_in_the_address_is_said_in_words_and_the_page_goes_on(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=svm&p.C=NaN&p.gamma=1e999&view=nonsense&only.C=abc..")
    expect(page.locator(".lab-value")).to_be_visible()
    for name in ("C", "gamma"):
        expect(page.locator("[data-testid=stAlert]").filter(has_text=re.compile(f"{name} must"))).to_have_count(1)
    page.locator(".st-key-parameter-C input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text("trial 1")
    page.goto(f"{lab.url}/?study=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    expect(page.locator(".lab-empty")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator("img[src=x]")).to_have_count(0)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
