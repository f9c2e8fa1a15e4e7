"""Clicks on the plots in a real browser: a mark gives its trial, a place on a slice the value of its parameter."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

_PIXEL = """([key, x, y]) => {
  const host = document.querySelector(`.st-key-${key} .live-plot`), box = host.getBoundingClientRect();
  const { xaxis, yaxis } = host._fullLayout;
  return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
}"""
_FIRST_MARK = """([key, type]) => {
  const host = document.querySelector(`.st-key-${key} .live-plot`);
  const trace = host._fullData.find(t => t.type === type && t.customdata && t.x.length > 3);
  const base = trace.base ? trace.base[1] + trace.x[1] / 2 : trace.x[1];
  return [base, trace.y[1], Number(trace.customdata[1][0])];
}"""


def click(page: Page, key: str, x: float, y: float) -> Any:
    """Clicks at data values and returns what the page says was clicked."""
    across, down = page.evaluate(_PIXEL, [key, x, y])
    page.mouse.move(across - 3, down)
    page.mouse.move(across, down, steps=3)
    page.mouse.click(across, down)
    block = page.locator("[data-testid=stCode] code").first
    expect(block).not_to_have_text("null")
    return json.loads(block.inner_text())


def shown(page: Page, key: str) -> None:
    chart = page.locator(f".st-key-{key} .live-plot[data-drawn]")
    chart.wait_for()
    chart.scroll_into_view_if_needed()


@pytest.mark.parametrize(("plot", "kind"), [("slice", "scatter"), ("folds", "scatter"), ("timeline", "bar")])
def test_click_on_a_mark_gives_its_trial(demo_url: str, open_page: Open, plot: str, kind: str) -> None:
    page = open_page(f"{demo_url}/?plots={plot}&still=1&n=20")
    shown(page, f"{plot}-plot")
    x, y, number = page.evaluate(_FIRST_MARK, [f"{plot}-plot", kind])
    assert click(page, f"{plot}-plot", x, y) == number


def test_click_beside_the_marks_of_a_slice_moves_its_parameter(demo_url: str, open_page: Open) -> None:
    page = open_page(f"{demo_url}/?plots=slice&still=1")
    shown(page, "slice-plot")
    low = page.evaluate("document.querySelector('.st-key-slice-plot .live-plot')._fullLayout.yaxis.range[0]")
    assert click(page, "slice-plot", 0.01, low + 0.004) == {"C": pytest.approx(0.01, rel=0.1)}
