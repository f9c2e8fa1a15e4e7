"""Widgets of options: a free text that cannot be is named, and refused where it is used."""

import pytest
from streamlit.testing.v1 import AppTest

from hpo_core.errors import UsageError
from hpo_core.methods import METHODS
from hpo_core.options import with_options


def _page():
    import streamlit as st

    from hpo_core.methods import METHODS
    from pages._shared.option_widgets import option_widgets

    st.session_state["chosen"] = option_widgets(METHODS["grid"], key="grid")


def test_text_is_taken_over_without_the_blanks_around_it():
    page = AppTest.from_function(_page, default_timeout=60).run()
    assert page.text_input(key="grid-single").placeholder == "C=9, gamma=5"
    page.text_input(key="grid-single").set_value(" C=3 ").run()
    assert page.session_state["chosen"] == with_options(METHODS["grid"], {"single": "C=3"})
    assert not page.error


def test_text_that_cannot_be_gets_its_sentence_and_is_refused_where_it_is_used():
    page = AppTest.from_function(_page, default_timeout=60).run()
    page.text_input(key="grid-single").set_value("C=x").run()
    assert not page.exception
    (error,) = page.error
    assert "write name=number" in error.value
    with pytest.raises(UsageError, match="write name=number"):
        with_options(METHODS["grid"], {"single": page.session_state["chosen"].single})
