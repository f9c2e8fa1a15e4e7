"""The form on tables that people bring: every fault is a sentence in the form, and what works is said."""

import pytest
from streamlit.testing.v1 import AppTest

ROWS = [f"{i % 7},{(i * 5) % 11},{'red' if i % 3 else 'blue'},{'abc'[i % 3]}" for i in range(60)]
HEADER = "height,width,colour,kind"


def _form():
    import streamlit as st

    from pages._shared.problem_form import problem_form

    problem_form()
    st.text(str(st.query_params.to_dict()))


def _opened(lab, lines, name="flowers.csv"):
    kept = lab.keep_table(name, "\n".join(lines).encode())
    form = AppTest.from_function(_form, default_timeout=60).run()
    return form.selectbox(key="problem-data").select(kept).run()


def _errors(form):
    assert not form.exception
    return [error.value for error in form.error]


def test_table_that_was_kept_offers_its_last_column_as_target(lab):
    form = _opened(lab, [HEADER, *ROWS])
    assert _errors(form) == []
    assert form.selectbox(key="problem-data").value.startswith("flowers.")
    (target,) = [s for s in form.selectbox if s.label == "Target"]
    assert target.value == "kind"
    assert any("60 rows, 3 columns" in c.value for c in form.caption)


def test_rows_without_a_target_and_classes_of_one_row_are_said_before_tuning(lab):
    rows = [*ROWS, "1,2,red,", "1,2,red,rare"]
    captions = " ".join(c.value for c in _opened(lab, [HEADER, *rows]).caption)
    assert "1 row without a target was left out" in captions
    assert "rare" in captions


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([HEADER, *(row[:-1] + "same" for row in ROWS)], "The target kind is same in every row"),
        ([HEADER, *(row[:-1] for row in ROWS)], "has no value in any row"),
        ([HEADER, *ROWS[:6]], "flowers.csv has 6 rows with a target"),
    ],
)
def test_target_that_cannot_be_learned_is_a_sentence_and_offers_no_button(lab, lines, sentence):
    form = _opened(lab, lines)
    (error,) = _errors(form)
    assert sentence in error.replace("\\", "")
    assert not form.button


def test_task_can_be_overridden_and_what_cannot_be_learned_as_numbers_is_said(lab):
    form = _opened(lab, [HEADER, *ROWS])
    (task,) = form.segmented_control
    assert task.value == "classification"
    (error,) = _errors(task.set_value("regression").run())
    assert "cannot be used for regression" in error
    (target,) = [s for s in form.selectbox if s.label == "Target"]
    form = target.select("height").run()
    (task,) = form.segmented_control
    other = {"classification": "regression", "regression": "classification"}[task.value]
    form = task.set_value(other).run()
    assert _errors(form) == []
    form = form.button(key="problem-open").click().run()
    assert f"'task': '{other}'" in form.text[0].value


def test_problem_that_cannot_be_opened_is_said_in_the_form_and_leaves_the_address(lab):
    small = [HEADER, *(f"{i},{i * i % 7},red,{'ab'[i % 2]}" for i in range(12))]
    form = _opened(lab, small)
    form = form.slider(key="problem-folds").set_value(10).run()
    form = form.button(key="problem-open").click().run()
    (error,) = _errors(form)
    assert "fold" in error
    assert form.text[0].value == "{}"


def test_names_with_markup_are_shown_as_they_are(lab):
    header = 'height,<img src=x onerror=alert(1)>,"=cmd()",**kind**'
    form = _opened(lab, [header, *(row[:-1] + "same" for row in ROWS)])
    (error,) = _errors(form)
    assert r"\*\*kind\*\*" in error
