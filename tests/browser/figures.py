"""Plain figures with known values under known pixels."""

from typing import Any

_MARGIN = {"l": 60, "r": 20, "t": 20, "b": 40}


def _figure(x: dict[str, Any], y: dict[str, Any], trace: dict[str, Any]) -> dict[str, Any]:
    return {"data": [trace], "layout": {"xaxis": x, "yaxis": y, "margin": _MARGIN, "uirevision": "1"}}


PLAIN = {
    "log": _figure(
        {"type": "log", "range": [-3, 3]},
        {"range": [0, 1]},
        {"type": "scatter", "mode": "markers", "x": [0.001, 1000], "y": [0, 1]},
    ),
    "category": _figure(
        {"type": "category"},
        {"type": "category"},
        {"type": "heatmap", "x": ["rbf", "poly", "sigmoid"], "y": ["True", "False"], "z": [[1, 2, 3], [4, 5, 6]]},
    ),
}
