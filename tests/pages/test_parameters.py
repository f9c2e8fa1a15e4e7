"""Numbers as people type them, and the stops of sliders."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.space import Categorical, Float, Int
from pages._shared.parameters import entry_text, is_locked, parsed_number


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
