"""Figures as JSON for plotly.js: arrays go as base64 of their bytes, a third to a tenth of the size of digits."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from hpo_core.plots._look import Figure

_CODES = {"f4", "f8", "i1", "i2", "i4", "u1", "u2", "u4"}


def figure_json(figure: Figure) -> str:
    """The figure as plotly.js reads it. NaN is a gap inside arrays, and a fault outside of them."""
    return json.dumps(figure, default=_encoded, allow_nan=False, separators=(",", ":"))


def _encoded(item: Any) -> Any:
    if isinstance(item, np.generic):
        return item.item()
    if not isinstance(item, np.ndarray):
        raise TypeError(f"A figure cannot hold {type(item).__name__}.")
    code = item.dtype.kind + str(item.dtype.itemsize)
    if code not in _CODES:
        return item.tolist()
    spec = {"dtype": code, "bdata": base64.b64encode(np.ascontiguousarray(item).tobytes()).decode("ascii")}
    if item.ndim > 1:
        spec["shape"] = ",".join(map(str, item.shape))
    return spec
