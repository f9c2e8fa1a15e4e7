"""The whole story: a person tunes by hand, steers a search beside it, and judges what came out; once by keys alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_live_plot import drag, drawn, layout_of, pixel, until
from tests.browser.test_studies import choose, row_of
from tests.browser.test_studies import tick as tick_study

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PROBLEM = "?data=digits&model=svm"
LOOK_AT_FOCUS = "selector => Boolean(document.activeElement?.closest(selector))"


def state(page: Page, name: str) -> Locator:
    return page.locator(f".lab-progress .lab-state-{name}")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-card-by-machine .st-key-{key} button:visible").click()


def badge(page: Page) -> Locator:
    return page.locator(".lab-score-card .lab-badge")


def budget(page: Page) -> Locator:
    return page.locator(".lab-progress .lab-note").first


def open_problem(page: Page, lab: Any) -> None:
    page.goto(f"{lab.url}/{PROBLEM}")
    expect(page.locator(".lab-score:not(.lab-waiting)")).to_be_visible()


def open_chart(page: Page, label: str) -> str:
    page.get_by_role("tab", name=label, exact=True).click()
    key = f"chart-{label.lower()}-plot"
    expect(page.locator(f".st-key-{key} .live-plot[data-drawn] .main-svg").first).to_be_visible()
    page.locator(f".st-key-{key}").evaluate("chart => chart.scrollIntoView({ block: 'center' })")
    return key


def wait_for_more_trials(page: Page) -> None:
    """Until the table has grown, and the open chart has been drawn anew."""
    chart, before = page.locator(".live-plot[data-drawn]").first, budget(page).inner_text()
    expect(chart).not_to_have_attribute("data-drawn", chart.get_attribute("data-drawn") or "")
    expect(budget(page)).not_to_have_text(before)


def tune_by_hand(page: Page) -> str:
    """Nudge, undo, redo; returns the study's name."""
    page.locator(".st-key-parameter-C input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    expect(badge(page)).to_have_text("trial 1")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(badge(page)).to_have_text("trial 0")
    page.get_by_role("button", name="Redo", exact=True).click()
    expect(badge(page)).to_have_text("trial 1")
    (name,) = re.findall(r"study=([^&]+)", page.url)
    return name


def start(page: Page, trials: int) -> None:
    page.get_by_label("Amount").fill(str(trials))
    page.keyboard.press("Tab")
    press(page, "start")
    expect(state(page, "running")).to_be_visible()


def zoom_and_see_it_stay(page: Page) -> None:
    key = open_chart(page, "History")
    wait_for_more_trials(page)
    (left, right), (low, high) = layout_of(page, key, "xaxis.range"), layout_of(page, key, "yaxis.range")
    begin = pixel(page, key, left + (right - left) / 5, high - (high - low) / 5)
    end = pixel(page, key, right - (right - left) / 5, low + (high - low) / 5)
    drag(page, begin, end)
    until(page, "left => document.querySelector('.live-plot')._fullLayout.xaxis.range[0] > left", left)
    zoomed = layout_of(page, key, "xaxis.range")
    wait_for_more_trials(page)
    assert layout_of(page, key, "xaxis.range") == zoomed


def brush_two_axes_and_see_the_table_follow(page: Page) -> tuple[str, str]:
    """Returns the ends of the first brush, which is on C."""
    key = open_chart(page, "Parallel")
    drag(page, pixel(page, key, 0, 0.3), pixel(page, key, 0, 0.97))
    line = page.locator(".lab-filter")
    expect(line).to_have_text(re.compile(r"^C [\d.e+]+ to [\d.e+]+: "))
    drag(page, pixel(page, key, 1, -0.05), pixel(page, key, 1, 0.6))
    expect(line).to_contain_text("kernel")
    kinds = line.inner_text().split("kernel ")[1].split(":")[0]
    wait_for_more_trials(page)
    expect(page.locator(".live-plot-brush")).to_have_count(2)
    expect(line).to_contain_text(f"kernel {kinds}:")
    low, high = re.findall(r"[\d.e+]+", line.inner_text().removeprefix("C "))[:2]
    heads = [head.strip() for head in page.locator(".trial-grid thead th").all_inner_texts()]
    cells = page.locator(".trial-grid tbody tr")
    texts = cells.evaluate_all(
        "(rows, places) => rows.map(row => places.map(i => row.children[i].textContent))",
        [heads.index("C"), heads.index("kernel")],
    )
    assert texts
    assert {kernel for _, kernel in texts} <= set(kinds.split(", "))
    assert all(float(low) * 0.99 <= float(c.replace(",", "")) <= float(high) * 1.01 for c, _ in texts)
    return low, high


def make_child_of_the_brush(page: Page, low: str, high: str) -> str:
    """From the brush to a child study, and back to the parent; returns the child's name."""
    parent = page.url
    page.get_by_role("button", name="Search only here").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("C, from")).to_have_value(low)
    expect(dialog.get_by_label("C, to")).to_have_value(high)
    dialog.get_by_role("button", name="Make child study").click()
    expect(page.locator(".lab-problem")).to_contain_text("child of")
    (name,) = re.findall(r"study=([^&]+)", page.url)
    page.locator(".lab-problem").get_by_role("link").first.click()
    expect(page.locator(".lab-problem")).not_to_contain_text("child of")
    assert re.findall(r"study=([^&]+)", page.url) == re.findall(r"study=([^&]+)", parent)
    expect(state(page, "running")).to_be_visible()
    wait_for_more_trials(page)
    return name


