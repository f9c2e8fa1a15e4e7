"""The page of any study, as the server draws it."""

from streamlit.testing.v1 import AppTest

from tests.finished_trials import failed, finished, new_study


def _page(name):
    from pages._shared.study_page import study_page

    study_page(name)


def drawn(name):
    page = AppTest.from_function(_page, args=(name,), default_timeout=60).run()
    assert not page.exception
    return page


def html_of(page):
    return " ".join(element.proto.body for element in page.get("html"))


def test_address_without_a_study_says_how_to_name_one(lab):
    assert "Which study?" in html_of(drawn(""))


def test_unknown_study_is_one_sentence(lab):
    page = drawn("never")
    assert [error.value for error in page.error] == ["There is no study 'never'; the storage holds 0 studies."]


def test_study_without_trials_says_that_they_come_by_themselves(lab):
    new_study(lab.storage, "empty")
    page = drawn("empty")
    assert "No trials yet" in html_of(page)
    assert not page.error


def test_study_shows_its_best_and_counts(lab):
    new_study(lab.storage, "mine").record(finished(0, value=0.25), finished(1, value=0.75), failed(2))
    text = html_of(drawn("mine"))
    assert "best 0.7500 in trial 1" in text
    assert "3 trials, 1 failed" in text
    assert "All 3 trials" in text


def test_study_whose_trials_all_failed_is_shown(lab):
    new_study(lab.storage, "unlucky").record(failed(0), failed(1))
    page = drawn("unlucky")
    assert "2 trials, 2 failed" in html_of(page)
    assert not page.error


def test_name_is_shown_as_it_stands(lab):
    new_study(lab.storage, "<img src=x>").record(finished(0))
    text = html_of(drawn("<img src=x>"))
    assert "<img" not in text
    assert "&lt;img src=x&gt;" in text
