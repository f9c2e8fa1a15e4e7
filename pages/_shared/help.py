"""The help: how the lab works, on one page, and the keys."""

from __future__ import annotations

import streamlit as st

from pages._shared.glossary_page import ALL

_OPEN = "help-open"
_STEPS = (
    (
        "Move a slider.",
        "The model is fitted on each fold and scored on the rows left out. The first fold shows at once.",
    ),
    (
        "Look at the noise.",
        "± is how much the score changes from fold to fold. A difference smaller than that is called within noise: "
        "do not chase it.",
    ),
    ("Start the machine.", "It searches the same ranges on the same folds, and goes on when you close this page."),
    (
        "Read one chart.",
        "Orange is you, blue the machine, grey the library's default. A click on a trial puts the sliders there.",
    ),
    (
        "Change the ranges.",
        "Narrow them around what is good, lock what does not matter, widen where the best lies at an end. "
        "That makes a child study, which keeps the trials that fit.",
    ),
    (
        "Have a duel.",
        "You and the machine under one budget, scored on fresh folds at the end. A tie is called a tie.",
    ),
    (
        "Learn how it works.",
        "Short lessons on the same methods, landscapes and models: walk in fog, race the drones, look inside. In a "
        "class many people tune one problem, each for themselves.",
    ),
    (
        "Conclude.",
        "The best of many is partly luck, and the lab says how much. A finalists round on fresh folds names the "
        "winner, or a tie; the locked rows are opened once, at the very end. That tuning did not help is a result.",
    ),
)
_KEYS = (
    ("← →", "move a slider by a step; the slider must have the focus"),
    ("Page Up, Page Down", "move it by ten steps"),
    ("Home, End", "to the ends of its range"),
    ("Ctrl + Z", "undo the last move (⌘ Z on a Mac)"),
    ("Ctrl + Shift + Z", "redo"),
    ("Tab", "to the next control, in the order of reading"),
    ("Arrow keys on a map of Learn", "take a step; with Shift a small one, and Enter picks where a cross is moved"),
    ("?", "this page"),
)


def help_button() -> None:
    """The button in the header, and the dialog that it opens."""
    if st.button("?", key="help", help="How this works, and the keys", on_click=_open):
        _open()  # a click that arrives during the very first run of a page calls no callback (Streamlit 1.67)
    if st.session_state.get(_OPEN):  # and not for the one run of the click: pages rerun by themselves
        _help()


def _open() -> None:
    st.session_state[_OPEN] = True


def _close() -> None:
    st.session_state.pop(_OPEN, None)


@st.dialog("How this works", width="medium", on_dismiss=_close)
def _help() -> None:
    steps = "".join(f"<li><b>{head}</b> {text}</li>" for head, text in _STEPS)
    keys = "".join(f'<tr><th scope="row"><kbd>{key}</kbd></th><td>{does}</td></tr>' for key, does in _KEYS)
    st.html(f'<div class="lab-help"><ol>{steps}</ol><h4>Keys</h4><table>{keys}</table></div>')
    if st.button("Glossary: the words of the lab", key="help-glossary"):
        _close()
        st.switch_page("learn.py", query_params={"glossary": ALL})
