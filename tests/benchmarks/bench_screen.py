"""What a person waits for, in a real Chromium against the real server.

    python tests/benchmarks/bench_screen.py [--part nudge|class|classroom|watch|large|huge]...

Nudge: from the press on a slider to the first score on screen, less the time of that fit. Class: 20 people who nudge
once a second, without browsers (they would be measured instead): their visitors speak Streamlit's protocol. Classroom:
40 people of a class who nudge every two seconds, with the teacher's board open, and whether all was kept. Watch: CPU of
the server while one page watches a search that records a trial a second, in each tab of charts. Large and huge: studies
of 10,000 and 100,000 trials, the first beside optuna-dashboard on the same file; bytes are those of the websocket (of
HTTP for the dashboard), uncompressed. A server's memory is that of its process without its workers.
"""

import argparse
import asyncio
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil
from playwright.sync_api import Browser, Page, Response, WebSocket, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

from hpo_core.problem import make_problem
from hpo_core.search.classroom import join, make_class, open_class
from hpo_core.search.duel import DuelArm
from hpo_core.studies.storage import StudyStorage
from tests.benchmarks.light_visitor import milliseconds_in_a_classroom, milliseconds_of_a_class
from tests.benchmarks.live_study import LiveStudy, Search
from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.lab_server import LabServer
from tests.ports import free_port

_PROBLEM = "data=iris&model=svm"
_PEOPLE, _SEATS, _NUDGES_EACH, _NUDGES = 20, 40, 15, 40
_NEW_TRIALS, _NEW_TRIALS_OF_DASHBOARD, _WATCH_SECONDS = 8, 2, 12
_PATIENCE_MS = 120_000
_CHART = ".live-plot .main-svg"
_DRAWN_BY_DASHBOARD = """
(n) => [...document.querySelectorAll(".js-plotly-plot")].some((g) => (g.data ?? []).some((d) => d.x?.length >= n))
"""
# Resolves with the milliseconds from the next key press to the frame that shows the first score of another nudge.
_STOPWATCH = """
() => { window.stopwatch = new Promise((resolve) => {
  let begin = 0;
  const nudge = () => document.querySelector(".score-card:has(.lab-value)")?.dataset.nudge;
  const before = nudge();
  const look = () => {
    if ((nudge() ?? before) === before) return;
    watch.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - begin));
  };
  const watch = new MutationObserver(look);
  document.addEventListener("keydown", () => {
    begin = performance.now();
    watch.observe(document.body, { subtree: true, childList: true, characterData: true });
  }, { once: true, capture: true });
}); }
"""


