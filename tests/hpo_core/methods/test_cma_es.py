"""CMA-ES on studies: convergence, restarts, and trials that it did not ask for."""

import numpy as np
import optuna
import pytest

from hpo_core.errors import UsageError
from hpo_core.landscapes import LANDSCAPES
from hpo_core.methods import propose
from hpo_core.methods.cma_es import CMA_ES, CmaEs
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

ROSENBROCK = LANDSCAPES["rosenbrock"]
PLANE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))


def _search(study: optuna.Study, space: SearchSpace, height: object, n: int) -> np.ndarray:
    """Runs n trials; the points, shape (n, d)."""
    found = []
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, height(configuration))  # type: ignore[operator]
        found.append(configuration)
    return space.to_unit(found)


def _bowl(centre: float) -> object:
    return lambda c: (c["x"] - centre) ** 2 + (c["y"] - centre) ** 2


def _add(study: optuna.Study, x: float, y: float, value: float) -> None:
    study.add_trial(optuna.create_trial(params={"x": x, "y": y}, distributions=PLANE.distributions(), value=value))


def test_follows_a_bent_valley_to_its_end() -> None:
    study = optuna.create_study(sampler=CMA_ES.sampler(ROSENBROCK.space, 1))
    _search(study, ROSENBROCK.space, ROSENBROCK.function, 250)
    assert study.best_value < 0.01


def test_two_numeric_parameters_are_needed() -> None:
    space = SearchSpace(
        (
            Categorical(name="kernel", choices=("linear", "rbf"), default="rbf"),
            Float(name="c", low=0.1, high=1.0, default=0.5),
            Float(name="gamma", low=0.1, high=1.0, default=0.5, when=Condition("kernel", ("rbf",))),
            Int(name="fixed", low=3, high=3, default=3),
        )
    )
    assert "this search space has 1." in (CMA_ES.why_unavailable(space) or "")
    with pytest.raises(UsageError, match="has 1"):
        CMA_ES.sampler(space, 0)


def test_starts_where_the_known_trials_are_good() -> None:
    study = optuna.create_study(sampler=CMA_ES.sampler(PLANE, 0))
    for x, y in np.random.default_rng(0).random((60, 2)):
        _add(study, x, y, _bowl(0.85)({"x": x, "y": y}))  # type: ignore[operator]
    points = _search(study, PLANE, _bowl(0.85), 6)
    assert np.abs(points.mean(axis=0) - 0.85).max() < 0.15


def test_moves_to_a_better_trial_of_somebody_else() -> None:
    study = optuna.create_study(sampler=CMA_ES.sampler(PLANE, 0))
    _search(study, PLANE, _bowl(0.2), 60)
    _add(study, 0.95, 0.95, -5.0)
    after = _search(study, PLANE, lambda c: 1.0 - c["x"] - c["y"], 10)
    assert after[:10].mean(axis=0).min() > 0.55


def test_worse_trial_of_somebody_else_does_not_disturb_it() -> None:
    alone = optuna.create_study(sampler=CMA_ES.sampler(PLANE, 0))
    _search(alone, PLANE, _bowl(0.3), 60)
    disturbed = optuna.create_study(sampler=CMA_ES.sampler(PLANE, 0))
    for i in range(60):
        _search(disturbed, PLANE, _bowl(0.3), 1)
        if i % 5 == 4:
            _add(disturbed, 0.99, 0.99, 50.0)
    assert disturbed.best_value < 1e-3
    assert alone.best_value < 1e-3


def test_starts_again_elsewhere_with_more_trials_once_it_has_converged() -> None:
    study = optuna.create_study(sampler=CMA_ES.sampler(PLANE, 0))
    points = _search(study, PLANE, _bowl(0.3), 400)
    distances = np.abs(points - 0.3).max(axis=1)
    first_close = int(np.argmax(distances < 1e-4))
    assert distances[first_close:].max() > 0.25


def test_generations_fill_whatever_the_order_of_results() -> None:
    study = optuna.create_study(sampler=CMA_ES.sampler(PLANE, 0))
    rng = np.random.default_rng(0)
    flight = []
    for _ in range(160):
        flight.append(propose(study, PLANE))
        if len(flight) == 4:
            trial, configuration = flight.pop(int(rng.integers(4)))
            study.tell(trial, _bowl(0.3)(configuration))  # type: ignore[operator]
    assert study.best_value < 1e-4


@pytest.mark.parametrize("population", [0, 1, 9])
def test_whole_numbers_and_categories_may_stand_beside_the_cloud(population: int) -> None:
    space = SearchSpace(
        (
            *PLANE.parameters,
            Int(name="n", low=1, high=100, default=10, log=True),
            Categorical(name="flag", choices=(True, False), default=True),
        )
    )
    study = optuna.create_study(sampler=CmaEs(population=population).sampler(space, 0))
    points = _search(study, space, lambda c: (c["x"] - 0.3) ** 2 + (c["y"] - 0.3) ** 2 + abs(np.log(c["n"] / 7)), 150)
    assert study.best_params["n"] in (6, 7, 8)
    assert 0.3 < points[:, 3].mean() < 0.7
