"""What every search method must keep, over all that discovery finds."""

import dataclasses
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from hpo_core.errors import UsageError
from hpo_core.methods import METHODS, SearchExhausted, SearchMethod, propose, thought_of
from hpo_core.options import options_of, with_options
from hpo_core.schedule import Schedule
from hpo_core.space import Categorical, Condition, Float, Int, Range, SearchSpace

X = Float(name="x", low=-1.0, high=2.0, default=0.0)
Y = Float(name="y", low=1e-5, high=10.0, default=1e-2, log=True)
N = Int(name="n", low=1, high=300, default=20, log=True)
STEPPED = Float(name="stepped", low=0.0, high=0.9, default=0.3, step=0.1)
KERNEL = Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf")

SPACES = {
    "floats": SearchSpace((X, Y)),
    "ints": SearchSpace(
        (N, Int(name="even", low=2, high=21, default=4, step=2), Int(name="k", low=0, high=3, default=1))
    ),
    "steps": SearchSpace((STEPPED, X)),
    "mixed": SearchSpace((KERNEL, X, N, Categorical(name="flag", choices=(True, False, None), default=None))),
    "categories": SearchSpace(
        (KERNEL, Categorical(name="weights", choices=("uniform", "distance"), default="uniform"))
    ),
    "one parameter": SearchSpace((X,)),
    "one category": SearchSpace((KERNEL,)),
    "conditional": SearchSpace(
        (
            KERNEL,
            Y,
            X,
            Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly"))),
            Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
            Categorical(name="shape", choices=("a", "b"), default="a", when=Condition("degree", (4, 5))),
        )
    ),
    "with constants": SearchSpace(
        (
            X,
            Float(name="fixed", low=3.0, high=3.0, default=3.0),
            Y,
            Int(name="one", low=7, high=7, default=7),
            Categorical(name="only", choices=("this",), default="this"),
        )
    ),
    "locked": SearchSpace(
        (
            KERNEL,
            X,
            Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly"))),
            Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
            Int(name="n", low=1, high=300, default=20, log=True),
            STEPPED,
            Categorical(name="flag", choices=(True, False, None), default=None),
        )
    ).narrowed(
        {
            "kernel": Range(choices=("linear", "rbf")),
            "gamma": Range(0.1, 0.1),
            "n": Range(20, 20),
            "stepped": Range(0.3, 0.3),
            "flag": Range(choices=(None,)),
        }
    ),
    "families": SearchSpace(
        (
            Categorical(name="family", choices=("svm", "ridge", "forest"), default="ridge"),
            X,
            Float(name="svm.C", low=1e-3, high=1e3, default=1.0, log=True, when=Condition("family", ("svm",))),
            Categorical(name="svm.kernel", choices=("rbf", "poly"), default="rbf", when=Condition("family", ("svm",))),
            Int(name="svm.degree", low=2, high=5, default=3, when=Condition("svm.kernel", ("poly",))),
            Float(name="ridge.alpha", low=1e-4, high=1e3, default=1.0, log=True, when=Condition("family", ("ridge",))),
            Int(name="forest.trees", low=10, high=500, default=100, log=True, when=Condition("family", ("forest",))),
        )
    ),
    "all constant": SearchSpace((Float(name="fixed", low=3.0, high=3.0, default=3.0),)),
    "empty": SearchSpace(()),
}

# A method that is not installed has no sampler to test.
INSTALLED = [m for m in METHODS if not (m.why_unavailable(SPACES["mixed"]) or "").startswith("not installed")]
every_method = pytest.mark.parametrize("method", INSTALLED, ids=lambda method: method.key)
every_pair = pytest.mark.parametrize(
    ("method", "space"),
    [
        pytest.param(method, space, id=f"{method.key}-{name}")
        for method in METHODS
        for name, space in SPACES.items()
        if method.why_unavailable(space) is None
    ],
)
endless_method = pytest.mark.parametrize(
    "method", [m for m in INSTALLED if not m.capabilities.is_finite], ids=lambda method: method.key
)


# A suggestion of these takes a quarter of a second: they are asked for no more than so many where that is no matter.
MOST_TRIALS = {"smac": 12}


def _n_trials(method: SearchMethod, n: int) -> int:
    return min(n, MOST_TRIALS.get(method.key, n))


