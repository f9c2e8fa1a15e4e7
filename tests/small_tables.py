"""Small tables for tests of data sets."""

import numpy as np
import pandas as pd

from hpo_core.datasets import Dataset, dataset_from_table

N = 60
RNG = np.random.default_rng(0)


def table(**columns: object) -> pd.DataFrame:
    """Sixty rows: one real feature, a target of two classes, and the columns given."""
    return pd.DataFrame({"x": RNG.normal(size=N), "y": ["no", "yes"] * (N // 2), **columns})


def load(frame: pd.DataFrame, target: str = "y", **options: object) -> Dataset:
    return dataset_from_table(frame, target, name="table", **options)  # type: ignore[arg-type]


def notes(dataset: Dataset) -> str:
    return " ".join(dataset.notes)
