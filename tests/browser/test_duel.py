"""Duel as a new user meets it: from Tune to a duel, a few nudges against two methods, and the verdict."""

from __future__ import annotations

import contextlib
import os
import re
import signal

import pytest
from playwright.sync_api import expect

from hpo_core.search.duel import open_duel
from hpo_core.studies.storage import StudyStorage

pytestmark = pytest.mark.browser
LONG = 180_000  # each search takes workers of its own, and a loaded machine is slow, not wrong


def start(page, *, seeds="1", trials="8", blind=False):
    page.get_by_role("spinbutton", name="Seeds each").fill(seeds)
    page.get_by_role("spinbutton", name="Amount").fill(trials)
    page.keyboard.press("Tab")
    if blind:
        page.locator(".st-key-duel-blind label").click()
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    page.locator(".st-key-duel-start button").click()
    expect(page.locator(".st-key-card-duel-state")).to_be_visible(timeout=LONG)


def test_ten_nudges_against_two_methods_of_three_seeds_to_the_verdict_and_the_locked_rows(fresh_lab, open_page):
    page = open_page(fresh_lab.url)
    page.locator(".st-key-problem-tools a", has_text="Duel").click()
    expect(page.get_by_text("Digits · SVM · accuracy, 5-fold")).to_be_visible(timeout=LONG)
    page.locator(".st-key-duel-random label").click()
    start(page, seeds="3", trials="11", blind=True)
    state = page.locator(".st-key-card-duel-state").last  # for a moment the old one stays
    expect(page.get_by_text("progress is hidden until you are done")).to_be_visible()
    expect(state).to_contain_text("7 of 7 searches done", timeout=LONG)
    expect(page.locator(".st-key-card-duel-verdict")).to_have_count(0)
    address = page.url
    page.get_by_role("link", name="Play by hand").click()
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)
    expect(page.locator(".lab-score-card[aria-busy=false]")).to_be_visible()
    page.locator(".st-key-parameter-C input[type=range]").first.focus()
    for number in range(10):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".lab-score-card .lab-badge")).to_have_text(f"trial {number}", timeout=LONG)
    page.goto(address)
    page.get_by_role("button", name="I am done").click()
    expect(state.locator(".lab-state-finished")).to_be_visible(timeout=LONG)
    verdict = page.locator(".st-key-card-duel-verdict").last
    expect(verdict).to_contain_text(re.compile("won: 0|A tie at the top"))
    expect(verdict).to_contain_text(re.compile("Tuning helped|Tuning did not help|cannot be told"))
    for arm in ("You", "Auto", "TPE", "Default"):
        expect(verdict.get_by_role("rowheader", name=arm, exact=True)).not_to_have_count(0)
    verdict.get_by_text("The evidence").click()
    expect(verdict).to_contain_text("Nadeau and Bengio 2003")
    locked = page.locator(".st-key-card-duel-locked").last
    expect(locked).to_contain_text("Nobody has looked at the 360 locked rows yet.")
    locked.get_by_role("button", name="Open the lock").click()
    page.get_by_role("button", name="Open it").click()
    expect(locked).to_contain_text("8 looks at the 360 locked rows so far", timeout=LONG)
    expect(page.locator(".st-key-duel-plot .main-svg").first).to_be_visible()
    page.get_by_text("by fits").click()
    expect(page.locator(".st-key-duel-plot")).to_contain_text("fits")
    paths = page.locator(".st-key-card-duel-paths").last
    expect(paths).to_contain_text("Which way did each arm go?")
    expect(paths).to_contain_text("best values of 4 arms")
    page.get_by_role("link", name="all duels").click()
    expect(page.locator(".st-key-card-duel-list")).to_contain_text("Auto, TPE, You, Default")


