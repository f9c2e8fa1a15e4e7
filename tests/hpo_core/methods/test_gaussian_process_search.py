"""Bayesian optimisation: what it learns, avoids and survives."""

import numpy as np
import optuna
import pytest

from hpo_core.landscapes import LANDSCAPES, Landscape
from hpo_core.methods import METHODS, SearchMethod, propose, thought_of
from hpo_core.methods.gaussian_process import GAUSSIAN_PROCESS, GaussianProcessSearch
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace


def _best(method: SearchMethod, landscape: Landscape, seed: int, n: int) -> float:
    study = optuna.create_study(sampler=method.sampler(landscape.space, seed))
    for _ in range(n):
        trial, configuration = propose(study, landscape.space)
        study.tell(trial, landscape.function(configuration))
    return (study.best_value - landscape.minimum) / landscape.scale


@pytest.mark.parametrize(("key", "at_most"), [("gaussian_process", 0.35), ("tpe", 0.75)])
@pytest.mark.parametrize("landscape", [LANDSCAPES["branin"], LANDSCAPES["hartmann6"]], ids=lambda item: item.key)
def test_learning_methods_are_far_ahead_of_random_after_40_trials(
    key: str, at_most: float, landscape: Landscape
) -> None:
    learned, random = (
        np.mean([_best(METHODS[name], landscape, seed, 40) for seed in range(6)]) for name in (key, "random")
    )
    assert learned < at_most * random


@pytest.mark.parametrize("acquisition", ["mix", "log_ei", "lcb", "pi", "thompson"])
def test_every_acquisition_finds_the_bottom_of_a_valley(acquisition: str) -> None:
    assert _best(GaussianProcessSearch(acquisition=acquisition), LANDSCAPES["branin"], 0, 40) < 0.02


@pytest.mark.parametrize(
    ("acquisition", "option", "greedy", "bold"),
    [("lcb", "kappa", 0.0, 6.0), ("log_ei", "xi", 0.0, 2.0), ("pi", "xi", 0.0, 2.0)],
)
def test_more_exploration_goes_where_less_is_known(acquisition: str, option: str, greedy: float, bold: float) -> None:
    def doubt(exploration: float) -> float:
        landscape = LANDSCAPES["branin"]
        method = GaussianProcessSearch(acquisition=acquisition, **{option: exploration})
        study = optuna.create_study(sampler=method.sampler(landscape.space, 0))
        for _ in range(24):
            trial, configuration = propose(study, landscape.space)
            study.tell(trial, landscape.function(configuration))
        return float(np.mean([thought_of(trial)["sd"] for trial in study.trials[10:]]))

    assert doubt(bold) > 1.5 * doubt(greedy)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_proposal_keeps_what_was_predicted_in_the_unit_of_the_metric(direction: str) -> None:
    landscape = LANDSCAPES["branin"]
    sign = 1.0 if direction == "minimize" else -1.0
    study = optuna.create_study(
        sampler=GaussianProcessSearch(acquisition="log_ei").sampler(landscape.space, 0), direction=direction
    )
    for _ in range(30):
        trial, configuration = propose(study, landscape.space)
        study.tell(trial, 100 + sign * landscape.function(configuration))
    thoughts = [thought_of(trial) for trial in study.trials[8:]]
    assert all(t["stage"] == "model" and t["rule"] == "log_ei" and "predicted" in t["why"] for t in thoughts)
    gaps = np.array([abs(t["mean"] - trial.value) for t, trial in zip(thoughts, study.trials[8:], strict=True)])
    doubts = np.array([np.hypot(t["sd"], t["noise"]) for t in thoughts])
    assert np.median(gaps / doubts) < 2
    assert np.median(gaps) < 0.1 * landscape.scale


FINITE = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Int(name="k", low=1, high=4, default=1),
        Categorical(name="flag", choices=(True, False), default=True, when=Condition("kernel", ("poly",))),
    )
)


def test_small_finite_space_is_gone_through_without_repeats_after_the_first_trials() -> None:
    study = optuna.create_study(sampler=GaussianProcessSearch(n_initial=2).sampler(FINITE, 0))
    found = []
    for i in range(20):
        trial, configuration = propose(study, FINITE)
        study.tell(trial, float(i % 7))
        found.append(tuple(configuration.items()))
    assert len(set(found[:16])) == 16
    assert all(FINITE.check(dict(configuration)) for configuration in found)


