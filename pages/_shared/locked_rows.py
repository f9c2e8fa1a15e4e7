"""What every page says of the locked rows: how often they were looked at, and the way to lock them for good."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

import streamlit as st

from hpo_core.formats import format_count, format_score
from hpo_core.problem import Problem
from hpo_core.search.locked import Look, looks_at, seal
from hpo_core.studies.study import Study
from pages._shared.html_table import html_table
from pages._shared.lab import shown_name, the_lab

_MOST = 50


def looks_line(looks: Sequence[Look], n_rows: int) -> None:
    """How often anybody has looked, when last, and each look on demand."""
    if not looks:
        st.caption(f"Nobody has looked at the {n_rows:,} locked rows yet.")
        return
    st.caption(
        f"{format_count(len(looks), 'look')} at the {n_rows:,} locked rows so far, the last on "
        f"{_moment(looks[-1].time)}. Each one that a choice depends on makes them worth less."
    )
    with st.expander("All looks"):
        shown = list(reversed(looks))[:_MOST]
        rows = [(_moment(one.time), *map(escape, (shown_name(one.study), one.what)), _score(one)) for one in shown]
        st.html(html_table("Looks at the locked rows", ("When", "Study", "What", "Score"), rows))
        if len(looks) > _MOST:
            st.caption(f"The newest {_MOST} of {len(looks):,}.")


def seal_button(study: Study, problem: Problem, n_rows: int, key: str) -> None:
    """Locks the rows for good, once that was said to be meant."""
    with st.popover("Lock for good", key=f"{key}-seal"):
        st.markdown(
            f"Nobody opens these {n_rows:,} rows again: not for this study, nor for any other that shares them. "
            "What was seen stays on record. There is no way back."
        )
        st.button("Lock them", key=f"{key}-seal-yes", on_click=seal, args=(study, problem))


def looks_so_far(problem: Problem) -> tuple[Look, ...]:
    """All looks at the locked rows of a problem in this lab, oldest first."""
    return looks_at(the_lab().storage, problem)


def _moment(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch))


def _score(one: Look) -> str:
    return "could not be fitted" if one.score is None else format_score(one.score)
