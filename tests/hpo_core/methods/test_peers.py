"""Peers propose what their own interfaces propose, go on after a kill, and are named when they are missing."""

import random
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from hpo_core.cli.lists import _methods
from hpo_core.errors import UsageError
from hpo_core.methods import METHODS, SearchExhausted, SearchMethod, propose, thought_of
from hpo_core.methods._flaml import flaml_space
from hpo_core.methods._peer import PeerSearch
from hpo_core.methods._peer_space import (
    configuration_at,
    coordinate,
    coordinates,
    full_coordinates,
    n_levels,
    value_at,
)
from hpo_core.methods.deap_genetic import deap_individual, deap_toolbox
from hpo_core.methods.hyperopt_tpe import hyperopt_space
from hpo_core.methods.nevergrad_search import nevergrad_space
from hpo_core.methods.sklearn_grid import sklearn_grid
from hpo_core.methods.sklearn_random import sklearn_distributions
from hpo_core.methods.smac import smac_space
from hpo_core.options import with_options
from hpo_core.space import Categorical, Condition, Configuration, Float, Int, SearchSpace

SPACE = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Float(name="C", low=1e-3, high=1e3, default=1.0, log=True),
        Float(name="share", low=0.0, high=0.9, default=0.3, step=0.1),
        Int(name="trees", low=1, high=300, default=20, log=True),
        Int(name="even", low=2, high=21, default=4, step=2),
        Float(name="fixed", low=3.0, high=3.0, default=3.0),
        Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly"))),
        Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
    )
)
PEERS = [method for method in METHODS if isinstance(method, PeerSearch)]
SEED = 5
N = 30

every_peer = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.key)
installed_peer = pytest.mark.parametrize(
    "peer",
    [
        pytest.param(
            peer,
            id=peer.key,
            marks=pytest.mark.skipif(
                peer.why_not_installed() is not None,
                reason=f"{peer.label} is left out of the tests' environment; requirements-test.txt says why",
            ),
        )
        for peer in PEERS
    ],
)

Evaluate = Callable[[Configuration], float]


def test_no_other_peer_is_left_out_than_the_one_with_a_reason():
    assert {peer.key for peer in PEERS if peer.why_not_installed()} <= {"nevergrad"}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Warnings of a peer's own code are not ours to mend, where a test calls it directly."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _loss(configuration: Configuration) -> float:
    units = np.nan_to_num(SPACE.to_unit([configuration])[0], nan=0.2)
    return float(((units - 0.3) ** 2).sum())


def _key(configuration: Configuration) -> tuple[float, ...]:
    """The same for configurations that differ by no more than a rounding error."""
    return tuple(np.round(np.nan_to_num(SPACE.to_unit([configuration])[0], nan=-1.0), 9).tolist())


def _study(method: SearchMethod) -> optuna.Study:
    return optuna.create_study(sampler=method.sampler(SPACE, SEED))


def _go_on(study: optuna.Study, n: int) -> list[Configuration]:
    proposals = []
    for _ in range(n):
        trial, configuration = propose(study, SPACE)
        study.tell(trial, _loss(configuration))
        proposals.append(configuration)
    return proposals


def _of_hyperopt(peer: PeerSearch, evaluate: Evaluate) -> None:
    """By `fmin`, as its users call it; the space in its own nested form."""
    import hyperopt

    def objective(written: dict[str, Any]) -> float:
        flat: dict[str, Any] = {}
        for name, value in written.items():
            flat |= {"kernel": value["index"], **value} if name == "kernel" else {name: value}
        return evaluate(configuration_at(SPACE, flat))

    hyperopt.fmin(
        objective,
        hyperopt_space(SPACE),
        algo=partial(hyperopt.tpe.suggest, verbose=False),
        max_evals=N,
        rstate=np.random.default_rng(SEED),
        show_progressbar=False,
        verbose=False,
    )


def _of_smac(peer: PeerSearch, evaluate: Evaluate) -> None:
    """By `optimize` on a target function, as its users call it."""
    import smac

    with tempfile.TemporaryDirectory() as folder:
        scenario = smac.Scenario(
            smac_space(SPACE), deterministic=True, n_trials=100, seed=SEED, output_directory=Path(folder)
        )
        facade = smac.HyperparameterOptimizationFacade(scenario, logging_level=False, overwrite=True)
        for _ in range(N):
            info = facade.ask()
            cost = evaluate(configuration_at(SPACE, dict(info.config)))
            facade.tell(info, smac.runhistory.TrialValue(cost=cost), save=False)


