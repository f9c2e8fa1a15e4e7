"""Importance agrees with what is known about a function, and says when the trials do not tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpo_core.analysis.importance import importance, why_no_importance
from hpo_core.studies.table import TrialTable
from tests.known_functions import table_of
from tests.trial_tables import SVM, build_table, with_faults


def linear(units: np.ndarray) -> np.ndarray:
    """Shares 16 : 4 : 1 of 21, all others nothing."""
    return 4 * units[:, 0] + 2 * units[:, 1] + units[:, 2]


def product(units: np.ndarray) -> np.ndarray:
    """No effect alone, everything together."""
    return (units[:, 0] - 0.5) * (units[:, 1] - 0.5)


@pytest.mark.parametrize(("n", "noise"), [(200, 0.0), (1000, 0.5), (10_000, 0.5)])
def test_shares_of_a_sum_are_those_of_its_terms(n: int, noise: float) -> None:
    found = importance(table_of(linear, n, 6, noise))
    assert [share.names for share in found.shares[:3]] == [("x0",), ("x1",), ("x2",)]
    assert found.shares[0].median == pytest.approx(16 / 21, abs=0.1)
    assert found.shares[1].median == pytest.approx(4 / 21, abs=0.1)
    for nothing in found.shares[3:]:
        assert nothing.low < 0.005
        assert not found.is_clear(nothing)


def test_interaction_is_found_where_no_parameter_matters_alone() -> None:
    found = importance(table_of(product, 1000, 4))
    assert set(found.pairs[0].names) == {"x0", "x1"}
    assert found.pairs[0].median > 0.5
    assert found.is_clear(found.pairs[0])
    assert all(share.median < 0.15 for share in found.shares)


def test_order_agrees_with_that_of_optuna() -> None:
    table = table_of(lambda u: np.exp(2 * u[:, 2]) + 2 * u[:, 0] ** 2 + 0.3 * u[:, 3], 300, 5, noise=0.05)
    study = optuna.create_study()
    for row in range(len(table)):
        study.add_trial(
            optuna.create_trial(
                params=table.configuration(row), distributions=table.distributions, value=float(table.values[row])
            )
        )
    theirs = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0, n_trees=16)
    )
    ours = [share.names[0] for share in importance(table).shares]
    assert ours[:3] == list(theirs)[:3] == ["x2", "x0", "x3"]


def test_noise_alone_is_admitted() -> None:
    found = importance(table_of(lambda u: 0 * u[:, 0], 200, 5, noise=1.0))
    assert found.is_weak
    assert not any(found.is_clear(share) for share in (*found.shares, *found.pairs))


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_direction_does_not_change_what_matters(direction: str) -> None:
    found = importance(with_faults(build_table(300, direction=direction)))
    assert {share.names[0] for share in found.shares[:2]} == {"C", "gamma"}


def test_intervals_hold_their_median_and_narrow_with_trials() -> None:
    few, many = (importance(table_of(linear, n, 4, noise=0.5)).shares[0] for n in (50, 1000))
    assert few.low <= few.median <= few.high
    assert many.high - many.low < few.high - few.low


def test_better_half_asks_what_matters_near_the_top() -> None:
    """x0 tells terrible from good, x1 good from better."""
    table = table_of(lambda u: 10 * (u[:, 0] > 0.5) + u[:, 1], 600, 3)
    assert importance(table).shares[0].names == ("x0",)
    among_top = {share.names[0]: share.median for share in importance(table, top_only=True).shares}
    assert among_top["x1"] > 5 * importance(table).shares[1].median


def test_conditional_parameter_is_judged_among_the_trials_that_use_it() -> None:
    table = table_of(linear, 400, 3)
    kind = np.arange(400) % 4
    used = np.where(kind == 0, table.params["x0"], np.nan)
    values = np.where(kind == 0, 3 * table.params["x0"], table.params["x1"])
    mixed = replace(
        table,
        params={"kind": np.minimum(kind, 1).astype(float), "x1": table.params["x1"], "x0": used},
        distributions={"kind": CategoricalDistribution(("a", "b")), **dict.fromkeys(("x1", "x0"), SVM["C"])},
        values=values,
    )
    shares = {share.names[0]: share for share in importance(mixed).shares}
    assert shares["x0"].is_partial
    assert shares["x0"].n_trials == 100
    assert shares["x0"].median > 0.8
    assert not shares["kind"].is_partial


def test_parameter_that_few_trials_use_is_named() -> None:
    table = build_table(60)
    degree = np.where(np.arange(60) < 5, 3.0, np.nan)
    degree[0] = 2.0
    found = importance(replace(table, params=table.params | {"degree": degree}))
    assert found.too_few == ("degree",)


def test_same_trials_give_the_same_shares() -> None:
    table = build_table(80)
    assert importance(table) == importance(table)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (build_table(15), "5 parameters need at least 20 finished trials; so far there are 15"),
        (build_table(30, values=np.full(30, 0.5)), "the same value"),
        (build_table(30, distributions={"one": FloatDistribution(1, 1)}), "No parameter differs"),
        (table_of(linear, 39, 10), "10 parameters need at least 40 finished trials; so far there are 39"),
    ],
)
def test_why_nothing_can_be_said(table: TrialTable, words: str) -> None:
    assert words in (why_no_importance(table) or "")
