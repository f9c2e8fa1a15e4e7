"""The live side of Tune: who stands where, and the charts of both arms."""

from __future__ import annotations

from functools import partial
from html import escape

import numpy as np
import streamlit as st

from hpo_core.formats import format_score
from hpo_core.plots import DEFAULT, MANUAL, PLOTS
from hpo_core.space import Configuration
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.chart_card import chart_card
from pages._shared.fault import guarded_fragment
from pages._shared.lab import the_lab
from pages._shared.machine_panel import current_run
from pages._shared.score_card import fold_difference, verdict_html
from pages._shared.tuning import Tuning, load

_REFRESH_SECONDS = 1.0


def live_charts(tuning: Tuning) -> None:
    """Standing and charts; while a search runs they renew themselves each second."""
    run = current_run(tuning.study)
    is_active = run is not None and run.is_active
    every = _REFRESH_SECONDS if is_active else None
    guarded_fragment(_area, what="The charts", key="live-charts", every=every)(tuning, is_active)


def _area(tuning: Tuning, is_active: bool) -> None:
    table = _table(tuning.study)
    if table is None or len(table) == 0:
        _empty()
        return
    _standing(tuning, table)
    tabs = st.tabs([p.label for p in PLOTS], key="charts", on_change="rerun")
    for tab, plot in zip(tabs, PLOTS, strict=True):
        if tab.open:
            with tab:
                chart_card(
                    plot,
                    table,
                    key=f"chart-{plot.key}",
                    current=tuning.configuration,
                    value_label=tuning.problem.metric_label,
                    is_live=is_active,
                    on_trial=partial(_load_trial, tuning),
                    on_place=partial(_load_place, tuning),
                )


def _table(study: Study | None) -> TrialTable | None:
    return None if study is None else the_lab().table_of(study)


def _empty() -> None:
    st.html(
        '<div class="lab-empty"><h3>Nothing tried yet</h3>'
        "<p>Move a slider, or start a search: every trial of yours and of the machine appears here, in one picture.</p>"
        "</div>"
    )


def _standing(tuning: Tuning, table: TrialTable) -> None:
    """Best of the person, of the machine, and the default, with the difference to the default in words."""
    arms = sorted(set(table.arms.tolist()) - {MANUAL, DEFAULT, ""})
    default = table.best(DEFAULT)
    rows = [("you", table.best(MANUAL), "manual"), ("machine", _best_of(table, arms), "machine")]
    tiles = "".join(_tile(tuning, table, name, row, default, css) for name, row, css in rows)
    st.html(f'<div class="lab-standing">{tiles}{_tile(tuning, table, "default", default, None, "default")}</div>')


def _best_of(table: TrialTable, arms: list[str]) -> int | None:
    usable = table.is_complete & np.isin(table.arms, arms)
    if not usable.any():
        return None
    return int(np.argmin(np.where(usable, table.sign * table.values, np.inf)))


def _tile(tuning: Tuning, table: TrialTable, name: str, row: int | None, default: int | None, css: str) -> str:
    if row is None:
        waiting = {"manual": "no trial yet", "machine": "not started", "default": "not scored"}[css]
        return _tile_html(name, "–", waiting, css)
    note = f"trial {int(table.numbers[row])}"
    if default is not None and row != default:
        difference = fold_difference(tuning.problem, tuple(table.fold_scores[row]), tuple(table.fold_scores[default]))
        note = f"{verdict_html(difference)} · {note}"
    return _tile_html(name, format_score(float(table.values[row])), note, css)


def _tile_html(name: str, value: str, note: str, css: str) -> str:
    return (
        f'<div class="lab-tile lab-arm-{css}"><span class="lab-eyebrow">{escape(name)}</span>'
        f'<span class="lab-tile-value">{value}</span><span class="lab-note">{note}</span></div>'
    )


def _load_trial(tuning: Tuning, number: int) -> None:
    table = _table(tuning.study)
    if table is not None and len(rows := np.flatnonzero(table.numbers == number)):
        load(tuning, table.configuration(int(rows[0])))


def _load_place(tuning: Tuning, values: Configuration) -> None:
    load(tuning, {**tuning.values, **values})
