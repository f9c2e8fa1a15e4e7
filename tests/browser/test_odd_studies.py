"""Every odd study opens in every view, and a study that somebody else's script writes to is followed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from hpo_core.plots import PLOTS, Plot
from hpo_core.problem import make_problem
from hpo_core.search import make_study
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.table import TrialTable
from tests.odd_studies import ODD_STUDIES, add_odd_study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
]
Open = Callable[..., Page]
_SCRIPT = """
import sys, threading, optuna
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
study = optuna.load_study(study_name=sys.argv[2], storage=sys.argv[1], sampler=optuna.samplers.RandomSampler(seed=1))
while not ended.wait(0.2):
    trial = study.ask()
    x, y = trial.suggest_float("x", -5.0, 10.0), trial.suggest_float("y", 0.0, 15.0)
    study.tell(trial, (x - 3) ** 2 + y)
print(len(study.trials))
"""


@pytest.fixture(scope="module")
def odd_lab(lab: Any) -> Any:
    """The lab with all odd studies in its storage."""
    for name in ODD_STUDIES:
        add_odd_study(f"sqlite:///{lab.data}/lab.db", name)
    return lab


@pytest.fixture
def shared(lab: Any, new_name: Callable[[str], str]) -> str:
    """The name of a study that a script works on."""
    name = new_name("shared with a script")
    make_study(StudyStorage.open(folder=lab.data), make_problem("branin"), name)
    return name


@pytest.fixture
def script(lab: Any, shared: str) -> Iterator[subprocess.Popen[str]]:
    """Somebody's Optuna script at work on that study, until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, f"sqlite:///{lab.data}/lab.db", shared],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def no_fault(page: Page) -> None:
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert not page.get_by_text(re.compile("stopped on a fault")).count()
    assert not page.locator("img[src=x]").count()


def looks_as_the_engine_says(page: Page, plot: Plot[Any], table: TrialTable) -> None:
    """The tab shows its chart, or the engine's own sentence why there is none."""
    page.get_by_role("tab", name=plot.label, exact=True).click()
    card = page.locator(f".st-key-card-chart-{plot.key}")
    why = plot.why_unavailable(table)
    if why is None:
        expect(card.locator(".live-plot[data-drawn] .main-svg").first).to_be_visible()
    else:
        expect(card.locator("[data-testid=stMarkdown]").last).to_contain_text(why[:20])
        expect(card.locator(".live-plot")).to_have_count(0)
    no_fault(page)


@pytest.mark.parametrize("name", ODD_STUDIES, ids=lambda name: re.sub(r"\W+", "-", name, flags=re.ASCII).strip("-"))
def test_odd_study_opens_in_every_view(odd_lab: Any, open_page: Open, name: str) -> None:
    table = StudyStorage.open(folder=odd_lab.data).study(name).read()
    page = open_page("about:blank")
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(f"{odd_lab.url}/study?name={quote(name)}")
    expect(page.locator("h1")).to_contain_text(name)
    rows = page.locator(".trial-grid tbody tr")
    expect(rows).to_have_count(min(len(table), 50))
    for plot in (p for p in PLOTS if len(table) and p.group is None):
        looks_as_the_engine_says(page, plot, table)
    no_fault(page)


def test_odd_studies_stand_in_the_list(odd_lab: Any, open_page: Open) -> None:
    page = open_page(f"{odd_lab.url}/studies")
    for name in ODD_STUDIES:  # the list has pages, and other tests have studies
        page.get_by_label("Find", exact=True).fill(name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    no_fault(page)


def test_lab_study_follows_the_script_that_writes_to_it(lab: Any, shared: str, script: Any, open_page: Open) -> None:
    page = open_page(f"{lab.url}/?study={quote(shared)}")
    foot = page.locator(".trial-grid-foot")
    expect(foot).to_contain_text(re.compile(r"\d"))
    seen = foot.inner_text()
    expect(foot).not_to_have_text(seen)
    said, _ = script.communicate("")
    expect(foot).to_contain_text(re.compile(rf"(^|of ){said.strip()}\b"))  # "12 trials", or "1–50 of 75"
    no_fault(page)
