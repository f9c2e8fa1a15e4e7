"""Random, Sobol, Halton and Latin hypercube search: how they spread configurations."""

import numpy as np
import optuna
import pytest
from scipy.stats import chisquare, kstest, qmc

from hpo_core.methods import METHODS, propose
from hpo_core.options import with_options
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace

SPACE = SearchSpace(
    (
        Float(name="c", low=1e-3, high=1e3, default=1.0, log=True),
        Int(name="k", low=1, high=5, default=1),
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Float(name="gamma", low=0.0, high=1.0, default=0.1, when=Condition("kernel", ("rbf",))),
    )
)


def _configurations(
    key: str, space: SearchSpace, n: int, history: optuna.Study | None = None
) -> list[dict[str, object]]:
    study = optuna.create_study(sampler=METHODS[key].sampler(space, 0))
    if history:
        study.add_trials(history.trials)
    found = []
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, 0.0)
        found.append(configuration)
    return found


@pytest.mark.parametrize("key", ["random", "sobol", "halton", "latin_hypercube"])
def test_each_parameter_is_spread_evenly_on_its_own_scale(key: str) -> None:
    found = _configurations(key, SPACE, 512)
    assert kstest([np.log10(c["c"]) for c in found], "uniform", args=(-3, 6)).pvalue > 0.01
    assert chisquare(np.unique([c["k"] for c in found], return_counts=True)[1]).pvalue > 0.01
    assert chisquare(np.unique([c["kernel"] for c in found], return_counts=True)[1]).pvalue > 0.01
    assert kstest([c["gamma"] for c in found if "gamma" in c], "uniform").pvalue > 0.01


PLANE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))


@pytest.mark.parametrize(("key", "n", "share"), [("sobol", 64, 0.2), ("halton", 60, 0.2), ("latin_hypercube", 60, 0.7)])
def test_covers_the_plane_more_evenly_than_random(key: str, n: int, share: float) -> None:
    points, chance = (PLANE.to_unit(_configurations(k, PLANE, n)) for k in (key, "random"))
    assert qmc.discrepancy(points) < share * qmc.discrepancy(chance)


def _hypercube(n_points: int) -> optuna.Study:
    method = with_options(METHODS["latin_hypercube"], {"n_points": n_points})
    return optuna.create_study(sampler=method.sampler(PLANE, 0))


def _ask(study: optuna.Study, n: int) -> list[dict[str, object]]:
    found = []
    for _ in range(n):
        trial, configuration = propose(study, PLANE)
        study.tell(trial, 0.0)
        found.append(configuration)
    return found


def _slices(configurations: list[dict[str, object]], n: int) -> list[list[int]]:
    """The slices that were tried, by parameter, in order."""
    return np.sort(np.floor(PLANE.to_unit(configurations) * n).astype(int), axis=0).T.tolist()


def test_each_hypercube_tries_every_slice_of_every_parameter_once() -> None:
    study = _hypercube(12)
    first, second = _ask(study, 12), _ask(study, 12)
    assert _slices(first, 12) == _slices(second, 12) == [list(range(12))] * 2
    assert first != second
    stages = [trial.user_attrs["thought"]["stage"] for trial in study.trials]
    assert stages == ["hypercube 1"] * 12 + ["hypercube 2"] * 12


def test_hypercube_is_whole_in_spite_of_trials_of_others_failures_and_an_interruption() -> None:
    first = _hypercube(10)
    tried = _ask(first, 3)
    first.add_trial(optuna.create_trial(params={"x": 0.5, "y": 0.5}, distributions=PLANE.distributions(), value=0.0))
    trial, failed = propose(first, PLANE)
    first.tell(trial, state=optuna.trial.TrialState.FAIL)
    second = _hypercube(10)
    second.add_trials(first.trials)
    _, running = propose(second, PLANE)
    assert _slices([*tried, failed, running, *_ask(second, 5)], 10) == [list(range(10))] * 2


def test_search_of_another_seed_or_size_begins_a_hypercube_of_its_own() -> None:
    first = _hypercube(10)
    _ask(first, 4)
    second = _hypercube(5)
    second.add_trials(first.trials)
    assert _slices(_ask(second, 5), 5) == [list(range(5))] * 2


@pytest.mark.parametrize("key", ["random", "sobol", "halton", "latin_hypercube"])
def test_interrupted_search_gives_the_same_trials_as_an_uninterrupted_one(key: str) -> None:
    whole = _configurations(key, SPACE, 20)
    first = optuna.create_study(sampler=METHODS[key].sampler(SPACE, 0))
    for _ in range(8):
        first.tell(propose(first, SPACE)[0], 0.0)
    assert _configurations(key, SPACE, 12, history=first) == whole[8:]


def test_random_draws_of_neighbouring_seeds_and_trials_are_unrelated() -> None:
    line = SearchSpace((Float(name="x", low=0.0, high=1.0, default=0.5),))
    draws = np.empty((40, 40))
    for seed in range(40):
        study = optuna.create_study(sampler=METHODS["random"].sampler(line, seed))
        for number in range(40):
            trial, configuration = propose(study, line)
            study.tell(trial, 0.0)
            draws[seed, number] = configuration["x"]
    assert kstest(draws.ravel(), "uniform").pvalue > 0.01
    assert len(np.unique(draws)) == draws.size
    for neighbours in (draws[:, :-1].ravel(), draws[:, 1:].ravel()), (draws[:-1].ravel(), draws[1:].ravel()):
        assert abs(np.corrcoef(*neighbours)[0, 1]) < 0.08