def test_duel_goes_on_after_its_lanes_were_killed_and_can_be_stopped(lab, open_page):
    page = open_page(f"{lab.url}/duel?data=digits&model=random_forest")
    page.locator(".st-key-duel-by-hand label").click()
    start(page, trials="60")
    state = page.locator(".st-key-card-duel-state").last  # for a moment the old one stays
    expect(state.locator(".lab-state-running")).to_be_visible(timeout=LONG)
    storage = StudyStorage.open(folder=lab.data)
    name = re.search(r"name=([^&]+)", page.url).group(1).replace("+", " ")
    while not page.get_by_role("button", name="Go on").is_visible():  # a lane may be between two searches
        for member in open_duel(storage, name).searches:
            run = member.study.runs.current()
            if run is not None and run.is_active and run.owner is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(run.owner.pid, signal.SIGKILL)
        page.wait_for_timeout(200)
    page.get_by_role("button", name="Go on").click()
    expect(state.locator(".lab-state-running")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Pause").click()
    expect(state.locator(".lab-state-paused")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Stop").click()
    expect(state.locator(".lab-state-stopped")).to_be_visible(timeout=LONG)
    page.reload()
    expect(state.locator(".lab-state-stopped")).to_be_visible(timeout=LONG)


def test_what_is_no_duel_gets_its_sentence(lab, open_page):
    page = open_page(f"{lab.url}/duel?data=iris&model=svm")
    for box in ("duel-by-hand", "duel-default", "duel-random"):
        page.locator(f".st-key-{box} label").click()
    page.get_by_role("button", name=re.compile("Remove TPE|TPE")).first.click()
    page.keyboard.press("Escape")
    page.locator(".st-key-duel-start button").click()
    expect(page.get_by_text("at least two arms")).to_be_visible(timeout=LONG)
    page = open_page(f"{lab.url}/duel?name=nobody")
    expect(page.get_by_text("no duel 'nobody'")).to_be_visible(timeout=LONG)
    expect(page.locator(".st-key-duel-start")).to_be_visible()


def test_suite_of_two_problems_is_run_ranked_reported_and_kept_as_one(lab, open_page):
    page = open_page(f"{lab.url}/duel?many=1")
    expect(page.get_by_text("Choose two problems or more")).to_be_visible(timeout=LONG)
    for problem in ("Iris · Naive Bayes", "Wine · Naive Bayes"):
        box = page.get_by_role("combobox", name="Problems")
        box.click()
        box.fill(problem)
        page.get_by_role("option", name=problem).click()
        expect(page.locator(".st-key-suite-problems").get_by_text(problem)).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".st-key-suite-methods").get_by_role("button", name="Remove Auto").click()
    page.locator(".st-key-suite-methods").get_by_role("button", name="Remove TPE").click()
    page.get_by_role("spinbutton", name="Seeds each").fill("1")
    page.get_by_role("spinbutton", name="Amount").fill("4")
    page.keyboard.press("Tab")
    expect(page.get_by_text("2 problems, 4 searches by machine: at most 110 fits, 60 fits on fresh")).to_be_visible()
    page.locator(".st-key-suite-start button").click()
    state = page.locator(".st-key-card-suite-state").last
    expect(state.locator(".lab-state-finished")).to_be_visible(timeout=2 * LONG)
    expect(state).to_contain_text("4 of 4 searches done · 2 of 2 problems over")
    ranks = page.locator(".st-key-card-suite-ranks").last
    expect(ranks).to_contain_text("over 2 problems")
    expect(ranks.locator(".main-svg").first).to_be_visible()
    table = page.get_by_role("region", name="Problems and arms")
    expect(table.get_by_role("rowheader", name="Mean rank")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report").last.click()
    text = download.value.path().read_text()
    assert "<svg" in text
    assert "Over all problems" in text
    table.get_by_role("link", name=re.compile("Wine")).click()
    expect(page.locator(".st-key-card-duel-verdict").last).to_be_visible(timeout=LONG)
    page.goto(f"{lab.url}/studies")
    row = page.locator("[class*=st-key-study-row-]").filter(has=page.get_by_role("link", name="suite 1", exact=True))
    expect(row).to_contain_text("suite, 2 problems, 4 searches")
    row.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("its 4 studies")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_be_visible()


def test_there_is_no_suite_of_one_problem_or_of_that_name(lab, open_page):
    page = open_page(f"{lab.url}/duel?suite=nobody")
    expect(page.get_by_text("no suite 'nobody'")).to_be_visible(timeout=LONG)
    page.locator(".st-key-duel-many").get_by_text("Many problems").click()
    page.locator(".st-key-suite-start button").click()
    expect(page.get_by_text("from 2 to 40 problems; got 0")).to_be_visible(timeout=LONG)
