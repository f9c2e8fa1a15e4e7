"""The look that Streamlit's own settings do not reach: width, spacing, cards, fixed-width figures."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).parent
_FIRST = ("theme.css", "cards.css")  # what every page has; the sheets of single parts stand beside their modules
_ALL = sorted(_FOLDER.glob("*.css"))
_PARTS = [p.name for p in _ALL if p.name not in _FIRST and not p.with_suffix(".js").exists()]  # or a component's own
_STYLE = f"<style>{''.join((_FOLDER / name).read_text(encoding='utf-8') for name in (*_FIRST, *_PARTS))}</style>"
# What it does is in boot.js, as light or dark is the browser's alone.
THEME_BUTTON = (
    '<button class="lab-button lab-theme" data-lab="theme" title="Light, dark, or as the system" '
    'aria-label="Theme: light, dark, or as the system"></button>'
)


def apply_theme() -> None:
    """Adds the style sheet to the page; to be called once in each run of the frame."""
    st.html(_STYLE)
