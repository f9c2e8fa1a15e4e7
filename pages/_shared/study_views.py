"""All views of one study that follow one filter: the charts in tabs, each drawn when it is looked at, and the table.

The URL says which chart is open, `view=parallel`, and what the filter is, `only.C=0.1..10`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hpo_core.analysis.filtering import filter_of_query
from hpo_core.plots import GROUPS, PLOTS, Group, Plot
from hpo_core.space import Configuration
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.address import ONLY, VIEW
from pages._shared.chart_card import Brushing, chart_card
from pages._shared.filter_line import Ranges, filter_line
from pages._shared.steering_card import steering_card
from pages._shared.trial_table import reset_trial_table, trial_table

_TABS = "charts"
_LONGEST_QUERY = 1500


@dataclass(frozen=True, slots=True)
class ViewActions:
    """What a page lets a person do with what the views show; nothing by default.

    Attributes:
        on_trial: Takes the number of a trial to load.
        on_again: Takes the numbers of trials to score again on fresh folds.
        on_place: Takes the values of parameters at a place that was clicked.
        on_ranges: Takes ranges to search in, by parameter: (low, high), or the chosen categories.
    """

    on_trial: Callable[[int], None] | None = None
    on_again: Callable[[Sequence[int]], None] | None = None
    on_place: Callable[[Configuration], None] | None = None
    on_ranges: Callable[[Ranges], None] | None = None


@dataclass(frozen=True, slots=True)
class ViewTab:
    """A tab of the views, drawn when it is open.

    Attributes:
        label: What stands on it.
        views: Names in the URL of what it can show.
        draw: Draws it. Takes the view that the URL asks for, and returns the one that it shows.
    """

    label: str
    views: tuple[str, ...]
    draw: Callable[[str], str]


@dataclass(slots=True)
class _Views:
    """What a person made of the views of one study."""

    study: tuple[str, str]
    brushing: Brushing = field(default_factory=Brushing)
    part: tuple[Any, NDArray[np.bool_], TrialTable] | None = None


def study_views(
    study: Study,
    table: TrialTable,
    *,
    value_label: str,
    overlap: float = 0.0,
    current: Configuration | None = None,
    is_live: bool = False,
    actions: ViewActions | None = None,
    last: ViewTab | None = None,
    key: str = "views",
) -> None:
    """Draws the filter line, the charts and the table of trials.

    Args:
        study: The study.
        table: Its trials, at least one.
        value_label: Name of the value, such as "accuracy".
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        current: The person's current configuration.
        is_live: Whether more trials are coming.
        actions: What the page does with trials, places and ranges.
        last: A tab of the page's own, behind those of the charts.
        key: Names the area among all runs.
    """
    does = actions or ViewActions()
    table = replace(table, overlap=overlap)
    views = _views(study, table, key)
    passing, part = _part(views, table)
    filter_line(table, passing, views.brushing, key=f"{key}-filter", value_label=value_label, on_ranges=does.on_ranges)
    newest = _newest(table)

    def card(plot: Plot[Any]) -> None:
        chart_card(
            plot,
            table if plot.is_brushable else part,
            key=f"chart-{plot.key}",
            current=current,
            value_label=value_label,
            is_live=is_live,
            on_trial=does.on_trial,
            on_place=does.on_place,
            brushing=views.brushing,
            newest=newest,
        )

    _tabs([*_chart_tabs(card, table, key), *([] if last is None else [last])], key)
    trial_table(
        study,
        table,
        passing,
        key=f"{key}-trials",
        value_label=value_label,
        overlap=overlap,
        on_trial=does.on_trial,
        on_again=does.on_again,
    )
    steering_card(study, table, key=f"{key}-steering")
    _put_in_url(views)


def _views(study: Study, table: TrialTable, key: str) -> _Views:
    identity = (study.key, study.name)
    views: _Views | None = st.session_state.get(f"{key}-state")
    if views is None or views.study != identity:
        is_first = views is None
        views = _Views(identity, Brushing(turn=0 if views is None else views.brushing.turn + 1))
        st.session_state[f"{key}-state"] = views
        if is_first:
            query = {name.removeprefix(ONLY): text for name, text in _query().items() if name.startswith(ONLY)}
            views.brushing.choose(filter_of_query(query, table))
        reset_trial_table(f"{key}-trials")
    return views


def _part(views: _Views, table: TrialTable) -> tuple[NDArray[np.bool_], TrialTable]:
    """Which trials pass, and the table of those; found again only when something has changed."""
    what = (table.revision, views.brushing.chosen)
    if views.part is None or views.part[0] != what:
        passing = views.brushing.chosen.mask(table)
        views.part = (what, passing, table if passing.all() else table.take(passing))
    return views.part[1], views.part[2]


def _newest(table: TrialTable) -> int | None:
    rows = np.flatnonzero(table.is_finished)
    if not len(rows):
        return None
    ends = table.completed[rows]
    return int(table.numbers[rows[-1] if np.isnan(ends).all() else rows[np.nanargmax(ends)]])


def open_tab(label: str) -> None:
    """Opens a tab, from a button's callback."""
    st.session_state[_TABS] = label


