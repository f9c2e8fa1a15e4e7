"""What can be done from the list to a study, a duel or a suite: steer, rename, delete, and take that back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hpo_core.errors import TuningError, UsageError
from hpo_core.formats import format_count
from hpo_core.search import resume_run, start_detached
from hpo_core.search.duel import Duel, open_duel
from hpo_core.search.keeping import bring_back, deleted_duels, discard_duels, rename_duel, rename_suite
from hpo_core.search.suite import open_suite
from hpo_core.studies.run import Run
from hpo_core.studies.summary import StudySummary
from hpo_core.studies.tables import NAME_LENGTH
from pages._shared.contests import Contest
from pages._shared.fault import plain
from pages._shared.lab import the_lab

_DIALOG, _NOTICE, _UNFOLDED = "studies-dialog", "studies-notice", "studies-unfolded"
_ASKED = {"Pause": "paused", "Go on": "running", "Stop": "stopped"}
_DONE = {"Pause": "pauses", "Go on": "goes on", "Stop": "stops"}
_SHOW, _FOLD = "Show its studies", "Fold its studies"


@dataclass(frozen=True, slots=True)
class Notice:
    """What the last action came to.

    Attributes:
        undo: Takes it back, and says so; None where that cannot be.
    """

    text: str
    is_fault: bool = False
    undo: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a dialog is about: a study, a duel or a suite.

    Attributes:
        what_goes: The sentences on what is deleted with it; Markdown.
        undo: Brings it back, and says so.
    """

    name: str
    what_goes: str
    rename: Callable[[str], None]
    delete: Callable[[], None]
    undo: Callable[[], str]


def actions_of(study: StudySummary) -> list[str]:
    """The entries of its menu, those that steer its run first."""
    return [*_steering(study.run), "Rename", "Delete"]


def contest_actions(contest: Contest) -> list[str]:
    """The entries of the menu of a duel, suite or class."""
    if contest.is_hidden:
        return ["Rename", "Delete"]
    return [_FOLD if contest.key in unfolded() else _SHOW, "Rename", "Delete"]


def act(study: StudySummary, action: str) -> None:
    """Does what was chosen in the menu; rename and delete ask first, in a dialog of the whole page."""
    if action in ("Rename", "Delete"):
        st.session_state[_DIALOG] = (action, _study_subject(study))
    else:
        _try(lambda: _steer(study.name, action), f"{study.name} {_DONE.get(action, 'resumes')}.")
    st.rerun()


def act_on_contest(contest: Contest, action: str) -> None:
    """The same for a duel or a suite, whose studies are changed together."""
    if action in ("Rename", "Delete"):
        st.session_state[_DIALOG] = (action, _contest_subject(contest))
    else:
        unfolded().symmetric_difference_update({contest.key})
    st.rerun()


def unfolded() -> set[str]:
    """Keys of the duels and suites whose studies are to be seen in the list."""
    keys: set[str] = st.session_state.setdefault(_UNFOLDED, set())
    return keys


def open_dialog() -> None:
    """Draws the dialog that is open, if any; to be called outside the list, so that it outlives its renewal."""
    if pending := st.session_state.get(_DIALOG):
        action, subject = pending
        draw = {"Rename": _rename, "Delete": _delete}[action]
        st.dialog(f"{action} {plain(subject.name)}", on_dismiss=_close)(draw)(subject)


def notice() -> Notice | None:
    """What the last action came to, until the next one."""
    return st.session_state.get(_NOTICE)


def take_back(undo: Callable[[], str]) -> None:
    """Callback: undoes a deletion."""
    _try(undo)


def undo_delete(name: str) -> str:
    """Brings a deleted study back, and says so."""
    return f"{the_lab().storage.restore(name).name} is back."


def undo_contest(key: str, name: str) -> str:
    """Brings a deleted duel or suite back, and says so."""
    storage = the_lab().storage
    gone = next((deleted for deleted in deleted_duels(storage) if deleted.key == key), None)
    if gone is None:
        raise UsageError(f"{name} cannot be brought back: it is deleted for good.")
    bring_back(storage, gone)
    return f"{name} is back."


