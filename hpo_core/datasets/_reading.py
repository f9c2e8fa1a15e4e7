"""Reading a table from a file or an upload: text or Parquet, into columns, without running anything that it holds."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from hpo_core.datasets._arrow import to_frame
from hpo_core.datasets._dialect import Dialect, count_quotes, detect_dialect
from hpo_core.datasets._parquet import parquet_table
from hpo_core.datasets._source import Source, file_source, upload_source
from hpo_core.datasets._wording import counted
from hpo_core.errors import DataError

_TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
_PARQUET_SUFFIXES = (".parquet", ".pq")
_BLOCK_BYTES = 1 << 24
_MISSING = [
    *("", "?", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "NaN", "nan", "-NaN", "-nan"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
]


def read_table(path: str | Path | BinaryIO, name: str | None = None) -> pd.DataFrame:
    """Reads a text table or a Parquet file.

    Text may be separated by comma, semicolon, tab or pipe and be written in UTF-8, UTF-16, Windows-1252 or Latin-1.
    Numbers, true/false and ISO dates become such where a whole column is so; everything else stays the text that it
    is, formulas and markup included. Times of day become seconds. Blank cells, `?`, `NA`, `NaN` and `null` are missing
    values. Without a header row the columns are named column_1, column_2 and on.

    Args:
        path: A file, or an open binary stream, such as an upload.
        name: What messages call it; its suffix tells the format. The file's own name by default.

    Returns:
        Columns of bool, numbers, datetime64[us] or str, with unique names. `attrs["notes"]` is a tuple of sentences
        about what was not plain.

    Raises:
        DataError: The file cannot be read, or holds no table. Nothing that a file holds raises anything else.
    """
    source = file_source(Path(path), name) if isinstance(path, (str, Path)) else upload_source(path, name)
    try:
        if _is_parquet(source):
            return to_frame(source.name, parquet_table(source), [])
        dialect = detect_dialect(source)
        return to_frame(source.name, _text_table(source, dialect), list(dialect.notes))
    except MemoryError as fault:
        raise DataError(f"{source.name} does not fit into memory. Take fewer rows or columns.") from fault
    except (pa.ArrowException, OSError, UnicodeError) as fault:
        reason = str(fault).partition("\n")[0].rstrip(".")
        raise DataError(f"{source.name} cannot be read as a table: {reason}. Export it again.") from fault


def _is_parquet(source: Source) -> bool:
    suffix = Path(source.name).suffix.lower()
    if suffix in _PARQUET_SUFFIXES:
        return True
    if suffix and suffix not in _TEXT_SUFFIXES:
        known = ", ".join(_TEXT_SUFFIXES + _PARQUET_SUFFIXES)
        raise DataError(f"{source.name} ends in {suffix}, which is not supported; use one of {known}.")
    return not suffix and source.start(4) == b"PAR1"


def _text_table(source: Source, dialect: Dialect) -> pa.Table:
    uneven = _UnevenRows()
    with source.open() as stream:
        try:
            table = _parsed(stream, dialect, uneven)
        except pa.ArrowInvalid as fault:
            if "block" not in str(fault) and "chunk" not in str(fault):
                raise
            limit = f"{_BLOCK_BYTES / 1e6:.0f} MB"
            raise DataError(f"{source.name} has a row longer than {limit}. {_OPEN_QUOTE}") from fault
    uneven.check(source.name, dialect)
    _check_last_quote(source, table, dialect)
    return table


def _parsed(stream: BinaryIO, dialect: Dialect, uneven: _UnevenRows) -> pa.Table:
    names = dialect.header or [f"column_{i + 1}" for i in range(dialect.n_columns)]
    table = pacsv.read_csv(
        stream,
        # One thread keeps the row numbers in messages right and leaves the other cores to fits.
        read_options=pacsv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK_BYTES,
            encoding=dialect.encoding,
            column_names=[str(i) for i in range(dialect.n_columns)],
            skip_rows_after_names=dialect.n_skipped,
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=True, invalid_row_handler=uneven
        ),
        convert_options=pacsv.ConvertOptions(
            null_values=_MISSING,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            decimal_point=dialect.decimal,
        ),
    )
    return pa.table([_without_padding(column) for column in table.columns], names=list(names))


def _without_padding(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text without surrounding blanks; where blanks had hidden a missing value, numbers may come to light."""
    if not pa.types.is_string(column.type):
        return column
    text = pc.utf8_trim_whitespace(column)
    is_missing = pc.is_in(text, value_set=pa.array(_MISSING))
    if not pc.any(is_missing).as_py():
        return text
    text = pc.if_else(is_missing, pa.scalar(None, pa.string()), text)
    for kind in (pa.int64(), pa.float64()):
        with contextlib.suppress(pa.ArrowInvalid):
            return text.cast(kind)
    return text


class _UnevenRows:
    """Counts the rows that have more or fewer cells than the header, and keeps the first."""

    def __init__(self) -> None:
        self._count = 0
        self._first: pacsv.InvalidRow | None = None

    def __call__(self, row: pacsv.InvalidRow) -> str:
        self._first = self._first or row
        self._count += 1
        return "skip"

    def check(self, name: str, dialect: Dialect) -> None:
        if self._first is None:
            return
        row, reference = self._first, "the header" if dialect.header else "the first row"
        others = f"; {counted(self._count, 'row')} differ in all" if self._count > 1 else ""
        raise DataError(
            f"Row {row.number} of {name} has {row.actual_columns} cells where {reference} has {row.expected_columns}"
            f"{others}. Give every row the same number of cells; text that holds the delimiter needs quotation marks."
        )


_OPEN_QUOTE = "A quotation mark is opened and never closed: close it, or double it where it is meant as text."


def _check_last_quote(source: Source, table: pa.Table, dialect: Dialect) -> None:
    """A quotation mark left open in the last column swallows the rest of the file without any other sign."""
    if not table.num_rows:
        return
    last = table.column(table.num_columns - 1)[table.num_rows - 1].as_py()
    if isinstance(last, str) and "\n" in last and count_quotes(source, dialect.encoding) % 2:
        raise DataError(f"{source.name} cannot be read to its end. {_OPEN_QUOTE}")
