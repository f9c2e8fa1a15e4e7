"""New ranges: what narrowing, widening and locking make of a search space, and the sentences for what cannot be."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core.errors import UsageError
from hpo_core.space import Categorical, Condition, Float, Int, Range, SearchSpace

C = Float(name="C", low=1e-3, high=1e3, default=1.0, log=True)
DROPOUT = Float(name="dropout", low=0.0, high=0.9, default=0.3, step=0.1)
TREES = Int(name="trees", low=10, high=500, default=100, step=10)
LEAVES = Int(name="leaves", low=2, high=512, default=32, log=True)
KERNEL = Categorical(name="kernel", choices=("rbf", "poly", "linear"), default="rbf")
DEGREE = Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",)))
GAMMA = Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly")))
EXACT = Categorical(name="exact", choices=(True, 1, None), default=None)
SPACE = SearchSpace((C, DROPOUT, TREES, LEAVES, KERNEL, DEGREE, GAMMA, EXACT))

_UNITS = st.lists(st.floats(0, 1), min_size=len(SPACE), max_size=len(SPACE))


@st.composite
def numbers(draw, parameter, lowest, highest):
    """Ends around a legal value, so that the range holds one; they may reach beyond the old ones."""
    held = parameter.from_unit(draw(st.floats(0, 1)))
    ends = draw(st.floats(lowest, held)), draw(st.floats(held, highest))
    return Range(*draw(st.sampled_from([ends, (ends[0], None), (None, ends[1]), (held, held)])))


@st.composite
def choices(draw, parameter):
    kept = draw(st.sets(st.sampled_from(range(len(parameter.choices))), min_size=1))
    return Range(choices=tuple(parameter.choices[i] for i in kept))


_RANGES = st.fixed_dictionaries(
    {},
    optional={
        "C": numbers(C, 1e-6, 1e6),
        "dropout": numbers(DROPOUT, -1.0, 2.0),
        "trees": numbers(TREES, -50, 900),
        "leaves": numbers(LEAVES, 1, 5000),
        "kernel": choices(KERNEL),
        "degree": numbers(DEGREE, 1, 9),
        "gamma": numbers(GAMMA, 1e-9, 10.0),
        "exact": choices(EXACT),
    },
)


@given(_RANGES, _UNITS)
def test_a_narrowed_space_is_a_space_like_any_other(ranges, units):
    space = SPACE.narrowed(ranges)
    assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))) == space
    assert space.check(space.default()) == space.default()
    configuration = space.from_unit(units[: len(space)])
    assert space.check(configuration) == configuration
    for p in space.parameters:
        assert p.distribution()._contains(p.distribution().to_internal_repr(p.default))


@given(_RANGES, _UNITS)
def test_a_configuration_of_the_narrowed_space_within_the_old_ranges_is_one_of_the_old_space(ranges, units):
    space = SPACE.narrowed(ranges)
    configuration = space.from_unit(units[: len(space)])
    if all(SPACE[name].why_invalid(value) is None for name, value in configuration.items()):
        assert SPACE.check(configuration) == configuration


@given(_RANGES, _UNITS)
def test_a_configuration_of_the_old_space_stays_one_exactly_if_its_values_lie_in_the_new_ranges(ranges, units):
    space = SPACE.narrowed(ranges)
    configuration = SPACE.from_unit(units)
    is_inside = all(
        name in space.names and space[name].why_invalid(value) is None for name, value in configuration.items()
    )
    if is_inside:
        assert space.check(configuration) == configuration
    else:
        with pytest.raises(UsageError):
            space.check(configuration)


@given(st.sampled_from([DROPOUT, TREES, LEAVES, C]), st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
def test_many_values_are_judged_as_each_one_is(parameter, values):
    column = np.array([*values, parameter.low, parameter.high, parameter.default], dtype=float)
    one_by_one = [
        parameter.why_invalid(int(v) if isinstance(parameter, Int) and v.is_integer() else v) is None
        for v in column.tolist()
    ]
    assert parameter.allows(column).tolist() == one_by_one


@given(_UNITS)
def test_no_new_range_changes_nothing(units):
    assert SPACE.narrowed({}) == SPACE
    assert SPACE.narrowed({name: Range() for name in SPACE.names}) == SPACE
    assert SPACE.narrowed({"C": Range()}).from_unit(units) == SPACE.from_unit(units)


def test_a_default_outside_moves_to_the_nearest_value_inside():
    space = SPACE.narrowed(
        {"C": Range(10, 100), "trees": Range(high=75), "kernel": Range(choices=("linear", "poly")), "leaves": Range(64)}
    )
    assert space.default() == {
        "C": 10.0, "dropout": 0.3, "trees": 70, "leaves": 64, "kernel": "poly", "degree": 3, "gamma": 0.1, "exact": None
    }  # fmt: skip


def test_an_end_between_two_steps_moves_inwards_and_the_steps_stay():
    assert SPACE.narrowed({"dropout": Range(0.24, 0.78)})["dropout"] == Float(
        name="dropout", low=0.3, high=0.7, default=0.3, step=0.1
    )
    wide = SPACE.narrowed({"trees": Range(-15.5, 633)})["trees"]
    assert (wide.low, wide.high, type(wide.low)) == (-10, 630, int)


def test_a_rounding_error_does_not_lose_a_step():
    assert SPACE.narrowed({"dropout": Range(0.1 + 0.2, 0.1 + 0.2)})["dropout"].low == 0.3


@pytest.mark.parametrize("name", ["C", "dropout", "trees", "leaves", "kernel", "exact"])
def test_a_locked_parameter_stays_with_one_value(name):
    value = SPACE[name].default
    locked = SPACE.narrowed({name: Range.lock(SPACE[name], value)})
    assert locked[name].default == value
    assert locked[name].distribution().single()
    assert locked.default() == SPACE.default()


def test_true_and_one_are_two_choices():
    assert SPACE.narrowed({"exact": Range(choices=(1,))})["exact"].choices == (1,)
    assert SPACE.narrowed({"exact": Range(choices=(1,))})["exact"].default is not True


def test_what_can_never_be_active_is_left_out_and_its_range_with_it():
    space = SPACE.narrowed({"kernel": Range(choices=("linear",)), "degree": Range(3, 3)})
    assert space.names == ("C", "dropout", "trees", "leaves", "kernel", "exact")


def test_what_is_always_active_is_conditional_no_more():
    space = SPACE.narrowed({"kernel": Range(choices=("poly",))})
    assert not space.is_conditional
    assert SPACE.narrowed({"kernel": Range(choices=("poly", "linear"))})["gamma"].when == Condition("kernel", ("poly",))


def test_conditions_follow_through_chains():
    chain = SearchSpace(
        (
            KERNEL,
            Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
            Categorical(name="shape", choices=("a", "b"), default="a", when=Condition("degree", (4, 5))),
            Float(name="width", low=0, high=1, default=0.5, when=Condition("shape", ("b",))),
        )
    )
    assert chain.narrowed({"degree": Range(2, 3)}).names == ("kernel", "degree")
    locked = chain.narrowed({"degree": Range(4, 4)})
    assert locked["shape"].when == Condition("kernel", ("poly",))
    assert chain.narrowed({"kernel": Range(choices=("rbf",))}).names == ("kernel",)


@pytest.mark.parametrize(
    ("name", "limits", "sentence"),
    [
        ("c", Range(1, 2), "There is no parameter 'c'."),
        ("C", Range(2, 1), "The new range of C is empty: its low end 2 lies above its high end 1."),
        ("C", Range(2000), "The new range of C is empty: its low end 2000 lies above its high end 1000."),
        ("C", Range(0, 1), "C has a log scale, so its low end must be above 0; got 0."),
        ("C", Range(math.nan, 1), "The new range of C needs two finite numbers; got nan to 1."),
        ("C", Range(1, math.inf), "The new range of C needs two finite numbers; got 1 to inf."),
        ("C", Range("1", 2), "The new range of C needs two finite numbers; got '1' to 2."),
        ("C", Range(True, 2), "The new range of C needs two finite numbers; got True to 2."),
        ("C", Range(choices=(1.0,)), "C is a number: give its lowest and its highest value, not choices."),
        ("dropout", Range(0.31, 0.39), "No step of 0.1 from 0 of dropout lies from 0.31 to 0.39. Widen its range."),
        ("leaves", Range(2.2, 2.8), "No whole number of leaves lies from 2.2 to 2.8. Widen its range."),
        ("leaves", Range(2, 10**30), "The new range of leaves reaches too far: it must lie within ±9007199254740992."),
        (
            "kernel",
            Range(1, 2),
            "kernel has choices, not a range. Name the choices to keep; there are rbf, poly, linear.",
        ),
        ("kernel", Range(choices=()), "kernel needs at least one choice; there are rbf, poly, linear."),
        ("kernel", Range(choices=("rbf", "cosine")), "kernel has no choice 'cosine'; there are rbf, poly, linear."),
        ("exact", Range(choices=(0,)), "exact has no choice 0; there are True, 1, None."),
    ],
)
def test_a_range_that_cannot_be_gets_its_sentence(name, limits, sentence):
    with pytest.raises(UsageError) as fault:
        SPACE.narrowed({name: limits})
    assert str(fault.value) == sentence


def test_all_faults_are_named_together():
    with pytest.raises(UsageError) as fault:
        SPACE.narrowed({"q": Range(1, 2), "C": Range(-1), "kernel": Range(choices=("no",)), "trees": Range(5, 1)})
    for part in ("'q'", "C has a log scale", "'no'", "trees is empty"):
        assert part in str(fault.value)
