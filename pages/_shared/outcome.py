"""What the search has found: against the default and the person, how much of it is luck, and what to do next."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from hpo_core.analysis.edges import Edge, edges
from hpo_core.analysis.noise import Difference
from hpo_core.analysis.optimism import Corrected
from hpo_core.formats import format_count, format_score, format_signed, format_value
from hpo_core.plots import DEFAULT, MANUAL
from hpo_core.search.finals_round import FinalsRound
from hpo_core.studies.table import TrialTable
from pages._shared.child_form import open_child_form
from pages._shared.conclusion import open_conclusion
from pages._shared.fault import plain
from pages._shared.finals_step import FINALS, fresh_note, why_no_finals
from pages._shared.machine_panel import current_run
from pages._shared.new_rows import luck_line
from pages._shared.score_card import fold_difference
from pages._shared.tuning import Tuning, load

_LATE = 0.75
_FEW = 8


def machine_rows(table: TrialTable) -> np.ndarray:
    """Rows of the trials that search methods made."""
    return np.flatnonzero(~np.isin(table.arms, [MANUAL, DEFAULT, ""]))


def best_of(table: TrialTable, rows: np.ndarray) -> int | None:
    """The best complete one of these rows; None without any."""
    usable = rows[table.is_complete[rows]]
    return int(usable[np.argmin(table.sign * table.values[usable])]) if len(usable) else None


def outcome(tuning: Tuning, table: TrialTable, finals: FinalsRound | None, worth: Corrected | None) -> None:
    """What was found, how far to trust it, and what to do next; nothing before the machine has tried anything.

    Args:
        tuning: What is tuned.
        table: Its trials.
        finals: The last finalists round.
        worth: The best of the study without the luck of being picked.
    """
    rows = machine_rows(table)
    if not len(rows):
        return
    best = best_of(table, rows)
    run = current_run(tuning.study)
    is_over = run is None or not run.is_active
    edge = None if best is None or not is_over else next(iter(_edges(tuning, table, best)), None)
    with st.container(key="outcome", horizontal=True, vertical_alignment="center"):
        lines = [_found(tuning, table, rows, best, finals)]
        if best is not None:
            lines += [
                luck_line(worth),
                _advice(tuning, table, rows, best, edge) if is_over else "",
            ]
            lines += [why_no_finals(tuning)] if is_over else []
        st.html(f'<div class="lab-outcome" role="status">{"".join(lines)}{_failed(table, rows)}</div>')
        if best is not None:
            _buttons(tuning, table, best, edge)


def _buttons(tuning: Tuning, table: TrialTable, best: int, edge: Edge | None) -> None:
    with st.container(key="outcome-buttons", gap="xsmall", width="content"):
        target = table.configuration(best)
        # Never disabled: after a click the sliders are there, and a disabled button does not say that it was pressed.
        if st.button("Put the sliders there", on_click=load, args=(tuning, target)):
            st.rerun()  # the sliders are in another fragment
        if edge is not None and st.button(f"Widen {plain(edge.parameter.title)}", key="widen"):
            open_child_form(tuning, {edge.parameter.name: edge.wider})
        if FINALS.is_there(tuning, table):
            st.button("Finalists round", help=FINALS.help, on_click=open_conclusion, args=(FINALS,))


def _edges(tuning: Tuning, table: TrialTable, best: int) -> tuple[Edge, ...]:
    return edges(tuning.problem.space, table.configuration(best))


def _found(tuning: Tuning, table: TrialTable, rows: np.ndarray, best: int | None, finals: FinalsRound | None) -> str:
    if best is None:
        return "<p>The machine has no finished trial yet.</p>"
    default, own = table.best(DEFAULT), table.best(MANUAL)
    rivals = [(row, name) for row, name in ((default, "the default"), (own, "your best")) if row is not None]
    parts = ", ".join(_against(_difference(tuning, table, best, row), name) for row, name in rivals)
    tried = table.is_complete[rows] | table.is_pruned[rows]
    head = f"Machine, best of {int(tried.sum()):,}"
    number = int(table.numbers[best])
    value = f"trial {number}: {format_score(float(table.values[best]))}{fresh_note(tuning, finals, number)}"
    return f"<p><b>{head}</b> · {value}{': ' if parts else ''}{parts}.</p>"


def _advice(tuning: Tuning, table: TrialTable, rows: np.ndarray, best: int, edge: Edge | None) -> str:
    """What to do after the search."""
    default = table.best(DEFAULT)
    verdict = "unknown" if default is None else _difference(tuning, table, best, default).verdict
    parts = []
    if verdict in ("tie", "worse"):
        parts.append("Tuning has not helped beyond noise: the default does as well, and that is a result.")
    if edge is not None:
        place = f"the {edge.side} end of {escape(edge.parameter.title)}, {format_value(edge.end)}"
        parts.append(f"The best trial lies at {place}: better ones may lie outside.")
    elif verdict == "better":
        parts.append(_more_or_done(table, rows, best))
    return f'<p class="lab-note">{" ".join(parts)}</p>' if parts else ""


def _more_or_done(table: TrialTable, rows: np.ndarray, best: int) -> str:
    done = rows[table.is_complete[rows]]
    since = int((done > best).sum())
    if len(done) < _FEW or since < (1 - _LATE) * len(done):
        return "It was found late: go on, more trials may find better ones."
    return f"The last {since:,} trials found nothing better: take it, or narrow the ranges around it."


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
