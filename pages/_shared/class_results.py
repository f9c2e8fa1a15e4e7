"""The end of a class: the verdict in words, and the table of people and machine with the locked rows."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from hpo_core.export.spreadsheet import csv_bytes
from hpo_core.formats import format_score
from hpo_core.search.class_results import ClassResults, is_scored, results_frame, results_of
from hpo_core.search.classroom import Classroom
from hpo_core.search.duel import Duel
from hpo_core.search.locked import locked_rows
from pages._shared.html_table import html_table
from pages._shared.lab import the_lab
from pages._shared.locked_rows import looks_line, looks_so_far

_HEADS = ("Name", "Place", "Fresh folds", "Locked rows", "Best of own folds", "Tries")


def class_results(room: Classroom) -> None:
    """How far the scoring is, then the results."""
    duel = room.duel
    if not is_scored(duel):
        n = len(duel.members)
        n_fresh = sum(member.final() is not None for member in duel.members)
        n_locked = sum(member.look() is not None for member in duel.members)
        st.caption(f"Scoring what was chosen: {n_fresh} of {n} on fresh folds, {n_locked} of {n} on the locked rows.")
        return
    results = shown_results(duel)
    with st.container(key="card-class-results", gap="small"):
        st.subheader("Who won, and was it more than luck?", anchor=False)
        first, *others = results.sentences
        more = "".join(f"<p>{escape(sentence)}</p>" for sentence in others)
        st.html(f'<div class="lab-outcome" aria-live="polite"><p><b>{escape(first)}</b></p>{more}</div>')
        st.html(html_table("Results", _HEADS, _rows(results)))
        st.download_button(
            "CSV",
            partial(csv_bytes, results_frame(results)),
            f"{duel.plan.name}.csv",
            "text/csv",
            key="class-csv",
            on_click="ignore",
            help="The table, all digits",
        )
        if locked_rows(duel.problem):
            looks_line(looks_so_far(duel.problem), len(duel.problem.split.test))


def shown_results(duel: Duel) -> ClassResults:
    """The results, made once for all who ask."""
    looks = [None if (found := member.look()) is None else found["score"] for member in duel.members]
    return _results(duel.plan.key, repr((duel.plan.finals, looks)), duel)


@st.cache_resource(max_entries=8, show_spinner=False)
def _results(key: str, state: str, _duel: Duel) -> ClassResults:
    return results_of(_duel, the_lab().table_of)


def _rows(results: ClassResults) -> list[tuple[str, ...]]:
    rows = []
    for row in results.rows:
        name = escape(row.name if row.is_person else f"{row.name} (machine)")
        scores = (format_score(row.fresh), f"<b>{format_score(row.locked)}</b>", format_score(row.best))
        rows.append((name, "–" if row.place is None else str(row.place), *scores, f"{row.n_tries:.0f}"))
    return rows
