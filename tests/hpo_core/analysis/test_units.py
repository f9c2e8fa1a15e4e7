"""Columns in the unit cube agree with the search space that they come from."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from hpo_core.analysis.units import space_of, unit_column, units_of, value_at
from hpo_core.space import Condition
from tests.trial_tables import build_table, many_parameters

DISTRIBUTIONS = [
    FloatDistribution(-2.0, 5.0),
    FloatDistribution(1e-4, 10.0, log=True),
    FloatDistribution(0.0, 1.0, step=0.25),
    FloatDistribution(3.0, 3.0),
    IntDistribution(2, 9),
    IntDistribution(1, 512, log=True),
    IntDistribution(0, 100, step=10),
    CategoricalDistribution(("a", None, True)),
]


_STEPS = {"a": IntDistribution(0, 100, step=10), "b": FloatDistribution(0.0, 0.9, step=0.3)}
_ON_STEPS = {"a": np.arange(44) % 11 * 10.0, "b": np.array([0.0, 0.3, 0.6, 0.9])[np.arange(44) % 4]}


@pytest.mark.parametrize(
    "table",
    [
        build_table(50),
        build_table(50, distributions=many_parameters(8)),
        build_table(44, distributions=_STEPS, params=_ON_STEPS),
    ],
    ids=["svm", "8", "stepped"],
)
def test_columns_agree_with_the_search_space(table: object) -> None:
    configurations = [table.configuration(row) for row in range(len(table))]  # type: ignore[attr-defined, arg-type]
    expected = space_of(table).to_unit(configurations)  # type: ignore[arg-type]
    np.testing.assert_allclose(units_of(table), expected, atol=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=repr)
def test_value_at_a_position_comes_back(distribution: BaseDistribution) -> None:
    for unit in (0.0, 0.1, 0.5, 0.77, 1.0):
        value = value_at(distribution, unit)
        if isinstance(distribution, CategoricalDistribution):
            index = [str(c) for c in distribution.choices].index(value)
            assert abs(unit_column(distribution, np.array([float(index)]))[0] - unit) <= 0.5 / len(distribution.choices)
        elif distribution.low < distribution.high:  # type: ignore[attr-defined]
            assert distribution.low <= value <= distribution.high  # type: ignore[attr-defined]
            assert distribution._contains(value)
            again = value_at(distribution, float(unit_column(distribution, np.array([float(value)]))[0]))
            assert again == pytest.approx(value)


def test_inactive_stays_inactive() -> None:
    assert np.isnan(unit_column(IntDistribution(2, 5), np.array([np.nan, 3.0]))).tolist() == [True, False]


def test_condition_is_found_in_the_category_that_tells_the_trials_apart() -> None:
    assert space_of(build_table(60))["degree"].when == Condition("kernel", ("poly",))


def test_parameters_of_all_trials_have_no_condition() -> None:
    space = space_of(build_table(60))
    assert [space[name].when for name in ("C", "gamma", "kernel", "shrinking")] == [None] * 4
