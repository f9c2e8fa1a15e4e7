"""Parameters and search spaces: round trips, conditions, and the sentences for what is wrong."""

import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import distribution_to_json, json_to_distribution

from hpo_core.errors import ConfigurationError, UsageError
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

_finite = st.floats(-1e6, 1e6, allow_nan=False)
_positive = st.floats(1e-6, 1e6)
_units = st.floats(0, 1)


@st.composite
def floats(draw, name="x"):
    if draw(st.booleans()):
        low, high = sorted((draw(_positive), draw(_positive)))
        return Float(name=name, low=low, high=high, default=low, log=True)
    low, high = sorted((draw(_finite), draw(_finite)))
    return Float(name=name, low=low, high=high, default=high)


@st.composite
def stepped(draw, name="x"):
    step = draw(st.sampled_from([0.05, 0.1, 0.25, 0.3, 1.0, 7.5]))
    low = draw(st.integers(-20, 20)) / 10
    return Float(name=name, low=low, high=low + draw(st.integers(0, 400)) / 10, default=low, step=step)


@st.composite
def ints(draw, name="x"):
    is_log = draw(st.booleans())
    low = draw(st.integers(1 if is_log else -1000, 1000))
    high = low + draw(st.integers(0, 2000))
    return Int(name=name, low=low, high=high, default=low, log=is_log, step=1 if is_log else draw(st.integers(1, 9)))


@st.composite
def categories(draw, name="x"):
    choices = tuple(
        draw(st.lists(st.sampled_from(["a", "b", None, True, 3, 0.5]), min_size=1, max_size=5, unique=True))
    )
    return Categorical(name=name, choices=choices, default=choices[-1])


def parameters(name="x"):
    return st.one_of(floats(name), stepped(name), ints(name), categories(name))


@st.composite
def spaces(draw):
    """Up to five parameters; some hang on a choice of an earlier one, in chains."""
    chosen = []
    for i in range(draw(st.integers(1, 5))):
        parameter = draw(parameters(f"p{i}"))
        switches = [p for p in chosen if isinstance(p, Categorical)]
        if switches and draw(st.booleans()):
            parent = draw(st.sampled_from(switches))
            values = tuple(draw(st.lists(st.sampled_from(parent.choices), min_size=1, max_size=2, unique=True)))
            parameter = replace(parameter, when=Condition(parent.name, values))
        chosen.append(parameter)
    return SearchSpace(tuple(chosen))


@st.composite
def placed(draw):
    space = draw(spaces())
    return space, space.from_unit(draw(st.lists(_units, min_size=len(space), max_size=len(space))))


@given(placed())
def test_every_point_of_the_unit_cube_is_a_legal_configuration(example):
    space, configuration = example
    assert space.check(configuration) == configuration


@given(placed())
def test_configuration_survives_the_unit_cube(example):
    space, configuration = example
    again = space.from_unit(np.nan_to_num(space.to_unit([configuration])[0], nan=0.5))
    assert again.keys() == configuration.keys()
    for name, value in configuration.items():
        if isinstance(value, float) and not isinstance(space[name], Categorical):
            assert again[name] == pytest.approx(value, rel=1e-9, abs=1e-9 * (space[name].high - space[name].low))
        else:
            assert again[name] == value
            assert type(again[name]) is type(value)


@given(placed())
def test_configuration_survives_json(example):
    space, configuration = example
    assert space.check(json.loads(json.dumps(configuration))) == configuration


@given(spaces())
def test_space_survives_json(space):
    assert SearchSpace.from_json(json.loads(json.dumps(space.to_json()))) == space


@given(placed())
def test_optuna_accepts_every_configuration_and_gives_it_back(example):
    space, configuration = example
    distributions = {name: space[name].distribution() for name in configuration}
    trial = optuna.create_trial(params=configuration, distributions=distributions, value=0.0)
    for name, value in trial.params.items():
        assert value == configuration[name] or math.isclose(value, configuration[name])


@given(parameters())
def test_distribution_survives_optunas_own_json(parameter):
    distribution = parameter.distribution()
    assert json_to_distribution(distribution_to_json(distribution)) == distribution


@given(parameters(), st.integers(1, 9))
def test_levels_are_legal_few_and_hold_both_ends(parameter, resolution):
    levels = parameter.levels(resolution)
    assert all(parameter.why_invalid(level) is None for level in levels)
    assert len(set(map(repr, levels))) == len(levels)
    if isinstance(parameter, Categorical):
        assert tuple(levels) == parameter.choices
    elif resolution == 1:
        assert levels == [parameter.default]
    else:
        assert len(levels) <= resolution
        assert levels[0] == pytest.approx(parameter.low)
        assert levels[-1] == pytest.approx(parameter.from_unit(1.0))


def test_levels_are_even_on_the_parameters_own_scale():
    assert Float(name="c", low=1e-2, high=1e2, default=1.0, log=True).levels(5) == pytest.approx(
        [0.01, 0.1, 1, 10, 100]
    )
    assert Int(name="k", low=1, high=9, default=5).levels(5) == [1, 3, 5, 7, 9]
    assert Int(name="k", low=1, high=4, default=1).levels(9) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "parameter",
    [
        Int(name="k", low=1, high=6, default=1),
        Int(name="k", low=10, high=60, default=10, step=10),
        Float(name="k", low=0.0, high=0.5, default=0.1, step=0.1),
        Categorical(name="k", choices=tuple("abcdef"), default="a"),
    ],
    ids=["int", "int in steps", "float in steps", "categories"],
)
def test_ends_are_as_likely_as_the_middle(parameter):
    counts = Counter(parameter.from_unit((i + 0.5) / 600) for i in range(600))
    assert sorted(counts.values()) == [100] * 6


