"""The page of studies without a browser: search, order, actions and what goes wrong underneath."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from hpo_core.problem import make_problem
from hpo_core.search import make_study
from pages._shared.lab import the_lab

PAGE = Path(__file__).parents[2] / "pages" / "studies.py"


@pytest.fixture
def branin():
    return make_problem("branin")


def _opened():
    page = AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not page.exception
    return page


def _names(page):
    return [button.key.removeprefix("open-") for button in page.button if button.key.startswith("open-")]


def _texts(page):
    return "".join(element.proto.body for element in page.get("html"))


def test_empty_lab_says_how_a_study_begins(lab):
    assert "No studies yet" in _texts(_opened())


def test_words_narrow_the_list_and_name_the_way_out(lab, branin):
    for name in ("first", "second"):
        make_study(lab.storage, branin, name)
    page = _opened()
    assert sorted(_names(page)) == ["first", "second"]
    assert _names(page.text_input(key="studies-words").input("SECOND branin").run()) == ["second"]
    assert "No study holds all of these words" in _texts(page.text_input(key="studies-words").input("x y z").run())


def test_long_list_is_paged_and_ticks_survive_another_page(lab, branin):
    for i in range(30):
        make_study(lab.storage, branin, f"s{i:02d}")
    page = _opened()
    page.selectbox(key="studies-order").select("name").run()
    assert _names(page) == [f"s{i:02d}" for i in range(25)]
    page.checkbox(key="tick-s03").check().run()
    page.text_input(key="studies-words").input("s29").run()
    page.checkbox(key="tick-s29").check().run()
    assert "2 ticked" in _texts(page)
    assert not page.button(key="compare").disabled
    page.text_input(key="studies-words").input("").run()
    assert page.checkbox(key="tick-s03").value
    page.button(key="clear-ticks").click().run()
    assert not page.checkbox(key="tick-s03").value
    assert "Tick two to six" in _texts(page)


def test_more_than_six_cannot_be_compared(lab, branin):
    for i in range(7):
        make_study(lab.storage, branin, f"s{i}")
    page = _opened()
    for i in range(7):
        page.checkbox(key=f"tick-s{i}").check().run()
    assert page.button(key="compare").disabled
    assert "At most 6 can be compared; untick 1" in _texts(page)


def test_study_that_somebody_else_deleted_leaves_list_and_ticks(lab, branin):
    for name in ("first", "second", "third"):
        make_study(lab.storage, branin, name)
    page = _opened()
    page.checkbox(key="tick-first").check().run()
    page.checkbox(key="tick-second").check().run()
    the_lab().storage.delete("second")
    page.run()
    assert sorted(_names(page)) == ["first", "third"]
    assert "1 ticked" in _texts(page)
    assert page.button(key="compare").disabled


def test_what_anybody_deleted_can_be_brought_back(lab, branin):
    for name in ("first", "second"):
        make_study(lab.storage, branin, name)
    lab.storage.discard("second")
    page = _opened()
    assert _names(page) == ["first"]
    page.button(key="back-second").click().run()
    assert sorted(_names(page)) == ["first", "second"]
    assert "second is back" in _texts(page)
    assert not [button for button in page.button if button.key.startswith("back-")]


def test_storage_that_goes_away_is_one_sentence_and_comes_back(lab, branin):
    make_study(lab.storage, branin, "first")
    page = _opened()
    file = lab.folder / "lab.db"
    aside = file.rename(lab.folder / "aside.db")
    page.run()
    assert len(page.error) == 1
    assert "lab.db" in page.error[0].value
    aside.rename(file)
    page.run()
    assert _names(page) == ["first"]
    assert not page.error
