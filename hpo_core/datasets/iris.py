"""Iris: three species told apart by four measures of a flower."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Measures in centimetres, shape (150, 4), and species."""
    from sklearn.datasets import load_iris

    bunch = load_iris(as_frame=True)
    return bunch.data, pd.Series(bunch.target_names[bunch.target], name="species", dtype="str")


IRIS = DataSource(
    key="iris",
    label="Iris",
    purpose="Three species from four flower measures: small and easy, so most settings tie.",
    source="Anderson (1935); Fisher (1936), The use of multiple measurements in taxonomic problems",
    task="classification",
    load=load,
)
