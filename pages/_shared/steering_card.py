"""The lab book of a study on the screen: what was done to it, by whom and when, and what people noted."""

from __future__ import annotations

import time
from functools import partial
from html import escape

import pandas as pd
import streamlit as st

from hpo_core.analysis.steering import Steered, lab_book
from hpo_core.export.spreadsheet import csv_bytes
from hpo_core.formats import format_age
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from pages._shared.note_form import note_form, note_removal

_MOST = 200
_HEAD = '<tr><th scope="col">when</th><th scope="col">what</th><th scope="col">by</th></tr>'


def steering_card(study: Study, table: TrialTable, *, key: str) -> None:
    """The log with the notes, folded up below the views of a study, the newest first, and a field for a note.

    Args:
        study: Where notes are kept.
        table: The same study.
        key: Names it among all runs.
    """
    with st.expander("What was done to this study, by whom and when, and notes"), st.container(key=key, gap="small"):
        note_form(study, (), key=f"{key}-note", label="Note on this study")
        if log := lab_book(table):
            _log(study, table, log, key)


def _log(study: Study, table: TrialTable, log: tuple[Steered, ...], key: str) -> None:
    shown, now = log[: -_MOST - 1 : -1], time.time()
    rows = "".join(_row(entry, now) for entry in shown)
    st.html(
        '<div class="lab-table lab-steering" tabindex="0" role="region" aria-label="what was done to this study">'
        f"<table><thead>{_HEAD}</thead><tbody>{rows}</tbody></table></div>"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Showing the last {len(shown):,} of {len(log):,}.", width="content")
        file = {"file_name": f"{table.study}-log.csv", "mime": "text/csv", "on_click": "ignore"}
        st.download_button("CSV", partial(steering_csv, table), key=f"{key}-csv", help="All of it", **file)
        note_removal(study, table.notes, key=f"{key}-note")


def steering_csv(table: TrialTable) -> bytes:
    """The whole log as CSV."""
    log = lab_book(table)
    columns = {
        "time (UTC)": pd.to_datetime([entry.time for entry in log], unit="s").strftime("%Y-%m-%d %H:%M:%S"),
        "what": [entry.words for entry in log],
        "by": [entry.by for entry in log],
    }
    return csv_bytes(pd.DataFrame(columns))


def _row(entry: Steered, now: float) -> str:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.time))
    return (
        f'<tr><th scope="row" title="{stamp}">{format_age(entry.time, now)}</th>'
        f"<td>{escape(entry.words)}</td><td>{escape(entry.by)}</td></tr>"
    )
