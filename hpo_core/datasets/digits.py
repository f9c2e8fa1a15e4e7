"""Digits: handwritten numerals as 8 x 8 pictures."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Ink of each pixel from 0 to 16, shape (1797, 64), and digit."""
    from sklearn.datasets import load_digits

    bunch = load_digits(as_frame=True)
    names = {f"pixel_{r}_{c}": f"row {r + 1} column {c + 1}" for r in range(8) for c in range(8)}
    return bunch.data.rename(columns=names), bunch.target.rename("digit")


DIGITS = DataSource(
    key="digits",
    label="Digits",
    purpose="Ten handwritten numerals from 64 pixels: settings matter a lot, above all for SVM and neural networks.",
    source="Alpaydin, Kaynak (1998); UCI repository",
    task="classification",
    load=load,
)
