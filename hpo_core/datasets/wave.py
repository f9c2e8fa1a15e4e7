"""Wave: one input, and a response that swings up and down under noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hpo_core.datasets._base import DataSource

_NOISE = 0.35


def load() -> tuple[pd.DataFrame, pd.Series]:
    """The input from 0 to 1, shape (240, 1), and the response: a wave that swings faster from left to right."""
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, 240)
    y = np.sin(2 * np.pi * (x + x**2)) + rng.normal(0, _NOISE, len(x))
    return pd.DataFrame({"x": x}), pd.Series(y, name="y")


WAVE = DataSource(
    key="wave",
    label="Wave",
    purpose="One input and a noisy wave: the fitted curve shows how closely a model follows the rows.",
    source="Generated: y = sin(2π(x + x²)) with x uniform from 0 to 1, normal noise of 0.35, seed 3",
    task="regression",
    load=load,
)
