"""Training that goes on: the same score as training from the start, for every model that can go on."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from hpo_core.errors import UsageError
from hpo_core.models import MODELS
from hpo_core.problem import ModelProblem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule, Segment
from hpo_core.training import State, States, train

GROWING = [family for family in MODELS if family.resource and family.resource.grow]
CASES = [(family, task) for family in GROWING for task in family.tasks]
every_case = pytest.mark.parametrize(("family", "task"), CASES, ids=[f"{f.key}-{t}" for f, t in CASES])
_DATA = {"classification": "iris", "regression": "diabetes"}


def _problem(family, task) -> ModelProblem:
    """A problem of its own, which knows no state yet."""
    return ModelProblem(make_problem(_DATA[task], family.key, protocol=Protocol(folds=3)).spec)


def _configuration(problem, seed):
    """At random, but for the length of training."""
    drawn = problem.space.from_unit(np.random.default_rng(seed).random(len(problem.space)))
    parameter = problem.family.resource.parameter
    # Gradient boosting that stops early refuses to go on with other values, which is tested where early stopping is.
    off = {"early_stopping": False} if problem.family.key == "gradient_boosting" else {}
    return problem.space.completed({**drawn, parameter: 30, **off})


def _changed(problem, configuration, seed):
    """The configuration with new values of all parameters that may change on the way."""
    other = problem.space.from_unit(np.random.default_rng(seed).random(len(problem.space)))
    changeable = problem.family.resource.changeable
    return {name: other.get(name, value) if name in changeable else value for name, value in configuration.items()}


def test_models_that_go_on_are_those_of_the_issue():
    assert {family.key for family in GROWING} == {
        "sgd", "neural_network", "gradient_boosting", "hist_gradient_boosting", "random_forest", "extra_trees",
    }  # fmt: skip


@every_case
@pytest.mark.parametrize("seed", range(3))
def test_promoted_fit_gives_the_score_of_one_from_the_start(family, task, seed):
    climbing = _problem(family, task)
    configuration = climbing.space.default() if seed == 0 else _configuration(climbing, seed)
    configuration[family.resource.parameter] = 30
    for share in (1 / 9, 1 / 3, 0.34, 1.0):
        plain = _problem(family, task).pipeline(configuration, share)
        train_rows, valid = climbing.split.folds[1]
        x, y = climbing.data.features, climbing.data.target
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)
            plain.fit(x.iloc[train_rows], y[train_rows])
        expected = climbing.metric.evaluate(plain, x.iloc[valid], y[valid], climbing.data.n_classes)
        assert climbing.fit(configuration, 1, Schedule(share)).score == expected


@every_case
@pytest.mark.parametrize("seed", range(2))
def test_schedule_that_goes_on_gives_the_score_of_one_replayed(family, task, seed):
    going_on = _problem(family, task)
    first = _configuration(going_on, seed)
    second = _changed(going_on, first, 100 + seed)
    third = _changed(going_on, first, 200 + seed)
    steps = [
        (first, Schedule(0.2)),
        (second, Schedule(0.5, (Segment(first, 0.2),))),
        (second, Schedule(0.6, (Segment(first, 0.2),))),
        (third, Schedule(1.0, (Segment(first, 0.2), Segment(second, 0.6)))),
    ]
    scores = [going_on.fit(configuration, 0, schedule).score for configuration, schedule in steps]
    replayed = [_problem(family, task).fit(configuration, 0, schedule).score for configuration, schedule in steps]
    assert scores == replayed


@pytest.mark.parametrize("key", ["neural_network", "gradient_boosting", "hist_gradient_boosting", "sgd"])
def test_change_on_the_way_changes_the_model_and_only_from_there_on(key):
    problem = _problem(MODELS[key], "regression")
    start = _configuration(problem, 5)
    if key == "neural_network":
        start = problem.space.completed({**start, "early_stopping": False, "learning_rate_init": 1e-3})
    name = {"neural_network": "learning_rate_init", "sgd": "alpha"}.get(key, "learning_rate")
    low = {**start, name: problem.space[name].low}
    kept = problem.fit(start, 0, Schedule(1.0, (Segment(start, 0.5),))).score
    changed = problem.fit(low, 0, Schedule(1.0, (Segment(start, 0.5),))).score
    assert changed != kept
    assert changed != problem.fit(low, 0).score


def test_boosting_keeps_the_weight_of_its_trees_when_the_learning_rate_changes():
    rng = np.random.default_rng(0)
    x, y = rng.random((80, 3)), rng.random(80)
    grow = MODELS["gradient_boosting"].resource.grow
    model = GradientBoostingRegressor(n_estimators=20, learning_rate=0.3, random_state=0)
    grow(model, x, y, 0, 20)
    before = model.predict(x)
    grow(model, x, y, 20, 21, GradientBoostingRegressor(n_estimators=21, learning_rate=1e-9, random_state=0))
    np.testing.assert_allclose(model.predict(x), before, atol=1e-6)


def test_promoted_fit_trains_only_what_is_missing():
    problem = _problem(MODELS["gradient_boosting"], "regression")
    configuration = {**problem.space.default(), "n_estimators": 300, "max_depth": 5}
    problem.fit(configuration, 0, Schedule(0.95))
    rest = problem.fit(configuration, 0).fit_seconds
    whole = _problem(MODELS["gradient_boosting"], "regression").fit(configuration, 0).fit_seconds
    assert rest < whole / 2


def test_state_is_left_as_it_was_when_training_goes_on_from_it():
    problem = _problem(MODELS["neural_network"], "classification")
    configuration = problem.space.default()
    scores = [problem.fit(configuration, 0, Schedule(0.1)).score]
    problem.fit(configuration, 0, Schedule(0.5))
    problem.fit({**configuration, "alpha": 1.0}, 0, Schedule(0.5, (Segment(configuration, 0.1),)))
    scores.append(problem.fit(configuration, 0, Schedule(0.1)).score)
    assert scores[0] == scores[1]


def test_model_that_cannot_go_on_refuses_a_schedule():
    problem = make_problem("iris", "svm")
    default = problem.space.default()
    with pytest.raises(UsageError, match="cannot go on training"):
        problem.fit(default, 0, Schedule(1.0, (Segment(default, 0.5),)))


def test_states_drop_what_was_not_used_for_longest():
    states = States(most_bytes=25)
    ways = [(Segment({"x": i}, 0.5),) for i in range(3)]
    for way in ways[:2]:
        states.keep(0, State(way, None, 10))
    assert states.longest(0, ways[0], True)
    states.keep(0, State(ways[2], None, 10))
    assert [states.longest(0, way, True) is not None for way in ways] == [True, False, True]
    assert states.longest(1, ways[0], True) is None
    states.keep(0, State(ways[1], None, 30))
    assert states.longest(0, ways[1], True) is None


def test_longest_known_part_of_the_way_is_taken():
    states = States()
    first, second = Segment({"x": 1}, 0.5), Segment({"x": 2}, 0.75)
    for way in ((Segment({"x": 1}, 0.25),), (first,), (first, second), (Segment({"x": 3}, 0.5),)):
        states.keep(0, State(way, None, 1))

    def found(*way, is_seamless=True):
        state = states.longest(0, way, is_seamless)
        return state and state.segments

    assert found(first, Segment({"x": 2}, 1.0)) == (first, second)
    assert found(first, Segment({"x": 2}, 1.0), is_seamless=False) == (first,)
    assert found(first, Segment({"x": 4}, 1.0)) == (first,)
    assert found(Segment({"x": 1}, 0.4)) == (Segment({"x": 1}, 0.25),)
    assert found(Segment({"x": 1}, 0.4), is_seamless=False) is None
    assert found(Segment({"x": 9}, 1.0)) is None


def test_training_begins_where_the_state_ends():
    problem = _problem(MODELS["random_forest"], "classification")
    spans = []
    resource = MODELS["random_forest"].resource
    grow = type(resource)(
        parameter=resource.parameter,
        noun="trees",
        grow=lambda m, x, y, before, after, fresh: spans.append((before, after)),
    )
    segments = Schedule(0.5).segments(problem.space.default())
    build = lambda segment: problem.pipeline(segment.configuration)  # noqa: E731
    x, y = problem.data.features.iloc[:50], problem.data.target[:50]
    known = State(Schedule(0.2).segments(problem.space.default()), build(segments[0]).fit(x, y), 1)
    train(grow, segments, build, known, x, y)
    train(grow, segments, build, None, x, y)
    assert spans == [(20, 50), (0, 50)]
