"""Ablation: gains of single changes as they are known, in order, with parameters that depend on a category."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from hpo_core.analysis.ablation import ablation
from hpo_core.analysis.surrogate import fit_surrogate
from hpo_core.studies.table import TrialTable
from tests.known_functions import of_units, table_of
from tests.trial_tables import build_table


def _with_ends(function, n: int, start: list[float], end: list[float]) -> TrialTable:  # type: ignore[no-untyped-def]
    """Random trials of a function, the first two of which are these."""
    units = np.vstack([[start, end], np.random.default_rng(1).random((n, len(start)))])
    return of_units(units, function(units))


def _sum(units: np.ndarray) -> np.ndarray:
    return 4 * units[:, 0] ** 2 + 2 * units[:, 1] + units[:, 2]


def test_gains_of_a_sum_are_its_differences_the_largest_first() -> None:
    table = _with_ends(_sum, 150, [0.9, 0.8, 0.3, 0.5], [0.1, 0.2, 0.5, 0.5])
    path = ablation(fit_surrogate(table), 0, 1)
    assert [change.name for change in path.changes] == ["x0", "x1", "x2"]
    assert [change.gain for change in path.changes] == pytest.approx([3.2, 1.2, -0.2], abs=0.03)
    assert path.gain == pytest.approx(sum(change.gain for change in path.changes))
    assert path.gain == pytest.approx(4.2, abs=0.05)
    assert path.n_same == 1
    assert all(change.low <= change.gain <= change.high for change in path.changes)


def test_ends_are_what_the_surrogate_expects_of_the_two_trials() -> None:
    table = _with_ends(_sum, 150, [0.9, 0.8, 0.3], [0.1, 0.2, 0.5])
    path = ablation(fit_surrogate(table), 0, 1)
    assert (path.start_value, path.end_value) == pytest.approx(tuple(table.values[:2]), abs=0.03)
    assert path.changes[-1].value == pytest.approx(path.end_value)


def test_change_that_pays_only_after_another_comes_after_it() -> None:
    """x1 helps where x0 is low alone: from (1, 1) it gains nothing before x0 has moved."""

    def gate(units: np.ndarray) -> np.ndarray:
        return units[:, 0] + np.where(units[:, 0] < 0.5, 2 * units[:, 1], 2.0)

    table = _with_ends(gate, 250, [0.9, 0.9], [0.1, 0.1])
    path = ablation(fit_surrogate(table), 0, 1)
    assert [change.name for change in path.changes] == ["x0", "x1"]
    assert path.changes[1].gain == pytest.approx(1.6, abs=0.2)


def test_parameter_without_effect_gains_nothing_beyond_doubt() -> None:
    def one(units: np.ndarray) -> np.ndarray:
        return units[:, 0] ** 2

    table = _with_ends(one, 80, [0.9, 0.9, 0.9], [0.1, 0.1, 0.1])
    path = ablation(fit_surrogate(replace(table, values=table.values + 1e-3 * np.sin(977 * table.values))), 0, 1)
    assert [change.name for change in path.changes if change.is_clear] == ["x0"]


def _model_or_other() -> TrialTable:
    """Two models; each has a parameter of its own, and they share x."""
    rng = np.random.default_rng(0)
    n = 160
    model, x, c, trees = rng.integers(2, size=n).astype(float), rng.random(n), rng.random(n), rng.random(n)
    model[:2], x[:2], c[0], trees[1] = [0.0, 1.0], [0.9, 0.1], 0.2, 0.3
    values = x + np.where(model == 0, 2 + c, (trees - 0.3) ** 2)
    params = {
        "model": model,
        "x": x,
        "C": np.where(model == 0, c, np.nan),
        "trees": np.where(model == 1, trees, np.nan),
    }
    line = FloatDistribution(0, 1)
    distributions = {"model": CategoricalDistribution(("svm", "forest")), "x": line, "C": line, "trees": line}
    return build_table(n, distributions=distributions, direction="minimize", params=params, values=values, n_folds=0)


def test_what_depends_on_a_category_comes_and_goes_with_it() -> None:
    path = ablation(fit_surrogate(_model_or_other()), 0, 1)
    assert [change.name for change in path.changes] == ["model", "x"]
    assert path.changes[0].others == ("C", "trees")
    assert (path.changes[0].before, path.changes[0].after) == ("svm", "forest")
    assert path.changes[0].gain == pytest.approx(2.2, abs=0.1)
    assert path.n_same == 0


def test_way_back_loses_what_was_gained() -> None:
    surrogate = fit_surrogate(_model_or_other())
    there, back = ablation(surrogate, 0, 1), ablation(surrogate, 1, 0)
    assert back.gain == pytest.approx(-there.gain)


def test_parameters_without_a_reason_come_and_go_one_by_one() -> None:
    table = build_table(90, distributions=dict.fromkeys(("a", "b", "c"), FloatDistribution(0, 1)))
    place = np.arange(90)
    params = {n: np.where((place + i) % 3 == 0, np.nan, c) for i, (n, c) in enumerate(table.params.items())}
    path = ablation(fit_surrogate(replace(table, params=params)), 1, 2)
    assert {change.name for change in path.changes} == {"a", "b", "c"}
    assert "not used" in {text for change in path.changes for text in (change.before, change.after)}


def test_trial_is_no_step_away_from_itself() -> None:
    path = ablation(fit_surrogate(table_of(_sum, 60, 3)), 4, 4)
    assert path.changes == ()
    assert path.gain == 0


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_gain_is_towards_the_better(direction: str) -> None:
    table = build_table(100, direction=direction)
    worst = int(np.argmax(table.sign * table.values))
    path = ablation(fit_surrogate(table), worst, int(table.best() or 0))
    assert path.gain > 0.1
    assert path.low > 0