def _space_for(method: SearchMethod, name: str) -> SearchSpace:
    """The space of this name; for a method that does not search it, the first that it does search."""
    return next(space for space in (SPACES[name], *SPACES.values()) if method.why_unavailable(space) is None)


def _height(space: SearchSpace, configuration: Mapping[str, Any]) -> float:
    units = np.nan_to_num(space.to_unit([configuration])[0], nan=0.2)
    return float(((units - 0.3) ** 2).sum())


def _study(method: SearchMethod, space: SearchSpace, seed: int = 0, direction: str = "minimize") -> optuna.Study:
    return optuna.create_study(sampler=method.sampler(space, seed), direction=direction)


def _schedules(study: optuna.Study) -> list[tuple[Any, ...]]:
    """What each trial of a study is: its configuration and how far, and after what, it was trained."""
    return [
        (tuple(sorted(trial.params.items())), str(Schedule.of_thought(thought_of(trial))))
        for trial in study.trials
        if trial.state != TrialState.FAIL
    ]


def _run(study: optuna.Study, space: SearchSpace, n: int, sign: float = 1.0) -> list[dict[str, Any]]:
    """Up to n trials; fewer when the method has no more."""
    proposals = []
    for _ in range(n):
        try:
            trial, configuration = propose(study, space)
        except SearchExhausted:
            break
        proposals.append(configuration)
        study.tell(trial, sign * _height(space, configuration))
    return proposals


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def test_all_methods_of_the_lab_are_found() -> None:
    assert {"grid", "random", "sobol", "tpe", "gaussian_process", "cma_es", "gradient"} <= set(METHODS.keys)
    assert {"genetic", "differential_evolution", "particle_swarm", "nsga2"} <= set(METHODS.keys)


@pytest.mark.parametrize("method", METHODS, ids=METHODS.keys)
def test_says_what_it_is(method: SearchMethod) -> None:
    for text in (method.key, method.label, method.purpose, method.when_to_use, method.cost, method.source):
        assert text == text.strip() != ""
    assert dataclasses.is_dataclass(method)
    assert all(option.why_invalid(getattr(method, option.name)) is None for option in options_of(type(method)))


@every_method
def test_options_at_their_limits_still_give_legal_proposals(method: SearchMethod) -> None:
    space = _space_for(method, "conditional")
    for option in options_of(type(method)):
        for value in (option.low, option.high, *option.choices):
            if value is not None:
                extreme = with_options(method, {option.name: int(value) if option.kind == "int" else value})
                proposals = _run(_study(extreme, space), space, _n_trials(method, 14))
                assert all(space.check(configuration) == configuration for configuration in proposals)


@every_method
def test_a_space_that_it_cannot_search_is_refused_with_the_reason(method: SearchMethod) -> None:
    for space in SPACES.values():
        if why := method.why_unavailable(space):
            with pytest.raises(UsageError) as caught:
                method.sampler(space, 0)
            assert str(caught.value) == why


@every_pair
def test_proposals_are_legal_and_the_same_for_the_same_seed(method: SearchMethod, space: SearchSpace) -> None:
    first, second = (_run(_study(method, space, seed=3), space, _n_trials(method, 20)) for _ in range(2))
    assert first == second
    assert first
    for configuration in first:
        assert space.check(configuration) == configuration


@endless_method
def test_another_seed_gives_other_proposals(method: SearchMethod) -> None:
    space = _space_for(method, "mixed")
    first, second = (_run(_study(method, space, seed=seed), space, _n_trials(method, 20)) for seed in (3, 4))
    assert first != second


@every_method
def test_maximising_mirrors_minimising(method: SearchMethod) -> None:
    space = _space_for(method, "mixed")
    n = _n_trials(method, 20)
    up = _run(_study(method, space, direction="maximize"), space, n, sign=-1.0)
    assert up == _run(_study(method, space), space, n)


@every_method
def test_global_random_state_is_left_alone(method: SearchMethod) -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002 - the legacy state is what is watched
    space = _space_for(method, "mixed")
    _run(_study(method, space), space, 15)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


@pytest.mark.parametrize("n_before", [1, 5, 15])
@every_method
def test_resumed_search_goes_on_with_new_configurations(method: SearchMethod, n_before: int) -> None:
    space = _space_for(method, "floats")
    first = _study(method, space)
    _run(first, space, n_before)
    second = _study(method, space)
    second.add_trials(first.trials)
    assert len(_run(second, space, 8)) == 8
    assert len(set(_schedules(second))) == n_before + 8


