"""What the search has found, in a sentence: against the default, against the person, and what failed on the way."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from hpo_core.analysis.noise import Difference
from hpo_core.formats import format_count, format_score, format_signed
from hpo_core.plots import DEFAULT, MANUAL
from hpo_core.studies.table import TrialTable
from pages._shared.score_card import fold_difference
from pages._shared.tuning import Tuning, load

_RESULT = {"tie": " The default does as well.", "worse": " The default does better."}


def machine_rows(table: TrialTable) -> np.ndarray:
    """Rows of the trials that search methods made."""
    return np.flatnonzero(~np.isin(table.arms, [MANUAL, DEFAULT, ""]))


def best_of(table: TrialTable, rows: np.ndarray) -> int | None:
    """The best complete one of these rows; None without any."""
    usable = rows[table.is_complete[rows]]
    return int(usable[np.argmin(table.sign * table.values[usable])]) if len(usable) else None


def outcome(tuning: Tuning, table: TrialTable) -> None:
    """The line and its button; nothing before the machine has tried anything."""
    rows = machine_rows(table)
    if not len(rows):
        return
    best = best_of(table, rows)
    with st.container(key="outcome", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div class="lab-outcome" role="status">{_found(tuning, table, rows, best)}{_failed(table, rows)}</div>'
        )
        if best is not None:
            target = table.configuration(best)
            if st.button("Put the sliders there", on_click=load, args=(tuning, target)):
                st.rerun()  # the sliders are in another fragment


def _found(tuning: Tuning, table: TrialTable, rows: np.ndarray, best: int | None) -> str:
    if best is None:
        return "<p>The machine has no finished trial yet.</p>"
    default, own = table.best(DEFAULT), table.best(MANUAL)
    rivals = [(row, name) for row, name in ((default, "the default"), (own, "your best")) if row is not None]
    differences = {name: _difference(tuning, table, best, row) for row, name in rivals}
    parts = ", ".join(_against(d, name) for name, d in differences.items())
    end = _RESULT.get(differences["the default"].verdict, "") if "the default" in differences else ""
    head = f"Machine, best of {int(table.is_complete[rows].sum()):,}"
    return f"<p><b>{head}</b>: {parts or format_score(table.values[best])}.{end}</p>"


def _difference(tuning: Tuning, table: TrialTable, first: int, second: int) -> Difference:
    return fold_difference(tuning.problem, tuple(table.fold_scores[first]), tuple(table.fold_scores[second]))


def _against(difference: Difference, name: str) -> str:
    size = format_signed(difference.mean)
    return {
        "better": f'<span class="lab-better">▲ better than {name}</span> ({size}, beyond noise)',
        "worse": f'<span class="lab-worse">▼ worse than {name}</span> ({size}, beyond noise)',
        "tie": f'<span title="the difference is within the noise of the folds">tied with {name}</span> ({size})',
        "unknown": f"{size} against {name}, with no noise to judge it by",
    }[difference.verdict]


def _failed(table: TrialTable, rows: np.ndarray) -> str:
    failed = rows[table.is_failed[rows]]
    if not len(failed):
        return ""
    first = int(failed[0])
    reason = str(table.reasons[first]) or "no reason was recorded"
    text = f"{format_count(len(failed), 'trial')} failed; the first, trial {int(table.numbers[first])}: {reason}"
    return f'<p class="lab-fault">{escape(text)}</p>'
