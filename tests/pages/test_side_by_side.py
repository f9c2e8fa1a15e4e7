"""The comparison on the screen: what differs first, verdicts in words, and nothing judged that does not compare."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.trial_tables import build_table


def _page(table, numbers, why="", titles=None):
    import streamlit as st

    from pages._shared.side_by_side import compared_trials, side_by_side

    def load(place):
        st.query_params["loaded"] = str(place)

    side_by_side(
        compared_trials(table, numbers),
        direction=table.direction,
        overlap=0.25,
        key="test",
        value_label="accuracy",
        why_incomparable=why,
        titles=titles,
        links=["/?study=a&b"],
        on_load=load,
    )


def _shown(table, numbers, **arguments):
    page = AppTest.from_function(_page, args=(table, numbers), kwargs=arguments, default_timeout=60).run()
    assert not page.exception
    return page


def _html(page):
    return "".join(element.proto.body for element in page.get("html"))


def test_trials_stand_side_by_side_with_a_verdict_in_words():
    html = _html(_shown(build_table(20), [3, 5, 8]))
    assert "trial 3" in html
    assert "accuracy ↑" in html
    assert "Beyond noise" in html or "within noise" in html
    assert html.index("lab-differs") < html.index("lab-secondary")
    assert 'href="/?study=a&amp;b"' in html


def test_values_that_do_not_compare_get_the_sentence_and_no_verdict():
    html = _html(_shown(build_table(20), [3, 5], why="They are on different data: <iris>, wine."))
    assert "different data: &lt;iris&gt;" in html
    assert "lab-verdict" not in html
    assert "best value" not in html


def test_load_button_hands_on_the_place():
    page = _shown(build_table(20), [3, 5])
    page.button(key="test-load-1").click().run()
    assert page.query_params["loaded"] == "1"


def test_another_reference_can_be_chosen_from_three_on():
    page = _shown(build_table(20), [3, 5, 8])
    assert "against trial 3" in _html(page)
    page.selectbox(key="test-reference-3").select_index(2).run()
    assert "against trial 8" in _html(page)


def test_numbers_that_are_gone_are_left_out_and_parameters_have_their_titles():
    page = _shown(build_table(20), [3, 99, 5], titles={"C": "Strength <C>"})
    assert "Strength &lt;C&gt;" in _html(page)
    assert len(page.button) == 2
