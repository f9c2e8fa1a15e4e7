"""The live chart in a real browser: what the person did survives a refresh, and clicks give data values."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

PIXEL = """([key, x, y]) => {
  const host = document.querySelector(`.st-key-${key} .live-plot`), box = host.getBoundingClientRect();
  const { xaxis, yaxis } = host._fullLayout;
  return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
}"""


def layout_of(page: Page, key: str, path: str) -> Any:
    return page.evaluate(f"document.querySelector('.st-key-{key} .live-plot')._fullLayout.{path}")


def pixel(page: Page, key: str, x: Any, y: Any) -> tuple[float, float]:
    across, down = page.evaluate(PIXEL, [key, x, y])
    return across, down


def drawn(page: Page, key: str) -> str:
    chart = page.locator(f".st-key-{key} .live-plot[data-drawn]")
    chart.wait_for()
    chart.scroll_into_view_if_needed()
    return chart.get_attribute("data-drawn") or ""


def refresh(page: Page, key: str) -> None:
    """One more run, with one more trial, and its drawing."""
    before = drawn(page, key)
    page.evaluate("document.querySelector('.st-key-refresh button').click()")
    expect(page.locator(f".st-key-{key} .live-plot")).not_to_have_attribute("data-drawn", before)


def until(page: Page, expression: str, argument: Any = None) -> None:
    """Waits until the expression holds; `wait_for_function` evaluates text in the page, which its policy forbids."""
    deadline = time.monotonic() + 30
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"never became true: {expression}"
        page.wait_for_timeout(50)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*((a + b) / 2 for a, b in zip(start, end, strict=True)))
    page.mouse.move(*end, steps=2)
    page.mouse.up()


def answer(page: Page) -> Any:
    """What the page says was clicked, once it says anything."""
    block = page.locator("[data-testid=stCode] code").first
    expect(block).not_to_have_text("null")
    return json.loads(block.inner_text())


def test_zoom_survives_refreshes(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=history")
    drawn(page, "history-plot")
    drag(page, pixel(page, "history-plot", 10, 0.95), pixel(page, "history-plot", 40, 0.8))
    until(page, "document.querySelector('.live-plot')._fullLayout.xaxis.range[0] > 5")
    zoomed = layout_of(page, "history-plot", "xaxis.range")
    for _ in range(2):
        refresh(page, "history-plot")
    assert layout_of(page, "history-plot", "xaxis.range") == zoomed
    assert layout_of(page, "history-plot", "xaxis.autorange") is False


def test_camera_survives_refreshes(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=surface", width=640, height=560)
    before = drawn(page, "surface-plot")
    page.get_by_role("radio", name="3-D").click()
    expect(page.locator(".live-plot")).not_to_have_attribute("data-drawn", before)
    page.wait_for_selector(".live-plot canvas")
    box = page.locator(".live-plot").bounding_box()
    assert box
    start = layout_of(page, "surface-plot", "scene.camera.eye")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drag(page, middle, (middle[0] + 160, middle[1] + 20))
    page.mouse.move(5, 5)  # a scene under the pointer keeps a software renderer busy
    until(
        page,
        "x => Math.abs(document.querySelector('.live-plot')._fullLayout.scene.camera.eye.x - x) > 0.05",
        start["x"],
    )
    turned = layout_of(page, "surface-plot", "scene.camera.eye")
    expect(page.locator("[data-testid=stCode] code").first).to_have_text("null")
    refresh(page, "surface-plot")
    assert layout_of(page, "surface-plot", "scene.camera.eye") == pytest.approx(turned, abs=0.01)


def test_brush_keeps_the_trials_that_pass_and_survives_refreshes(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=parallel")
    drawn(page, "parallel-plot")
    drag(page, pixel(page, "parallel-plot", 0, 0.4), pixel(page, "parallel-plot", 0, 0.8))
    said = page.locator("p", has_text=re.compile(r"\d+ of \d+ trials have C 0\.2\d* to 6\d"))
    expect(said).to_be_visible()
    refresh(page, "parallel-plot")
    expect(page.locator(".live-plot-brush")).to_have_count(1)
    kept = page.evaluate(
        """() => { const lines = document.querySelector('.live-plot')._fullData.filter(t => t.meta?.vertices);
        const starts = lines.flatMap(t => Array.from(t.y).filter((_, i) => i % t.meta.vertices === 0));
        return starts.filter(y => !isNaN(y)); }"""
    )
    assert kept
    assert all(0.38 <= y <= 0.82 for y in kept)
    page.mouse.click(*pixel(page, "parallel-plot", 0, 0.9))
    expect(said).to_have_count(0)
    expect(page.locator(".live-plot-brush")).to_have_count(0)


def test_click_on_a_line_at_an_axis_gives_its_trial_and_no_brush(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=parallel&still=1")
    drawn(page, "parallel-plot")
    height, trials = page.evaluate(
        """() => { const lines = document.querySelector('.live-plot')._fullData.filter(t => t.meta?.vertices);
        const starts = lines.flatMap(t => Array.from(t.y).flatMap(
            (y, i) => i % t.meta.vertices ? [] : [[y, Number(t.customdata[i][0])]]));
        const [height] = starts[0];
        return [height, starts.filter(([y]) => Math.abs(y - height) < 0.02).map(([, trial]) => trial)]; }"""
    )
    page.mouse.move(*pixel(page, "parallel-plot", 0.3, height))
    page.mouse.move(*pixel(page, "parallel-plot", 0, height), steps=4)
    expect(page.locator(".live-plot .hovertext")).not_to_have_count(0)
    page.mouse.click(*pixel(page, "parallel-plot", 0, height))
    assert answer(page) in trials
    expect(page.locator(".live-plot-brush")).to_have_count(0)


@pytest.mark.parametrize(("key", "x", "y"), [("log", 0.1, 0.25), ("log", 100.0, 0.75)])
def test_click_beside_all_points_gives_values_of_log_axes(
    demo_url: str, open_page: Open, key: str, x: float, y: float
) -> None:
    page = open_page(f"{demo_url}/?plots={key}")
    drawn(page, key)
    page.mouse.click(*pixel(page, key, x, y))
    clicked_x, clicked_y, on = answer(page)
    assert clicked_x == pytest.approx(x, rel=0.02)
    assert clicked_y == pytest.approx(y, abs=0.01)
    assert on == ""


@pytest.mark.parametrize(("x", "y"), [("rbf", "True"), ("sigmoid", "False")])
def test_click_gives_labels_of_category_axes(demo_url: str, open_page: Open, x: str, y: str) -> None:
    page = open_page(f"{demo_url}/?plots=category")
    drawn(page, "category")
    page.mouse.click(*pixel(page, "category", x, y))
    assert answer(page) == [x, y, "heatmap"]


def test_click_on_the_map_gives_a_configuration(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=surface&still=1")
    drawn(page, "surface-plot")
    page.mouse.click(*pixel(page, "surface-plot", 0.0042, 0.6))
    values = answer(page)
    assert values["C"] == pytest.approx(0.0042, rel=0.05)
    assert values["gamma"] == pytest.approx(0.6, rel=0.05)


def test_click_on_a_3d_surface_gives_a_configuration(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=surface&still=1", width=640, height=560)
    before = drawn(page, "surface-plot")
    page.get_by_role("radio", name="3-D").click()
    expect(page.locator(".live-plot")).not_to_have_attribute("data-drawn", before)
    page.wait_for_selector(".live-plot canvas")
    box = page.locator(".live-plot").bounding_box()
    assert box
    page.evaluate(
        """() => { const chart = document.querySelector('.live-plot');
        chart.on('plotly_hover', () => (window.isOver = true));
        chart.on('plotly_click', () => (window.isHit = true)); }"""
    )
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.5)
    until(page, "window.isOver === true")
    page.mouse.down()
    until(page, "window.isHit === true")
    page.mouse.up()
    said = answer(page)
    assert isinstance(said, int) or set(said) == {"C", "gamma"}


def test_click_on_a_mark_gives_its_trial_once(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=history&still=1&n=30")
    drawn(page, "history-plot")
    x, y, number = page.evaluate(
        """() => { const trace = document.querySelector('.live-plot')._fullData.find(t => t.name === 'you');
        return [trace.x[1], trace.y[1], trace.customdata[1][0]]; }"""
    )
    page.mouse.move(*pixel(page, "history-plot", x, y))
    page.mouse.click(*pixel(page, "history-plot", x, y))
    assert answer(page) == number
    settled = page.get_by_text(re.compile(r"^run \d+$"))
    runs = settled.inner_text()
    refresh_count = int(runs.split()[1])
    page.evaluate("document.querySelector('.st-key-refresh button').click()")
    expect(settled).to_have_text(f"run {refresh_count + 1}")


def test_double_click_resets_the_zoom_and_picks_nothing(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=log")
    drawn(page, "log")
    drag(page, pixel(page, "log", 0.1, 0.3), pixel(page, "log", 10, 0.7))
    until(page, "document.querySelector('.live-plot')._fullLayout.xaxis.range[0] > -2")
    page.mouse.dblclick(*pixel(page, "log", 1, 0.5))
    until(page, "document.querySelector('.live-plot')._fullLayout.xaxis.range[0] <= -2.9")
    page.wait_for_timeout(600)  # twice the time after which a click would have been sent
    expect(page.locator("[data-testid=stCode] code").first).to_have_text("null")


def test_nothing_is_redrawn_under_the_hand(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=history")
    before = drawn(page, "history-plot")
    page.mouse.move(*pixel(page, "history-plot", 10, 0.9))
    page.mouse.down()
    page.mouse.move(*pixel(page, "history-plot", 20, 0.85), steps=3)
    page.evaluate("document.querySelector('.st-key-refresh button').click()")
    expect(page.get_by_text("run 2", exact=True)).to_be_visible()
    expect(page.locator(".live-plot")).to_have_attribute("data-drawn", before)
    page.mouse.up()
    expect(page.locator(".live-plot")).not_to_have_attribute("data-drawn", before)


def test_chart_follows_the_theme_without_the_server(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=history&still=1")
    assert drawn(page, "history-plot").endswith("light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".live-plot")).to_have_attribute("data-drawn", re.compile("dark$"))
    assert layout_of(page, "history-plot", "font.color") == "#e6eaf2"


def test_toolbar_offers_nothing_that_leaves_the_machine(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=history&still=1")
    drawn(page, "history-plot")
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)")
    files = ["Download as PNG", "Download as SVG"]
    assert titles == ["Zoom", "Pan", "Zoom in", "Zoom out", "Reset the view", *files]
    with page.expect_download() as started:
        page.evaluate("document.querySelector('.modebar-btn[data-title=\"Download as SVG\"]').click()")
    assert started.value.suggested_filename == "svm on digits-history.svg"
    assert "<svg" in started.value.path().read_text()


def test_chart_says_what_it_shows(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=history&still=1")
    drawn(page, "history-plot")
    chart = page.get_by_role("figure", name=re.compile("finished trials; the best value"))
    expect(chart).to_be_visible()


def test_missing_library_leaves_a_sentence(demo_url: str, browser: BrowserContext) -> None:
    page = browser.new_page()
    page.route("**/lab/plotly-*", lambda route: route.abort())
    page.goto(f"{demo_url}/?plots=history")
    expect(page.get_by_text("The chart library could not be loaded")).to_be_visible(timeout=60_000)
    page.close()