def click_the_surface(page: Page) -> None:
    key = open_chart(page, "Surface")
    expect(page).not_to_have_url(re.compile(r"[?&]p\."))
    box = page.locator(f".st-key-{key} .live-plot").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.45)
    expect(badge(page)).to_have_text(re.compile(r"trial \d+"))
    page.wait_for_url(re.compile(r"p\.(C|gamma)="))


def steer(page: Page) -> None:
    """Pause, resume, more budget."""
    press(page, "pause")
    expect(state(page, "paused")).to_be_visible()
    press(page, "resume")
    expect(state(page, "running")).to_be_visible()
    press(page, "more")
    expect(budget(page)).to_contain_text("of 2020 trials")


def survive_a_killed_server(page: Page, lab: Any) -> None:
    """The open tab comes back by itself, and the search has gone on."""
    lab.kill()
    page.wait_for_timeout(200)  # for what was on its way
    before = int(budget(page).inner_text().split(" of ")[0])  # more than this comes from the new server alone
    lab.start()
    until(page, "n => parseInt(document.querySelector('.lab-progress .lab-note')?.innerText) > n + 2", before)
    expect(state(page, "running")).to_be_visible()


def compare_rename_delete_and_undo(page: Page, lab: Any, parent: str, child: str) -> None:
    page.goto(f"{lab.url}/studies")
    expect(row_of(page, child)).to_contain_text(f"child of {parent}")
    tick_study(page, parent)
    tick_study(page, child)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".lab-compare-verdict")).not_to_be_empty()
    drawn(page, "overlay-plot")
    page.get_by_role("link", name="Studies", exact=True).click()
    choose(page, child, "Rename")
    field = page.get_by_role("dialog").get_by_label("New name")
    field.fill("narrow")
    field.press("Enter")
    expect(row_of(page, "narrow")).to_be_visible()
    choose(page, "narrow", "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row_of(page, "narrow")).to_have_count(0)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(row_of(page, "narrow")).to_contain_text(f"child of {parent}")


def test_whole_story(fresh_lab: Any, open_page: Open) -> None:
    page = open_page("about:blank", scheme="dark")
    open_problem(page, fresh_lab)
    parent = tune_by_hand(page)
    start(page, 2000)
    zoom_and_see_it_stay(page)
    low, high = brush_two_axes_and_see_the_table_follow(page)
    child = make_child_of_the_brush(page, low, high)
    click_the_surface(page)
    steer(page)
    page.reload()
    expect(state(page, "running")).to_be_visible()
    second = open_page(f"{fresh_lab.url}/?study={parent}", may_complain=True)  # its server is killed
    expect(state(second, "running")).to_be_visible()
    page.close()
    survive_a_killed_server(second, fresh_lab)
    press(second, "stop")
    expect(state(second, "stopped")).to_be_visible()
    compare_rename_delete_and_undo(open_page("about:blank"), fresh_lab, parent, child)


def test_story_on_a_phone(fresh_lab: Any, open_page: Open) -> None:
    page = open_page("about:blank", width=390, height=844)
    open_problem(page, fresh_lab)
    tune_by_hand(page)
    page.get_by_text("By machine").click()
    start(page, 2000)
    for label in ("Parallel", "Surface", "History"):
        open_chart(page, label)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    wait_for_more_trials(page)
    press(page, "stop")
    expect(state(page, "stopped")).to_be_visible()
    page.get_by_role("button", name="Put the sliders there").click()
    expect(badge(page)).to_have_text(re.compile(r"trial \d+"))


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Tabs on until the focus is there."""
    for _ in range(120):
        page.keyboard.press(key)
        if page.evaluate(LOOK_AT_FOCUS, selector):
            return
    pytest.fail(f"{key} never gets to {selector}")


def test_story_by_keys_alone(fresh_lab: Any, open_page: Open) -> None:
    page = open_page("about:blank")
    open_problem(page, fresh_lab)
    tab_to(page, ".st-key-parameter-C input[type=range]")
    page.keyboard.press("ArrowRight")
    expect(badge(page)).to_have_text("trial 1")
    page.keyboard.press("Control+z")
    expect(badge(page)).to_have_text("trial 0")
    tab_to(page, ".st-key-machine-amount-trials")
    page.keyboard.press("Control+a")
    page.keyboard.type("2000")
    tab_to(page, ".st-key-start button")
    page.keyboard.press("Enter")
    expect(state(page, "running")).to_be_visible()
    expect(page.locator(".trial-grid tbody tr").nth(3)).to_be_visible()
    tab_to(page, "[role=tab]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    drawn(page, "chart-parallel-plot")
    tab_to(page, ".trial-grid tbody input")
    page.keyboard.press("Space")
    tab_to(page, ".trial-grid tbody input")
    page.keyboard.press("Space")
    expect(page.locator(".trial-grid tbody input:checked")).to_have_count(2)
    tab_to(page, ".st-key-views-trials-compare button", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".lab-compare thead th")).to_have_count(2)
    tab_to(page, ".st-key-stop button", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(state(page, "stopped")).to_be_visible()