def _study_subject(study: StudySummary) -> _Subject:
    storage = the_lab().storage
    what = format_count(study.n_trials, "trial")
    family = ""
    if study.n_children:
        them = "Its child study stays" if study.n_children == 1 else f"Its {study.n_children} child studies stay"
        family = f" {them}, with the trials that were carried over."
    return _Subject(
        name=study.name,
        what_goes=f"**{plain(study.name)}** and its {what} are deleted. For an hour this can be undone.{family}",
        rename=lambda new: storage.rename(study.name, new),
        delete=lambda: storage.discard(study.name),
        undo=lambda: undo_delete(study.name),
    )


def _contest_subject(contest: Contest) -> _Subject:
    storage = the_lab().storage
    n = len(contest.members)
    studies = "its study" if n == 1 else f"its {n:,} studies"
    what = format_count(contest.summary.n_trials, "trial")
    return _Subject(
        name=contest.name,
        what_goes=f"**{plain(contest.name)}**, {studies} and their {what} are deleted. For an hour this can be undone.",
        rename=lambda new: _rename_contest(contest, new),
        delete=lambda: discard_duels(storage, _duels_of(contest)),
        undo=lambda: undo_contest(contest.key, contest.name),
    )


def _duels_of(contest: Contest) -> Sequence[Duel]:
    storage = the_lab().storage
    return open_suite(storage, contest.key).duels if contest.is_suite else [open_duel(storage, contest.key)]


def _rename_contest(contest: Contest, new: str) -> None:
    storage = the_lab().storage
    if contest.is_suite:
        rename_suite(storage, open_suite(storage, contest.key), new)
    else:
        rename_duel(storage, open_duel(storage, contest.key), new)


def _steering(run: Run | None) -> list[str]:
    if run is None:
        return []
    if run.is_active:
        return ["Go on" if run.wanted == "paused" else "Pause", "Stop"]
    return [] if run.state == "finished" else ["Resume"]


def _steer(name: str, action: str) -> None:
    lab = the_lab()
    study = lab.storage.study(name)
    if action == "Resume":
        start_detached(lab.storage, study, resume_run(study), lab.folder)
    else:
        study.runs.ask_for(_ASKED[action])  # type: ignore[arg-type]


def _rename(subject: _Subject) -> None:
    with st.form("rename", border=False, enter_to_submit=True):
        name = st.text_input("New name", subject.name, max_chars=NAME_LENGTH, key="rename-name").strip()
        slot = st.empty()
        with st.container(horizontal=True):
            wants = st.form_submit_button("Rename", type="primary")
            cancels = st.form_submit_button("Cancel")
    if cancels or (wants and name == subject.name):
        _close_and_draw()
    if wants:
        _finish(slot, lambda: subject.rename(name), Notice(f"{subject.name} is now {name}."))


def _delete(subject: _Subject) -> None:
    st.markdown(subject.what_goes)
    slot = st.empty()
    with st.container(horizontal=True):
        wants = st.button("Delete", type="primary", key="delete-it")
        cancels = st.button("Cancel", key="delete-not")
    if cancels:
        _close_and_draw()
    if wants:
        _finish(slot, subject.delete, Notice(f"{subject.name} is deleted.", undo=subject.undo))


def _finish(slot: Any, change: Callable[[], object], done: Notice) -> None:
    """Makes the change and closes the dialog; a fault is said in it."""
    try:
        change()
    except TuningError as fault:
        slot.error(plain(str(fault)))
        return
    st.session_state[_NOTICE] = done
    _close_and_draw()


def _try(change: Callable[[], str | None], text: str = "") -> None:
    try:
        st.session_state[_NOTICE] = Notice(change() or text)
    except TuningError as fault:
        st.session_state[_NOTICE] = Notice(str(fault), is_fault=True)


def _close() -> None:
    st.session_state.pop(_DIALOG, None)


def _close_and_draw() -> None:
    _close()
    st.rerun()