@every_method
def test_fresh_sampler_with_the_same_history_agrees_with_itself(method: SearchMethod) -> None:
    space = _space_for(method, "conditional")
    history = _study(method, space)
    _run(history, space, 15)

    def resumed() -> list[dict[str, Any]]:
        study = _study(method, space)
        study.add_trials(history.trials)
        return _run(study, space, 5)

    assert resumed() == resumed()


@every_method
def test_trials_in_flight_do_not_repeat_and_may_come_back_in_any_order(method: SearchMethod) -> None:
    space = _space_for(method, "floats")
    study = _study(method, space)
    _run(study, space, 9)
    for _ in range(3):
        flight = [propose(study, space) for _ in range(5)]
        assert len({tuple(configuration.items()) for _, configuration in flight}) == 5
        for trial, configuration in reversed(flight):
            study.tell(trial, _height(space, configuration))


@every_method
def test_failed_and_pruned_trials_do_not_stop_it(method: SearchMethod) -> None:
    space = _space_for(method, "floats")
    study, n = _study(method, space), _n_trials(method, 24)
    for i in range(n):
        trial, configuration = propose(study, space)
        if i % 3 == 0:
            study.tell(trial, state=TrialState.FAIL)
        elif i % 3 == 1:
            trial.report(_height(space, configuration), step=0)
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, _height(space, configuration))
    assert len(study.trials) == n


@every_method
def test_all_trials_failing_does_not_stop_it(method: SearchMethod) -> None:
    space = _space_for(method, "floats")
    study = _study(method, space)
    for _ in range(20):
        study.tell(propose(study, space)[0], state=TrialState.FAIL)
    assert len(study.trials) == 20


@pytest.mark.parametrize(
    "values",
    [[1.0], [0.0], [1e-300, 2e-300], [1e12, 1e12 + 1], [0.1, 1e30], [0.5, -1e150, 0.6], [float("inf"), 0.2]],
    ids=str,
)
@every_method
def test_odd_values_do_not_stop_it(method: SearchMethod, values: list[float]) -> None:
    space = _space_for(method, "mixed")
    study = _study(method, space)
    for i in range(22):
        trial, configuration = propose(study, space)
        assert space.check(configuration) == configuration
        study.tell(trial, values[i % len(values)])


def _foreign(params: dict[str, Any], distributions: dict[str, optuna.distributions.BaseDistribution]) -> Any:
    return optuna.create_trial(params=params, distributions=distributions, value=0.5)


@every_method
def test_history_of_another_space_does_not_stop_it(method: SearchMethod) -> None:
    space = _space_for(method, "conditional")
    study = _study(method, space)
    wide = {"x": optuna.distributions.FloatDistribution(-100, 100)}
    wide |= {"kernel": KERNEL.distribution()} if "kernel" in space.names else {}
    # Another kind of parameter, or other choices under the same name, is something that no Optuna storage lets in.
    extra = {"z": optuna.distributions.IntDistribution(0, 9)}
    for i in range(5):
        study.add_trial(_foreign({"x": 50.0 + i, "kernel": "rbf"} if "kernel" in wide else {"x": 50.0 + i}, wide))
        study.add_trial(_foreign({"z": i}, extra))
        study.add_trial(_foreign({}, {}))
    for configuration in _run(study, space, 15):
        assert space.check(configuration) == configuration


@every_method
def test_queued_configuration_comes_first(method: SearchMethod) -> None:
    space = _space_for(method, "conditional")
    study = _study(method, space)
    study.enqueue_trial(space.default())
    part = {"kernel": "poly", "degree": 4} if "kernel" in space.names else {"family": "svm", "svm.C": 10.0}
    study.enqueue_trial(part)
    first, second = _run(study, space, 2)
    assert first == space.default()
    assert part.items() <= second.items()
    assert space.check(second) == second


@every_pair
def test_finite_methods_end_after_as_many_configurations_as_they_said(method: SearchMethod, space: SearchSpace) -> None:
    n = method.n_configurations(space)
    assert (n is not None) == method.capabilities.is_finite
    if n is None:
        return
    study = _study(method, space)
    _run(study, space, n)
    assert len(set(_schedules(study))) == len(study.trials) == n
    with pytest.raises(SearchExhausted):
        propose(study, space)
    assert not study.get_trials(states=(TrialState.RUNNING,))
