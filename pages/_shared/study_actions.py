"""What can be done to a study from the list: pause, resume, stop, rename, delete, and take that back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from hpo_core.errors import TuningError
from hpo_core.formats import format_count
from hpo_core.search import resume_run, start_detached
from hpo_core.studies.run import Run
from hpo_core.studies.summary import StudySummary
from hpo_core.studies.tables import NAME_LENGTH
from pages._shared.fault import plain
from pages._shared.lab import the_lab

_DIALOG, _NOTICE = "studies-dialog", "studies-notice"
_ASKED = {"Pause": "paused", "Go on": "running", "Stop": "stopped"}
_DONE = {"Pause": "pauses", "Go on": "goes on", "Stop": "stops"}


@dataclass(frozen=True, slots=True)
class Notice:
    """What the last action came to.

    Attributes:
        deleted: Name of the study that it deleted and that can be brought back; else "".
    """

    text: str
    is_fault: bool = False
    deleted: str = ""


def actions_of(study: StudySummary) -> list[str]:
    """The entries of its menu, those that steer its run first."""
    return [*_steering(study.run), "Rename", "Delete"]


def act(study: StudySummary, action: str) -> None:
    """Does what was chosen in the menu; rename and delete ask first, in a dialog of the whole page."""
    if action in ("Rename", "Delete"):
        st.session_state[_DIALOG] = (action, study)
    else:
        _try(lambda: _steer(study.name, action), f"{study.name} {_DONE.get(action, 'resumes')}.")
    st.rerun()


def open_dialog() -> None:
    """Draws the dialog that is open, if any; to be called outside the list, so that it outlives its renewal."""
    if pending := st.session_state.get(_DIALOG):
        action, study = pending
        draw = {"Rename": _rename, "Delete": _delete}[action]
        st.dialog(f"{action} {plain(study.name)}", on_dismiss=_close)(draw)(study)


def notice() -> Notice | None:
    """What the last action came to, until the next one."""
    return st.session_state.get(_NOTICE)


def undo_delete(name: str) -> None:
    """Callback: brings a deleted study back."""
    _try(lambda: f"{the_lab().storage.restore(name).name} is back.")


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


def _rename(study: StudySummary) -> None:
    with st.form("rename", border=False, enter_to_submit=True):
        name = st.text_input("New name", study.name, max_chars=NAME_LENGTH, key="rename-name").strip()
        slot = st.empty()
        with st.container(horizontal=True):
            wants = st.form_submit_button("Rename", type="primary")
            cancels = st.form_submit_button("Cancel")
    if cancels or (wants and name == study.name):
        _close_and_draw()
    if wants:
        _finish(slot, lambda: the_lab().storage.rename(study.name, name), Notice(f"{study.name} is now {name}."))


def _delete(study: StudySummary) -> None:
    what = format_count(study.n_trials, "trial")
    family = ""
    if study.n_children:
        them = "Its child study stays" if study.n_children == 1 else f"Its {study.n_children} child studies stay"
        family = f" {them}, with the trials that were carried over."
    st.markdown(f"**{plain(study.name)}** and its {what} are deleted. For an hour this can be undone.{family}")
    slot = st.empty()
    with st.container(horizontal=True):
        wants = st.button("Delete", type="primary", key="delete-it")
        cancels = st.button("Cancel", key="delete-not")
    if cancels:
        _close_and_draw()
    if wants:
        done = Notice(f"{study.name} is deleted.", deleted=study.name)
        _finish(slot, lambda: the_lab().storage.discard(study.name), done)


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