def test_steps_are_decimal_numbers_and_the_high_end_may_lie_between_two():
    parameter = Float(name="x", low=0.0, high=0.35, default=0.1, step=0.1)
    assert parameter.levels(10) == [0.0, 0.1, 0.2, 0.3]
    assert parameter.from_unit(1.0) == 0.3
    assert parameter.distribution().high == 0.3
    assert "steps of 0.1" in parameter.why_invalid(0.35)


def test_rounding_errors_are_taken_away_and_values_become_the_parameters_type():
    space = SearchSpace(
        (Float(name="a", low=0.0, high=1.0, default=0.0, step=0.1), Float(name="b", low=1, high=3, default=2))
    )
    checked = space.check({"a": 0.1 + 0.2, "b": 3})
    assert checked == {"a": 0.3, "b": 3.0}
    assert type(checked["b"]) is float
    assert space.check({"a": 0, "b": 3 + 1e-12})["b"] == 3.0


def _chain():
    return SearchSpace(
        (
            Categorical(name="kernel", choices=("rbf", "poly"), default="rbf"),
            Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
            Float(name="extra", low=0.0, high=1.0, default=0.5, when=Condition("degree", (4, 5))),
            Categorical(name="flag", choices=(True, False), default=True),
            Float(name="one", low=0.0, high=1.0, default=0.5, when=Condition("flag", (1,))),
        )
    )


def test_conditions_hold_along_a_chain():
    space = _chain()
    assert space.default() == {"kernel": "rbf", "flag": True}
    assert space.completed({"kernel": "poly"}) == {"kernel": "poly", "degree": 3, "flag": True}
    assert space.completed({"kernel": "poly", "degree": 4})["extra"] == 0.5
    # The grandchild goes with its parent, whatever the parent's value was.
    assert space.active({"kernel": "rbf", "degree": 4, "extra": 0.1, "flag": False}) == {"kernel": "rbf", "flag": False}
    assert space.is_conditional


def test_a_condition_tells_true_from_one():
    assert "one" not in _chain().completed({"flag": True})


def test_inactive_coordinates_are_nan():
    cube = _chain().to_unit(
        [{"kernel": "rbf", "flag": True}, {"kernel": "poly", "degree": 5, "extra": 1.0, "flag": False}]
    )
    assert np.isnan(cube[0]).tolist() == [False, True, True, False, True]
    assert np.isnan(cube[1]).tolist() == [False, False, False, False, True]


def test_all_faults_of_a_configuration_are_named_at_once():
    with pytest.raises(ConfigurationError) as caught:
        _chain().check({"kernel": "poly", "degree": 9, "extra": 0.5, "colour": "red", "flag": "yes"})
    message = str(caught.value)
    assert "There is no parameter 'colour'." in message
    assert "degree must lie from 2 to 5; got 9." in message
    assert "extra has no effect here: it needs degree = 4 or 5." in message
    assert "flag must be one of True, False; got 'yes'." in message


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.5", None, True, [0.5]])
def test_what_is_no_number_is_refused(value):
    space = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.5),))
    with pytest.raises(ConfigurationError, match="x must be a number from 0 to 1"):
        space.check({"x": value})


def test_missing_value_is_named():
    with pytest.raises(ConfigurationError, match=r"degree has no value\."):
        _chain().check({"kernel": "poly", "flag": True})


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Float(name="x", low=2.0, high=1.0, default=1.5), "is empty"),
        (lambda: Float(name="x", low=0.0, high=1.0, default=0.5, log=True), "above 0; got 0.0"),
        (lambda: Float(name="x", low=0.0, high=1.0, default=3.0), "must lie from 0.0 to 1.0; got 3.0"),
        (lambda: Float(name="x", low=0.0, high=math.inf, default=3.0), "must be finite"),
        (lambda: Float(name="x", low=1.0, high=2.0, default=1.0, log=True, step=0.1), "needs a linear scale"),
        (lambda: Float(name="x", low=0.0, high=1.0, default=0.25, step=0.1), "on its steps of 0.1"),
        (lambda: Int(name="x", low=0, high=10, default=3, step=2), "on its steps of 2"),
        (lambda: Int(name="x", low=0, high=10, default=3, step=0), "at least 1"),
        (lambda: Int(name="x", low=0.5, high=10, default=3), "whole numbers"),
        (lambda: Categorical(name="x", choices=(), default="a"), "at least one choice"),
        (lambda: Categorical(name="x", choices=("a", "a"), default="a"), "twice"),
        (lambda: Categorical(name="x", choices=("a",), default="b"), "one of its choices"),
        (lambda: SearchSpace((Int(name="x", low=0, high=1, default=0),) * 2), "names x twice"),
        (lambda: SearchSpace((Int(name="x", low=0, high=1, default=0, when=Condition("y", (1,))),)), "before it"),
        (lambda: SearchSpace.from_json([{"kind": "colour"}]), "does not describe a search space"),
        (lambda: SearchSpace.from_json(["x"]), "does not describe a search space"),
        (lambda: SearchSpace.from_json([{"kind": "int", "name": "x"}]), "does not describe a search space"),
    ],
)  # fmt: skip
def test_impossible_spaces_are_refused_with_a_sentence(build, words):
    with pytest.raises(UsageError, match=words):
        build()


def test_a_parameter_is_replaced_in_its_place():
    narrowed = _chain().with_parameter(
        Int(name="degree", low=2, high=3, default=2, when=Condition("kernel", ("poly",)))
    )
    assert narrowed.names == _chain().names
    assert narrowed["degree"].high == 3
    with pytest.raises(UsageError, match="no parameter 'depth'; there are kernel"):
        _chain().with_parameter(Int(name="depth", low=1, high=2, default=1))
