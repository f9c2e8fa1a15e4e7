"""The manual of plots: what a file in this folder declares.

A plot answers one question about a study. It is a frozen dataclass: class variables say what it is, fields declared
with `option(...)` are its settings. Three steps, each cheap to cache by what it depends on::

    plot = with_options(PLOTS["history"], {"x": "second"})
    if not plot.why_unavailable(table):
        data = plot.compute(table)                       # by study, revision and settings
        figure = plot.draw(data, LIVE, current=nudged)   # and by the person's current configuration

`draw` returns a plain plotly.js figure, {"data": [...], "layout": {...}}, with NumPy arrays in it; `figure_json`
encodes it. The first entry of every point's `customdata` is the number of its trial, so that a click can load it.

A plot raises nothing for a table that is odd: it says why it has nothing to show, or it shows what there is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import pandas as pd

from hpo_core.plots._look import Figure, Look
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Group:
    """Charts that stand behind one tab, one of them at a time.

    Attributes:
        label: Name on the tab.
        choice: Label of the menu in which a person chooses among their questions.
    """

    label: str
    choice: str


JUDGE = Group("Judge", "Judge what was found")  # what the trials say: how sure, how lucky, which change gained what
INSIDE = Group("Inside", "Seen from the inside")  # how a method thinks, or what a model of one kind looks like
GROUPS = (JUDGE, INSIDE)


@dataclass(frozen=True)
class Plot(ABC, Generic[D]):
    """One question about a study and its drawing. A file in this folder binds an instance with default settings.

    Class attributes:
        key: Name in URLs.
        label: Name on a tab.
        purpose: One line: what it shows.
        question: The title, as a question.
        how_to_read: One or two sentences, gestures included.
        place: Where its tab stands: plots are listed by this number, then by file name.
        shows_trials: Whether its marks are trials, so that a click loads one.
        height: Pixels.
        is_costly: Whether `compute` may take longer than a tenth of a second, so that a live view refreshes it seldom.
        is_brushable: Whether a person can select on its axes. Its data then have `filter_after(brushes, previous)` and
            `brushes_of(chosen)`, see `ParallelData`; it shows all trials, and others those that it selects.
        group: The group whose tab it shares; None for a tab of its own.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    purpose: ClassVar[str]
    question: ClassVar[str]
    how_to_read: ClassVar[str]
    place: ClassVar[int] = 100
    shows_trials: ClassVar[bool] = True
    height: ClassVar[int] = 480
    is_costly: ClassVar[bool] = False
    is_brushable: ClassVar[bool] = False
    group: ClassVar[Group | None] = None

    @abstractmethod
    def why_unavailable(self, table: TrialTable) -> str | None:
        """One sentence why the table cannot be shown and what would make it possible, or None."""

    @abstractmethod
    def compute(self, table: TrialTable) -> D:
        """What is drawn, as a frozen dataclass. Only for tables that are available."""

    @abstractmethod
    def draw(self, data: D, look: Look, current: Mapping[str, Any] | None = None) -> Figure:
        """The figure. `current` is the person's current configuration, marked where the plot has a place for it."""

    def locate(self, data: D, x: Any, y: Any) -> Configuration:
        """The parameter values at a place that was clicked, as the axes give it; empty where the plot has none."""
        return {}

    @abstractmethod
    def numbers(self, data: D) -> pd.DataFrame:
        """What the drawing shows, as a table."""

    @abstractmethod
    def alt(self, data: D) -> str:
        """A sentence with the finding, for those who do not see the drawing."""

    @abstractmethod
    def caption(self, data: D) -> str:
        """How many trials it shows out of how many, and what else a reader must know."""
