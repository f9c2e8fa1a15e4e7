"""How a text table is written: encoding, delimiter, decimal mark, header. Found in its bytes, never asked for."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hpo_core.datasets._source import Source
from hpo_core.errors import DataError

Rows = list[list[str]]

_SAMPLE_BYTES = 1 << 22
_SAMPLE_ROWS = 500
_CHUNK_BYTES = 1 << 22
# From the least to the most likely inside a cell: among delimiters that fit equally well, the first one wins.
_DELIMITERS = ("\t", ";", "|", ",")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN_FORMATS = (
    (b"PAR1", "a Parquet file: rename it to end in .parquet"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save the sheet as CSV"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"%PDF", "a PDF document: export the table as CSV"),
    (b"SQLite format 3\x00", "an SQLite database: export the table as CSV"),
)
_NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*")
_COMMA_NUMBER = re.compile(r"\s*[-+]?\d+,\d+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")
_POINT_NUMBER = re.compile(r"\s*[-+]?\d*\.\d+\s*")


@dataclass(frozen=True)
class Dialect:
    """How to read a text table.

    Attributes:
        encoding: Name of a Python codec.
        delimiter: Stands between cells.
        decimal: Point or comma.
        header: Cells of the header row as written; None when the first row is data.
        n_columns: Cells of a row.
        n_skipped: Rows before the first data row, blank ones included.
        notes: What was not plain.
    """

    encoding: str
    delimiter: str
    decimal: str
    header: tuple[str, ...] | None
    n_columns: int
    n_skipped: int
    notes: tuple[str, ...]


def detect_dialect(source: Source) -> Dialect:
    """Looks at the first four megabytes, and at every byte for the encoding.

    Raises:
        DataError: It is no text, no table, or has no row.
    """
    encoding, notes = _encoding(source)
    text, is_whole = _sample(source, encoding)
    if not text.strip():
        raise DataError(f"{source.name} is empty. Choose a file with a header row and data rows.")
    if not is_whole and "\n" not in text and "\r" not in text:
        raise DataError(f"{source.name} has a first row longer than 4 MB. Put each row of the table on its own line.")
    delimiter, rows = _split(source.name, text, is_whole)
    n_blank = next(i for i, row in enumerate(rows) if row)
    rows = [row for row in rows if row]
    decimal, decimal_notes = _decimal(delimiter, rows)
    notes += decimal_notes
    has_header = not _is_data(rows)
    if is_whole and len(rows) == int(has_header):
        raise DataError(f"{source.name} has a header row but no data rows.")
    if not has_header:
        notes += (
            f"The first row looks like data, not like names, so the columns were named column_1 to "
            f"column_{len(rows[0])}. Add a header row to name them.",
        )
    header = tuple(rows[0]) if has_header else None
    return Dialect(encoding, delimiter, decimal, header, len(rows[0]), n_blank + has_header, notes)


def count_quotes(source: Source, encoding: str) -> int:
    """Quotation marks in the whole file."""
    return sum(text.count('"') for text in _decoded(source, encoding))


def _encoding(source: Source) -> tuple[str, tuple[str, ...]]:
    start = source.start(_SAMPLE_BYTES)
    for signature, what in _FOREIGN_FORMATS:
        if start.startswith(signature):
            raise DataError(f"{source.name} is not a text table but {what}.")
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None) or _unmarked_utf16(start)
    if marked not in (None, "utf-8"):
        if _is_decodable(source, marked):
            return marked, ()
        raise DataError(f"{source.name} starts like {marked.upper()} text but is not. Save it as UTF-8.")
    _refuse_binary(source, start)
    if _is_decodable(source, "utf-8"):
        return "utf-8", ()
    encoding, label = ("cp1252", "Windows-1252") if _is_decodable(source, "cp1252") else ("latin-1", "Latin-1")
    note = f"The file is not UTF-8; it was read as {label}. If letters look wrong, save it as UTF-8."
    return encoding, (note,)


def _unmarked_utf16(start: bytes) -> str | None:
    """UTF-16 of mostly western text, written without its mark: every second byte is zero."""
    even, odd = start[0:4096:2], start[1:4096:2]
    if even and odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if odd and even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def _refuse_binary(source: Source, start: bytes) -> None:
    n_controls = len(start) - len(start.translate(None, bytes(c for c in range(32) if c not in b"\t\n\f\r\x1a\x1b")))
    with source.open() as stream:
        has_zero = any(b"\0" in chunk for chunk in _chunks(stream))
    if has_zero or n_controls > 0.01 * len(start):
        raise DataError(f"{source.name} is not a text table: it holds binary data. Export the table as CSV or Parquet.")


def _is_decodable(source: Source, encoding: str) -> bool:
    try:
        for _ in _decoded(source, encoding):
            pass
    except UnicodeError:
        return False
    return True


def _decoded(source: Source, encoding: str) -> Iterator[str]:
    with source.open() as stream:
        yield from codecs.iterdecode(_chunks(stream), encoding)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(_CHUNK_BYTES), b"")


def _sample(source: Source, encoding: str) -> tuple[str, bool]:
    start = source.start(_SAMPLE_BYTES)
    is_whole = len(start) == source.size
    return codecs.getincrementaldecoder(encoding)().decode(start).removeprefix("\ufeff"), is_whole


def _split(name: str, text: str, is_whole: bool) -> tuple[str, Rows]:
    """The delimiter under which most rows have as many cells as the first, and the rows under it."""
    candidates = [(d, _rows(text, d, is_whole)) for d in _DELIMITERS]
    delimiter, rows = max(candidates, key=lambda c: _evenness(c[1]))
    if _evenness(rows) == 0:
        raise DataError(
            f"{name} has one column. The delimiter may be wrong, or the first line is a title: cells must be separated "
            "by comma, semicolon, tab or pipe, from the header row on."
        )
    return delimiter, rows


def _rows(text: str, delimiter: str, is_whole: bool) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: Rows = []
    try:
        rows.extend(itertools.islice(reader, _SAMPLE_ROWS))
    except csv.Error:
        return rows
    is_cut = not is_whole and 1 < len(rows) < _SAMPLE_ROWS
    return rows[:-1] if is_cut else rows


def _evenness(rows: Rows) -> float:
    """Share of rows with as many cells as the first one; 0 where that has a single cell."""
    widths = [len(row) for row in rows if row]
    return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0


def _decimal(delimiter: str, rows: Rows) -> tuple[str, tuple[str, ...]]:
    """A comma only where it cannot be anything else: 1,5 is one and a half, 1,500 may be a thousand and a half."""
    cells = [] if delimiter == "," else [cell for row in rows for cell in row]
    with_comma = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    if not with_comma:
        return ".", ()
    if all(map(_THOUSANDS.fullmatch, with_comma)) or any(map(_POINT_NUMBER.fullmatch, cells)):
        return ".", (f"Numbers such as {with_comma[0].strip()} can be read in two ways, so they stay text.",)
    return ",", ()


def _is_data(rows: Rows) -> bool:
    """Whether the first row holds values instead of names.

    Numbers alone are values, unless they count three columns or more. Numbers beside text are values if each text
    occurs again in its column, as the class does in a table written without names.
    """
    first = [cell.strip() for cell in rows[0]]
    numbers = [cell for cell in first if _NUMBER.fullmatch(cell)]
    if not numbers:
        return False
    texts = [(i, cell) for i, cell in enumerate(first) if cell and not _NUMBER.fullmatch(cell)]
    if not texts:
        counts = [[str(i + start) for i in range(len(numbers))] for start in (0, 1)]
        return len(numbers) < 3 or numbers not in counts
    seen = Counter((i, cell.strip()) for row in rows[1:] for i, cell in enumerate(row))
    return all(pair in seen for pair in texts)
