"""Where the browser finds what the lab serves itself."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

import plotly

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# Chromium compiles the whole library beside the page then, where it would compile piece by piece and hold the page up:
# https://v8.dev/blog/explicit-compile-hints. A comment to all other browsers.
COMPILE_HINT = b"//# allFunctionsCalledOnLoad\n"
PLOTLY_PATH = f"/lab/plotly-{plotly.__version__}.min.js"
MARK = Path(__file__).parent.parent / "static" / "mark.svg"


@cache
def packed_plotly() -> bytes:
    """`PLOTLY_FILE` with its hint, compressed once: doing so for each visitor takes longer than sending it; 1.5 MB."""
    return gzip.compress(COMPILE_HINT + PLOTLY_FILE.read_bytes(), compresslevel=6)
