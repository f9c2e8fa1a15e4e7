"""The forest: doubt where nothing is known, inactive parameters, and what it records."""

from __future__ import annotations

import numpy as np
import optuna

from hpo_core.methods import METHODS, propose, thought_of
from hpo_core.methods.random_forest_search import Forest
from hpo_core.options import with_options
from hpo_core.space import Categorical, Condition, Float, SearchSpace

LINE = SearchSpace(tuple(Float(name=name, low=0.0, high=1.0, default=0.5) for name in "xy"))
BRANCHES = SearchSpace(
    (
        Categorical(name="branch", choices=("a", "b", "c"), default="a"),
        Float(name="x", low=0.0, high=1.0, default=0.5, when=Condition("branch", ("b",))),
    )
)


def _searched(n: int, **options: int) -> optuna.Study:
    study = optuna.create_study(
        sampler=with_options(METHODS["random_forest_search"], options).sampler(LINE, 0), direction="maximize"
    )
    for _ in range(n):
        trial, c = propose(study, LINE)
        study.tell(trial, -((c["x"] - 0.7) ** 2) - (c["y"] - 0.2) ** 2)
    return study


def test_variance_is_larger_away_from_the_trials() -> None:
    """Two crowds of trials with different values, and the gap between them."""
    rng = np.random.default_rng(0)
    crowds = np.vstack([0.15 + 0.1 * rng.random((40, 2)), 0.75 + 0.1 * rng.random((40, 2))])
    targets = np.where(crowds[:, 0] < 0.5, -1.0, 1.0) + 0.02 * rng.standard_normal(80)
    forest = Forest(LINE, crowds, targets, n_trees=50)
    between = 0.45 + 0.1 * rng.random((40, 2))
    assert np.median(forest.predict(between).sd) > 5 * np.median(forest.predict(crowds).sd)


def test_mean_follows_the_values() -> None:
    points = np.random.default_rng(0).random((150, 2))
    forest = Forest(LINE, points[:100], points[:100, 0])
    assert np.corrcoef(forest.predict(points[100:]).mean, points[100:, 0])[0, 1] > 0.95


def test_noise_of_equal_points_is_doubt() -> None:
    points = np.full((60, 2), 0.5)
    sd = Forest(LINE, points, np.random.default_rng(0).standard_normal(60)).predict(points[:1]).sd[0]
    assert 0.8 < sd < 1.2


def test_inactive_parameters_and_categories_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    configurations = [{"branch": b, **({"x": float(rng.random())} if b == "b" else {})} for b in "abc" * 20]
    units = BRANCHES.to_unit(configurations)
    targets = np.array([{"a": 0.0, "b": 1.0 + c.get("x", 0.0), "c": 3.0}[c["branch"]] for c in configurations])
    forest = Forest(BRANCHES, units, targets, n_trees=40)
    asked = BRANCHES.to_unit([{"branch": "a"}, {"branch": "b", "x": 0.1}, {"branch": "b", "x": 0.9}, {"branch": "c"}])
    np.testing.assert_allclose(forest.predict(asked).mean, [0.0, 1.1, 1.9, 3.0], atol=0.3)


def test_every_fifth_trial_is_random_and_others_say_what_they_expect() -> None:
    study = _searched(25)
    stages = [thought_of(trial)["stage"] for trial in study.trials]
    assert stages[:8] == ["random"] * 8
    assert [i for i in range(8, 25) if stages[i] == "random"] == [9, 14, 19, 24]
    for trial in study.trials[8:]:
        thought = thought_of(trial)
        if thought["stage"] == "model":
            assert thought["sd"] > 0
            assert -1.0 < thought["mean"] <= 0.01


def test_no_random_trials_when_switched_off() -> None:
    assert {thought_of(trial)["stage"] for trial in _searched(20, random_every=0).trials[8:]} == {"model"}
