"""Places: what the surrogate is asked about is what it was taught, and parameters come and go with their category."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.distributions import FloatDistribution, IntDistribution

from hpo_core.analysis.places import Places
from hpo_core.analysis.surrogate import fit_surrogate
from hpo_core.studies.table import TrialTable
from tests.trial_tables import SVM, build_table, many_parameters

POLY = (1 + 0.5) / 3  # the unit of kernel=poly


def _dynamic() -> TrialTable:
    """Each parameter is used by its own two thirds of the trials."""
    table = build_table(60, distributions=many_parameters(4))
    place = np.arange(60)
    params = {n: np.where((place + i) % 3 == 0, np.nan, c) for i, (n, c) in enumerate(table.params.items())}
    return replace(table, params=params)


def _stepped() -> TrialTable:
    steps = np.arange(60)
    return build_table(
        60,
        distributions={"a": IntDistribution(0, 100, step=10), "b": FloatDistribution(0.0, 1.0, step=0.25)},
        params={"a": steps % 11 * 10.0, "b": steps % 5 * 0.25},
    )


@pytest.mark.parametrize("table", [build_table(60), _stepped(), _dynamic()], ids=["svm", "stepped", "dynamic"])
def test_trial_stands_where_the_surrogate_learned_it(table: TrialTable) -> None:
    surrogate = fit_surrogate(table)
    places = Places(surrogate)
    full = np.array([places.of_trial(int(row)) for row in surrogate.rows])
    np.testing.assert_allclose(places.legal(full), surrogate.process.units, atol=1e-12)


def test_drawn_points_are_spread_evenly_over_what_is_legal() -> None:
    places = Places(fit_surrogate(build_table(60)))
    full = places.drawn(256)
    assert np.isfinite(full).all()
    counts, _ = np.histogram(full[:, 0], np.linspace(0, 1, 9))
    assert (np.abs(counts - 32) <= 1).all()
    legal = places.legal(full)
    is_poly = np.isclose(legal[:, 2], POLY)
    np.testing.assert_array_equal(np.isnan(legal[:, 3]), ~is_poly)
    assert 70 < is_poly.sum() < 100


def test_points_that_use_a_parameter_have_its_category() -> None:
    places = Places(fit_surrogate(build_table(60)))
    legal = places.legal(places.drawn(64, using="degree"))
    np.testing.assert_allclose(legal[:, 2], POLY)
    assert np.isfinite(legal).all()


def test_category_that_is_moved_brings_what_depends_on_it_and_takes_it_away() -> None:
    table = build_table(60)
    places = Places(fit_surrogate(table))
    row = int(np.flatnonzero(table.params["kernel"] == 0)[0])
    by_kernel = places.along(places.of_trial(row)[None], "kernel", (np.arange(3) + 0.5) / 3)[:, 0]
    assert np.isnan(by_kernel[:, 3]).tolist() == [True, False, True]
    best = places.surrogate.anchor("degree")
    assert (
        SVM["degree"].to_external_repr(places.space["degree"].from_unit(by_kernel[1, 3]))
        == table.params["degree"][best]
    )
    np.testing.assert_array_equal(by_kernel[:, :2], np.repeat(by_kernel[:1, :2], 3, axis=0))


def test_use_without_a_reason_stays_as_it_is() -> None:
    places = Places(fit_surrogate(_dynamic()))
    assert places.is_loose.tolist() == [False, True, True, True]
    assert np.isfinite(places.legal(places.drawn(64, using="parameter_number_2"))[:, 2]).all()
    used = np.isfinite(places.legal(places.drawn(256))[:, 1]).mean()
    assert used == pytest.approx(2 / 3, abs=0.1)
