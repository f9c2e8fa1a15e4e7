"""Moons: two half circles that reach into each other."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Points in the plane, shape (600, 2), and the moon that each belongs to."""
    from sklearn.datasets import make_moons

    points, moon = make_moons(n_samples=600, noise=0.28, random_state=7)
    labels = pd.Series(moon, name="moon").map({0: "upper", 1: "lower"}).astype("str")
    return pd.DataFrame(points, columns=["x", "y"]), labels


MOONS = DataSource(
    key="moons",
    label="Moons",
    purpose="Two noisy half circles: a curved border that shows over- and underfitting at a glance.",
    source="Generated: sklearn.datasets.make_moons, noise 0.28, seed 7",
    task="classification",
    load=load,
)
