"""The trials of a study as a table: find, sort, page, tick; compare, hide, load and save what is ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hpo_core.analysis.comparison import MOST
from hpo_core.analysis.listing import (
    STATE_WORDS,
    Column,
    cells,
    columns_of,
    found_rows,
    sorted_rows,
    trial_frame,
)
from hpo_core.analysis.selection import Rows
from hpo_core.analysis.ties import TIED, standings
from hpo_core.export.spreadsheet import csv_bytes
from hpo_core.formats import format_count
from hpo_core.plots import DEFAULT, MANUAL, arm_label
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.fault import done_or_said, plain
from pages._shared.note_form import note_form
from pages._shared.side_by_side import compared_trials, side_by_side
from pages._shared.trial_grid import GridRow, GridView, grid_view, set_grid_view, trial_grid

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the table's own controls ask for."""

    text: str
    states: tuple[str, ...]
    arms: tuple[str, ...]
    shows_hidden: bool


def trial_table(
    study: Study,
    table: TrialTable,
    passing: NDArray[np.bool_],
    *,
    key: str,
    value_label: str,
    overlap: float,
    on_trial: Callable[[int], None] | None = None,
    on_again: Callable[[Sequence[int]], None] | None = None,
) -> None:
    """Draws the table, with what can be done with the ticked rows above it and their comparison below.

    Args:
        study: Whose trials are hidden.
        table: All its trials.
        passing: Those that pass the filter of the views, shape (n,).
        key: Names it among all runs.
        value_label: What the values are.
        overlap: Validation rows over training rows of a fold, see `compare_folds`.
        on_trial: Takes the number of a trial to load; without it there is nowhere to load one.
        on_again: Takes the numbers of trials to score again on fresh folds; without it they cannot be.
    """
    view = grid_view(f"{key}-grid")
    with st.container(key=f"{key}-area", gap="small"):
        wanted = _head(table, key)
        rows = _rows(table, passing, wanted, view, key)
        _actions(study, table, view, key, on_trial, on_again)
        _grid(table, rows, view, key, value_label)
        if st.session_state.get(f"{key}-compares"):
            _comparison(table, view, key, value_label, overlap, on_trial)


def reset_trial_table(key: str) -> None:
    """Forgets what was ticked, sorted and hidden: another study is shown."""
    set_grid_view(f"{key}-grid", sort=GridView().sort, is_reversed=False, page=0, ticked=())
    for part in ("last-hidden", "compares", "fault", "rows"):
        st.session_state.pop(f"{key}-{part}", None)


def _head(table: TrialTable, key: str) -> _Wanted:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Trials", anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
            text = st.text_input(
                "Find trials",
                key=f"{key}-text",
                placeholder="Find: number, category, reason",
                label_visibility="collapsed",
                width=190,
            )
            with st.popover("Show", help="Only some states, or only what some arms made"):
                wanted = _choices(table, key, text or "")
            st.download_button(
                "CSV",
                lambda: csv_bytes(trial_frame(table)),
                f"{table.study}-trials.csv",
                "text/csv",
                key=f"{key}-csv",
                on_click="ignore",
                help="All trials with all digits",
            )
    return wanted


def _choices(table: TrialTable, key: str, text: str) -> _Wanted:
    arms = list(dict.fromkeys(table.arms.tolist()))
    states = st.pills("State", list(STATE_WORDS.values()), selection_mode="multi", key=f"{key}-states")
    chosen = st.pills("Made by", arms, format_func=arm_label, selection_mode="multi", key=f"{key}-arms")
    n_hidden = int(table.is_hidden.sum())
    label = f"Show {format_count(n_hidden, 'hidden trial')}" if n_hidden else "Show hidden trials (there are none)"
    shows_hidden = st.toggle(label, key=f"{key}-shows-hidden")
    return _Wanted(text, tuple(states), tuple(chosen), shows_hidden)


def _rows(table: TrialTable, passing: NDArray[np.bool_], wanted: _Wanted, view: GridView, key: str) -> Rows:
    """The rows in their order, found again only when something has changed."""
    what = (table.revision, hash(passing.tobytes()), wanted, view.sort, view.is_reversed)
    last = st.session_state.get(f"{key}-rows")
    if last is not None and last[0] == what:
        return last[1]
    shown = passing & found_rows(table, wanted.text, arm_label)
    if not wanted.shows_hidden:
        shown &= ~table.is_hidden
    if wanted.states:
        shown &= np.isin(table.states, [state for state, word in STATE_WORDS.items() if word in wanted.states])
    if wanted.arms:
        shown &= np.isin(table.arms, wanted.arms)
    rows = sorted_rows(table, np.flatnonzero(shown), view.sort, is_reversed=view.is_reversed)
    st.session_state[f"{key}-rows"] = (what, rows)
    return rows


