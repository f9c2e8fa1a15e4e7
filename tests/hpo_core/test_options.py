"""Typed options of frozen dataclasses."""

import math
from dataclasses import dataclass

import pytest

from hpo_core.errors import UsageError
from hpo_core.options import option, options_of, with_options


def _why_no_mesh(text):
    return None if "x" in text else f"write rows x columns; got {text!r}."


@dataclass(frozen=True)
class Sieve:
    plain: int = 3
    holes: int = option(5, "Holes", "How many.", low=1, high=9)
    width: float = option(0.5, "Width", "How wide.", low=0.0)
    top: float = option(1.0, "Top", "How high.", high=2.0)
    is_round: bool = option(True, "Round", "Or square.")
    metal: str = option("tin", "Metal", "What of.", choices=("tin", "iron"))
    along: str = option("", "Along", "Which parameter.")
    mesh: str = option("4x4", "Mesh", "Rows and columns.", check=_why_no_mesh, example="4x4")


def test_fields_declare_their_kind_limits_and_meaning():
    declared = {o.name: o for o in options_of(Sieve)}
    assert "plain" not in declared
    assert {n: o.kind for n, o in declared.items()} == {
        "holes": "int", "width": "float", "top": "float", "is_round": "bool", "metal": "choice", "along": "parameter",
        "mesh": "text",
    }  # fmt: skip
    assert (declared["holes"].low, declared["holes"].high, declared["holes"].default) == (1, 9, 5)
    assert (declared["metal"].label, declared["metal"].explanation) == ("Metal", "What of.")


def test_a_copy_holds_the_given_values_and_the_original_stays():
    sieve = Sieve()
    changed = with_options(sieve, {"holes": 9, "width": 2, "is_round": False, "metal": "iron", "along": "C"})
    assert (changed.holes, changed.width, changed.is_round, changed.metal, changed.along) == (9, 2, False, "iron", "C")
    assert sieve == Sieve()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"holes": 0}, "holes must be a whole number from 1 to 9; got 0"),
        ({"holes": 2.0}, "holes must be a whole number from 1 to 9; got 2.0"),
        ({"holes": True}, "holes must be a whole number from 1 to 9; got True"),
        ({"holes": "many"}, "holes must be a whole number from 1 to 9; got 'many'"),
        ({"width": -1}, "width must be a number of at least 0; got -1"),
        ({"width": math.nan}, "width must be a number of at least 0; got nan"),
        ({"top": 3.5}, "top must be a number of at most 2; got 3.5"),
        ({"is_round": 1}, "is_round must be true or false; got 1"),
        ({"metal": "wood"}, "metal must be one of tin, iron; got 'wood'"),
        ({"along": 3}, "along must be the name of a parameter; got 3"),
        ({"mesh": "16"}, "mesh: write rows x columns; got '16'"),
        ({"mesh": 16}, "mesh must be a text such as '4x4'; got 16"),
        ({"colour": "red"}, "There is no option 'colour'; there are holes, width, top, is_round, metal, along, mesh"),
        ({"plain": 4}, "There is no option 'plain'"),
    ],
)
def test_values_out_of_their_limits_are_refused(values, words):
    with pytest.raises(UsageError, match=words):
        with_options(Sieve(), values)


def test_all_faults_are_named_at_once():
    with pytest.raises(UsageError, match=r"no option 'colour'.*holes must be.*metal must be"):
        with_options(Sieve(), {"holes": 0, "metal": "wood", "colour": 1})
