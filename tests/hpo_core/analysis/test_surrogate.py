"""The surrogate learns what is there, and says so when nothing is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from optuna.trial import TrialState

from hpo_core.analysis.surrogate import FEWEST, fit_surrogate, why_no_surrogate
from hpo_core.formats import format_score
from tests.trial_tables import SVM, build_table


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_surrogate_predicts_a_smooth_function(direction: str) -> None:
    quality = fit_surrogate(build_table(80, direction=direction)).quality
    assert quality.r2 > 0.8
    assert quality.rank_correlation > 0.8
    assert quality.n_trials == 80


def test_surrogate_of_noise_admits_that_it_knows_nothing() -> None:
    values = np.random.default_rng(3).normal(size=80)
    assert fit_surrogate(build_table(80, values=values)).quality.r2 < 0.3


def test_parameters_that_matter_are_the_important_ones() -> None:
    importances = fit_surrogate(build_table(120)).importances
    assert sum(importances.values()) == pytest.approx(1)
    assert sorted(importances, key=lambda name: -importances[name])[:2] in (["C", "gamma"], ["gamma", "C"])


def test_plane_is_best_near_the_optimum() -> None:
    surrogate = fit_surrogate(build_table(120))
    grid = np.linspace(0, 1, 21)
    mean = surrogate.plane("C", "gamma", grid, grid).mean
    row, column = np.unravel_index(int(mean.argmax()), mean.shape)
    assert grid[column] == pytest.approx(0.6, abs=0.11)
    assert grid[row] == pytest.approx(0.6, abs=0.11)


def test_anchor_is_the_best_trial_that_uses_the_parameters() -> None:
    table = build_table(80)
    surrogate = fit_surrogate(table)
    assert surrogate.anchor("C", "gamma") == table.best()
    used = np.flatnonzero(~np.isnan(table.params["degree"]))
    assert surrogate.anchor("degree", "C") == used[np.argmax(table.values[used])]


def test_terrible_values_do_not_set_the_scale() -> None:
    table = build_table(80)
    values = np.where(np.arange(80) % 9 == 4, -1e9, table.values)
    surrogate = fit_surrogate(build_table(80, values=values))
    assert np.ptp(surrogate.values) < 2


def test_infinite_values_are_left_out() -> None:
    values = np.where(np.arange(40) % 5 == 0, np.inf, np.linspace(0, 1, 40))
    assert fit_surrogate(build_table(40, values=values)).quality.n_trials == 32


def test_many_trials_are_learned_from_a_sample() -> None:
    assert fit_surrogate(build_table(700)).quality.n_trials == 300


def test_hyperparameters_are_learned_anew_each_time_that_an_eighth_of_the_trials_has_come() -> None:
    whole = build_table(100)
    thetas = [fit_surrogate(whole.take(whole.numbers < n)).process.theta.tolist() for n in range(80, 97)]
    assert thetas == [thetas[0]] * 8 + [thetas[8]] * 8 + [thetas[16]]
    assert thetas[0] != thetas[8] != thetas[16]


def test_trials_since_then_count_all_the_same() -> None:
    whole = build_table(100)
    at_once, fresh = (fit_surrogate(whole.take(whole.numbers < n)) for n in (80, 87))
    assert len(fresh.process.targets) == 87
    assert fresh.quality.r2 == pytest.approx(at_once.quality.r2, abs=0.05)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (build_table(FEWEST - 1), f"needs at least {FEWEST} finished trials; so far it has {FEWEST - 1}."),
        (build_table(20, values=np.full(20, 0.5)), "the same value"),
    ],
)
def test_why_there_is_no_surrogate(table: object, words: str) -> None:
    assert words in (why_no_surrogate(table) or "")  # type: ignore[arg-type]


def test_one_parameter_is_enough_to_learn_from() -> None:
    assert fit_surrogate(build_table(30, distributions={"C": SVM["C"]})).quality.n_trials == 30


def test_trials_that_lost_a_race_count_by_their_estimate_and_short_trainings_do_not() -> None:
    table = build_table(30)
    states = np.where(np.arange(30) < 20, TrialState.PRUNED, TrialState.COMPLETE).astype(np.int8)
    folds = table.fold_scores.copy()
    folds[:10, 2:] = np.nan  # given up after two folds; the next ten were done on all folds, with fewer epochs
    raced = dataclasses.replace(table, states=states, fold_scores=folds)
    assert raced.is_estimated.sum() == 10
    assert fit_surrogate(raced).quality.n_trials == 20


def test_trust_counts_what_was_pulled_in() -> None:
    values = np.where(np.arange(150) % 70 == 4, -50.0, build_table(150).values)
    surrogate = fit_surrogate(build_table(150, values=values))
    worst = format_score(float(surrogate.values.min()))
    assert surrogate.trust_in_words("model").startswith(f"3 very bad values count as {worst}. The model predicts")


@pytest.mark.parametrize(("n", "words"), [(30, "rather seven times in ten."), (60, "rather eight"), (250, "")])
def test_trust_warns_of_intervals_that_are_too_narrow(n: int, words: str) -> None:
    trust = fit_surrogate(build_table(n)).trust_in_words("model")
    assert words in trust
    assert ("hold the truth" in trust) == bool(words)


def test_words_say_how_many_trials_it_learned_from() -> None:
    assert fit_surrogate(build_table(40)).learned_in_words() == "learned from all 40 finished trials"
    assert fit_surrogate(build_table(700)).learned_in_words() == "learned from 300 of 700 finished trials"
