"""Which lessons were done: kept for the browser session, in the browser, so that a reload does not lose it."""

from __future__ import annotations

import json

import streamlit as st

from hpo_core.lessons import LESSONS

_KEY = "lessons-done"
_KEPT = "lessons-kept"
_SCRIPT = """
export default function ({ data, setStateValue }) {
  const KEY = "lab-lessons";
  let kept = [];
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    // nothing usable is kept
  }
  const all = [...new Set([...(Array.isArray(kept) ? kept : []), ...JSON.parse(data)])].sort();
  try {
    sessionStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // without storage the ticks last as long as the page
  }
  if (all.length > JSON.parse(data).length) setStateValue("done", all);
}
"""
_COMPONENT = st.components.v2.component("tuning_lab.lesson_progress", html="<span></span>", js=_SCRIPT)


def lessons_done() -> frozenset[str]:
    """Keys of the lessons whose check was answered."""
    sent = (st.session_state[_KEPT].get("done") if _KEPT in st.session_state else None) or ()
    known = {key for key in sent if isinstance(key, str) and key in LESSONS}
    done: set[str] = st.session_state.setdefault(_KEY, set())
    done |= known
    return frozenset(done)


def mark_done(key: str) -> bool:
    """Ticks a lesson; whether it was not ticked before."""
    if key in lessons_done():
        return False
    st.session_state[_KEY].add(key)
    return True


def keep_progress() -> None:
    """Lets the browser keep the ticks, and takes in those that it has; once in each run of a page."""
    with st.container(key="lesson-progress"):
        _COMPONENT(key=_KEPT, data=json.dumps(sorted(lessons_done())), on_done_change=lambda: None)
