"""Breast cancer: malignant or benign, from the shape of cell nuclei."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Measures of cell nuclei, shape (569, 30), and diagnosis."""
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer(as_frame=True)
    return bunch.data, pd.Series(bunch.target_names[bunch.target], name="diagnosis", dtype="str")


BREAST_CANCER = DataSource(
    key="breast_cancer",
    label="Breast cancer",
    purpose="Malignant or benign from thirty correlated measures: linear models do well, trees must earn their place.",
    source="Street, Wolberg, Mangasarian (1993), Nuclear feature extraction for breast tumor diagnosis",
    task="classification",
    load=load,
)
