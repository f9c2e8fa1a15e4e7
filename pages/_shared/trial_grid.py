"""A page of trials as a table in which rows are ticked and columns sorted.

`st.dataframe` draws on a canvas and knows rows by their place (Streamlit 1.67): ticks would move to other trials as a
search adds some, and no screen reader or phone gets far. Here ticks belong to the numbers of trials.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from hpo_core.analysis.listing import TRIAL, VALUE, Column

_HERE = Path(__file__).parent
_MOST_TICKS = 1000
_COMPONENT = st.components.v2.component(
    "tuning_lab.trial_grid",
    html='<div class="trial-grid"></div>',
    css=(_HERE / "trial_grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "trial_grid.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, slots=True)
class GridView:
    """What the person made of the table.

    Attributes:
        sort: Key of a column.
        is_reversed: Whether the order of that column is turned round.
        page: From 0.
        ticked: Numbers of trials, in the order of the ticks.
    """

    sort: str = VALUE
    is_reversed: bool = False
    page: int = 0
    ticked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row: the trial's number, its cells, and how it stands: a state's word, "best", "tied", "you"."""

    number: int
    cells: Sequence[str]
    marks: Sequence[str] = ()


def grid_view(key: str) -> GridView:
    """The view as it is now, before the grid with this key is drawn."""
    turn, given = st.session_state.get(f"{key}-given", (0, GridView()))
    sent = (st.session_state[key].get("view") if key in st.session_state else None) or {}
    if sent.get("turn") != turn:
        return given
    view = _parsed(sent, given)
    st.session_state[f"{key}-given"] = (turn, view)  # the grid may leave the page, and its own state with it
    return view


def set_grid_view(key: str, **changes: Any) -> None:
    """Changes the view from the server's side, whatever the browser says it is."""
    view = replace(grid_view(key), **changes)
    turn, _ = st.session_state.get(f"{key}-given", (0, None))
    st.session_state[f"{key}-given"] = (turn + 1, view)


def trial_grid(
    rows: Sequence[GridRow],
    columns: Sequence[Column],
    view: GridView,
    *,
    key: str,
    n_rows: int,
    page_size: int,
    label: str,
) -> None:
    """Draws one page; `grid_view` says what the person does with it.

    Args:
        rows: The rows of this page.
        columns: What the cells are.
        view: From `grid_view`, with the page within its bounds.
        key: Names the grid among all runs.
        n_rows: How many rows there are on all pages.
        page_size: How many on a full page.
        label: What the table holds, for a screen reader.
    """
    turn, _ = st.session_state.get(f"{key}-given", (0, None))
    spec = {
        "columns": [asdict(column) for column in columns],
        "rows": [[row.number, list(row.cells), list(row.marks)] for row in rows],
        "view": {**asdict(view), "turn": turn},
        "count": n_rows,
        "size": page_size,
        "label": label,
    }
    _COMPONENT(key=key, data=json.dumps(spec), default={"view": None}, on_view_change=_nothing)


def _parsed(sent: Mapping[str, Any], given: GridView) -> GridView:
    """What the browser sent, which may be anything."""
    ticked = [n for n in sent.get("ticked", ()) if isinstance(n, int)][:_MOST_TICKS]
    page, sort = sent.get("page"), sent.get("sort")
    return GridView(
        sort=sort if isinstance(sort, str) else TRIAL,
        is_reversed=sent.get("is_reversed") is True,
        page=max(page, 0) if isinstance(page, int) else given.page,
        ticked=tuple(dict.fromkeys(ticked)),
    )


def _nothing() -> None:
    pass
