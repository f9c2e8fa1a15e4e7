"""Reading Parquet, with the decoder in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from hpo_core.datasets._source import Source
from hpo_core.errors import DataError

_DECODER = Path(__file__).with_name("_parquet_decoder.py")
_PATIENCE_SECONDS = 120


def parquet_table(source: Source) -> pa.Table:
    """The table in a Parquet file.

    Raises:
        DataError: It holds none, is damaged, too large, or takes more than two minutes to decode.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_DECODER)],
            input=source.read(),
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as fault:
        raise DataError(f"{source.name} takes too long to read. Take fewer rows or columns.") from fault
    if done.returncode == 2:
        raise DataError(f"{source.name} {done.stderr.decode(errors='replace')}")
    if done.returncode:
        raise DataError(f"{source.name} is damaged: it cannot be decoded. Export it again.")
    with pa.ipc.open_stream(pa.py_buffer(done.stdout)) as stream:
        return stream.read_all()
