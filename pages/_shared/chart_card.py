"""A chart as every page shows it: a question, the drawing, how to read it, how much it shows, and its numbers."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hpo_core.analysis.filtering import TrialFilter
from hpo_core.errors import TuningError
from hpo_core.export.spreadsheet import csv_bytes
from hpo_core.glossary import linked_markdown
from hpo_core.options import options_of
from hpo_core.plots import JUDGE, LIVE, Plot, figure_json
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable
from pages._shared.fault import plain
from pages._shared.live_plot import Orders, PlotEvents, brushed, clicked, live_plot
from pages._shared.option_widgets import option_widgets

_LOG = logging.getLogger(__name__)
_INLINE = ("choice", "parameter")
_PATIENCE = 40.0  # times what a costly chart took to compute, it waits until it is computed again


@dataclass(frozen=True, slots=True)
class _Drawn:
    figure: str
    alt: str
    caption: str


@dataclass(slots=True)
class Brushing:
    """A filter that brushable charts show as brushes, and change. One object for all cards that follow it.

    Attributes:
        chosen: The filter.
        turn: Changes whenever charts shall show the filter anew.
    """

    chosen: TrialFilter = field(default_factory=TrialFilter)
    turn: int = 0

    def choose(self, chosen: TrialFilter) -> None:
        self.chosen = chosen
        self.turn += 1


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a page gives to a card, see `chart_card`."""

    current: Configuration | None
    value_label: str
    is_live: bool
    on_trial: Callable[[int], None] | None
    on_place: Callable[[Configuration], None] | None
    brushing: Brushing
    newest: int | None


def chart_card(
    plot: Plot[Any],
    table: TrialTable,
    *,
    key: str,
    current: Configuration | None = None,
    value_label: str = "value",
    is_live: bool = False,
    on_trial: Callable[[int], None] | None = None,
    on_place: Callable[[Configuration], None] | None = None,
    brushing: Brushing | None = None,
    newest: int | None = None,
) -> PlotEvents:
    """Draws the card of one plot and returns what lies on it: its brushes, and the click of this run.

    Args:
        plot: One of `PLOTS`; the settings that the person makes are kept under `key`.
        table: The study. What is computed is kept by study, revision and settings, for all visitors.
        key: Names the card among all runs.
        current: The person's current configuration, marked on the chart.
        value_label: Name of the value, such as "accuracy".
        is_live: Whether more trials are coming: a costly plot then waits a while between two refreshes.
        on_trial: Takes the number of a trial that was clicked. Runs before the next run of the whole page, as callbacks
            of widgets do, so that it may set the state of widgets anywhere on it.
        on_place: Takes the values of the parameters at a place that was clicked where there is no trial.
        brushing: The filter that a brush changes; without it the card keeps one of its own, and says what it selects.
        newest: Number of the trial that came last, marked for a moment.
    """
    own = st.session_state.setdefault(f"{key}-brushing", Brushing()) if brushing is None else None
    around = _Surroundings(current, value_label, is_live, on_trial, on_place, brushing or own, newest)
    with st.container(key=f"card-{key}", gap="small"):
        try:
            return _card(plot, table, key, around)
        except TuningError as fault:
            st.info(plain(str(fault)))
        except Exception:
            fault_id = secrets.token_hex(4)
            _LOG.exception("The chart %s failed; id %s", plot.key, fault_id)
            st.error(f"This chart stopped on a fault of the lab itself. The details are in the log under {fault_id}.")
    return PlotEvents()


