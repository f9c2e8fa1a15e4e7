"""Numbers as a file for spreadsheets."""

from __future__ import annotations

from typing import Any

import pandas as pd


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as CSV. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    safe = frame.rename(columns=_inert)
    for name in safe.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in safe.dtypes]]:
        safe[name] = safe[name].map(_inert)
    return safe.to_csv(index=False).encode("utf-8")


def _inert(text: Any) -> Any:
    return f"'{text}" if isinstance(text, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
