"""The short way of a nudge past the page's script: what it refuses, and that a nudge gets through without it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

_STATUS = "([path, options]) => fetch(new URL(path, document.baseURI), options).then((answer) => answer.status)"


def nudge_c(page: Page, number: int) -> None:
    page.locator(".st-key-parameter-C input[type=range]").press("ArrowRight")
    expect(page.locator(".lab-score-card .lab-badge")).to_have_text(f"trial {number}")


def opened(open_page, url: str, **options) -> Page:
    page = open_page(f"{url}/?data=iris&model=svm", **options)
    expect(page.locator(".lab-value")).to_be_visible()
    return page


def test_moves_pass_beside_the_page_once_there_is_a_study(lab, open_page):
    page = opened(open_page, lab.url)
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    nudge_c(page, 1)
    assert sent == []
    nudge_c(page, 2)
    assert [re.sub("[0-9a-f]{32}", "WHO", url) for url in sent] == [f"{lab.url}/lab/hand/WHO"]
    expect(page).to_have_url(re.compile("p.C=1.3"))
    expect(page.get_by_text("All 3 trials")).to_be_visible()


def test_strangers_and_nonsense_are_refused(lab, open_page):
    page = opened(open_page, lab.url, may_complain=True)
    with page.expect_request("**/lab/hand/*") as request:
        nudge_c(page, 1)
        nudge_c(page, 2)
    path = request.value.url
    for body in (
        "",
        "[]",
        "7",
        '{"parameter": "C"',
        '{"place": 1}',
        '{"parameter": "nothing", "place": 1}',
        "x" * 5000,
    ):
        assert page.evaluate(_STATUS, [path, {"method": "POST", "body": body}]) == 400
    assert page.evaluate(_STATUS, [f"{path}0", {"method": "POST", "body": '{"parameter": "C", "place": 1}'}]) == 404
    assert page.evaluate(_STATUS, [f"{path}0", {}]) == 404
    assert page.evaluate(_STATUS, ["./lab/hand/somebody/news", {}]) == 404
    nudge_c(page, 3)


def test_nudges_go_by_way_of_the_page_where_the_short_way_is_closed(lab, open_page):
    page = opened(open_page, lab.url, may_complain=True)
    page.route("**/lab/hand/**", lambda route: route.abort())
    nudge_c(page, 1)
    nudge_c(page, 2)
    expect(page.locator(".st-key-parameter-C input[type=text]")).to_have_value("1.3")


def test_chart_follows_what_another_tab_does(lab, open_page):
    page = opened(open_page, lab.url)
    nudge_c(page, 1)
    expect(page).to_have_url(re.compile("study="))
    other = open_page(page.url)
    expect(other.locator(".lab-score-card .lab-badge")).to_have_text("trial 1")
    nudge_c(other, 2)
    expect(page.get_by_text("All 3 trials")).to_be_visible()


def test_score_that_takes_long_can_be_cancelled(lab, open_page):
    page = open_page(f"{lab.url}/?data=digits&model=gradient_boosting&p.n_estimators=300")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".lab-score-card .lab-badge")).to_contain_text("cancelled after")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
