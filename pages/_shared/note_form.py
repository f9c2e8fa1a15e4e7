"""Notes on the screen: a field to write one, and a way to take back one's own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hpo_core.studies.notes import MOST_CHARACTERS, Note
from hpo_core.studies.study import Study
from pages._shared.fault import done_or_said, plain

_SHORT = 60


def note_form(study: Study, trials: Sequence[int], *, key: str, label: str) -> None:
    """A field and a button; what is written goes on each of the trials, on the study where there are none.

    Args:
        study: Where it is kept.
        trials: Numbers of trials.
        key: Names the form among all runs.
        label: Says what the note will be on.
    """
    with st.form(f"{key}-form", border=False):
        st.text_area(label, key=f"{key}-text", max_chars=MOST_CHARACTERS, height=90, placeholder="Plain text")
        st.form_submit_button("Keep note", key=f"{key}-keep", on_click=_keep, args=(study, tuple(trials), key))
    _say_fault(key)


def note_removal(study: Study, notes: Sequence[Note], *, key: str) -> None:
    """Takes back a note that was written from here; nothing where there are none."""
    own = {note.key: note for note in notes if note.by == study.by}
    if not own:
        return
    with st.popover("Delete a note", help="For good; only notes that were written here"):
        chosen = st.selectbox("Note", list(own), format_func=lambda k: _short(own[k]), key=f"{key}-which")
        st.button("Delete it", key=f"{key}-delete", on_click=_remove, args=(study, own[chosen], key))
        _say_fault(key)


def _short(note: Note) -> str:
    where = "" if note.trial is None else f"trial {note.trial}: "
    text = " ".join(note.text.split())
    return where + (text if len(text) <= _SHORT else f"{text[:_SHORT]}…")


def _keep(study: Study, trials: tuple[int, ...], key: str) -> None:
    if done_or_said(key, lambda: study.add_note(st.session_state[f"{key}-text"] or "", trials)):
        st.session_state[f"{key}-text"] = ""


def _remove(study: Study, note: Note, key: str) -> None:
    done_or_said(key, lambda: study.remove_note(note))


def _say_fault(key: str) -> None:
    if fault := st.session_state.get(f"{key}-fault"):
        st.error(plain(fault))
