"""Wide and short: far more columns than rows, as in gene studies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hpo_core.datasets._base import DataSource

_N_ROWS, _N_GENES, _N_USEFUL = 90, 600, 12


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Gene activities, shape (90, 600), of which twelve matter; and who is ill."""
    rng = np.random.default_rng(31)
    activity = rng.normal(size=(_N_ROWS, _N_GENES)) + 0.6 * rng.normal(size=(_N_ROWS, 1))
    useful = rng.choice(_N_GENES, _N_USEFUL, replace=False)
    signal = activity[:, useful] @ rng.choice([-1.0, 1.0], _N_USEFUL)
    is_ill = signal + rng.normal(0, 1.5, _N_ROWS) > np.median(signal)
    names = [f"gene {i + 1}" for i in range(_N_GENES)]
    return pd.DataFrame(activity, columns=names), pd.Series(
        np.where(is_ill, "ill", "healthy"), name="state", dtype="str"
    )


WIDE_AND_SHORT = DataSource(
    key="wide_and_short",
    label="Wide and short",
    purpose="Six hundred columns and ninety rows: everything overfits, and only regularisation helps.",
    source="Generated: correlated normal columns, twelve of them useful, seed 31",
    task="classification",
    load=load,
)
