"""Where the browser finds what the lab serves itself."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import plotly

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_PATH = f"/lab/plotly-{plotly.__version__}.min.js"
MARK = Path(__file__).parent.parent / "static" / "mark.svg"


@cache
def packed_plotly() -> bytes:
    """`PLOTLY_FILE` compressed once, as doing so for each visitor takes longer than sending it; 1.5 MB."""
    return gzip.compress(PLOTLY_FILE.read_bytes(), compresslevel=6)
