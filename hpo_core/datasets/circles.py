"""Circles: a ring around a core."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Points in the plane, shape (600, 2), and the ring that each belongs to."""
    from sklearn.datasets import make_circles

    points, is_inner = make_circles(n_samples=600, noise=0.16, factor=0.55, random_state=11)
    labels = pd.Series(is_inner, name="ring").map({0: "outer", 1: "inner"}).astype("str")
    return pd.DataFrame(points, columns=["x", "y"]), labels


CIRCLES = DataSource(
    key="circles",
    label="Circles",
    purpose="A noisy ring around a core: no straight border works, so the kernel decides.",
    source="Generated: sklearn.datasets.make_circles, noise 0.16, factor 0.55, seed 11",
    task="classification",
    load=load,
)
