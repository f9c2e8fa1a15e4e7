"""The densities are those that Optuna's sampler computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma

from hpo_core.options import with_options
from hpo_core.plots import PLOTS
from hpo_core.plots.densities import tpe_split
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

DENSITIES = PLOTS["densities"]
KINDS = {
    "float": FloatDistribution(-1.0, 3.0),
    "log": FloatDistribution(1e-4, 10.0, log=True),
    "int": IntDistribution(2, 12),
    "int log": IntDistribution(1, 40, log=True),
    "stepped": FloatDistribution(0.0, 1.0, step=0.25),
    "choice": CategoricalDistribution(("a", "b", "c")),
}


def _study_of(table: TrialTable) -> optuna.Study:
    study = optuna.create_study(direction=table.direction)
    for row in range(len(table)):
        study.add_trial(
            optuna.create_trial(
                params=table.configuration(row), distributions=table.distributions, value=float(table.values[row])
            )
        )
    return study


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
@pytest.mark.parametrize("n", [2, 11, 60, 300])
def test_good_and_bad_are_those_of_optuna(n: int, direction: str) -> None:
    values = np.round(np.random.default_rng(0).random(n), 1)  # with many equal ones
    table = build_table(n, distributions={"x": KINDS["float"]}, direction=direction, values=values)
    study = _study_of(table)
    good, bad = _split_trials(study, study.trials, default_gamma(n))
    split = tpe_split(table)
    assert split.good.tolist() == [trial.number for trial in good]
    assert split.bad.tolist() == [trial.number for trial in bad]


@pytest.mark.parametrize("kind", KINDS)
def test_ratio_is_the_one_that_optuna_maximises(kind: str) -> None:
    table = build_table(80, distributions={kind: KINDS[kind], "other": KINDS["float"]})
    if kind == "stepped":
        table = replace(table, params=table.params | {kind: np.round(table.params[kind] * 4) / 4})
    data = with_options(DENSITIES, {"x": kind}).compute(table)
    study = _study_of(table)
    sampler, space = TPESampler(), {kind: KINDS[kind]}
    good, bad = _split_trials(study, study.trials, default_gamma(80))
    below, above = (
        sampler._build_parzen_estimator(study, space, trials, handle_below=is_below)
        for trials, is_below in ((good, True), (bad, False))
    )
    at: Any = np.arange(3) if kind == "choice" else np.array(data.side.values, dtype=float)
    expected = np.exp(sampler._compute_acquisition_func({kind: at}, below, above))
    np.testing.assert_allclose(data.ratio, expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_densities_are_1_on_average_over_the_axis(kind: str) -> None:
    table = build_table(80, distributions={kind: KINDS[kind]})
    data = with_options(DENSITIES, {"x": kind}).compute(table)
    units = data.side.units
    for density in (data.good, data.bad):
        if kind in ("float", "log"):
            assert np.trapezoid(density, units) == pytest.approx(1.0, abs=0.02)
        elif kind != "int log":
            assert density.mean() == pytest.approx(1.0, abs=1e-6)


def test_good_outweighs_bad_where_the_good_trials_are() -> None:
    table = build_table(200, distributions={"x": KINDS["float"], "y": KINDS["float"]})
    data = with_options(DENSITIES, {"x": "x"}).compute(table)
    assert data.top == pytest.approx(-1.0 + 0.6 * 4.0, abs=0.6)
    assert data.ratio[0] < 1 < data.ratio.max()


def test_parameter_that_tells_good_from_bad_is_shown_first() -> None:
    x = np.random.default_rng(0).random(100)
    y = np.random.default_rng(1).random(100)
    names = {"idle": FloatDistribution(0.0, 1.0), "busy": FloatDistribution(0.0, 1.0)}
    table = build_table(100, distributions=names, params={"idle": x, "busy": y}, values=-((y - 0.2) ** 2))
    assert DENSITIES.compute(table).side.name == "busy"


def test_study_without_tpe_says_that_it_is_what_tpe_would_see() -> None:
    assert "would see" in DENSITIES.caption(DENSITIES.compute(build_table(30, arms=("random",))))
    assert "would see" not in DENSITIES.caption(DENSITIES.compute(build_table(30, arms=("tpe",))))
