"""The columns of a person's table: brought to few types, the useless ones left out, the odd ones named."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
from pandas.api import types

from hpo_core.datasets._arrow import tidy_names
from hpo_core.datasets._wording import counted, listed
from hpo_core.errors import DataError

Columns = dict[str, pd.Series]

_MANY_CATEGORIES = 1_000
# A lone number among names is a name; from here on, the column was meant to hold numbers or codes.
_MIXED_SHARE = 0.1
# A blank name in the first place, as row labels have, reads column_1 here.
_IDENTIFIER_NAME = re.compile(r"(.*[\W_])?(id|ids|uuid|guid|index|idx|rownames)|column_1|unnamed: 0", re.IGNORECASE)
_NUMERIC = ("empty", "integer", "floating", "mixed-integer-float", "decimal")
_DATES = ("datetime", "datetime64", "date")


def plain_table(frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    """The table with columns of bool, numbers, datetime64[us] and str alone, names tidied, rows counted from 0.

    Returns:
        A new frame, and notes about the names. The frame given stays as it is.

    Raises:
        DataError: Two columns have the same name.
    """
    notes: list[str] = []
    names = tidy_names(name, [str(label) for label in frame.columns], notes)
    columns = {n: plain_column(frame.iloc[:, i]).reset_index(drop=True) for i, n in enumerate(names)}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False), notes


def plain_column(column: pd.Series) -> pd.Series:
    """The column as bool, a NumPy number type, datetime64[us] or str; missing values as NaN or NaT."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _texts(column.astype(object))
    if types.is_bool_dtype(dtype) or types.is_numeric_dtype(dtype):
        return _numbers(column)
    if types.is_datetime64_any_dtype(dtype):
        return _moments(column)
    if types.is_timedelta64_dtype(dtype):
        return pd.Series(column.dt.total_seconds())
    if isinstance(dtype, pd.StringDtype):
        return column.astype("str")
    return _objects(column.astype(object))


def _numbers(column: pd.Series) -> pd.Series:
    if types.is_complex_dtype(column.dtype):
        return _texts(column.astype(object))
    if isinstance(column.dtype, np.dtype):
        return column.astype("float64") if column.dtype == "uint64" else column
    if column.isna().any() or types.is_float_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), name=column.name)
    return pd.Series(
        np.asarray(column, dtype="bool" if types.is_bool_dtype(column.dtype) else "int64"), name=column.name
    )


def _moments(column: pd.Series) -> pd.Series:
    local = column.astype("datetime64[us, UTC]") if getattr(column.dtype, "tz", None) else column
    return local.dt.tz_localize(None).astype("datetime64[us]")


def _objects(column: pd.Series) -> pd.Series:
    """Python objects by what they hold; what is mixed or strange becomes text."""
    kind = types.infer_dtype(column, skipna=True)
    filled = column.where(column.notna(), np.nan)
    if kind == "boolean":
        return filled.astype("float64" if filled.isna().any() else "bool")
    if kind == "integer" and not filled.isna().any() and filled.abs().max() < 2**63:
        return filled.astype("int64")
    if kind in _NUMERIC:
        return filled.astype("float64")
    if kind in _DATES:
        return _moments(pd.to_datetime(column, utc=True))
    return _texts(column)


def _texts(column: pd.Series) -> pd.Series:
    return column.map(str, na_action="ignore").astype("str")


def usable_features(features: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The features without columns that cannot help, infinite values made missing, and notes about all of it.

    Raises:
        DataError: No column is left.
    """
    columns, notes = _without_infinite({str(name): column for name, column in features.items()})
    empty = [name for name, column in columns.items() if column.isna().all()]
    identifiers = [name for name, column in columns.items() if column.notna().any() and _is_identifier(column)]
    if empty:
        notes.append(f"Left out because every value is missing: {listed(empty)}.")
    if identifiers:
        notes.append(f"Left out because each row has its own value, as an identifier has: {listed(identifiers)}.")
    useless = {*empty, *identifiers}
    kept = {name: column for name, column in columns.items() if name not in useless}
    if not kept:
        raise DataError(f"No usable feature is left beside the target. {' '.join(notes)}".strip())
    return pd.DataFrame(kept, copy=False), notes + _remarks(kept)


def is_text(column: pd.Series) -> bool:
    """Whether a column of `plain_table` holds text."""
    return isinstance(column.dtype, pd.StringDtype)


def _without_infinite(columns: Columns) -> tuple[Columns, list[str]]:
    floats = {name: column for name, column in columns.items() if types.is_float_dtype(column.dtype)}
    infinite = {name: mask for name, column in floats.items() if (mask := np.isinf(column.to_numpy())).any()}
    if not infinite:
        return columns, []
    count = sum(int(mask.sum()) for mask in infinite.values())
    note = f"Treated as missing: {counted(count, 'infinite value')} in {listed(list(infinite))}."
    return columns | {name: columns[name].mask(mask) for name, mask in infinite.items()}, [note]


def _is_identifier(column: pd.Series) -> bool:
    """Text that never repeats, or whole numbers that never repeat under a name that says so."""
    if is_text(column):
        return bool(column.count() >= 10 and column.dropna().is_unique)
    is_named = _IDENTIFIER_NAME.fullmatch(str(column.name)) is not None
    return bool(is_named and types.is_integer_dtype(column.dtype) and column.is_unique)


def _remarks(columns: Columns) -> list[str]:
    notes = [_missing_note(columns), _constant_note(columns), _counting_note(columns)]
    texts = [_text_notes(name, column) for name, column in columns.items() if is_text(column)]
    return [note for note in notes if note] + list(itertools.chain(*texts))


def _missing_note(columns: Columns) -> str:
    counts = {name: n for name, column in columns.items() if (n := int(column.isna().sum()))}
    return f"Missing: {counted(sum(counts.values()), 'value')} in {listed(list(counts))}." if counts else ""


def _constant_note(columns: Columns) -> str:
    names = [name for name, column in columns.items() if column.nunique(dropna=False) == 1]
    return f"The same value in every row, so of no help: {listed(names)}." if names else ""


def _counting_note(columns: Columns) -> str:
    whole = {name: column for name, column in columns.items() if types.is_integer_dtype(column.dtype)}
    names = [name for name, column in whole.items() if (np.diff(column) == 1).all()]
    return f"Counts the rows one by one, so it only helps if their order matters: {listed(names)}." if names else ""


def _text_notes(name: str, column: pd.Series) -> list[str]:
    notes = []
    values = pd.Series(column.dropna().unique())
    is_number = pd.to_numeric(values, errors="coerce").notna()
    if is_number.all():
        notes.append(f"{name} holds numbers that are stored as text; they are treated as categories.")
    elif is_number.mean() >= _MIXED_SHARE:
        example = str(values[~is_number].iloc[0])[:40]
        notes.append(f"{name} mixes numbers and text, such as {example!r}; it is treated as text.")
    if len(values) > _MANY_CATEGORIES or len(values) > max(20, len(column) / 2):
        count = counted(len(values), "different text")
        notes.append(f"{name} has {count} in {counted(len(column), 'row')}; it looks like an identifier or free text.")
    return notes
