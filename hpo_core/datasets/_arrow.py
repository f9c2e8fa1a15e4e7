"""From an Arrow table to a plain pandas frame: few column types, tidy unique names, nothing revived from metadata."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hpo_core.datasets._wording import listed
from hpo_core.errors import DataError

_MAX_NAME_LENGTH = 120
_ROW_LABELS = re.compile(r"__index_level_\d+__")


def to_frame(name: str, table: pa.Table, notes: list[str]) -> pd.DataFrame:
    """A frame of bool, numbers, datetime64[us] and str. Sentences about what was changed go to `attrs["notes"]`.

    Args:
        name: What messages call the table.
        table: As read; columns of nested or binary types are left out, with a note.
        notes: Sentences of the reader, which come first.

    Raises:
        DataError: It has no rows, fewer than two usable columns, or two columns of the same name.
    """
    notes = list(notes)
    columns = {i: plain for i, column in enumerate(table.columns) if (plain := _plain(column)) is not None}
    left_out = [field.name for i, field in enumerate(table.schema) if i not in columns]
    if left_out:
        notes.append(f"Left out because their cells hold lists, records or binary data: {listed(left_out)}.")
    labels = [i for i in columns if _ROW_LABELS.fullmatch(table.schema.field(i).name)]
    if labels:
        notes.append("Row labels that pandas had stored beside the columns were left out.")
    kept = [i for i in columns if i not in labels]
    if len(kept) < 2:
        raise DataError(f"{name} has {len(kept)} usable columns; a table needs a target and at least one feature.")
    if not table.num_rows:
        raise DataError(f"{name} has columns but no rows.")
    names = tidy_names(name, [table.schema.field(i).name for i in kept], notes)
    frame: pd.DataFrame = pa.table([columns[i] for i in kept], names=names).to_pandas(
        split_blocks=True, date_as_object=False
    )
    frame.attrs["notes"] = tuple(notes)
    return frame


def tidy_names(table: str, raw: Sequence[str], notes: list[str]) -> list[str]:
    """Names without control characters, surrounding blanks or more than 120 characters; a blank one gets a number.

    Raises:
        DataError: Two are the same.
    """
    names = [_tidy(text) for text in raw]
    blanks = [i for i, text in enumerate(names) if not text]
    given = set(names)
    for i in blanks:
        names[i] = next(n for k in itertools.count() if (n := f"column_{i + 1}" + "_" * k) not in given)
    if blanks:
        notes.append(f"Columns without a name were named by their place: {listed([names[i] for i in blanks])}.")
    double = [text for text, count in Counter(names).items() if count > 1]
    if double:
        raise DataError(f"{table} has several columns of the same name: {listed(double)}. Give each its own name.")
    return names


def _tidy(text: str) -> str:
    spaced = " ".join(text.split())
    visible = "".join(c for c in spaced if not unicodedata.category(c).startswith("C")).strip()
    return visible if len(visible) <= _MAX_NAME_LENGTH else visible[: _MAX_NAME_LENGTH - 1] + "…"


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The column as bool, number, timestamp or text; None when it is nested or binary."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return None
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type))
    if pa.types.is_null(kind) or pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        return column.cast(pa.float64())
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.float64()) if column.null_count else column
    if pa.types.is_temporal(kind):
        return _moment(column)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column
    return _text(column)


def _moment(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Dates and times as timestamps without zone (UTC); times of day and durations as seconds."""
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", tz=getattr(kind, "tz", None)), safe=False).cast(pa.timestamp("us"))
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        counts = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        return pc.divide(counts.cast(pa.float64(), safe=False), float(per_second))
    return None


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Text without surrounding blanks, blank cells missing; binary columns only if they hold UTF-8."""
    kind = column.type
    if not any(f(kind) for f in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, _is_binary)):
        return None
    try:
        trimmed = pc.utf8_trim_whitespace(column.cast(pa.large_string()))
    except pa.ArrowInvalid:
        return None
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))
