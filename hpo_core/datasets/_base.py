"""The manual of data sets: what a file in this folder declares, and what everything downstream receives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Task = Literal["classification", "regression"]


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A bundled data set. A file in this folder binds one to a module-level name.

    Attributes:
        key: Name on the command line and in URLs.
        label: Name on screen.
        purpose: One line: what it is and why one would tune on it.
        source: Where the data come from (author, year), or the generator.
        task: Classification or regression.
        load: Returns the features, shape (n, d), and the target, shape (n,): labels or numbers.
    """

    key: str
    label: str
    purpose: str
    source: str
    task: Task
    load: Callable[[], tuple[pd.DataFrame, pd.Series]]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table ready to tune on: target chosen; rows without a target and columns that cannot help left out.

    Attributes:
        name: Key of the bundled set, or the file's name.
        label: Name on screen.
        features: Features, shape (n, d), columns of bool, NumPy numbers, str or datetime64[us], with unique names;
            missing values are NaN or NaT, infinite ones there are none.
        target: Class numbers 0..k-1 (int64) or finite numbers (float64), shape (n,).
        target_name: Name of the target column.
        task: Classification or regression.
        classes: Labels by class number; empty for regression.
        notes: Sentences about what was done to the table, and what looks odd in it.
        hash: Hexadecimal digest of features, target and task: the same bytes give the same digest on every machine.
    """

    name: str
    label: str
    features: pd.DataFrame
    target: NDArray[np.int64] | NDArray[np.float64]
    target_name: str
    task: Task
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    hash: str

    @property
    def n_rows(self) -> int:
        return len(self.features)

    @property
    def n_classes(self) -> int:
        return len(self.classes)
