"""Pictures of models: the heights are the model's own predictions, and what it learned is counted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hpo_core.errors import UsageError
from hpo_core.fit_result import FitResult
from hpo_core.picture import axes_of, fit_with_picture
from hpo_core.problem import make_problem


def picture_of(data, model, **chosen):
    problem = make_problem(data, model)
    return problem, fit_with_picture(problem, problem.space.completed(chosen), 1)


def test_heights_are_what_the_model_of_the_fold_predicts():
    problem, drawn = picture_of("moons", "decision_tree", depth="limited", max_depth=3)
    train, _ = problem.split.folds[1]
    pipeline = problem.pipeline(problem.space.completed({"depth": "limited", "max_depth": 3}))
    pipeline.fit(problem.features.iloc[train], problem.data.target[train])
    heights = np.reshape(drawn.heights, (51, 51))
    x, y = axes_of(problem)
    for i, j in ((0, 0), (10, 40), (50, 3)):
        row = problem.features.iloc[:1].assign(x=x[j], y=y[i])
        assert heights[i, j] == pytest.approx(pipeline.predict_proba(row)[0, 1], abs=1e-4)


def test_scores_are_those_of_the_fit_without_a_picture():
    problem, drawn = picture_of("circles", "nearest_neighbours")
    plain = problem.fit(problem.space.default(), 1)
    assert (drawn.score, drawn.train_score) == (plain.score, plain.train_score)
    assert not plain.heights


@pytest.mark.parametrize(
    ("data", "model", "chosen", "learned"),
    [
        ("moons", "decision_tree", {"depth": "limited", "max_depth": 1}, {"question": 1}),
        (
            "wave",
            "random_forest",
            {"n_estimators": 10, "depth": "limited", "max_depth": 1},
            {"tree": 10, "question": 10},
        ),
        ("moons", "logistic_regression", {}, {"weight": 3}),
        ("wave", "ridge", {}, {"weight": 2}),
        ("wave", "neural_network", {"units_1": 4, "max_iter": 10}, {"weight": 13}),
        ("moons", "nearest_neighbours", {}, {"remembered row": 384}),
    ],
)
def test_what_training_has_set_is_counted(data, model, chosen, learned):
    assert picture_of(data, model, **chosen)[1].learned == learned


def test_a_model_without_probabilities_is_drawn_by_the_side_of_its_border():
    problem, drawn = picture_of("moons", "svm")
    assert 0 <= min(drawn.heights) < 0.2 < 0.8 < max(drawn.heights) <= 1
    assert 0 < drawn.learned["support vector"] < problem.facts.n_rows


def test_a_picture_travels_as_json():
    _, drawn = picture_of("wave", "ridge")
    sent = FitResult(**json.loads(json.dumps(drawn.to_json())))
    assert (tuple(sent.heights), sent.learned) == (drawn.heights, drawn.learned)


def test_more_features_or_classes_than_can_be_drawn_are_refused():
    with pytest.raises(UsageError, match="one or two features"):
        picture_of("wine", "svm")
    with pytest.raises(UsageError, match="landscape"):
        fit_with_picture(make_problem("branin"), {"x": 0.0, "y": 0.0}, 0)
