"""A person brings a table: from the upload to the first score, and every fault where the file was chosen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

LONG = 90_000
ROWS = [f"{i % 7},{(i * 5) % 11},{'red' if i % 3 else 'blue'},{'abc'[i % 3]}" for i in range(60)]


def choose_upload(page: Page) -> None:
    page.get_by_role("button", name="New problem").click()
    page.get_by_role("combobox", name="Data or landscape").click()
    page.get_by_role("option", name="a table of your own").click()


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator(".st-key-problem-upload input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )


def csv(header: str) -> bytes:
    return "\n".join([header, *ROWS]).encode()


def test_uploaded_table_is_chosen_at_once_and_opens_with_a_score(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=svm")
    choose_upload(page)
    upload(page, "flowers.csv", csv("height,width,colour,kind"))
    expect(page.get_by_role("combobox", name="Target")).to_have_value("kind", timeout=LONG)
    page.locator(".st-key-problem-open button").click()
    expect(page.locator("h1", has_text="flowers.csv · SVM")).to_be_visible(timeout=LONG)
    expect(page.locator(".lab-value")).to_be_visible(timeout=LONG)
    expect(page.locator(".st-key-problem-form")).to_have_count(0)


def test_files_that_cannot_be_read_say_why_and_the_next_one_goes_on(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=svm")
    choose_upload(page)
    fault = page.locator(".st-key-problem-form [data-testid=stAlert]")
    for name, content, sentence in [
        ("empty.csv", b"", "empty.csv is empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "holds binary data"),
        ("one.csv", b"only\n1\n2\n3\n", "has one column"),
        ("twice.csv", csv("a,a,colour,kind"), "several columns of the same name"),
    ]:
        upload(page, name, content)
        expect(fault).to_contain_text(sentence, timeout=LONG)
    upload(page, "good.csv", csv("height,width,colour,kind"))
    expect(page.get_by_role("combobox", name="Target")).to_have_value("kind", timeout=LONG)
    expect(fault).to_have_count(0)
    expect(page.locator("h1")).to_have_text("Iris · SVM")


def test_names_with_html_are_words_everywhere(lab, open_page):
    page = open_page(f"{lab.url}/?data=iris&model=svm")
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    nasty = "<img src=x onerror=alert(1)>"
    choose_upload(page)
    upload(page, f"![x](x) {nasty}.csv", csv(f"height,{nasty},=cmd(),<script>alert(2)</script>"))
    expect(page.get_by_role("combobox", name="Target")).to_have_value("<script>alert(2)</script>", timeout=LONG)
    page.locator(".st-key-problem-open button").click()
    expect(page.locator("h1", has_text="onerror")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("the library's default configuration")).to_be_visible(timeout=LONG)
    page.locator(".st-key-parameter-C input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text(re.compile(r"trial \d"), timeout=LONG)
    expect(page.locator("img[src=x]")).to_have_count(0)
    page.goto(f"{lab.url}/studies")
    expect(page.locator(".st-key-study-rows")).to_contain_text("onerror", timeout=LONG)
    expect(page.locator("img[src=x]")).to_have_count(0)
