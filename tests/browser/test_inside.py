"""Methods seen from the inside: behind one tab, by choice and by address, and a sentence where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hpo_core.plots import PLOTS
from hpo_core.problem import make_problem
from hpo_core.search import search

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
INSIDE = [plot for plot in PLOTS if plot.is_inside]


@pytest.fixture(scope="session")
def evolved(lab: Any) -> str:
    search(make_problem("branin"), "genetic", trials=40, study="evolved", folder=lab.data)
    return "evolved"


def choose(page: Page, question: str) -> None:
    page.get_by_label("Seen from the inside").click()
    page.get_by_role("option", name=question, exact=True).click()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_method_is_seen_from_the_inside(lab: Any, evolved: str, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(f"{lab.url}/?study={evolved}&view=generations", width=width, scheme=scheme)
    expect(page.get_by_role("tab", name="Inside")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".st-key-card-chart-generations .live-plot[data-drawn]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_chart_of_the_inside_is_shown_or_says_what_it_needs(lab: Any, evolved: str, open_page: Open) -> None:
    page = open_page(f"{lab.url}/?study={evolved}")
    page.get_by_role("tab", name="Inside").click()
    for plot in INSIDE:
        choose(page, plot.question)
        card = page.locator(f".st-key-card-chart-{plot.key}")
        expect(card.locator(".live-plot[data-drawn], [data-testid=stMarkdown] p").last).to_be_visible()
        expect(page).to_have_url(re.compile(f"view={plot.key}"))
        expect(page.get_by_text("stopped on a fault")).to_have_count(0)
