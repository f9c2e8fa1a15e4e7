"""Random and Sobol search: how they spread configurations."""

import numpy as np
import optuna
import pytest
from scipy.stats import chisquare, kstest, qmc

from hpo_core.methods import METHODS, propose
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


@pytest.mark.parametrize("key", ["random", "sobol"])
def test_each_parameter_is_spread_evenly_on_its_own_scale(key: str) -> None:
    found = _configurations(key, SPACE, 512)
    assert kstest([np.log10(c["c"]) for c in found], "uniform", args=(-3, 6)).pvalue > 0.01
    assert chisquare(np.unique([c["k"] for c in found], return_counts=True)[1]).pvalue > 0.01
    assert chisquare(np.unique([c["kernel"] for c in found], return_counts=True)[1]).pvalue > 0.01
    assert kstest([c["gamma"] for c in found if "gamma" in c], "uniform").pvalue > 0.01


def test_sobol_covers_the_plane_more_evenly_than_random() -> None:
    plane = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))
    sobol, random = (plane.to_unit(_configurations(key, plane, 64)) for key in ("sobol", "random"))
    assert qmc.discrepancy(sobol) < 0.2 * qmc.discrepancy(random)


@pytest.mark.parametrize("key", ["random", "sobol"])
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