def main() -> None:
    """Measures and prints the tables that are asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"nudge": _nudge, "class": _class, "classroom": _classroom, "watch": _watch, "large": _large, "huge": _huge}
    parser.add_argument("--part", action="append", choices=parts, help="only this part; may be given several times")
    chosen = parser.parse_args().part or list(parts)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for name in chosen:
            with tempfile.TemporaryDirectory() as folder:
                parts[name](browser, Path(folder))
        browser.close()


def _print(what: str, figure: str, goal: str = "") -> None:
    load = os.getloadavg()[0]
    print(f"{what:52} {figure:>12}   {goal:24} load {load:.1f}", flush=True)


# A person's nudges


def _nudge(browser: Browser, folder: Path) -> None:
    with _lab(folder) as server:
        page = _opened(browser, f"{server.url}/?{_PROBLEM}")
        page.locator(".lab-spread").wait_for()
        page.locator(".st-key-parameter-C input[type=range]").first.focus()
        waits = [_milliseconds_of_a_step(page) for _ in range(_NUDGES)]
        storage = StudyStorage.open(str(server.data / "lab.db"))
        table = storage.study(storage.summaries()[0].name).read()
        fit = 1000 * statistics.median(table.fit_seconds[1:, 0] + table.predict_seconds[1:, 0])
        page.close()
    _print("slider to first score, less the fit (median)", f"{statistics.median(waits) - fit:.0f} ms", "within 120 ms")
    _print("  the slowest tenth", f"{sorted(waits)[int(0.9 * len(waits))] - fit:.0f} ms", f"the fit took {fit:.1f} ms")


def _milliseconds_of_a_step(page: Page) -> float:
    page.evaluate(_STOPWATCH)
    page.keyboard.press("ArrowRight")
    taken = float(page.evaluate("() => window.stopwatch"))
    page.locator(".lab-score-card[aria-busy=false] .lab-badge:not(.lab-busy)").wait_for()
    page.wait_for_timeout(1000)  # a person looks before the next move
    return taken


def _class(browser: Browser, folder: Path) -> None:
    with _lab(folder) as server:
        for n_people in (1, _PEOPLE):
            process, began = server.process, time.perf_counter()
            before = _cpu_seconds(process)
            with ThreadPoolExecutor(1) as thread:  # Playwright's own event loop runs in this one
                visits = milliseconds_of_a_class(server.url, _PROBLEM, "C", n_people, _NUDGES_EACH)
                taken = thread.submit(asyncio.run, visits).result()
            share = (_cpu_seconds(process) - before) / (time.perf_counter() - began)
            goal = "below 300 ms" if n_people > 1 else ""
            people = f"{n_people} people nudging" if n_people > 1 else "one person nudging"
            _print(f"{people}: first score (median)", f"{statistics.median(taken):.0f} ms", goal)
            _print("  the slowest tenth", f"{sorted(taken)[int(0.9 * len(taken))]:.0f} ms")
            _print("  CPU of the server", f"{100 * share:.0f} %", "of a core")


def _classroom(_: Browser, folder: Path) -> None:
    with _lab(folder) as server:
        storage = StudyStorage.open(str(server.data / "lab.db"))
        arms, n_tries = (DuelArm("random"), DuelArm("default")), 2 * _NUDGES_EACH
        room, teacher = make_class(storage, make_problem("iris", "svm"), arms, n_tries, shows_chart=False)
        seats = [f"code={room.code}&seat={join(storage, room, f'person {i}')}" for i in range(_SEATS)]
        room.play("running")
        before, began = _cpu_seconds(server.process), time.perf_counter()
        with ThreadPoolExecutor(1) as thread:
            board = f"code={room.code}&teacher={teacher}"
            visits = milliseconds_in_a_classroom(server.url, board, seats, "C", _NUDGES_EACH)
            taken, told, n_nudges = thread.submit(asyncio.run, visits).result()
        share = (_cpu_seconds(server.process) - before) / (time.perf_counter() - began)
        kept = [set(member.study.read().numbers.tolist()) for member in open_class(storage, room.code).duel.people]
    n_lost = sum(len(own - there) for own, there in zip(told, kept, strict=True))
    _print(f"{_SEATS} people of a class: first score (median)", f"{statistics.median(taken):.0f} ms", "below 400 ms")
    _print("  the slowest tenth", f"{sorted(taken)[int(0.9 * len(taken))]:.0f} ms")
    n_told = sum(map(len, told))
    _print("  trials lost of those told to be recorded", f"{n_lost} of {n_told}", f"none; {n_nudges} nudges")
    _print("  CPU of the server", f"{100 * share:.0f} %", "of a core")


# Watching


def _watch(browser: Browser, folder: Path) -> None:
    with _lab(folder, n_trials=1000) as server:
        live = server.live
        page = _opened(browser, f"{server.url}/?study={live.study.name}")
        with Search(live):
            page.reload()
            page.locator(_CHART).first.wait_for()
            for tab in page.get_by_role("tab").all():
                tab.click()
                page.wait_for_timeout(4000)
                share = _share_while_watched(live, server.process, page)
                _print(
                    f"watching 1,000 trials, {tab.inner_text()}: CPU of the server",
                    f"{100 * share:.1f} %",
                    "below 10 %",
                )
        page.close()


def _share_while_watched(live: LiveStudy, server: psutil.Process, page: Page) -> float:
    before, began = _cpu_seconds(server), time.perf_counter()
    for _ in range(_WATCH_SECONDS):
        live.record_best()
        page.wait_for_timeout(1000)
    return (_cpu_seconds(server) - before) / (time.perf_counter() - began)


# Large studies


def _large(browser: Browser, folder: Path) -> None:
    with _lab(folder, n_trials=10_000) as server:
        ours = _look(browser, server, "10,000 trials", ("3 s", "1.5 s", "500 kB", "400 MB"))
    with _dashboard(folder / "data" / "lab.db") as (url, process):
        theirs = _look_at_dashboard(browser, url, process, server.live)
    for what, figure in theirs.items():
        _print(f"  optuna-dashboard: {what}", figure, f"{_number(figure) / _number(ours[what]):.1f} times the lab's")


def _huge(browser: Browser, folder: Path) -> None:
    with _lab(folder, n_trials=100_000) as server:
        _look(browser, server, "100,000 trials", ("8 s", "", "", ""))


def _look(browser: Browser, server: "_Lab", size: str, goals: tuple[str, ...]) -> dict[str, str]:
    live, url = server.live, f"{server.url}/?study={server.live.study.name}"
    with Search(live):
        idle, began = _cpu_seconds(server.process), time.perf_counter()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(_PATIENCE_MS)
        n_bytes = _bytes_of_websockets(page)
        page.goto(url)
        page.locator(_CHART).first.wait_for()
        first, spent = time.perf_counter() - began, _cpu_seconds(server.process) - idle
        page.wait_for_timeout(3000)
        before = n_bytes()
        waits = [_seconds_until_seen(page, live) for _ in range(_NEW_TRIALS)]
        sent = (n_bytes() - before) / _NEW_TRIALS
        megabytes = server.process.memory_info().rss / 2**20
        page.close()
    found = {
        "first chart after opening": f"{first:.1f} s",
        "a new trial on screen (median)": f"{statistics.median(waits):.1f} s",
        "bytes for a new trial": f"{sent / 1000:.0f} kB",
        "memory of the server": f"{megabytes:.0f} MB",
    }
    for (what, figure), goal in zip(found.items(), goals, strict=True):
        _print(f"{size}: {what}", figure, f"below {goal}" if goal else "")
    _print(f"{size}: CPU of the server for the first chart", f"{spent:.1f} s")
    return found


def _seconds_until_seen(page: Page, live: LiveStudy) -> float:
    """Until a chart says that it shows a trial that is recorded now."""
    page.wait_for_timeout(700)  # so that trials do not keep step with the page
    number, began = live.record_best(), time.perf_counter()
    page.locator(f".live-plot[aria-label*='in trial {number}']").first.wait_for()
    return time.perf_counter() - began


def _look_at_dashboard(browser: Browser, url: str, process: psutil.Process, live: LiveStudy) -> dict[str, str]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(_PATIENCE_MS)
    received = [0]
    page.on("response", lambda response: _count(response, received))
    page.goto(f"{url}/dashboard/studies/{live.study.study_id}", wait_until="commit")
    first = _seconds_until_dashboard_draws(page, 1)  # empty axes are there sooner
    page.wait_for_timeout(3000)
    before, new = received[0], range(_NEW_TRIALS_OF_DASHBOARD)
    waits = [_seconds_until_dashboard_draws(page, live.record_best() + 1) for _ in new]
    sent, megabytes = (received[0] - before) / len(waits), process.memory_info().rss / 2**20
    page.close()
    return {
        "first chart after opening": f"{first:.1f} s",
        "a new trial on screen (median)": f"{statistics.median(waits):.1f} s",
        "bytes for a new trial": f"{sent / 1000:.0f} kB",
        "memory of the server": f"{megabytes:.0f} MB",
    }


def _seconds_until_dashboard_draws(page: Page, n_trials: int) -> float:
    """Infinite where that takes longer than anybody waits."""
    began = time.perf_counter()
    try:
        page.wait_for_function(_DRAWN_BY_DASHBOARD, arg=n_trials, timeout=_PATIENCE_MS)
    except TooLate:
        return math.inf
    return time.perf_counter() - began


# Servers and pages


class _Lab(LabServer):
    """A server of the product, and the study in it."""

    live: LiveStudy

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.pid)


@contextmanager
def _lab(folder: Path, n_trials: int = 0) -> Iterator[_Lab]:
    server = _Lab(Path(__file__).parents[2] / "app.py", folder)
    server.data.mkdir()
    if n_trials:
        server.live = LiveStudy(StudyStorage.open(str(server.data / "lab.db")), n_trials)
    try:
        server.start()
        yield server
    finally:
        server.end()


@contextmanager
def _dashboard(file: Path) -> Iterator[tuple[str, psutil.Process]]:
    port = free_port()
    command = [str(Path(sys.executable).parent / "optuna-dashboard"), f"sqlite:///{file}", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for_port(port)
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while not any(c.laddr.port == port and c.status == psutil.CONN_LISTEN for c in psutil.net_connections("tcp")):
        if time.monotonic() > deadline:
            raise RuntimeError("The dashboard did not come up within a minute.")
        time.sleep(0.1)


def _opened(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(url)
    return page


def _bytes_of_websockets(page: Page) -> Callable[[], int]:
    received = [0]

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: received.__setitem__(0, received[0] + len(payload)))

    page.on("websocket", listen)
    return lambda: received[0]


def _count(response: Response, received: list[int]) -> None:
    received[0] += int(response.headers.get("content-length", 0))


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _number(figure: str) -> float:
    return float(figure.split()[0])


if __name__ == "__main__":
    main()
