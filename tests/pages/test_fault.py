"""The edge of a page: plain sentences, and the trace in the log."""

import logging
import re

from streamlit.testing.v1 import AppTest

from pages._shared.fault import plain


def _broken_page():
    from pages._shared.fault import fault_edge

    with fault_edge("The page Tune"):
        raise RuntimeError("a secret detail")


def _refusing_page():
    from hpo_core.errors import UsageError
    from pages._shared.fault import fault_edge

    with fault_edge("The page Tune"):
        raise UsageError("The column <b>x</b> is not there. Choose ![another](http://127.0.0.1/one).")


def test_unexpected_fault_shows_one_sentence_and_logs_the_trace_under_its_id(caplog):
    caplog.set_level(logging.ERROR)
    page = AppTest.from_function(_broken_page).run()
    (error,) = page.error
    assert not page.exception
    assert "a secret detail" not in error.value
    (fault_id,) = re.findall(r"under ([0-9a-f]{8})", error.value)
    (record,) = [r for r in caplog.records if fault_id in r.getMessage()]
    assert record.exc_info[0] is RuntimeError


def test_sentence_of_the_lab_is_shown_as_it_stands_without_markup():
    (error,) = AppTest.from_function(_refusing_page).run().error
    assert "<b>" not in error.value
    assert "![" not in error.value
    assert "http:" not in error.value


def test_plain_leaves_words_and_numbers_alone():
    assert plain("C must lie from 0.001 to 1,000; got 7 (or -1).") == "C must lie from 0.001 to 1,000; got 7 (or -1)."


def _page_whose_callback_failed():
    import streamlit as st

    from pages._shared.fault import show_script_error

    st.text(str(show_script_error(RuntimeError("a secret detail"))))


def test_fault_in_a_callback_is_shown_and_logged_in_place_of_a_trace(caplog):
    page = AppTest.from_function(_page_whose_callback_failed).run()
    (error,) = page.error
    assert page.text[0].value == "True"  # tells Streamlit to show nothing of its own
    assert "a secret detail" not in error.value
    assert any(r.exc_info and "a secret detail" in str(r.exc_info[1]) for r in caplog.records)
