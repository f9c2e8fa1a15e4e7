"""The response surface of a model: fitted once, kept, and read back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hpo_core.lessons._response import Response, between
from hpo_core.lessons._terrain import terrain_from
from tests.direct_executor import DirectExecutor

SMALL = Response("iris", "svm", ("C", "gamma"), side=3)


def silent(_text):
    pass


def test_scores_are_those_of_the_model_on_all_folds(tmp_path):
    executor = DirectExecutor()
    said: list[str] = []
    scores = SMALL.scores(executor, tmp_path, said.append)
    problem = SMALL.problem
    corner = problem.space.completed({"C": 1000.0, "gamma": problem.space["gamma"].low})
    folds = [problem.fit(corner, fold).score for fold in range(problem.n_folds)]
    assert scores[0, 2] == pytest.approx(np.mean(folds))
    assert executor.n_requests == 9 * problem.n_folds
    assert said[-1] == "9 of 9 places are fitted"


def test_what_is_kept_is_not_fitted_again_unless_it_belongs_to_something_else(tmp_path):
    first = SMALL.scores(DirectExecutor(), tmp_path, silent)
    again = DirectExecutor()
    assert SMALL.scores(again, tmp_path, silent) == pytest.approx(first)
    assert again.n_requests == 0
    path = tmp_path / "lessons" / "iris-svm.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "fingerprint": "of another version"}))
    SMALL.scores(again, tmp_path, silent)
    assert again.n_requests > 0
    path.write_text("not JSON")
    assert SMALL.scores(DirectExecutor(), tmp_path, silent) == pytest.approx(first)


def test_between_is_exact_at_the_grid_and_bilinear_between():
    values = np.array([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]])
    assert between(values, 0.0, 0.0) == 0.0
    assert between(values, 1.0, 1.0) == 12.0
    assert between(values, 0.25, 0.5) == pytest.approx(5.5)


def test_terrain_of_a_model_has_its_summit_where_the_score_is_best(tmp_path):
    scores = SMALL.scores(DirectExecutor(), tmp_path, silent)
    terrain = terrain_from(SMALL, scores, 0.0, 1)
    for x, y in terrain.tops:
        assert terrain.loss(terrain.space.from_unit((x, y))) == pytest.approx(-scores.max())
    assert terrain.altitudes.max() <= terrain.summit + 1e-6
