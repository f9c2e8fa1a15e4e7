"""How lessons feel: what a step takes from the click to the picture, and how evenly a film of five drones plays.

    python tests/benchmarks/bench_lessons.py

In a real browser. The server's share of a core is that of the whole film.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.lab_server import ROOT, LabServer, serving

_STEPS = 8
_PATIENCE_MS = 120_000
# Resolves with the milliseconds from the next key press or click to the frame in which pictures or figures are others;
# a slider that follows the hand is no answer.
_STOPWATCH = """
() => { window.stopwatch = new Promise((resolve) => {
  const card = document.querySelector(".st-key-card-lesson");
  const paths = () => [...card.querySelectorAll(".film svg path, .film svg image")];
  const texts = () => [...card.querySelectorAll(".film, .lab-lesson-facts")].map((e) => e.textContent);
  const drawn = () => paths().map((p) => p.getAttribute("d") ?? p.getAttribute("href"));
  const shown = () => [...texts(), ...drawn()].join("");
  const before = shown();
  let begin = 0;
  const watch = new MutationObserver(() => {
    if (shown() === before) return;
    watch.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - begin));
  });
  const start = () => {
    if (begin) return;
    begin = performance.now();
    watch.observe(card, { subtree: true, childList: true, characterData: true, attributes: true });
  };
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, start, { once: true, capture: true });
}); }
"""
# Resolves with the frames a second that were drawn, and the steps a second that were shown, until the film is over.
_FRAMES = """
() => new Promise((resolve) => {
  const count = document.querySelector(".film-count");
  const begin = performance.now();
  let frames = 0, steps = 0, last = count.textContent;
  const frame = () => {
    frames += 1;
    if (count.textContent !== last) { steps += 1; last = count.textContent; }
    const [, at, all] = last.match(/(\\d+) of (\\d+)/);
    const seconds = (performance.now() - begin) / 1000;
    if (at === all || seconds > 60) resolve([frames / seconds, steps / seconds, steps]);
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})
"""


def main() -> None:
    """Measures and prints."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(ROOT / "app.py", Path(folder)) as server,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for what, address, step in STEPS:
            page = _opened(browser, f"{server.url}/learn?{address}")
            waits = [_milliseconds(page, step, number) for number in range(_STEPS)]
            _print(f"{what} (median)", f"{statistics.median(waits):.0f} ms", "within 200 ms")
            _print("  the slowest", f"{max(waits):.0f} ms")
            page.close()
        _film(browser, server)
        browser.close()


def _print(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:58} {figure:>12}   {goal:24} load {os.getloadavg()[0]:.1f}", flush=True)


def _walks(page: Page, number: int) -> None:
    if number == 0:
        page.locator(".film-plot[data-pick]").first.focus()
    page.keyboard.press("ArrowRight" if number % 2 else "ArrowUp")


def _turns(name: str) -> Callable[[Page, int], None]:
    def turn(page: Page, number: int) -> None:
        if number == 0:
            page.locator(f".st-key-{name} input[type=range]").first.focus()
        page.keyboard.press("ArrowRight" if number % 4 < 2 else "ArrowLeft")

    return turn


def _steps_on(page: Page, _number: int) -> None:
    page.get_by_role("button", name="One step on").click()


def _runs(page: Page, number: int) -> None:
    page.locator(".st-key-knob-calibration-max_depth input[type=range]").first.focus()
    page.keyboard.press("ArrowLeft")
    if number == 0:
        page.locator(".st-key-knob-calibration-min_samples_leaf input[type=range]").first.focus()
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1000)
    page.evaluate(_STOPWATCH)
    page.get_by_role("button", name="Run", exact=True).click()


STEPS: tuple[tuple[str, str, Callable[[Page, int], None]], ...] = (
    ("Landscape: a step of the hiker", "lesson=landscape&steps=100", _walks),
    ("Landscape: a step of five drones", "lesson=landscape&steps=100&did=dwdw.fly", _steps_on),
    ("Grid or random: importance", "lesson=grid_or_random&did=guessed", _turns("lesson-grid_or_random-importance")),
    ("Bayesian: exploration", "lesson=bayesian&did=pdw", _turns("lesson-bayesian-exploration")),
    ("Early stopping: patience", "lesson=early_stopping&did=guessed", _turns("lesson-early_stopping-patience")),
    ("Playground: the depth of a tree", "lesson=playground", _turns("knob-playground-max_depth")),
    ("Predict, then run: a run with its ten fits", "lesson=calibration", _runs),
)


def _milliseconds(page: Page, step: Callable[[Page, int], None], number: int) -> float:
    page.evaluate(_STOPWATCH)
    step(page, number)
    taken = float(page.evaluate("() => window.stopwatch"))
    page.wait_for_timeout(1500)  # a person looks before the next step, and what is shown settles
    return taken


def _film(browser: Browser, server: LabServer) -> None:
    page = _opened(browser, f"{server.url}/learn?lesson=landscape&steps=100&did=dwdw.fly")
    page.wait_for_timeout(2000)
    page.get_by_label("Speed").select_option("16")
    process, began = psutil.Process(server.pid), time.perf_counter()
    before = _cpu_seconds(process)
    if page.get_by_role("button", name="Play", exact=True).count():
        page.get_by_role("button", name="Play", exact=True).click()
    frames, a_second, n_steps = page.evaluate(_FRAMES)
    share = (_cpu_seconds(process) - before) / (time.perf_counter() - began)
    page.close()
    _print(f"Five drones, {n_steps} steps: frames a second", f"{frames:.0f}", "at least 10")
    _print("  steps a second, at 16 asked for", f"{a_second:.1f}")
    _print("  CPU of the server", f"{100 * share:.0f} %", "below 30 % of a core")


def _opened(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(url)
    page.locator(".film-plot .main-svg").first.wait_for()
    page.wait_for_timeout(1500)
    return page


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
