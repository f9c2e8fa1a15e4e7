"""Successive halving and its kin: their arithmetic against its sources, and who climbs."""

import math
from itertools import islice

import numpy as np
import optuna
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV

from hpo_core.methods import METHODS, SearchExhausted, propose, thought_of
from hpo_core.methods.halving_grid import HalvingGrid
from hpo_core.methods.hyperband import Hyperband
from hpo_core.methods.sklearn_halving import SklearnHalving, Units, units_of
from hpo_core.methods.sklearn_random import sklearn_distributions, sklearn_draws
from hpo_core.methods.successive_halving import SuccessiveHalving
from hpo_core.options import with_options
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.space import Categorical, Float, SearchSpace

SPACE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in ("x", "y")))
RUNGED = ("successive_halving", "hyperband", "asha", "bohb", "halving_grid", "sklearn_halving")
every_runged = pytest.mark.parametrize("method", [METHODS[key] for key in RUNGED], ids=RUNGED)


def _study(method, space=SPACE, seed=0):
    return optuna.create_study(sampler=method.sampler(space, seed))


def _height(configuration):
    return sum((value - 0.3) ** 2 for value in configuration.values())


def _run(study, n, space=SPACE):
    for _ in range(n):
        trial, configuration = propose(study, space)
        study.tell(trial, _height(configuration))


def _places(study):
    """Bracket, rung, resource and configuration of each trial, in order."""
    thoughts = [(thought_of(trial), trial.params) for trial in study.trials]
    return [(t["bracket"], t["rung"], t["resource"], p) for t, p in thoughts]


def _rung(study, bracket, rung):
    return [p for b, r, _, p in _places(study) if (b, r) == (bracket, rung)]


def test_brackets_of_hyperband_are_those_of_the_papers_table():
    brackets = Hyperband(eta=3, smallest=1 / 81).brackets()
    assert [[(rung.n, round(81 * rung.resource, 9)) for rung in bracket] for bracket in brackets] == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(27, 3), (9, 9), (3, 27), (1, 81)],
        [(9, 9), (3, 27), (1, 81)],
        [(6, 27), (2, 81)],
        [(5, 81)],
    ]


def test_hyperband_runs_its_brackets_as_planned_one_after_the_other():
    method = Hyperband(eta=3, smallest=1 / 9)
    study = _study(method)
    planned = [(b, i, rung.resource) for b, bracket in enumerate(method.brackets()) for i, rung in enumerate(bracket)
               for _ in range(rung.n)]  # fmt: skip
    _run(study, len(planned) + 1)
    assert [place[:3] for place in _places(study)] == [*planned, (len(method.brackets()), 0, 1 / 9)]


@pytest.mark.parametrize(("n", "eta"), [(27, 3), (10, 3), (16, 2), (100, 3), (7, 2), (40, 4), (5, 3), (2, 3)])
def test_resources_and_survivors_are_those_of_scikit_learn(n, eta):
    most = eta**3
    features, target = make_classification(n_samples=40, random_state=0)
    theirs = HalvingRandomSearchCV(
        RandomForestClassifier(max_depth=1, random_state=0), {"min_impurity_decrease": [i / 1000 for i in range(n)]},
        n_candidates=n, factor=eta, resource="n_estimators", max_resources=most, min_resources="exhaust",
        cv=2, random_state=0, refit=False,
    )  # fmt: skip
    theirs.fit(features, target)
    ours = SuccessiveHalving(eta=eta, smallest=1 / most, n_first=n).rungs()
    assert [rung.n for rung in ours] == theirs.n_candidates_
    assert [round(most * rung.resource) for rung in ours] == theirs.n_resources_


class _Bowl(ClassifierMixin, BaseEstimator):
    """A classifier that is right on as large a share of the rows as its configuration and resource are good."""

    def __init__(self, x=0.0, y=0.0, units=1):
        self.x, self.y, self.units = x, y, units

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def score(self, X, y):
        return _goodness({"x": self.x, "y": self.y}, self.units)

    def predict(self, X):
        return np.zeros(len(X))


