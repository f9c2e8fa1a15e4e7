"""Studies beside each other: which compare, what they spent, and how much of a best value is luck."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState

from hpo_core.analysis.study_comparison import (
    StudyUnderTest,
    best_of_study,
    difference_without_luck,
    fits_done,
    fold_scores_without_luck,
    overlap_of,
    why_incomparable,
)
from hpo_core.problem import ProblemSpec
from hpo_core.protocol import Protocol
from tests.races import race_table, raced
from tests.trial_tables import build_table, with_faults

IRIS = ProblemSpec(data="iris", model="svm", metric="accuracy", data_hash="a")


def study(name="a", problem=IRIS, table=None, **columns):
    return StudyUnderTest(name=name, table=table or build_table(20, **columns), problem=problem, method="TPE")


@pytest.mark.parametrize(
    "other",
    [
        replace(IRIS, space=({"name": "C"},)),
        replace(IRIS, model="random_forest"),
        replace(IRIS, data="/elsewhere/iris.csv"),
    ],
    ids=["another space", "another model", "another place of the same data"],
)
def test_same_rows_folds_and_metric_compare(other):
    assert why_incomparable([study(), study("b", other)]) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(IRIS, data="/tables/wine.csv", data_hash="b"), r"different data \(iris, wine.csv\)"),
        (replace(IRIS, data_hash="b"), r"different data \(iris, changed in between\)"),
        (replace(IRIS, metric="log_loss"), r"different metrics \(accuracy, log_loss\)"),
        (replace(IRIS, protocol=Protocol(folds=10)), r"protocols \(5-fold, seed 0, 10-fold, seed 0\)"),
        (replace(IRIS, target="kind", metric="f1"), "different targets .* and metrics"),
        (None, "b was made by another program"),
    ],
)
def test_what_makes_values_incomparable_is_named(other, words):
    with pytest.raises(AssertionError, match=words):
        assert not why_incomparable([study(), study("b", other)])


def test_best_trial_brings_what_its_study_spent():
    table = with_faults(build_table(40))
    found = best_of_study(study(table=table))
    assert found is not None
    assert found.value == pytest.approx(table.values[table.best()])
    assert found.figures["trials"] == f"40, {int(table.is_pruned.sum())} pruned, {int(table.is_failed.sum())} failed"
    assert found.figures["fits"] == "200"
    assert found.figures["method"] == "TPE"


def test_best_within_a_budget_counts_fits_in_the_order_in_which_trials_ended():
    table = build_table(10, completed=1.7e9 + np.arange(10)[::-1].astype(float))
    found = best_of_study(study(table=table), n_fits=17)
    assert found is not None
    assert float(found.figures["best within 17 fits"]) == pytest.approx(table.values[-3:].max(), abs=1e-4)


def test_study_without_a_complete_trial_has_no_best():
    assert best_of_study(study(states=np.full(20, TrialState.FAIL.value, dtype=np.int8))) is None


def test_trials_of_other_programs_count_as_one_fit_each():
    assert fits_done(build_table(7, n_folds=0)) == 7


def test_without_luck_the_best_of_pure_noise_is_no_better_than_the_mean():
    rng = np.random.default_rng(0)
    lucky, honest = [], []
    for _ in range(200):
        folds = rng.normal(0.9, 0.02, size=(40, 5))
        table = build_table(40, fold_scores=folds, values=folds.mean(axis=1))
        lucky.append(table.values.max() - 0.9)
        honest.append(fold_scores_without_luck(table).mean() - 0.9)
    assert np.mean(lucky) > 0.015
    assert abs(np.mean(honest)) < 0.15 * np.mean(lucky)


@pytest.mark.parametrize(
    ("first", "second"), [((40, False), (40, False)), ((10, False), (100, True)), ((40, True),) * 2]
)
def test_searches_of_equal_configurations_are_seldom_called_different(first, second):
    """However many trials each has, and whether they race: in at most 5 % of 200 pairs."""
    rng, verdicts = np.random.default_rng(0), []
    for _ in range(200):
        hard = rng.normal(0.9, 0.02, size=5)
        scores = [hard + rng.normal(0, 0.01, size=(n, 5)) for n, _ in (first, second)]
        tables = [
            race_table(raced(s) if is_race else s) for s, (_, is_race) in zip(scores, (first, second), strict=True)
        ]
        verdicts.append(difference_without_luck(*tables, 0.25).verdict)
    assert np.mean([verdict != "tie" for verdict in verdicts]) <= 0.05


def test_without_luck_a_clear_winner_keeps_its_value_in_both_directions():
    folds = np.full((6, 4), 0.5)
    folds[2] = (0.9, 0.91, 0.92, 0.9)
    up = build_table(6, n_folds=4, fold_scores=folds, values=folds.mean(axis=1))
    down = replace(up, direction="minimize", fold_scores=-folds, values=-up.values)
    assert fold_scores_without_luck(up).tolist() == folds[2].tolist()
    assert fold_scores_without_luck(down).tolist() == (-folds[2]).tolist()


def test_failed_trials_are_no_candidates_and_one_fold_is_too_few():
    folds = np.array([[0.5, 0.5, 0.5], [0.9, 0.9, np.nan]])
    table = build_table(2, n_folds=3, fold_scores=folds, values=np.array([0.5, 0.9]))
    assert fold_scores_without_luck(table).tolist() == [0.5, 0.5, 0.5]
    assert len(fold_scores_without_luck(build_table(9, n_folds=1))) == 0
    assert difference_without_luck(build_table(9, n_folds=1), table, 0.25) is None


def test_looks_at_a_landscape_share_nothing():
    assert overlap_of(ProblemSpec(data="branin", noise=0.1)) == 0.0
    assert overlap_of(IRIS) == 0.25
