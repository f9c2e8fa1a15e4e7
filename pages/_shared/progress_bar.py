"""The bar of what takes a while."""

from __future__ import annotations

from html import escape


def progress_bar(label: str, share: float) -> str:
    """The bar as HTML.

    Args:
        label: What is counted, for screen readers.
        share: How much of it is done, from 0 to 1.
    """
    return (
        f'<div class="lab-bar" role="progressbar" aria-label="{escape(label)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share * 100:.0f}"><span style="width:{share * 100:.1f}%"></span></div>'
    )