def _chart_tabs(card: Callable[[Plot[Any]], None], table: TrialTable, key: str) -> list[ViewTab]:
    """A tab for each chart that stands alone, and one for each group."""
    alone = [ViewTab(plot.label, (plot.key,), partial(_alone, card, plot)) for plot in PLOTS if plot.group is None]
    grouped = [(group, {plot.key: plot for plot in PLOTS if plot.group is group}) for group in GROUPS]
    return alone + [
        ViewTab(group.label, tuple(plots), partial(_one_of, card, group, plots, table, key))
        for group, plots in grouped
        if plots
    ]


def _tabs(tabs: Sequence[ViewTab], key: str) -> None:
    asked = st.query_params.get(VIEW, "")
    named = next((tab.label for tab in tabs if asked in tab.views), None)
    # Asked once: with another default these would be other tabs, and forget which of them is open.
    default = st.session_state.setdefault(f"{key}-first-tab", named)
    places = st.tabs([tab.label for tab in tabs], key=_TABS, on_change="rerun", default=default)
    for tab, place in zip(tabs, places, strict=True):
        if place.open:
            with place:
                _put_view(tab.draw(asked), is_first=tab is tabs[0])


def _alone(card: Callable[[Plot[Any]], None], plot: Plot[Any], asked: str) -> str:
    card(plot)
    return plot.key


def _one_of(
    card: Callable[[Plot[Any]], None],
    group: Group,
    plots: dict[str, Plot[Any]],
    table: TrialTable,
    key: str,
    asked: str,
) -> str:
    """The chart that a person chose among those of a group; at first one that can be shown."""
    chooser = f"{key}-{group.label}"
    if chooser not in st.session_state:
        usable = (k for k, p in plots.items() if not p.why_unavailable(table))
        st.session_state[chooser] = asked if asked in plots else next(usable, next(iter(plots)))
    chosen = st.selectbox(group.choice, list(plots), format_func=lambda k: plots[k].question, key=chooser)
    card(plots[chosen])
    return chosen


def _query() -> dict[str, str]:
    return dict(st.query_params.to_dict())


def _put_view(shown: str, *, is_first: bool) -> None:
    if is_first:
        if VIEW in st.query_params:
            del st.query_params[VIEW]
    elif st.query_params.get(VIEW) != shown:
        st.query_params[VIEW] = shown


def _put_in_url(views: _Views) -> None:
    """The filter, unless it is too long for an address."""
    wanted = {ONLY + name: text for name, text in views.brushing.chosen.to_query().items()}
    if sum(map(len, [*wanted, *wanted.values()])) > _LONGEST_QUERY:
        wanted = {}
    there = _query()
    for name in there.keys() - wanted.keys():
        if name.startswith(ONLY):
            del st.query_params[name]
    for name, text in wanted.items():
        if there.get(name) != text:
            st.query_params[name] = text
