"""A process that decodes one Parquet file: the bytes on standard input, an Arrow stream on standard output.

A damaged file can ask for any amount of memory, or crash the decoder. Here that costs this process and nothing else.
Exit code 0: a table. 2: none, and standard error says why in one line.
"""

from __future__ import annotations

import contextlib
import resource
import sys

import pyarrow as pa
import pyarrow.parquet as pq

_MAX_MEMORY_BYTES = 4 << 30
_MAX_CELLS = 250_000_000


class _RefusedError(Exception):
    """Why there is no table, to be read after the file's name."""


def _decode(content: bytes) -> pa.Table:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
    except pa.ArrowInvalid as fault:
        raise _RefusedError("is not a Parquet file, or is cut off. Export it again.") from fault
    n_cells = file.metadata.num_rows * file.metadata.num_columns
    if n_cells > _MAX_CELLS:
        too_many = f"has {n_cells:,} cells; at most {_MAX_CELLS:,} can be read. Take fewer rows or columns."
        raise _RefusedError(too_many)
    table = file.read()
    table.validate(full=True)
    return table


def _main() -> None:
    with contextlib.suppress(ValueError, OSError):  # a system without this limit
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    try:
        table = _decode(sys.stdin.buffer.read())
        with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
            stream.write_table(table)
    except MemoryError as fault:
        raise _RefusedError("does not fit into memory. Take fewer rows or columns.") from fault
    except (pa.ArrowException, OSError) as fault:
        reason = str(fault).partition("\n")[0].rstrip(".")
        raise _RefusedError(f"cannot be read as a table: {reason}. Export it again.") from fault


if __name__ == "__main__":
    try:
        _main()
    except _RefusedError as why:
        sys.stderr.write(str(why))
        sys.exit(2)
