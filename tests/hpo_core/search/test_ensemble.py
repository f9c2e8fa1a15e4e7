"""Greedy ensemble selection, by hand and on real studies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpo_core import make_problem
from hpo_core.analysis.ensemble import cross_check, select_greedily
from hpo_core.analysis.noise import compare_folds
from hpo_core.errors import UsageError
from hpo_core.protocol import Protocol
from hpo_core.search.out_of_fold import out_of_fold
from hpo_core.search.study_ensemble import ensemble_of
from tests.trial_tables import build_table


def _squared(target):
    return lambda prediction: float(((prediction - target) ** 2).mean())


def test_two_models_that_err_in_opposite_ways_are_mixed_in_halves():
    # Errors of the models: +1, -1 and +3 on every row. Alone the first is best (1); with the second the error is 0.
    predictions = np.array([[1.0, 1.0], [-1.0, -1.0], [3.0, 3.0]])
    found = select_greedily(predictions, _squared(0.0), n_rounds=6)
    assert found.path == (0, 1)
    assert found.losses == (1.0, 0.0)
    assert found.weights.tolist() == [0.5, 0.5, 0.0]
    assert found.combined(predictions).tolist() == [0.0, 0.0]


def test_a_model_may_be_taken_again():
    # Errors +1 and -2: two of the first to one of the second cancel. After the first (1), the mean with the second
    # errs by -0.5 (0.25), and the first again makes it 0.
    found = select_greedily(np.array([[1.0], [-2.0]]), _squared(0.0), n_rounds=5)
    assert found.path == (0, 1, 0)
    assert found.losses == (1.0, 0.25, 0.0)
    assert found.counts.tolist() == [2, 1]


def test_a_model_that_nothing_improves_stays_alone():
    found = select_greedily(np.array([[5.0], [0.0], [7.0]]), _squared(0.0), n_rounds=10)
    assert found.path == (1,)


def test_loss_that_is_not_a_number_is_never_chosen():
    predictions = np.array([[math.nan], [2.0]])
    assert select_greedily(predictions, _squared(0.0), n_rounds=3).path == (1,)


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 12))
def test_ensemble_is_never_worse_than_the_best_model_on_its_own_rows(seed, n_models, n_rounds):
    rng = np.random.default_rng(seed)
    target, predictions = rng.normal(size=20), rng.normal(size=(n_models, 20))
    loss = _squared(target)
    found = select_greedily(predictions, loss, n_rounds)
    assert found.loss <= min(map(loss, predictions))
    assert loss(found.combined(predictions)) == pytest.approx(found.loss)


def test_cross_check_sees_that_a_lucky_model_was_luck():
    rng = np.random.default_rng(0)
    target = rng.normal(size=60)
    predictions = rng.normal(size=(40, 60))
    loss = _squared(target)
    check = cross_check(
        predictions, np.arange(60), lambda p, part: float(((p[part] - target[part]) ** 2).mean()), seed=1
    )
    assert check.ensemble.shape == check.single.shape == (5,)
    assert select_greedily(predictions, loss).loss < check.ensemble.mean()
    assert min(map(loss, predictions)) < check.single.mean()


def test_a_row_that_occurs_twice_lies_in_one_part():
    rows = np.tile(np.arange(10), 2)
    parts = []

    def loss_on(prediction, part):
        parts.append(part.copy())
        return float(prediction[part].mean())

    cross_check(np.ones((1, 20)), rows, loss_on)
    assert all((part[:10] == part[10:]).all() and part.sum() in (4, 16) for part in parts)


def test_gain_is_judged_by_its_noise():
    rng = np.random.default_rng(3)
    target = rng.normal(size=400)
    helpful = target + rng.normal(size=(6, 400))  # errors that the mean takes out
    alike = target + rng.normal(size=400) + 0.01 * rng.normal(size=(6, 400))
    for predictions, verdict in ((helpful, "better"), (alike, "tie")):
        check = cross_check(
            predictions, np.arange(400), lambda p, part: float(((p[part] - target[part]) ** 2).mean()), seed=1
        )
        assert compare_folds(check.ensemble, check.single, is_higher_better=False, overlap=0.25).verdict == verdict


@pytest.mark.parametrize(("data", "metric"), [("wine", "accuracy"), ("wine", "log_loss"), ("breast_cancer", "roc_auc"),
                                              ("diabetes", "r2"), ("diabetes", "mae")])  # fmt: skip
def test_refitted_model_scores_as_its_trial_did(data, metric):
    model = "random_forest" if data != "diabetes" else "ridge"
    problem = make_problem(data, model, metric, protocol=Protocol(folds=3))
    known, faults = out_of_fold(problem, [problem.space.default()])
    assert not faults
    trial = problem.value(tuple(problem.fit(problem.space.default(), fold).score for fold in range(3)))
    assert known.score(known.predictions[0]) == pytest.approx(trial)
    assert sorted(known.rows.tolist()) == sorted(np.concatenate([rows for _, rows in problem.split.folds]).tolist())


@pytest.mark.parametrize("model", ["svm", "ridge", "sgd"])
def test_models_without_probabilities_are_mixed_by_squeezed_margins(model):
    problem = make_problem("wine", model, protocol=Protocol(folds=3))
    known, _ = out_of_fold(problem, [problem.space.default()])
    assert known.predictions.shape[2] == 3
    np.testing.assert_allclose(known.predictions.sum(axis=2), 1.0)
    trial = problem.value(tuple(problem.fit(problem.space.default(), fold).score for fold in range(3)))
    assert known.score(known.predictions[0]) == pytest.approx(trial, abs=0.03)  # votes and margins may break ties apart


def test_landscape_and_empty_study_are_refused_in_a_sentence():
    with pytest.raises(UsageError, match="no predictions"):
        ensemble_of(make_problem("branin"), build_table(5))
    with pytest.raises(UsageError, match="nothing to mix"):
        ensemble_of(make_problem("wine", "svm"), build_table(0))
    with pytest.raises(UsageError, match="at least one"):
        ensemble_of(make_problem("wine", "svm"), build_table(3), top=0)
