"""An automatic accessibility check finds nothing serious: each page in its states, in either theme, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from hpo_core.plots import PLOTS
from hpo_core.problem import make_problem
from hpo_core.search import make_child, search
from hpo_core.search.duel import DuelArm, make_duel
from hpo_core.search.dueling import fight
from hpo_core.space import Range
from hpo_core.studies.run import Budget
from hpo_core.studies.storage import StudyStorage

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]
ADDRESSES = {
    "tune": "?study=seen",
    "studies": "studies",
    "compare": "compare?study=seen&study=seen-2",
    "study": "study?name=seen&only.C=0.01..100",
    "duel": "duel?name=duel 1",
    "new duel": "duel?data=iris&model=svm",
    "nothing": "?study=never",
}


@pytest.fixture(scope="module")
def searched(lab: Any) -> Any:
    """The lab with a finished search and its child study."""
    storage = StudyStorage.open(folder=lab.data)
    study = search(make_problem("iris", "svm"), "random", trials=40, study="seen", storage=storage, folder=lab.data)
    make_child(storage, study, {"C": Range(low=0.01, high=100.0)}, "seen-2")
    arms = (DuelArm("random", 2), DuelArm("sobol", 2), DuelArm("default"))
    duel = make_duel(storage, make_problem("iris", "svm"), arms, Budget("trials", 6), finals=1)
    fight(storage, lab.data, duel.plan.key)
    return lab


def expect_no_fault(page: Page, part: str = "") -> None:
    """Nothing that axe-core calls serious or critical, on the page or in a part of it: rule, place, what is wrong."""
    expect(page.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.locator("[data-testid=stMainBlockContainer]")).to_have_css("max-width", "1600px")  # theme.css is there
    found: dict[str, Any] = Axe().run(page, context=part or None).response
    faults = [
        f"{fault['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
    assert faults == []


def close_dialog(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_tune_and_its_dialogs(searched: Any, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(f"{searched.url}/{ADDRESSES['tune']}", width=width, scheme=scheme)
    expect(page.locator(".lab-outcome")).to_be_visible()
    expect(page.locator(".live-plot[data-drawn]")).to_be_visible()
    expect(page.locator(".trial-grid tbody tr").first).to_be_visible()
    expect_no_fault(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("How this works")
    expect_no_fault(page, "[role=dialog]")
    close_dialog(page)
    if width < 1000:
        page.get_by_text("By machine").click()
    page.get_by_role("button", name="Change ranges").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Make child study")).to_be_visible()
    expect_no_fault(page, "[role=dialog]")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_every_chart_and_the_filter_form(searched: Any, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(f"{searched.url}/{ADDRESSES['study']}", width=width, scheme=scheme)
    for plot in (p for p in PLOTS if p.group is None):
        page.get_by_role("tab", name=plot.label, exact=True).click()
        expect(page.locator(f".st-key-card-chart-{plot.key} .live-plot[data-drawn]")).to_be_visible()
        expect_no_fault(page, f".st-key-card-chart-{plot.key}")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_label("C, from")).to_be_visible()
    expect_no_fault(page)


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 390)])
def test_studies_comparison_and_the_page_of_a_wrong_address(
    searched: Any, open_page: Open, scheme: str, width: int
) -> None:
    page = open_page(f"{searched.url}/{ADDRESSES['studies']}", width=width, scheme=scheme)
    expect(page.get_by_role("link", name="seen", exact=True)).to_be_visible()
    expect_no_fault(page)
    page.get_by_role("button", name="More").first.click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("are deleted")
    expect_no_fault(page, "[role=dialog]")
    page.goto(f"{searched.url}/{ADDRESSES['compare']}")
    expect(page.locator(".lab-compare-verdict")).to_be_visible()
    expect(page.locator(".live-plot[data-drawn]")).to_be_visible()
    expect_no_fault(page)
    page.goto(f"{searched.url}/{ADDRESSES['nothing']}")
    expect(page.get_by_text("This address cannot be opened")).to_be_visible()
    expect_no_fault(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_duel_with_its_evidence_and_a_new_one(searched: Any, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(f"{searched.url}/{ADDRESSES['duel']}", width=width, scheme=scheme)
    expect(page.locator(".st-key-duel-plot .live-plot[data-drawn]")).to_be_visible()
    expect(page.locator(".st-key-duel-chances .live-plot[data-drawn]")).to_be_visible()
    page.get_by_text("The evidence").last.click()
    expect(page.get_by_role("region", name="Evidence").last).to_be_visible()
    expect_no_fault(page)
    page.goto(f"{searched.url}/{ADDRESSES['new duel']}")
    expect(page.locator(".st-key-card-duel-list")).to_be_visible()
    expect_no_fault(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