def _goodness(configuration, units):
    """What is best changes with the resource, so that other survivors would be found out."""
    return -_height(configuration) - 0.5 * abs(configuration["x"] - 1 / units)


@pytest.mark.parametrize(
    ("n", "factor", "least", "most"),
    [
        *[(27, 3, "exhaust", 100), (27, 3, "smallest", 100), (0, 3, "smallest", 100), (10, 2, "exhaust", 50)],
        *[(243, 3, "exhaust", 500), (7, 4, "smallest", 9), (1, 2, "exhaust", 10), (30, 3, "exhaust", 2)],
    ],
)  # fmt: skip
def test_tournament_is_that_of_halving_random_search_cv(n, factor, least, most):
    theirs = HalvingRandomSearchCV(
        _Bowl(), sklearn_distributions(SPACE), n_candidates=n or "exhaust", factor=factor, min_resources=least,
        resource="units", max_resources=most, cv=2, random_state=4, refit=False,
    ).fit(np.zeros((8, 1)), [0, 1] * 4)  # fmt: skip
    method = SklearnHalving(n_candidates=n, factor=factor, min_resources=least)
    rungs = method.rungs(Units(1, most))
    own = rungs[:-1] if theirs.n_resources_[-1] < most else rungs
    assert [rung.n for rung in own] == theirs.n_candidates_
    assert [round(most * rung.resource, 9) for rung in own] == theirs.n_resources_
    study = optuna.create_study(sampler=method._sampler(SPACE, 4, "units", Units(1, most)), direction="maximize")
    for _ in range(sum(rung.n for rung in rungs)):
        trial, configuration = propose(study, SPACE)
        study.tell(trial, _goodness(configuration, round(most * thought_of(study.trials[-1])["resource"])))
    results = theirs.cv_results_
    for i in range(len(own)):
        tried = [p for p, at in zip(results["params"], results["iter"], strict=True) if at == i]
        assert sorted((p["x"], p["y"]) for p in tried) == sorted((p["x"], p["y"]) for p in _rung(study, 0, i))
    if len(own) < len(rungs):
        best = tried[int(np.argmax(results["mean_test_score"][-len(tried) :]))]
        assert _places(study)[-1][2:] == (1.0, {"x": best["x"], "y": best["y"]})


def test_rows_are_counted_as_halving_random_search_cv_counts_them():
    problem = make_problem("wine", "svm", protocol=Protocol(folds=3))
    features, target = problem.data.features.iloc[: problem.n_development], problem.data.target[: problem.n_development]
    theirs = HalvingRandomSearchCV(
        DummyClassifier(), {"constant": [0, 1, 2]}, n_candidates=2, min_resources="smallest", cv=3, refit=False,
    ).fit(features, target)  # fmt: skip
    assert units_of(problem) == Units(theirs.min_resources_, theirs.max_resources_)
    assert units_of(make_problem("wine", "random_forest")) == Units(1, 100)
    assert units_of(make_problem("branin")) == Units(1, 100)


def test_next_tournament_goes_on_with_the_draws_that_are_left():
    study = _study(SklearnHalving(n_candidates=4, factor=2))
    _run(study, 15)
    first, second = _rung(study, 0, 0), _rung(study, 1, 0)
    draws = list(islice(sklearn_draws(SPACE, 0), 8))
    assert first + second == draws


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_best_of_each_rung_climb_and_nobody_else(direction):
    study = optuna.create_study(sampler=SuccessiveHalving().sampler(SPACE, 0), direction=direction)
    for _ in range(40):
        trial, configuration = propose(study, SPACE)
        study.tell(trial, _height(configuration) + 0.01 * thought_of(study.trials[-1])["resource"])
    for rung, n_above in ((0, 9), (1, 3), (2, 1)):
        best = sorted(_rung(study, 0, rung), key=_height, reverse=direction == "maximize")[:n_above]
        assert _rung(study, 0, rung + 1) == best


