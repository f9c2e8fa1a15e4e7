"""The target column: classification or regression, which rows count, which labels there are."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from hpo_core.datasets._base import Task
from hpo_core.datasets._columns import is_text
from hpo_core.datasets._wording import counted, listed
from hpo_core.errors import DataError, UsageError

_MAX_CLASSES = 1_000
_MAX_DETECTED_CLASSES = 20
_ROWS_PER_DETECTED_CLASS = 10


@dataclass(frozen=True)
class Target:
    """A target ready to learn.

    Attributes:
        values: Class numbers or finite numbers of the rows kept, shape (n,).
        is_kept: Which rows of the table those are, shape (N,).
        task: Classification or regression.
        classes: Labels by class number; empty for regression.
        notes: Sentences about what was done.
    """

    values: NDArray[np.int64] | NDArray[np.float64]
    is_kept: NDArray[np.bool_]
    task: Task
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def prepare_target(column: pd.Series, task: Task | None) -> Target:
    """The target of a column that `plain_table` made.

    Raises:
        DataError: No model can learn it: nothing there, always the same, dates, or text where numbers are needed.
        UsageError: There is no such task.
    """
    if task not in (None, "classification", "regression"):
        raise UsageError(f"The task must be classification or regression; got {task!r}.")
    name = str(column.name)
    if types.is_datetime64_any_dtype(column.dtype):
        raise DataError(f"The target {name} holds dates, which no model here predicts. Choose another column.")
    is_kept, notes = _present(column)
    present = column[is_kept]
    if present.nunique() == 1:
        raise DataError(
            f"The target {name} is {str(present.iloc[0])[:40]} in every row: nothing to learn. Choose another column."
        )
    chosen: Task = task or detect_task(present)
    if chosen == "regression":
        return Target(_numbers(present), is_kept, chosen, (), tuple(notes))
    if task is None and types.is_numeric_dtype(present.dtype) and not types.is_bool_dtype(present.dtype):
        count = present.nunique()
        notes.append(
            f"{name} has {count} different whole numbers, so they are taken as classes. Regression can be chosen."
        )
    return _classes(present, is_kept, notes)


def detect_task(present: pd.Series) -> Task:
    """Classification for text, true/false, and whole numbers that are few; regression otherwise.

    Few means two, or at most 20 with ten rows for each on average: with fewer rows, folds could not hold every class,
    and beyond 20 whole numbers are nearly always a count or a score.
    """
    if is_text(present) or types.is_bool_dtype(present.dtype):
        return "classification"
    count = present.nunique()
    is_whole = bool((present % 1 == 0).all())
    is_few = count <= min(_MAX_DETECTED_CLASSES, max(2, len(present) / _ROWS_PER_DETECTED_CLASS))
    return "classification" if is_whole and is_few else "regression"


def _present(column: pd.Series) -> tuple[NDArray[np.bool_], list[str]]:
    is_missing = column.isna().to_numpy()
    is_infinite = (
        np.isinf(column.to_numpy()) if types.is_float_dtype(column.dtype) else np.zeros(len(column), dtype=bool)
    )
    is_kept = ~is_missing & ~is_infinite
    if not is_kept.any():
        raise DataError(f"The target {column.name} has no value in any row. Choose another column.")
    faults = [(is_missing, "without a target"), (is_infinite, "with an infinite target")]
    notes = [f"{counted(int(m.sum()), 'row')} {what} {_left_out(m)}." for m, what in faults if m.any()]
    return is_kept, notes


def _left_out(mask: NDArray[np.bool_]) -> str:
    return "was left out" if mask.sum() == 1 else "were left out"


def _numbers(present: pd.Series) -> NDArray[np.float64]:
    if is_text(present):
        is_number = pd.to_numeric(present, errors="coerce").notna()
        if not is_number.all():
            example = str(present[~is_number].iloc[0])[:40]
            raise DataError(
                f"The target {present.name} holds text, such as {example!r}, so it cannot be used for regression. "
                "Choose classification, or another column."
            )
        present = pd.to_numeric(present)
    return present.to_numpy(dtype="float64")


def _classes(present: pd.Series, is_kept: NDArray[np.bool_], notes: list[str]) -> Target:
    """Class numbers in the natural order of the labels, without the classes that have a single row."""
    name, labels = present.name, _labels(present)
    counts = labels.value_counts()
    single = sorted(counts.index[counts == 1], key=_natural)
    classes = sorted(counts.index[counts > 1], key=_natural)
    if len(classes) < 2:
        raise DataError(
            f"The target {name} has {counted(len(counts), 'class', 'classes')}, of which {len(single)} in a single row "
            "only; two classes with two rows each are needed. Choose another column, or regression for numbers."
        )
    if len(classes) > _MAX_CLASSES:
        raise DataError(
            f"The target {name} has {len(classes):,} classes; at most {_MAX_CLASSES:,} can be told apart. "
            "Choose another column, or regression for numbers."
        )
    if single:
        notes.append(f"Left out because a class needs two rows and these have one: {listed(single)}.")
    codes = pd.Index(classes).get_indexer(labels)
    rows = is_kept.copy()
    rows[is_kept] = codes >= 0
    return Target(codes[codes >= 0].astype(np.int64), rows, "classification", tuple(map(str, classes)), tuple(notes))


def _labels(present: pd.Series) -> pd.Series:
    """Labels as a person writes them: whole numbers without a decimal point."""
    if types.is_float_dtype(present.dtype) and (present % 1 == 0).all() and present.abs().max() < 2**53:
        present = present.astype("int64")
    return present.astype("str")


def _natural(label: str) -> tuple[object, ...]:
    """Order in which class 2 stands before class 10, and -1 before 0."""
    if re.fullmatch(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", label, re.ASCII):
        return (0, float(label), label)
    parts = re.split(r"([0-9]+)", label.casefold())
    return (1, [(i % 2, int(part) if i % 2 else part) for i, part in enumerate(parts)], label)