def test_failed_configuration_is_not_proposed_again() -> None:
    space = SearchSpace((Int(name="k", low=1, high=30, default=1),))
    study = optuna.create_study(sampler=GAUSSIAN_PROCESS.sampler(space, 0))
    seen: list[int] = []
    for i in range(25):
        trial, configuration = propose(study, space)
        assert i < 8 or configuration["k"] not in seen
        seen.append(configuration["k"])
        if abs(configuration["k"] - 20) < 2:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, float(abs(configuration["k"] - 20)))


def test_one_diverged_model_does_not_blind_it() -> None:
    landscape = LANDSCAPES["branin"]
    study = optuna.create_study(sampler=GAUSSIAN_PROCESS.sampler(landscape.space, 0))
    for i in range(40):
        trial, configuration = propose(study, landscape.space)
        study.tell(trial, 1e25 if i == 3 else landscape.function(configuration))
    assert study.best_value - landscape.minimum < 0.02 * landscape.scale


def test_trials_in_flight_lie_apart_from_each_other() -> None:
    landscape = LANDSCAPES["branin"]
    study = optuna.create_study(sampler=GaussianProcessSearch(acquisition="log_ei").sampler(landscape.space, 0))
    for _ in range(15):
        trial, configuration = propose(study, landscape.space)
        study.tell(trial, landscape.function(configuration))
    flight = landscape.space.to_unit([propose(study, landscape.space)[1] for _ in range(4)])
    gaps = np.linalg.norm(flight[:, None] - flight[None], axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() > 0.03


CONDITIONAL = SearchSpace(
    (
        Categorical(name="branch", choices=("a", "b", "c"), default="a"),
        Float(name="x", low=0.0, high=1.0, default=0.5),
        Float(name="y", low=0.0, high=1.0, default=0.5, when=Condition("branch", ("b", "c"))),
        Int(name="n", low=1, high=50, default=5, log=True, when=Condition("branch", ("c",))),
    )
)


def _conditional_height(configuration: dict[str, float]) -> float:
    height = (configuration["x"] - 0.8) ** 2 + {"a": 0.3, "b": 0.1, "c": 0.0}[str(configuration["branch"])]
    height += (configuration.get("y", 0.3) - 0.3) ** 2
    return height + 0.1 * abs(np.log(configuration.get("n", 12) / 12))


def test_conditional_space_is_searched_jointly() -> None:
    def best(key: str, seed: int) -> float:
        study = optuna.create_study(sampler=METHODS[key].sampler(CONDITIONAL, seed))
        for _ in range(40):
            trial, configuration = propose(study, CONDITIONAL)
            study.tell(trial, _conditional_height(configuration))
        return study.best_value

    learned, random = (np.mean([best(key, seed) for seed in range(4)]) for key in ("gaussian_process", "random"))
    assert learned < 0.25 * random


def test_lucky_value_of_a_noisy_trial_does_not_hold_it_in_place() -> None:
    line = SearchSpace(
        (Float(name="x", low=0.0, high=1.0, default=0.5), Float(name="y", low=0.0, high=1.0, default=0.5))
    )
    study = optuna.create_study(sampler=GAUSSIAN_PROCESS.sampler(line, 0))
    rng = np.random.default_rng(0)
    late = []
    for i in range(50):
        trial, configuration = propose(study, line)
        height = 3 * abs(configuration["x"] - 0.75) + abs(configuration["y"] - 0.4)
        study.tell(trial, height + 0.3 * rng.standard_normal() - (1.5 if i == 5 else 0.0))
        late.append(height)
    assert np.median(late[30:]) < 0.5 * np.median(late[:8])


def test_more_trials_than_it_can_weigh_are_thinned_and_searched_on() -> None:
    landscape = LANDSCAPES["branin"]
    study = optuna.create_study(sampler=GAUSSIAN_PROCESS.sampler(landscape.space, 0))
    distributions = landscape.space.distributions()
    for point in np.random.default_rng(0).random((800, 2)):
        params = landscape.space.from_unit(point)
        value = landscape.function(params)
        study.add_trial(optuna.create_trial(params=params, distributions=distributions, value=value))
    before = study.best_value
    for _ in range(5):
        trial, configuration = propose(study, landscape.space)
        study.tell(trial, landscape.function(configuration))
    assert study.best_value < before
