"""Noisy regression: a curved function of five inputs, five more that mean nothing, and much noise."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Inputs from 0 to 1, shape (500, 10), and the response."""
    from sklearn.datasets import make_friedman1

    inputs, response = make_friedman1(n_samples=500, n_features=10, noise=4.0, random_state=5)
    names = [f"input {i + 1}" for i in range(5)] + [f"irrelevant {i + 1}" for i in range(5)]
    return pd.DataFrame(inputs, columns=names), pd.Series(response, name="response")


NOISY_REGRESSION = DataSource(
    key="noisy_regression",
    label="Noisy regression",
    purpose="Five useful and five useless inputs under heavy noise: small differences between settings are luck.",
    source="Generated: Friedman (1991), Multivariate adaptive regression splines, problem 1; noise 4, seed 5",
    task="regression",
    load=load,
)