def _of_flaml(searcher: str, peer: PeerSearch, evaluate: Evaluate) -> None:
    import flaml

    search = getattr(flaml, searcher)(metric="loss", mode="min", space=flaml_space(SPACE), seed=SEED)
    known: dict[tuple[float, ...], float] = {}
    n = 0
    while len(known) < N:
        n += 1
        suggested = search.suggest(str(n))
        if suggested is not None:
            configuration = configuration_at(SPACE, suggested)
            key = _key(configuration)
            known[key] = known[key] if key in known else evaluate(configuration)
            search.on_trial_complete(str(n), {"loss": known[key], "config": suggested})


def _of_nevergrad(peer: PeerSearch, evaluate: Evaluate) -> None:
    import nevergrad

    written = nevergrad_space(SPACE)
    written.random_state = np.random.RandomState(SEED)
    optimiser = nevergrad.optimizers.registry["NGOpt"](written, budget=100, num_workers=1)
    known: dict[tuple[float, ...], float] = {}
    while len(known) < N:
        candidate = optimiser.ask()
        configuration = configuration_at(SPACE, candidate.value)
        key = _key(configuration)
        known[key] = known[key] if key in known else evaluate(configuration)
        optimiser.tell(candidate, known[key])


def _of_deap(peer: Any, evaluate: Evaluate) -> None:
    """By `eaSimple` itself."""
    from deap.algorithms import eaSimple

    toolbox = deap_toolbox(peer, len(SPACE))
    toolbox.register("evaluate", lambda genes: (evaluate(SPACE.from_unit(genes)),))
    population = [deap_individual([random.random() for _ in SPACE.parameters]) for _ in range(peer.population)]
    eaSimple(population, toolbox, peer.crossover_rate, peer.mutation_rate, ngen=3, verbose=False)


DIRECT: dict[str, Callable[[PeerSearch, Evaluate], None]] = {
    "hyperopt_tpe": _of_hyperopt,
    "smac": _of_smac,
    "flaml_cfo": partial(_of_flaml, "CFO"),
    "flaml_blendsearch": partial(_of_flaml, "BlendSearch"),
    "nevergrad": _of_nevergrad,
    "deap_genetic": _of_deap,
}


@installed_peer
def test_proposals_are_those_of_the_peer_called_directly(peer: PeerSearch) -> None:
    """Those that it repeats are passed over, so they are counted once."""
    direct: list[Configuration] = []

    def evaluate(configuration: Configuration) -> float:
        direct.append(configuration)
        return _loss(configuration)

    random.seed(SEED)  # DEAP and CFO draw from these
    np.random.seed(SEED)  # noqa: NPY002
    DIRECT[peer.key](peer, evaluate)
    unique: dict[tuple[float, ...], Configuration] = {}
    for configuration in direct:
        unique.setdefault(_key(configuration), configuration)
    assert len(unique) >= 20
    assert _go_on(_study(peer), len(unique)) == list(unique.values())


@installed_peer
def test_search_that_was_killed_goes_on_as_if_nothing_had_happened(peer: PeerSearch) -> None:
    """With trials of a person, failures and trials in flight among them, told out of order."""
    study = _study(peer)
    rng = np.random.default_rng(0)
    for i in range(6):
        flight = [propose(study, SPACE) for _ in range(3)]
        for trial, configuration in reversed(flight):
            if (trial.number + i) % 5 == 0:
                study.tell(trial, state=TrialState.FAIL)
            else:
                study.tell(trial, _loss(configuration))
        by_hand = SPACE.from_unit(rng.random(len(SPACE)))
        distributions = {name: SPACE.distributions()[name] for name in by_hand}
        study.add_trial(optuna.create_trial(params=by_hand, distributions=distributions, value=_loss(by_hand)))
    after_kill = _study(peer)
    after_kill.add_trials(study.get_trials(deepcopy=False))
    assert _go_on(after_kill, 6) == _go_on(study, 6)


