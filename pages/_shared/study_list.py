"""The list of studies: found, sorted, page by page, with the actions of each row and what is ticked to be compared."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from html import escape

import streamlit as st

from hpo_core.analysis.comparison import MOST
from hpo_core.errors import TuningError
from hpo_core.formats import format_count
from hpo_core.search import recover
from hpo_core.search.keeping import deleted_duels
from hpo_core.studies.run import ACTIVE_STATES
from hpo_core.studies.summary import StudySummary
from pages._shared.contests import Contest
from pages._shared.fault import plain
from pages._shared.lab import shown_name, the_lab
from pages._shared.new_rows import listed_new_rows
from pages._shared.study_actions import (
    act,
    act_on_contest,
    actions_of,
    contest_actions,
    notice,
    take_back,
    undo_contest,
    undo_delete,
    unfolded,
)
from pages._shared.study_cells import STUDY_HEADS, study_cells
from pages._shared.study_order import ORDERS, Entry, listed

_PER_PAGE = 25
_TICKED = "studies-ticked"


def study_list() -> bool:
    """Draws the list; returns whether any study runs."""
    tools = st.container(key="study-tools", horizontal=True, vertical_alignment="bottom")
    with tools:
        words, order = _toolbar()
    studies = _in_order(the_lab().summaries(is_fresh=True))
    _keep_ticks({study.name for study in studies})
    bar = st.container(key="study-bar", horizontal=True, vertical_alignment="center")
    if not studies:
        _empty()
    else:
        _rows(listed(studies, words, order, unfolded()), len(studies))
    with tools:
        _deleted()
    with bar:
        _notice()
        if studies:
            _compare_bar()
    return any(study.run is not None and study.run.is_active for study in studies)


def _toolbar() -> tuple[str, str]:
    words = st.text_input(
        "Find", key="studies-words", placeholder="name, data, model, metric or state", width=320, persist_state="page"
    )
    order = st.selectbox(
        "Sort by", list(ORDERS), format_func=ORDERS.__getitem__, key="studies-order", width=220, persist_state="page"
    )
    return words, order


def _deleted() -> None:
    """What anybody deleted within the hour, and the way back; a duel or suite as a whole."""
    storage = the_lab().storage
    names = storage.discarded()
    contests = deleted_duels(storage) if names else ()
    of_contests = {study.name for contest in contests for study in contest.studies}
    singles = [name for name in names if name not in of_contests]
    if not names:
        return
    with st.popover(f"Deleted: {len(singles) + len(contests)}", key="studies-deleted", help="what can be brought back"):
        st.caption("Kept for an hour, then deleted for good.")
        for name in singles[:_PER_PAGE]:
            label = f"Bring back {plain(name)}"
            st.button(label, key=f"back-{name}", on_click=take_back, args=(partial(undo_delete, name),))
        for gone in contests[:_PER_PAGE]:
            n = len(gone.studies)
            label = f"Bring back {plain(gone.name)}, {n:,} {'study' if n == 1 else 'studies'}"
            undo = partial(undo_contest, gone.key, gone.name)
            st.button(label, key=f"back-contest-{gone.key}", on_click=take_back, args=(undo,))


def _in_order(studies: tuple[StudySummary, ...]) -> tuple[StudySummary, ...]:
    """The studies after what dead runners left has been brought in order, as far as the storage can be written to."""
    dead = [s.name for s in studies if s.run is not None and s.run.state in ACTIVE_STATES and not s.run.is_active]
    for name in dead:
        with suppress(TuningError):  # the row says that it does not run
            recover(the_lab().storage.study(name))
    return the_lab().summaries(is_fresh=True) if dead else studies


def _empty() -> None:
    st.html(
        '<div class="lab-empty"><h3>No studies yet</h3><p>A study begins with your first move of a slider, or with '
        'a search.</p><p><a href="/" target="_self">Tune</a></p></div>'
    )


def _rows(entries: list[Entry], n_all: int) -> None:
    n_pages = max(1, -(-len(entries) // _PER_PAGE))
    if not entries:
        st.html('<div class="lab-empty"><h3>Nothing found</h3><p>No study holds all of these words.</p></div>')
    number = min(st.session_state.get("studies-page", 1), n_pages)
    first = (number - 1) * _PER_PAGE
    shown = entries[first : first + _PER_PAGE]
    with st.container(key="study-rows", gap=None):
        if shown:
            heads = "".join(f"<b>{head}</b>" for head in STUDY_HEADS)
            st.html(f'<div class="lab-study lab-study-heads" aria-hidden="true">{heads}</div>')
        now = time.time()
        honest = listed_new_rows([entry.study for entry in shown if entry.contest is None])
        for place, entry in enumerate(shown):
            if entry.group and (place == 0 or entry.group != shown[place - 1].group):
                _group(entry)
            _row(entry, place, now, honest.get(entry.study.name, ""))
    _foot(len(entries), n_all, first, len(shown), n_pages)


def _foot(n_found: int, n_all: int, first: int, n_shown: int, n_pages: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        noun = "study" if n_all == 1 else "studies"
        of = f"{n_found:,} of {n_all:,}" if n_found < n_all else f"{n_all:,}"
        part = f"{first + 1:,} to {first + n_shown:,} of " if n_pages > 1 else ""
        st.caption(
            f"{part}{of} {noun} in {plain(the_lab().storage.shown_url)}  \nA best value is the best of all trials of "
            "its study: the more were tried, the more luck is in it. Compare studies to see how much.",
            width="content",
        )
        if n_pages > 1:
            st.pagination(n_pages, key="studies-page", max_visible_pages=5)


def _group(entry: Entry) -> None:
    count = f"{entry.n_in_group:,} {'study' if entry.n_in_group == 1 else 'studies'}"
    st.html(f'<h2 class="lab-study-group">{escape(shown_name(entry.group))} <span>{count}</span></h2>')


def _row(entry: Entry, place: int, now: float, honest: str) -> None:
    if entry.contest is not None:
        _contest_row(entry.contest, entry, place, now)
        return
    study = entry.study
    with st.container(key=f"study-row-{place}", horizontal=True, vertical_alignment="center", gap="small"):
        _tick(study.name)
        st.html(study_cells(entry, now, honest), width="stretch")
        if st.button("Open", key=f"open-{study.name}", width="content"):
            _open(study)
        action = st.menu_button("More", actions_of(study), key=f"more-{study.name}", type="tertiary")
    if action:
        act(study, action)


def _contest_row(contest: Contest, entry: Entry, place: int, now: float) -> None:
    """A duel or a suite: nothing to tick, as it is compared on a page of its own."""
    with st.container(key=f"study-row-{place}", horizontal=True, vertical_alignment="center", gap="small"):
        st.html('<span class="lab-no-tick"></span>', width="content")
        st.html(study_cells(entry, now), width="stretch")
        if st.button("Open", key=f"open-contest-{contest.key}", width="content"):
            _open_contest(contest)
        key = f"more-contest-{contest.key}"
        action = st.menu_button("More", contest_actions(contest), key=key, type="tertiary")
    if action:
        act_on_contest(contest, action)


def _open_contest(contest: Contest) -> None:
    if contest.code:
        st.switch_page("classroom.py", query_params={"code": contest.code})
    st.switch_page("duel.py", query_params={"suite" if contest.is_suite else "name": contest.name})


def _open(study: StudySummary) -> None:
    if study.is_lab:
        st.switch_page("tune.py", query_params={"study": study.name})
    st.switch_page("study.py", query_params={"name": study.name})


def _tick(name: str) -> None:
    """A tick is kept apart from its box, which is gone while another page of the list is shown."""
    ticked: list[str] = st.session_state.setdefault(_TICKED, [])
    key = f"tick-{name}"
    st.session_state.setdefault(key, name in ticked)
    is_ticked = st.checkbox(f"Compare {plain(name)}", key=key, label_visibility="collapsed")
    if is_ticked and name not in ticked:
        ticked.append(name)
    elif not is_ticked and name in ticked:
        ticked.remove(name)


def _keep_ticks(names: set[str]) -> None:
    st.session_state[_TICKED] = [name for name in st.session_state.get(_TICKED, []) if name in names]


def _compare_bar() -> None:
    ticked: list[str] = st.session_state[_TICKED]
    if not ticked:
        st.html('<p class="lab-note">Tick two to six studies to compare them.</p>', width="content")
        return
    names = ", ".join(map(escape, ticked[:MOST]))
    why = {True: " One more is needed.", False: ""}[len(ticked) == 1]
    why = f" At most {MOST} can be compared; untick {format_count(len(ticked) - MOST)}." if len(ticked) > MOST else why
    st.html(f'<p class="lab-note"><b>{len(ticked)} ticked</b>: {names}.{why}</p>', width="content")
    if st.button("Compare", type="primary", key="compare", disabled=not 2 <= len(ticked) <= MOST):
        st.switch_page("compare.py", query_params={"study": ticked})
    st.button("Clear", key="clear-ticks", type="tertiary", on_click=_clear_ticks)


def _clear_ticks() -> None:
    for name in st.session_state.pop(_TICKED, []):
        st.session_state[f"tick-{name}"] = False


def _notice() -> None:
    last = notice()
    if last is None:
        return
    css = "lab-fault" if last.is_fault else "lab-done"
    st.html(f'<p class="{css}" role="status">{escape(last.text)}</p>', width="content")
    if last.undo:
        st.button("Undo", key="undo-delete", on_click=take_back, args=(last.undo,))
