"""Where the browser finds what the lab serves itself."""

from __future__ import annotations

from pathlib import Path

import plotly

PLOTLY_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
PLOTLY_PATH = f"/lab/plotly-{plotly.__version__}.min.js"
MARK = Path(__file__).parent.parent / "static" / "mark.svg"
