"""The live side of Tune: who stands where, and the charts of both arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from hpo_core.analysis.optimism import Corrected
from hpo_core.analysis.study_comparison import overlap_of
from hpo_core.formats import NOTHING, format_score
from hpo_core.plots import DEFAULT, MANUAL
from hpo_core.search.finalists import why_no_fresh_folds
from hpo_core.space import Configuration
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.child_form import open_child_form
from pages._shared.conclusion import conclusion_tab, open_conclusion
from pages._shared.ensemble_step import ensemble_state
from pages._shared.fault import guarded_fragment
from pages._shared.finals_progress import finals_progress, finals_state, last_finals
from pages._shared.finals_step import FINALS, score_again
from pages._shared.lab import the_lab
from pages._shared.machine_panel import current_run
from pages._shared.new_rows import corrected_of, new_rows_html
from pages._shared.outcome import best_of, machine_rows, outcome
from pages._shared.score_card import fold_difference, verdict_html
from pages._shared.study_views import ViewActions, study_views
from pages._shared.tuning import Tuning, load

_REFRESH_SECONDS = 1.0


def live_charts(tuning: Tuning) -> None:
    """Standing and charts, renewed each second while a search runs; at other times the score card asks now and then for
    news, as somebody may work on the study in another tab."""
    is_active = _is_active(tuning)
    every = _REFRESH_SECONDS if is_active else None
    guarded_fragment(_area, what="The charts", key="live-charts", every=every)(tuning, is_active)


def are_behind(tuning: Tuning) -> bool:
    """Whether something has happened since the charts were drawn; not where they renew themselves anyway."""
    if tuning.charted is None:
        return False
    return _is_active(tuning) or _state(tuning, _table(tuning.study)) != tuning.charted


def _state(tuning: Tuning, table: TrialTable | None) -> tuple[Any, ...]:
    return "" if table is None else table.revision, ensemble_state(tuning), finals_state(last_finals(tuning))


def _is_active(tuning: Tuning) -> bool:
    run = current_run(tuning.study)
    return run is not None and run.is_active


def _area(tuning: Tuning, is_active: bool) -> None:
    if _is_active(tuning) != is_active:
        st.rerun()  # the other cards must know too
    table = _table(tuning.study)
    tuning.charted = None if is_active else _state(tuning, table)
    arms = {} if table is None else _arms(table)
    worth = {} if table is None else {css: _worth(tuning, table, rows) for css, rows in arms.items()}
    _standing(tuning, table, arms, worth)
    if table is None or len(table) == 0:
        _empty()
        return
    finals = last_finals(tuning)
    outcome(tuning, table, finals, worth["machine"])
    finals_progress(tuning, finals)
    assert tuning.study is not None
    study_views(
        tuning.study,
        table,
        value_label=tuning.problem.metric_label,
        overlap=overlap_of(tuning.problem.spec),
        current=tuning.configuration,
        is_live=is_active,
        actions=ViewActions(
            on_trial=partial(_load_trial, tuning),
            on_again=None if why_no_fresh_folds(tuning.problem.spec) else partial(_score_again, tuning),
            on_place=partial(_load_place, tuning),
            on_ranges=partial(open_child_form, tuning),
        ),
        last=conclusion_tab(tuning, table),
    )


def _table(study: Study | None) -> TrialTable | None:
    return None if study is None else the_lab().table_of(study)


def _empty() -> None:
    st.html(
        '<div class="lab-empty lab-first"><h3>Nothing tried yet</h3>'
        "<p>Move a slider, or start a search: every trial of yours and of the machine appears here, in one picture.</p>"
        "</div>"
    )


def _arms(table: TrialTable) -> dict[str, np.ndarray]:
    """Rows of the person and of the machine."""
    return {"manual": np.flatnonzero(table.arms == MANUAL), "machine": machine_rows(table)}


def _worth(tuning: Tuning, table: TrialTable, rows: np.ndarray) -> Corrected | None:
    """Of an arm's best without the luck of being picked: the study's best was picked among all of its trials."""
    best = best_of(table, rows)
    return corrected_of(tuning, table, None if best is not None and best == table.best() else rows)


def _standing(
    tuning: Tuning,
    table: TrialTable | None,
    arms: Mapping[str, np.ndarray],
    worth: Mapping[str, Corrected | None],
) -> None:
    """Best of the person, of the machine, and the default, with the difference to the default in words."""
    default = None if table is None else table.best(DEFAULT)
    tiles = []
    for css, name in (("manual", "you"), ("machine", "machine")):
        best = best_of(table, arms[css]) if table is not None else None
        tiles.append(_tile(tuning, table, name, best, default, css, worth.get(css)))
    last = _scored_default(tuning) if default is None else _tile(tuning, table, "default", default, None, "default")
    st.html(f'<div class="lab-standing">{"".join(tiles)}{last}</div>')


def _scored_default(tuning: Tuning) -> str:
    """The default before there is a trial of it."""
    nudge = tuning.baseline
    if nudge is None or nudge.reason or nudge.is_cancelled:
        return _tile_html("default", NOTHING, "not scored", "default")
    if not nudge.is_done:
        return _tile_html("default", NOTHING, "being scored", "default")
    return _tile_html("default", format_score(nudge.value), "the library's own", "default")


def _tile(
    tuning: Tuning,
    table: TrialTable | None,
    name: str,
    row: int | None,
    default: int | None,
    css: str,
    worth: Corrected | None = None,
) -> str:
    if table is None or row is None:
        return _tile_html(name, NOTHING, "no trial yet", css)
    note = f"trial {int(table.numbers[row])}"
    if default is not None and row != default:
        difference = fold_difference(tuning.problem, tuple(table.fold_scores[row]), tuple(table.fold_scores[default]))
        note = f"{verdict_html(difference)} · {note}"
    return _tile_html(name, format_score(float(table.values[row])), f"{new_rows_html(worth)}{note}", css)


def _tile_html(name: str, value: str, note: str, css: str) -> str:
    return (
        f'<div class="lab-tile lab-arm-{css}"><span class="lab-eyebrow">{escape(name)}</span>'
        f'<span class="lab-tile-value">{value}</span><span class="lab-note">{note}</span></div>'
    )


def _load_trial(tuning: Tuning, number: int) -> None:
    table = _table(tuning.study)
    if table is not None and len(rows := np.flatnonzero(table.numbers == number)):
        load(tuning, table.configuration(int(rows[0])))


def _score_again(tuning: Tuning, numbers: Sequence[int]) -> None:
    score_again(tuning, numbers)
    open_conclusion(FINALS)


def _load_place(tuning: Tuning, values: Configuration) -> None:
    load(tuning, {**tuning.values, **values})
