"""The look that Streamlit's own settings do not reach: width, spacing, cards, fixed-width figures."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SHEETS = ("theme.css", "cards.css", "studies.css")
_STYLE = f"<style>{''.join((Path(__file__).parent / name).read_text(encoding='utf-8') for name in _SHEETS)}</style>"


def apply_theme() -> None:
    """Adds the style sheet to the page; to be called once in each run of the frame."""
    st.html(_STYLE)