def _head(plot: Plot[Any], table: TrialTable, key: str) -> tuple[Plot[Any], Any]:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(plot.question, anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            plot = option_widgets(plot, key=key, parameters=tuple(table.params), kinds=_INLINE, compact=True)
            menu = st.popover("More", key=f"{key}-menu", on_change="rerun", help="Settings, numbers, download")
    others = tuple({o.kind for o in options_of(type(plot))} - set(_INLINE))
    if others:
        with menu:
            plot = option_widgets(plot, key=key, kinds=others)
    return plot, menu


def _card(plot: Plot[Any], table: TrialTable, key: str, around: _Surroundings) -> PlotEvents:
    plot, menu = _head(plot, table, key)
    why = plot.why_unavailable(table)
    if why:
        among = "" if plot.is_brushable or not around.brushing.chosen else "Of the trials that pass the filter: "
        with st.container(height=plot.height, border=False, vertical_alignment="center", horizontal_alignment="center"):
            st.markdown(among + why, width="content")
        return PlotEvents()
    data, revision = _data(plot, table, key, around)
    current = around.current
    drawn = _drawn(repr(plot), table.study, revision, repr(current), around.value_label, plot, data, current)
    filename = f"{table.study}-{plot.key}"
    events = live_plot(
        drawn.figure,
        key=f"{key}-plot",
        height=plot.height,
        alt=drawn.alt,
        filename=filename,
        orders=_orders(plot, data, key, around),
        on_click=partial(_answer, plot, data, f"{key}-plot", around),
        on_brush=partial(_take_brush, plot, data, f"{key}-plot", around.brushing),
    )
    if events.click and (around.on_trial or around.on_place):
        st.rerun()
    st.caption(f"{_how_to_read(plot)}  \n{_selected(data, key, around.brushing)}{drawn.caption}")
    if menu.open:
        with menu:
            _numbers(plot.numbers(data), filename, key)
    return events


def _how_to_read(plot: Plot[Any]) -> str:
    """With links to the glossary where the chart judges: its words have an exact meaning."""
    return linked_markdown(plot.how_to_read) if plot.group is JUDGE else plot.how_to_read


def _orders(plot: Plot[Any], data: Any, key: str, around: _Surroundings) -> Orders:
    image, image_turn = st.session_state.get(f"{key}-image", ("png", 0))
    brush = data.brushes_of(around.brushing.chosen) if plot.is_brushable else {}
    return Orders(brush, around.brushing.turn, around.newest, image, image_turn)


def _take_brush(plot: Plot[Any], data: Any, key: str, brushing: Brushing) -> None:
    if plot.is_brushable:
        brushing.choose(data.filter_after(brushed(key), brushing.chosen))


def _answer(plot: Plot[Any], data: Any, key: str, around: _Surroundings) -> None:
    """Hands a click to whom it concerns."""
    click = clicked(key)
    if click is None:
        return
    if click.trial is not None:
        if around.on_trial:
            around.on_trial(click.trial)
    elif around.on_place and click.x is not None:
        values = plot.locate(data, click.x, click.y)
        if values:
            around.on_place(values)


def _data(plot: Plot[Any], table: TrialTable, key: str, around: _Surroundings) -> tuple[Any, str]:
    """What the plot computes, and of which revision: a live costly plot may lag behind new trials.

    It never lags behind what a person does: a filter, a trial that is hidden.
    """
    last = st.session_state.get(f"{key}-last")
    asked = (repr(plot), table.study, around.brushing.chosen, table.hidden)
    is_known = last is not None and last[0] == asked
    if is_known and (last[3] == table.revision or (around.is_live and plot.is_costly and time.monotonic() < last[1])):
        return last[2], last[3]
    wait = st.empty()
    if plot.is_costly and last is None:
        wait.skeleton(height=plot.height)
    begin = time.monotonic()
    data = _computed(repr(plot), table.study, table.revision, plot, table)
    wait.empty()
    end = time.monotonic()
    st.session_state[f"{key}-last"] = (asked, end + _PATIENCE * (end - begin), data, table.revision)
    return data, table.revision


@st.cache_resource(max_entries=12, show_spinner=False)  # each may hold a table of 100,000 trials
def _computed(settings: str, study: str, revision: str, _plot: Plot[Any], _table: TrialTable) -> Any:
    return _plot.compute(_table)


@st.cache_resource(max_entries=48, show_spinner=False)
def _drawn(
    settings: str,
    study: str,
    revision: str,
    current: str,
    value_label: str,
    _plot: Plot[Any],
    _data: Any,
    _current: Configuration | None,
) -> _Drawn:
    figure = _plot.draw(_data, LIVE.naming(value_label), current=_current)
    return _Drawn(figure_json(figure), _plot.alt(_data), _plot.caption(_data))


def _selected(data: Any, key: str, brushing: Brushing) -> str:
    """What the brushes select, where no filter line says it."""
    if f"{key}-brushing" not in st.session_state or not brushing.chosen:
        return ""
    passing = brushing.chosen.mask(data.table)[data.rows]
    return f"**{int(passing.sum()):,} of {len(passing):,} trials** have {plain(brushing.chosen.words())}.  \n"


def numbers(frame: pd.DataFrame, filename: str, key: str) -> DeltaGenerator:
    """What a chart draws, as a table with its download; returns the row of buttons below it."""
    st.dataframe(frame, hide_index=True, height=300, width=560)
    row = st.container(horizontal=True, gap="small")
    row.download_button(
        "CSV",
        partial(csv_bytes, frame),
        f"{filename}.csv",
        "text/csv",
        key=f"{key}-csv",
        on_click="ignore",
        help="These numbers, all digits",
    )
    return row


def _numbers(frame: pd.DataFrame, filename: str, key: str) -> None:
    with numbers(frame, filename, key):
        for image in ("png", "svg"):
            st.button(
                image.upper(),
                key=f"{key}-{image}",
                help="The chart as it is now",
                on_click=_ask_image,
                args=(key, image),
            )


def _ask_image(key: str, image: str) -> None:
    _, turn = st.session_state.get(f"{key}-image", ("", 0))
    st.session_state[f"{key}-image"] = (image, turn + 1)
