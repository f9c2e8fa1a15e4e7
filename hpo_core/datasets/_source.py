"""Where the bytes of a table come from: a file, or an upload that is in memory already."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hpo_core.errors import DataError

_MAX_BYTES = 500_000_000


@dataclass(frozen=True)
class Source:
    """Bytes that can be opened again and again.

    Attributes:
        name: What messages call it; its suffix tells the format.
        size: Bytes.
        path: The file, or None when `content` holds the bytes.
        content: The bytes of an upload.
    """

    name: str
    size: int
    path: Path | None = None
    content: bytes = b""

    def open(self) -> BinaryIO:
        return self.path.open("rb") if self.path else io.BytesIO(self.content)

    def read(self) -> bytes:
        return self.path.read_bytes() if self.path else self.content

    def start(self, n_bytes: int) -> bytes:
        with self.open() as stream:
            return stream.read(n_bytes)


def file_source(path: Path, name: str | None) -> Source:
    """A file that exists, can be read, and is neither empty nor too large.

    Raises:
        DataError: It is not so.
    """
    shown = name or path.name
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder. Name a CSV or Parquet file in it.")
        if not path.exists():
            raise DataError(f"There is no file {path}. Check the path.")
        if not path.is_file():
            raise DataError(f"{path} is not a file. Name a CSV or Parquet file.")
        source = Source(shown, path.stat().st_size, path)
        source.start(1)
    except (OSError, ValueError) as fault:
        if isinstance(fault, DataError):
            raise
        reason = getattr(fault, "strerror", None) or str(fault)
        raise DataError(f"{shown} cannot be opened: {reason}. Check the path and the permission to read it.") from fault
    return _checked(source)


def upload_source(stream: BinaryIO, name: str | None) -> Source:
    """The bytes of an open binary stream: all of them where it can be wound back, as an upload read before can be.

    Raises:
        DataError: It gives text or nothing, or is too large.
    """
    shown = name or Path(str(getattr(stream, "name", "") or "The table")).name
    if stream.seekable():
        stream.seek(0)
    content = stream.read(_MAX_BYTES + 1)
    if not isinstance(content, bytes):
        raise DataError(f"{shown} was opened as text. Open it in binary mode.")
    return _checked(Source(shown, len(content), content=content))


def _checked(source: Source) -> Source:
    if source.size > _MAX_BYTES:
        limit = f"{_MAX_BYTES / 1e6:,.0f} MB"
        raise DataError(f"{source.name} is larger than {limit}. Take a sample of its rows, or fewer columns.")
    if source.size == 0:
        raise DataError(f"{source.name} is empty. Choose a file with a header row and data rows.")
    return source