def _actions(
    study: Study,
    table: TrialTable,
    view: GridView,
    key: str,
    on_trial: Callable[[int], None] | None,
    on_again: Callable[[Sequence[int]], None] | None,
) -> None:
    ticked = _known(table, view.ticked)
    is_all_hidden = bool(ticked) and set(ticked) <= table.hidden
    n = len(ticked)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"{key}-actions"):
        if on_trial is not None and st.button(
            "Load",
            key=f"{key}-load",
            disabled=n != 1,
            help="Put the sliders on it",
            on_click=_load,
            args=(on_trial, ticked),
        ):
            st.rerun()  # the sliders are in another fragment
        compare_help = f"Tick two to {MOST}, and see what differs and whether it is more than noise"
        st.button(
            "Compare",
            key=f"{key}-compare",
            disabled=not 2 <= n <= MOST,
            help=compare_help,
            on_click=_compare,
            args=(key,),
        )
        if on_again is not None and st.button(
            "Score again on fresh folds",
            key=f"{key}-again",
            disabled=not n,
            help="On other divisions of the same rows, beside the best trial and the default; again for more of them",
            on_click=_again,
            args=(on_again, key, ticked),
        ):
            st.rerun()  # the card above follows it
        if n:
            with st.popover("Note", help="Write a note on what is ticked"):
                note_form(study, ticked, key=f"{key}-note", label="Note on what is ticked")
        act, label = (_unhide, "Show again") if is_all_hidden else (_hide, "Hide")
        is_changed = st.button(
            label,
            key=f"{key}-hide",
            disabled=not n,
            help="Leave them out of every view and of the best; they stay in the study",
            on_click=act,
            args=(study, key, ticked),
        )
        if _said(study, key, n) or is_changed:
            st.rerun()  # the best of the study may be another, on the other cards too


def _said(study: Study, key: str, n_ticked: int) -> bool:
    """What was just done, with its undo, or what can be done; whether it was undone."""
    hidden = st.session_state.get(f"{key}-last-hidden", ())
    if fault := st.session_state.get(f"{key}-fault", ""):
        st.error(plain(fault))
    elif hidden:
        st.caption(f"Hidden from all views: {_named(hidden)}.", width="content")
        return st.button("Undo", key=f"{key}-undo", type="tertiary", on_click=_unhide, args=(study, key, hidden))
    elif n_ticked:
        st.caption(f"{format_count(n_ticked, 'trial')} ticked", width="content")
        st.button("Untick", key=f"{key}-untick", type="tertiary", on_click=_untick, args=(key,))
    else:
        st.caption("Tick trials to compare or hide them.", width="content")
    return False


def _grid(table: TrialTable, rows: Rows, view: GridView, key: str, value_label: str) -> None:
    if not len(rows):
        st.html(
            '<p class="lab-note lab-no-rows">No trial is like this. Clear the filter, or look for something else.</p>'
        )
        return
    page = min(view.page, (len(rows) - 1) // PAGE_SIZE)
    shown = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    columns = columns_of(table, value_label)
    best = table.best()
    trial_grid(
        _grid_rows(table, shown, columns, best),
        columns,
        GridView(view.sort, view.is_reversed, page, view.ticked),
        key=f"{key}-grid",
        n_rows=len(rows),
        page_size=PAGE_SIZE,
        label=f"Trials of {table.study}",
    )


def _grid_rows(table: TrialTable, rows: Rows, columns: Sequence[Column], best: int | None) -> list[GridRow]:
    texts = cells(table, rows, columns, arm_label)
    is_faint = table.is_failed | table.is_hidden
    is_tied = standings(table, rows) == TIED
    found = []
    for row, words, tied in zip(rows.tolist(), texts, is_tied.tolist(), strict=True):
        arm = str(table.arms[row])
        marks = [arm] if arm in (MANUAL, DEFAULT) else []
        marks += ["best"] if row == best else []
        marks += ["tied"] if tied else []
        marks += ["faint"] if bool(is_faint[row]) else []
        found.append(GridRow(int(table.numbers[row]), words, marks))
    return found


def _comparison(
    table: TrialTable,
    view: GridView,
    key: str,
    value_label: str,
    overlap: float,
    on_trial: Callable[[int], None] | None,
) -> None:
    ticked = _known(table, view.ticked)
    with st.container(key=f"{key}-comparison", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader("Side by side", anchor=False, width="content")
            st.button("Close", key=f"{key}-close", type="tertiary", on_click=_close, args=(key,))
        if not 2 <= len(ticked) <= MOST:
            st.caption(f"Tick two to {MOST} trials to compare them; now {len(ticked)} are ticked.")
            return
        side_by_side(
            compared_trials(table, ticked),
            direction=table.direction,
            overlap=overlap,
            key=f"{key}-side",
            value_label=value_label,
            on_load=None if on_trial is None else lambda place: on_trial(ticked[place]),
        )


def _known(table: TrialTable, numbers: Sequence[int]) -> list[int]:
    """The numbers that the study has: a tick may be of another study, or of a browser that was tampered with."""
    there = np.isin(np.array(numbers, dtype=np.int64), table.numbers).tolist() if numbers else []
    return [number for number, is_there in zip(numbers, there, strict=True) if is_there]


def _named(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers[:6])) + (f" and {len(numbers) - 6} more" if len(numbers) > 6 else "")
    return f"trial{'' if len(numbers) == 1 else 's'} {listed}"


def _load(on_trial: Callable[[int], None], ticked: Sequence[int]) -> None:
    if len(ticked) == 1:
        on_trial(ticked[0])


def _again(on_again: Callable[[Sequence[int]], None], key: str, numbers: Sequence[int]) -> None:
    done_or_said(key, lambda: on_again(numbers))


def _compare(key: str) -> None:
    st.session_state[f"{key}-compares"] = True


def _close(key: str) -> None:
    st.session_state[f"{key}-compares"] = False


def _untick(key: str) -> None:
    set_grid_view(f"{key}-grid", ticked=())


def _hide(study: Study, key: str, numbers: Sequence[int]) -> None:
    if done_or_said(key, lambda: study.hide(numbers)):
        st.session_state[f"{key}-last-hidden"] = tuple(numbers)
        _untick(key)


def _unhide(study: Study, key: str, numbers: Sequence[int]) -> None:
    if done_or_said(key, lambda: study.unhide(numbers)):
        st.session_state.pop(f"{key}-last-hidden", None)
        _untick(key)