@pytest.mark.parametrize("eta", [2, 3, 4])
def test_asha_promotes_the_best_of_those_that_have_come_so_far(eta):
    study = _study(with_options(METHODS["asha"], {"eta": eta}))
    for n in range(120):
        trial, configuration = propose(study, SPACE)
        bracket, rung, _, _ = _places(study)[-1]
        earlier = _places(study)[:-1]
        below = [p for _, r, _, p in earlier if r == rung - 1]
        top = sorted(below, key=_height)[: len(below) // eta]
        assert bracket == 0
        assert rung == 0 or configuration in top
        # Nothing that is due on a higher rung is left waiting.
        for higher in range(rung + 1, max((r for _, r, _, _ in earlier), default=0) + 1):
            down = [p for _, r, _, p in earlier if r == higher - 1]
            due = sorted(down, key=_height)[: len(down) // eta]
            assert all(p in [q for _, r, _, q in earlier if r == higher] for p in due), n
        study.tell(trial, _height(configuration))
    assert len({rung for _, rung, _, _ in _places(study)}) > 2


@every_runged
def test_failed_trials_never_climb(method):
    study = _study(method)
    failed = []
    for i in range(36):
        trial, configuration = propose(study, SPACE)
        assert configuration not in failed
        if i % 2:
            failed.append(configuration)
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, _height(configuration))


@every_runged
def test_search_that_goes_on_climbs_as_if_nothing_had_been(method):
    whole = _study(method)
    _run(whole, 37)
    for n in (3, 26, 27, 31):
        first = _study(method)
        _run(first, n)
        second = _study(method)
        second.add_trials(first.trials)
        _run(second, 37 - n)
        assert _places(second) == _places(whole)


@every_runged
def test_rung_waits_for_trials_in_flight_but_the_search_does_not(method):
    study = _study(with_options(method, {"resolution": 5}) if method.key == "halving_grid" else method)
    flying = [propose(study, SPACE) for _ in range(25)]  # all on first rungs while nothing has ended
    assert {rung for _, rung, _, _ in _places(study)} == {0}
    for trial, configuration in flying:
        study.tell(trial, _height(configuration))
    _run(study, 8)
    assert max(rung for _, rung, _, _ in _places(study)) >= 1


def test_halving_grid_asks_for_results_and_ends_with_its_best_in_full():
    method = HalvingGrid(resolution=3)
    study = _study(method)
    while True:
        try:
            trial, configuration = propose(study, SPACE)
        except SearchExhausted:
            break
        study.tell(trial, _height(configuration))
    trials = [t for t in study.trials if t.params]
    assert len(trials) == method.n_configurations(SPACE) == 9 + 3 + 1
    assert trials[-1].params == {"x": 0.5, "y": 0.5}
    assert math.isclose(thought_of(trials[-1])["resource"], 1.0)


@pytest.mark.parametrize("key", ["successive_halving", "hyperband", "asha", "bohb"])
def test_space_of_few_configurations_still_gets_its_promotions(key):
    space = SearchSpace((Categorical(name="x", choices=(0.1, 0.2, 0.3, 0.4, 0.9), default=0.1),))
    study = _study(METHODS[key], space)
    _run(study, 40, space)
    whole = [p["x"] for _, _, resource, p in _places(study) if resource == 1.0]
    assert 0.3 in whole


def test_bohb_draws_from_the_good_region_once_the_model_is_there():
    study = _study(with_options(METHODS["bohb"], {"random_share": 0.0}))
    _run(study, 150)
    fresh = [_height(p) for _, rung, _, p in _places(study) if rung == 0]
    assert np.median(fresh[-40:]) < 0.5 * np.median(fresh[:27])


def test_brackets_of_other_options_are_left_alone():
    first = _study(SuccessiveHalving(n_first=9))
    _run(first, 5)
    second = _study(SuccessiveHalving(n_first=8))
    second.add_trials(first.trials)
    _run(second, 8)
    assert [thought_of(t)["slot"] for t in second.trials[5:]] == list(range(8))
