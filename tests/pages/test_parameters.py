"""Numbers as people type them, the stops of sliders, and moves that are taken once."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from hpo_core.problem import make_problem
from hpo_core.space import Categorical, Float, Int
from pages._shared.parameter_row import Move
from pages._shared.parameters import entry_text, is_locked, parsed_number, stops
from pages._shared.tuning import Tuning, is_news, set_value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3.5", 3.5),
        (" 1e-3 ", 0.001),
        ("0,5", 0.5),
        ("1,000", 1000.0),
        ("12,345,678.5", 12345678.5),
        ("−4", -4.0),
        ("-4", -4.0),
        (".5", 0.5),
    ],
)
def test_number_is_read_as_people_write_it(text, number):
    assert parsed_number(text) == number


@pytest.mark.parametrize("text", ["", "a lot", "1_000", "nan", "1,2,3", "1 000", "0x10", "<b>"])
def test_text_that_is_no_number_is_handed_back(text):
    assert parsed_number(text) == text


def test_infinity_is_a_number_that_no_range_holds():
    parameter = Float(name="C", low=0.0, high=1.0, default=0.5)
    assert "must be a number" in (parameter.why_invalid(parsed_number("inf")) or "")
    assert "got inf" in (Int(name="n", low=1, high=9, default=1).why_invalid(parsed_number("inf", is_whole=True)) or "")


def test_whole_number_is_whole_only_where_it_is():
    assert isinstance(parsed_number("12", is_whole=True), int)
    assert parsed_number("12.5", is_whole=True) == 12.5


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_the_field_shows_reads_back_to_six_digits(value):
    assert math.isclose(float(parsed_number(entry_text(value))), value, rel_tol=1e-5)


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_whole_numbers_read_back_exactly(value):
    assert parsed_number(entry_text(value), is_whole=True) == value


def test_one_value_is_locked():
    assert is_locked(Int(name="n", low=3, high=3, default=3))
    assert is_locked(Categorical(name="kernel", choices=("rbf",), default="rbf"))
    assert not is_locked(Float(name="C", low=0.0, high=1.0, default=0.5))


PARAMETERS = [
    Float(name="C", low=0.001, high=1000.0, default=1 / 3, log=True),
    Float(name="x", low=-5.0, high=10.0, default=2.5),
    Float(name="share", low=0.1, high=0.95, default=0.3, step=0.1),
    Float(name="narrow", low=1.0, high=1.001, default=1.0, log=True),
    Int(name="n", low=10, high=500, default=100),
    Int(name="many", low=0, high=1_000_000, default=77_777),
    Int(name="leaves", low=2, high=4096, default=31, log=True),
    Int(name="even", low=2, high=9, default=4, step=2),
]


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.name)
def test_stops_are_allowed_values_in_order_with_both_ends_and_the_default(parameter):
    values = stops(parameter)
    assert list(values) == sorted(set(values))
    assert (values[0], values[-1]) == pytest.approx(parameter.levels(2))
    assert parameter.default in values
    assert [parameter.why_invalid(value) for value in values if parameter.why_invalid(value)] == []
    assert len(values) <= 502
    assert len({entry_text(value) for value in values}) == len(values)  # each step shows another text


def test_whole_numbers_of_a_linear_range_are_all_stops():
    assert stops(Int(name="n", low=10, high=500, default=100)) == tuple(range(10, 501))


@given(st.floats(1e-9, 1e3), st.floats(1.0, 1e12), st.floats(0, 1), st.booleans())
def test_any_range_has_stops_with_its_ends_and_its_default(low, factor, share, log):
    high = low * factor + 1e-9
    default = min(max(low + share * (high - low), low), high)
    values = stops(Float(name="p", low=low, high=high, default=default, log=log))
    assert {low, high, default} <= set(values)
    assert len(values) <= 104


@pytest.fixture
def bench():
    problem = make_problem("branin")
    return Tuning({}, problem, None, problem.space.defaults())


def test_move_is_news_once_and_only_with_the_turn_of_the_bench(bench):
    turn = bench.turns["x"]
    assert is_news(bench, "x", Move("1", turn, place=3))
    assert not is_news(bench, "x", Move("1", turn, place=3))
    assert is_news(bench, "x", Move("2", turn, place=3))
    bench.turns.clear()
    assert not is_news(bench, "x", Move("3", turn, place=4))
    assert is_news(bench, "x", Move("4", bench.turns["x"], place=4))


def test_value_that_is_not_allowed_is_said_and_sends_the_row_back(bench):
    turn, other = bench.turns["x"], bench.turns["y"]
    set_value(bench, bench.problem.space["x"], "a lot")
    assert "x must be a number" in bench.faults["x"]
    assert bench.values == bench.problem.space.defaults()
    assert bench.turns["x"] != turn
    assert bench.turns["y"] == other


def _rows(model: str) -> None:
    from hpo_core.problem import make_problem
    from pages._shared.parameters import parameter_widgets
    from pages._shared.tuning import Tuning

    problem = make_problem("wine", model)
    parameter_widgets(Tuning({}, problem, None, problem.space.defaults()), None)


def _shown(model: str) -> str:
    page = AppTest.from_function(_rows, args=(model,), default_timeout=60).run()
    assert not page.exception
    return " ".join(block.proto.body for block in page.get("html"))


def test_inactive_parameters_are_named_while_they_are_few():
    assert "only for kernel = poly" in _shown("svm")
    assert "more parameters" not in _shown("svm")


def test_inactive_parameters_of_many_families_are_counted_only():
    shown = _shown("automl")
    space = make_problem("wine", "automl").space
    assert f"{len(space) - len(space.default())} more parameters belong to other choices" in shown
    assert "only for" not in shown
