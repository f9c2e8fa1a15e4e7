"""A small table of a card, that scrolls sideways by itself where it is too wide."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def html_table(label: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as HTML.

    Args:
        label: What screen readers call it.
        heads: Names of the columns.
        rows: The first cell names the row. Cells are HTML: whoever gives text escapes it.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td class=lab-number>{cell}</td>" for cell in cells)}</tr>'
        for first, *cells in rows
    )
    return (
        f'<div class="lab-table" tabindex="0" role="region" aria-label="{escape(label)}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