@installed_peer
def test_record_of_another_seed_is_not_replayed(peer: PeerSearch) -> None:
    first = optuna.create_study(sampler=peer.sampler(SPACE, SEED + 1))
    before = _go_on(first, 4)
    second = _study(peer)
    second.add_trials(first.trials)
    after = _go_on(second, 4)
    assert not any(configuration in before for configuration in after)
    signatures = {thought_of(trial)["peer"] for trial in second.trials}
    assert len(signatures) == 2


@installed_peer
def test_small_space_ends_when_all_was_tried(peer: PeerSearch) -> None:
    space = SearchSpace(
        (
            Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
            Int(name="degree", low=2, high=3, default=3, when=Condition("kernel", ("poly",))),
        )
    )
    study = optuna.create_study(sampler=peer.sampler(space, 0))
    proposals = []
    for _ in range(4):
        trial, configuration = propose(study, space)
        study.tell(trial, 0.5)
        proposals.append(str(configuration))
    with pytest.raises(SearchExhausted):
        propose(study, space)
    assert len(set(proposals)) == 4
    assert not study.get_trials(states=(TrialState.RUNNING,))


@every_peer
def test_missing_package_is_named_with_its_pip_line(peer: PeerSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, peer.modules[0], None)
    sentence = f"not installed: pip install {peer.package}"
    assert peer.why_unavailable(SPACE) == peer.why_not_installed() == sentence
    with pytest.raises(UsageError, match=sentence):
        peer.sampler(SPACE, SEED)
    listed = {row["key"]: row["unavailable"] for row in _methods()}
    assert listed[peer.key] == sentence
    assert listed["random"] is None


def test_listing_the_methods_imports_no_peer() -> None:
    modules = sorted({peer.modules[0] for peer in PEERS})
    code = f"import sys; from hpo_core.methods import METHODS; len(METHODS); print(set({modules}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


class _Recorder(ClassifierMixin, BaseEstimator):
    """A classifier whose score is of no interest: what is watched is with which parameters it is made."""

    def __init__(self, **parameters: Any) -> None:
        for name in SPACE.names:
            setattr(self, name, parameters.get(name))

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return list(SPACE.names)

    def fit(self, X: Any, y: Any) -> "_Recorder":
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


def _tried_by(search: Any) -> list[dict[str, Any]]:
    X, y = np.zeros((8, 1)), np.array([0, 1] * 4)
    return list(search.fit(X, y).cv_results_["params"])


def test_grid_is_in_the_order_of_grid_search_cv() -> None:
    method = with_options(METHODS["sklearn_grid"], {"resolution": 2})
    tried = _tried_by(GridSearchCV(_Recorder(), sklearn_grid(SPACE, 2), cv=2))
    assert len(tried) == 16 * (1 + 2 + 4)  # linear, rbf with gamma, poly with gamma and degree
    assert method.n_configurations(SPACE) == len(tried)
    assert _go_on(_study(method), len(tried)) == [SPACE.active(parameters) for parameters in tried]


def test_random_draws_are_those_of_randomized_search_cv() -> None:
    search = RandomizedSearchCV(_Recorder(), sklearn_distributions(SPACE), n_iter=30, cv=2, random_state=SEED)
    expected = [configuration_at(SPACE, parameters) for parameters in _tried_by(search)]
    assert _go_on(_study(METHODS["sklearn_random"]), 30) == expected


@pytest.mark.parametrize("p", SPACE.varying, ids=lambda p: p.name)
def test_coordinates_lead_back_to_the_value(p: Any) -> None:
    for unit in np.linspace(0, 1, 23):
        value = p.from_unit(float(unit))
        at = coordinate(p, value)
        assert value_at(p, at) == value
        assert n_levels(p) is None or at in range(n_levels(p))


def test_coordinates_leave_out_what_is_fixed_or_inactive() -> None:
    linear = SPACE.active({**SPACE.defaults(), "kernel": "linear"})
    assert set(coordinates(SPACE, linear)) == {"kernel", "C", "share", "trees", "even"}
    assert set(full_coordinates(SPACE, linear)) == set(coordinates(SPACE, linear)) | {"gamma", "degree"}
    assert configuration_at(SPACE, full_coordinates(SPACE, linear)) == linear
