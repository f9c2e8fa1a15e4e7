"""A class as it is held: a teacher, three people who each see themselves alone, the board, and the end."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LONG = 180_000  # each search takes workers of its own, and a loaded machine is slow, not wrong
NAMES = ("Ada", "<i>Bob</i>", "Cleo")


def open_class(page, tries="3"):
    page.get_by_role("spinbutton", name="Tries of each person").fill(tries)
    page.get_by_role("spinbutton", name="Seeds each").fill("1")
    page.keyboard.press("Tab")
    page.locator(".st-key-class-chart label").click()
    page.locator(".st-key-class-methods").get_by_role("button", name="Remove TPE").click()
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    page.locator(".st-key-class-open button").click()
    return page.locator(".lab-class-code").inner_text()


def join(page, name):
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("button", name="Join").click()


def nudge(page, steps):
    page.locator(".st-key-parameter-C input[type=range]").first.focus()
    for step in range(steps):
        page.keyboard.press("ArrowRight")
        expect(page.locator(".score-card")).to_contain_text(f"trial {step + 1}")


def test_teacher_and_three_people_hold_a_class_to_its_results(lab, open_page):
    teacher = open_page(f"{lab.url}/class?data=iris&model=svm")
    code = open_class(teacher)
    board = teacher.url
    people = []
    for name in NAMES:
        people.append(open_page(f"{lab.url}/class?code={code}"))
        join(people[-1], name)
        expect(people[-1].get_by_text("Your teacher has not begun yet")).to_be_visible()
        expect(people[-1].locator("input[type=range]")).to_have_count(0)
    other = open_page(f"{lab.url}/class")
    other.get_by_role("textbox", name="Code").fill(code.lower())
    other.get_by_role("button", name="Go there").click()
    join(other, "ADA")
    expect(other.get_by_text("is taken in this class")).to_be_visible()
    expect(teacher.locator(".lab-class-people")).to_contain_text("<i>Bob</i>")
    teacher.get_by_role("button", name="Start", exact=True).click()
    for page, steps in zip(people, (2, 1, 2), strict=True):
        nudge(page, steps)
    expect(people[0].get_by_text("All your tries are used")).to_be_visible()
    people[1].reload()
    expect(people[1].get_by_text("1 of 3 tries left")).to_be_visible()
    for page, own in zip(people, NAMES, strict=True):
        text = page.locator("body").inner_text()
        assert own in text
        assert not any(name in text for name in NAMES if name != own)
    name = teacher.locator("h1").inner_text()
    other.goto(f"{lab.url}/?study={name}: cleo")
    expect(other.get_by_text("class that is not over")).to_be_visible()
    teacher.locator(".st-key-class-view").get_by_text("Board").click()
    for name, tries in zip(NAMES, (3, 2, 3), strict=True):
        row = teacher.get_by_role("row", name=name)
        expect(row).to_contain_text(re.compile(rf"{tries}\s*0\.9"))
    expect(teacher.locator(".st-key-card-class-spread .main-svg").first).to_be_visible()
    teacher.goto(board)
    teacher.get_by_role("button", name="End", exact=True).click()
    teacher.get_by_role("button", name="End the class").click()
    results = teacher.locator(".st-key-card-class-results")
    expect(results).to_contain_text(re.compile("luck|The machine leads"), timeout=LONG)
    table = results.get_by_role("region", name="Results")
    for name in (*NAMES, "Random (machine)", "Default (machine)"):
        locked = table.get_by_role("row", name=name).get_by_role("cell").nth(2)
        expect(locked).to_have_text(re.compile(r"^[01]\.\d+$"))
    expect(results).to_contain_text("5 looks at the 30 locked rows so far")
    with teacher.expect_download() as download:
        results.get_by_role("button", name="CSV").click()
    assert "<i>Bob</i>" in download.value.path().read_text()
    expect(people[2].get_by_text("The class is over", exact=True)).to_be_visible()
    expect(people[2].get_by_role("row", name="On the locked rows")).to_be_visible()
