"""Gradient descent: exact gradients of models, estimated ones of landscapes, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.errors import UsageError
from hpo_core.hypergradients import HYPERGRADIENTS, ValidationLoss
from hpo_core.landscapes import LANDSCAPES
from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.methods._descent import STEP_RULES, Place, StepRule
from hpo_core.methods.gradient import GRADIENT
from hpo_core.options import with_options
from hpo_core.problem import ModelProblem, Problem, make_problem
from hpo_core.protocol import Protocol
from hpo_core.schedule import Schedule
from hpo_core.space import Float, Range, SearchSpace

BOWL = SearchSpace(
    (
        Float(name="x", low=0.0, high=1.0, default=0.9),
        Float(name="y", low=1e-4, high=1.0, default=0.5, log=True),
    )
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _problem(data: str, model: str, metric: str = "") -> Problem:
    return make_problem(data, model, metric, protocol=Protocol(folds=3))


def _search(problem: Problem, n: int, seed: int = 0, **options: Any) -> optuna.Study:
    method = with_options(GRADIENT, options)
    study = optuna.create_study(sampler=method.sampler_for(problem, seed), direction=problem.direction)
    return _go_on(study, problem, n)


def _go_on(study: optuna.Study, problem: Problem, n: int) -> optuna.Study:
    for _ in range(n):
        trial, configuration = propose(study, problem.space)
        study.tell(trial, _score(problem, configuration))
    return study


def _score(problem: Problem, configuration: dict[str, Any]) -> float:
    return problem.value(tuple(problem.fit(configuration, fold).score for fold in range(problem.n_folds)))


def _bowl(configuration: dict[str, Any]) -> float:
    place = BOWL.to_unit([configuration])[0]
    return float(((place - (0.3, 0.6)) ** 2).sum())


def _descend(space: SearchSpace, height: Any, n: int, seed: int = 0, **options: Any) -> optuna.Study:
    study = optuna.create_study(sampler=with_options(GRADIENT, options).sampler(space, seed))
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, height(configuration))
    return study


def _thoughts(study: optuna.Study) -> list[Any]:
    return [thought_of(trial) for trial in study.trials]


@pytest.mark.parametrize(
    ("data", "model", "metric", "name"),
    [
        ("diabetes", "ridge", "rmse", "alpha"),
        ("noisy_regression", "ridge", "rmse", "alpha"),
        ("breast_cancer", "logistic_regression", "log_loss", "C"),
        ("wine", "logistic_regression", "log_loss", "C"),
        ("diabetes", "lasso", "rmse", "alpha"),
    ],
)
def test_few_trials_are_as_good_as_a_fine_grid(data: str, model: str, metric: str, name: str) -> None:
    problem = _problem(data, model, metric)
    default = problem.space.default()
    grid = [_score(problem, {**default, name: value}) for value in problem.space[name].levels(60)]
    folds = [problem.fit(default, fold).score for fold in range(problem.n_folds)]
    noise = float(np.std(folds, ddof=1)) / math.sqrt(problem.n_folds)
    found = _search(problem, 12).best_value
    assert found <= min(grid) + 0.2 * noise


@pytest.mark.parametrize("rule", list(STEP_RULES))
@pytest.mark.parametrize(("data", "model"), [("diabetes", "elastic_net"), ("noisy_regression", "kernel_ridge")])
def test_every_rule_walks_downhill(rule: str, data: str, model: str) -> None:
    problem = _problem(data, model, "rmse")
    thoughts = _thoughts(_search(problem, 15, rule=rule))
    first = [t["loss"] for t in thoughts if t["walk"] == 0]
    assert min(first) <= first[0]
    lost = {t["walk"] for t in thoughts if t["step_number"] > 0}
    assert lost
    for walk in lost:
        losses = [t["loss"] for t in thoughts if t["walk"] == walk]
        assert min(losses[1:]) < losses[0]


def _loss(problem: Problem, most_milliseconds: float) -> ValidationLoss:
    assert isinstance(problem, ModelProblem)
    rule, limits = HYPERGRADIENTS[problem.family.key], {"most_rows": 500, "most_folds": 5, "most_epochs": 30}
    return ValidationLoss(problem, rule, most_milliseconds=most_milliseconds, **limits)


def test_trials_say_where_they_stand_and_why() -> None:
    problem = _problem("diabetes", "elastic_net")
    study = _search(problem, 6)
    stages = [thought["stage"] for thought in _thoughts(study)]
    assert stages == ["start", *["step"] * 5]
    for before, trial in zip(study.trials[:-1], study.trials[1:], strict=True):
        thought = thought_of(trial)
        assert thought["differentiated"] == "squared error"
        assert set(thought["gradient"]) == set(thought["step"]) == set(thought["at"]) == {"alpha", "l1_ratio"}
        for name in thought["at"]:
            assert thought["at"][name] == pytest.approx(problem.space[name].unit(trial.params[name]), abs=1e-9)
            moved = thought["at"][name] - thought_of(before)["at"][name]
            assert thought["step"][name] == pytest.approx(moved, abs=1e-9)


def test_gradient_in_the_thought_is_the_slope_of_the_loss_in_the_unit_cube() -> None:
    problem = _problem("diabetes", "elastic_net")
    thought = _thoughts(_search(problem, 1))[0]
    loss = _loss(problem, most_milliseconds=1000.0)
    assert loss.left_out(problem.space.default()) == ""
    for i, name in enumerate(problem.space.names):
        ends = np.array(list(thought["at"].values())) + np.outer((1e-5, -1e-5), np.eye(2)[i])
        plus, minus = (loss.at(problem.space.from_unit(end)).value for end in ends)
        assert thought["gradient"][name] == pytest.approx((plus - minus) / 2e-5, rel=1e-4)


def test_begins_at_the_best_known_configuration() -> None:
    problem = _problem("diabetes", "ridge")
    study = optuna.create_study(sampler=GRADIENT.sampler_for(problem, 0), direction=problem.direction)
    distributions = problem.space.distributions()
    for alpha, value in ((1.0, 0.1), (50.0, 0.9), (700.0, 0.5)):
        study.add_trial(optuna.create_trial(params={"alpha": alpha}, distributions=distributions, value=value))
    _go_on(study, problem, 1)
    thought = thought_of(study.trials[-1])
    assert thought["origin"]["at"]["alpha"] == pytest.approx(problem.space["alpha"].unit(50.0))
    assert study.trials[-1].params["alpha"] < 50.0


def test_search_that_was_interrupted_goes_on_as_if_it_had_not() -> None:
    problem = _problem("diabetes", "elastic_net")
    whole = _search(problem, 14)
    part = _search(problem, 6)
    resumed = optuna.create_study(sampler=GRADIENT.sampler_for(problem, 0), direction=problem.direction)
    resumed.add_trials(part.trials)
    _go_on(resumed, problem, 8)
    assert [t.params for t in resumed.trials] == [t.params for t in whole.trials]


def test_walk_does_not_wait_for_scores() -> None:
    problem = _problem("diabetes", "elastic_net")
    study = optuna.create_study(sampler=GRADIENT.sampler_for(problem, 0), direction=problem.direction)
    for _ in range(6):
        propose(study, problem.space)
    assert [t.params for t in study.trials] == [t.params for t in _search(problem, 6).trials]


def test_what_has_no_slope_stays_until_the_next_walk_and_is_named() -> None:
    problem = _problem("iris", "logistic_regression")
    study = _search(problem, 40)
    by_walk: dict[int, set[Any]] = {}
    for trial in study.trials:
        still = {name: value for name, value in trial.params.items() if name not in ("C", "l1_ratio")}
        by_walk.setdefault(thought_of(trial)["walk"], set()).add(tuple(still.items()))
    assert len(by_walk) > 1
    assert all(len(kept) == 1 for kept in by_walk.values())
    assert "max_iter" in thought_of(study.trials[0])["why"]


def test_network_is_trained_faster_by_its_gradient() -> None:
    problem = _problem("iris", "neural_network", "log_loss")
    thoughts = _thoughts(_search(problem, 5, most_epochs=10))
    assert thoughts[0]["seen"] == "10 of 200 epochs"
    losses = [t["loss"] for t in thoughts]
    assert losses[0] > min(losses) * 1.5
    assert set(thoughts[0]["gradient"]) == {"learning_rate_init", "alpha"}


def test_rows_that_are_left_out_are_counted() -> None:
    thought = _thoughts(_search(_problem("digits", "ridge"), 1, most_rows=100, most_folds=2))[0]
    assert thought["seen"] == "100 of 958 training rows and 2 of 3 folds"


def test_gradient_of_a_huge_network_looks_at_less_of_it() -> None:
    problem = _problem("digits", "neural_network")
    loss = _loss(problem, most_milliseconds=1000.0)
    huge = {"n_layers": 2, "units_1": 512, "units_2": 512, "batch_size": 32}
    assert "1 of 3 folds and 3 of 200 epochs" in loss.left_out(problem.space.completed(huge))
    assert loss.left_out(problem.space.default()) == "500 of 958 training rows and 30 of 200 epochs"


def test_time_for_a_gradient_leaves_out_folds_then_epochs() -> None:
    seen = {
        (model, time): _thoughts(_search(_problem("digits", model), 1, most_milliseconds=time))[0].get("seen", "")
        for model in ("logistic_regression", "neural_network")
        for time in (10.0, 60_000.0)
    }
    assert seen["logistic_regression", 10.0] == "500 of 958 training rows and 1 of 3 folds"
    assert seen["logistic_regression", 60_000.0] == "500 of 958 training rows"
    assert seen["neural_network", 10.0] == "500 of 958 training rows and 1 of 3 folds and 3 of 200 epochs"
    assert seen["neural_network", 60_000.0] == "500 of 958 training rows and 30 of 200 epochs"


def test_walks_begin_anew_where_the_gradient_is_cheap() -> None:
    problem = _problem("digits", "neural_network")
    loss = _loss(problem, most_milliseconds=40.0)
    method = with_options(GRADIENT, {"first_step": 0.5, "finest": 0.1})
    study = optuna.create_study(sampler=method.sampler_for(problem, 0), direction=problem.direction)
    for _ in range(60):
        trial, configuration = propose(study, problem.space)
        # The walk goes by its own gradient, so a score of few rows will do.
        study.tell(trial, problem.fit(configuration, 0, Schedule(rows=0.2)).score)
    starts = [t.params for t in study.trials if thought_of(t).get("stage") == "restart"]
    drawn = [problem.space.from_unit(p) for p in np.random.default_rng(0).random((60, len(problem.space)))]
    assert len(starts) > 5
    assert not any(map(loss.is_long, starts))
    assert any(map(loss.is_long, drawn))


def test_diverging_training_ends_a_step_not_the_search() -> None:
    rule = StepRule(name="rprop", first=0.1, momentum=0.5, finest=1e-3)
    start = Place(np.array([0.5]), 1.0, np.array([-1.0]))
    burst = Place(np.array([0.6]), math.inf, np.array([0.0]))
    for name in STEP_RULES:
        point = StepRule(name=name, first=0.1, momentum=0.5, finest=1e-3).after([start, burst])
        assert point is not None
        assert 0.5 < point[0] < 0.6
    assert rule.after([burst]) is None


@pytest.mark.parametrize("name", list(STEP_RULES))
def test_rule_does_not_mind_the_unit_of_the_loss(name: str) -> None:
    rule = StepRule(name=name, first=0.1, momentum=0.5, finest=1e-3)

    def walk(unit: float) -> list[float]:
        trail: list[Place] = []
        points = [np.array([0.9, 0.1])]
        for _ in range(6):
            gap = points[-1] - (0.3, 0.6)
            trail.append(Place(points[-1], unit * float(gap @ gap), 2 * unit * gap))
            points.append(np.asarray(rule.after(trail)))
        return [float(x) for point in points for x in point]

    np.testing.assert_allclose(walk(1e9), walk(1e-9), rtol=1e-9)


@pytest.mark.parametrize("rule", list(STEP_RULES))
@pytest.mark.parametrize("probing", ["one by one", "all at once"])
def test_without_a_gradient_it_is_estimated_from_trials(rule: str, probing: str) -> None:
    study = _descend(BOWL, _bowl, 90, rule=rule, probing=probing)
    assert study.best_value < 3e-3
    probes = [t for t in _thoughts(study) if t["stage"] == "probe"]
    assert len(probes) > 30


def test_estimated_gradient_points_along_the_slope() -> None:
    study = _descend(BOWL, _bowl, 6)
    thought = thought_of(study.trials[-1])
    slope = 2 * (np.array(list(thought["at"].values())) - (0.3, 0.6))
    np.testing.assert_allclose(list(thought["gradient"].values()), slope, rtol=1e-6)


def test_walk_along_one_parameter_leaves_the_end_that_it_begins_at() -> None:
    space = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.0),))
    study = _descend(space, lambda configuration: (configuration["x"] - 0.6) ** 2, 15)
    assert not [t for t in _thoughts(study)[:8] if t["stage"] == "restart"]
    assert study.best_value < 1e-2


def test_goes_down_the_landscapes() -> None:
    for key, height in (("branin", 1.0), ("himmelblau", 0.5)):
        landscape = LANDSCAPES[key]
        study = _descend(landscape.space, landscape.function, 100)
        assert study.best_value < landscape.minimum + height


def test_estimated_walk_goes_on_where_it_was_interrupted() -> None:
    whole, part = _descend(BOWL, _bowl, 25), _descend(BOWL, _bowl, 12)
    resumed = optuna.create_study(sampler=GRADIENT.sampler(BOWL, 0))
    resumed.add_trials(part.trials)
    for _ in range(13):
        trial, configuration = propose(resumed, BOWL)
        resumed.tell(trial, _bowl(configuration))
    assert [t.params for t in resumed.trials] == [t.params for t in whole.trials]


def test_begins_anew_elsewhere_when_a_walk_has_come_to_its_end() -> None:
    study = _descend(BOWL, _bowl, 200)
    restarts = [t for t in _thoughts(study) if t["stage"] == "restart"]
    assert restarts
    assert [t["walk"] for t in restarts] == list(range(1, len(restarts) + 1))


def test_place_whose_probes_all_fail_is_left() -> None:
    study = optuna.create_study(sampler=GRADIENT.sampler(BOWL, 0))
    for _ in range(30):
        trial, configuration = propose(study, BOWL)
        if configuration["x"] > 0.8:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, _bowl(configuration))
    assert "restart" in [t["stage"] for t in _thoughts(study)]


def test_model_without_a_gradient_is_refused_with_what_to_choose() -> None:
    for model in ("svm", "random_forest"):
        problem = _problem("iris", model)
        why = GRADIENT.why_unsuitable(problem)
        assert why is not None
        assert problem.family.label in why  # type: ignore[attr-defined]
        assert "Ridge (alpha)" in why
        assert "TPE" in why
        with pytest.raises(UsageError, match="cannot be differentiated"):
            GRADIENT.sampler_for(problem, 0)


@pytest.mark.parametrize(
    ("model", "ranges", "words"),
    [
        ("ridge", {"alpha": Range(1.0, 1.0)}, "this search space has none"),
        ("neural_network", {"early_stopping": Range(choices=(True,))}, "early_stopping must be allowed to be False"),
    ],
)
def test_space_in_which_nothing_can_move_is_refused(model: str, ranges: dict[str, Range], words: str) -> None:
    whole = _problem("breast_cancer", model)
    space = tuple(whole.space.narrowed(ranges).to_json())
    problem = make_problem("breast_cancer", model, protocol=Protocol(folds=3), space=space)
    with pytest.raises(UsageError, match=words):
        GRADIENT.sampler_for(problem, 0)


def test_every_rule_of_a_model_names_parameters_that_it_has() -> None:
    for rule in HYPERGRADIENTS:
        data = "iris" if "regression" not in rule.losses else "diabetes"
        space = _problem(data, rule.key).space
        assert set(rule.parameters) <= set(space.names)
        assert set(rule.demand) <= set(space.names)
        assert rule.why_not({**space.default(), **rule.demand}) is None


def test_it_is_found() -> None:
    assert METHODS["gradient"] is GRADIENT
