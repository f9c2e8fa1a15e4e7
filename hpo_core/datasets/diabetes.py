"""Diabetes: how far the disease moved on within a year."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource

_NAMES = {
    "age": "age",
    "sex": "sex",
    "bmi": "body mass index",
    "bp": "blood pressure",
    "s1": "total cholesterol",
    "s2": "LDL cholesterol",
    "s3": "HDL cholesterol",
    "s4": "total to HDL cholesterol",
    "s5": "log triglycerides",
    "s6": "blood sugar",
}


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Measures of patients in their own units, shape (442, 10), and progression after a year."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(as_frame=True, scaled=False)
    return bunch.data.rename(columns=_NAMES), bunch.target.rename("progression")


DIABETES = DataSource(
    key="diabetes",
    label="Diabetes",
    purpose="Disease progression from ten measures: small and noisy, so a plain linear model is hard to beat.",
    source="Efron, Hastie, Johnstone, Tibshirani (2004), Least angle regression",
    task="regression",
    load=load,
)
