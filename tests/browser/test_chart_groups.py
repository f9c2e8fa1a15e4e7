"""Methods seen from the inside: behind one tab, by choice and by address, and a sentence where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hpo_core.plots import GROUPS, PLOTS
from hpo_core.problem import make_problem
from hpo_core.search import search

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def evolved(lab: Any) -> str:
    search(make_problem("branin"), "genetic", trials=40, study="evolved", folder=lab.data)
    return "evolved"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_method_is_seen_from_the_inside(lab: Any, evolved: str, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(f"{lab.url}/?study={evolved}&view=generations", width=width, scheme=scheme)
    expect(page.get_by_role("tab", name="Inside")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".st-key-card-chart-generations .live-plot[data-drawn]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.label)
def test_every_chart_of_a_group_is_shown_or_says_what_it_needs(lab: Any, evolved: str, open_page: Open, group) -> None:
    page = open_page(f"{lab.url}/?study={evolved}")
    page.get_by_role("tab", name=group.label, exact=True).click()
    for plot in (p for p in PLOTS if p.group is group):
        page.get_by_label(group.choice).click()
        page.get_by_role("option", name=plot.question, exact=True).click()
        card = page.locator(f".st-key-card-chart-{plot.key}")
        expect(card.locator(".live-plot[data-drawn], [data-testid=stMarkdown] p").last).to_be_visible()
        expect(page).to_have_url(re.compile(f"view={plot.key}"))
        expect(page.get_by_text("stopped on a fault")).to_have_count(0)


def test_inside_opens_with_what_the_method_thought(lab: Any, open_page: Open) -> None:
    search(make_problem("iris", "neural_network"), "gradient", trials=4, study="downhill", folder=lab.data)
    page = open_page(f"{lab.url}/?study=downhill")
    page.get_by_role("tab", name="Inside").click()
    expect(page.locator(".st-key-card-chart-gradient_arrows .live-plot[data-drawn]")).to_be_visible()
