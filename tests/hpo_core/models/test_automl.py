"""The AutoML space: which families are in it and what is prepared; selection that never leaves nothing."""

import numpy as np
import pandas as pd
import pytest

from hpo_core.models import MODELS, DataFacts
from hpo_core.models._selection import BestShare, LeastVariance
from hpo_core.problem import make_problem
from hpo_core.schedule import Schedule

AUTOML = MODELS["automl"]


def facts(**known):
    return DataFacts(**{"task": "classification", "n_rows": 500, "n_features": 10, "n_classes": 2} | known)


def test_every_family_brings_its_own_space_under_a_condition():
    known = facts()
    space = AUTOML.space(known)
    for key in space["family"].choices:
        for p in MODELS[key].space(known).parameters:
            ours = space[f"{key}.{p.name}"]
            assert ours.distribution() == p.distribution()
            assert ours.default == p.default
            expected = (f"{key}.{p.when.parent}", p.when.values) if p.when else ("family", (key,))
            assert (ours.when.parent, ours.when.values) == expected


def test_slow_families_are_left_out_and_named():
    small, large = AUTOML.space(facts())["family"].choices, AUTOML.space(facts(n_rows=10**6))["family"].choices
    assert {"svm", "neural_network", "gradient_boosting"} <= set(small)
    assert not {"svm", "neural_network", "gradient_boosting"} & set(large)
    assert not AUTOML.notes(facts())
    (note,) = AUTOML.notes(facts(n_rows=10**6))
    assert "SVM" in note
    assert "Left out" in make_problem("digits", "automl").notes[-1]


def test_metric_of_probabilities_leaves_out_families_without():
    choices = make_problem("wine", "automl", "log_loss").space["family"].choices
    assert not {"svm", "ridge", "sgd"} & set(choices)
    assert "logistic_regression" in choices


def test_only_what_has_an_effect_is_searched():
    assert not {"imputer", "encoder"} & set(AUTOML.space(facts()).names)
    assert {"imputer", "encoder"} <= set(AUTOML.space(facts(has_gaps=True, has_categories=True)).names)
    assert {"imputer", "encoder"} <= set(make_problem("imbalanced", "automl").space.names)
    assert "selection" not in AUTOML.space(facts(n_features=1)).names


@pytest.mark.parametrize("selection", ["all", "best", "varying", "pca"])
def test_preparation_and_selection_reach_the_pipeline(selection):
    problem = make_problem("imbalanced", "automl")
    configuration = problem.space.completed(
        {"selection": selection, "imputer": "mean", "scaler": "robust", "encoder": "ordinal"}
    )
    pipeline = problem.pipeline(configuration)
    step = pipeline["prepare"]
    assert (step.fill, step.scaler, step.encoding) == ("mean", "robust", "ordinal")
    assert hasattr(pipeline["model"], "steps") == (selection != "all")
    assert problem.fit(configuration, 0).score > 0.5
    assert problem.fit(configuration, 0, Schedule(0.3)).score > 0.5


def test_best_share_keeps_the_column_that_tells_and_always_one():
    y = np.tile([0, 1], 20)
    X = np.column_stack([np.zeros(40), np.random.default_rng(0).normal(size=40), y + 0.01 * np.arange(40) % 3])
    assert BestShare(0.34).fit(X, y).get_support().tolist() == [False, False, True]
    assert BestShare(0.01).fit(X, y).get_support().sum() == 1
    assert BestShare(0.01).fit(np.zeros((40, 3)), y).get_support().tolist() == [True, False, False]
    assert BestShare(0.34, is_classification=False).fit(X, y * 1.5).get_support().tolist() == [False, False, True]


def test_least_variance_keeps_at_least_one():
    X = np.array([[0.0, 0.0, 1.0], [0.0, 0.1, 3.0]])
    assert LeastVariance(0.01).fit(X).get_support().tolist() == [False, False, True]
    assert LeastVariance(0.001).fit(X).get_support().tolist() == [False, True, True]
    assert LeastVariance(9.0).fit(X).get_support().tolist() == [False, False, True]


def test_table_of_categories_alone_can_be_searched(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.choice(["x", "y", "z"], 120), "b": rng.choice(["u", "v"], 120)})
    frame["target"] = np.where(frame["a"] == "x", "yes", "no")
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    problem = make_problem(str(path), "automl", target="target")
    for scaler in problem.space["scaler"].choices:
        for encoder in problem.space["encoder"].choices:
            configuration = problem.space.completed({"scaler": scaler, "encoder": encoder, "family": "decision_tree"})
            assert problem.fit(configuration, 0).score == 1.0
