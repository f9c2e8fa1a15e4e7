"""Studies of functions on the unit cube whose effects are known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from optuna.distributions import FloatDistribution

from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

Function = Callable[[np.ndarray], np.ndarray]


def table_of(function: Function, n: int, d: int, noise: float = 0.0, *, seed: int = 1) -> TrialTable:
    """`n` random trials of a function on the unit cube, to minimise; its parameters are x0, x1, and so on."""
    rng = np.random.default_rng(seed)
    units = rng.random((n, d))
    return of_units(units, function(units) + noise * rng.standard_normal(n))


def crowded(n: int) -> TrialTable:
    """A search that looked all along x0, but only in the lowest tenth of x1 and x2."""
    units = np.random.default_rng(2).random((n, 3)) * [1.0, 0.1, 0.1]
    return of_units(units, (units[:, 0] - 0.4) ** 2 + np.sin(40 * units[:, 1]) * units[:, 0] + 4 * units[:, 2])


def of_units(units: np.ndarray, values: np.ndarray) -> TrialTable:
    """Trials at these points of the unit cube with these values, to minimise."""
    names = [f"x{i}" for i in range(units.shape[1])]
    return build_table(
        len(values),
        distributions=dict.fromkeys(names, FloatDistribution(0, 1)),
        direction="minimize",
        params=dict(zip(names, units.T, strict=True)),
        values=values,
        n_folds=0,
    )
