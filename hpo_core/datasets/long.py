"""Long: many rows, so that a cheaper, partial fit is worth its while."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hpo_core.datasets._base import DataSource

_N_ROWS = 24_000


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Rides through a town, shape (24000, 8), and their minutes."""
    rng = np.random.default_rng(41)
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    features = pd.DataFrame(
        {
            "distance in km": np.round(rng.gamma(2.2, 2.4, _N_ROWS) + 0.4, 2),
            "traffic lights": rng.poisson(6, _N_ROWS),
            "hour": rng.integers(0, 24, _N_ROWS),
            "rain in mm": np.round(np.maximum(rng.normal(-1, 2, _N_ROWS), 0), 1),
            "temperature in °C": np.round(rng.normal(11, 8, _N_ROWS), 1),
            "passengers": rng.integers(1, 5, _N_ROWS),
            "weekday": rng.choice(days, _N_ROWS),
            "airport ride": rng.random(_N_ROWS) < 0.06,
        }
    ).astype({"weekday": "str"})
    minutes = _expected_minutes(features) * rng.lognormal(0, 0.18, _N_ROWS)
    return features, pd.Series(np.round(minutes, 2), name="minutes")


def _expected_minutes(features: pd.DataFrame) -> pd.Series:
    is_working_day = ~features["weekday"].isin(["Saturday", "Sunday"])
    rush = np.exp(-((features["hour"] - 8) ** 2) / 4) + np.exp(-((features["hour"] - 17.5) ** 2) / 6)
    slowness = (
        1 + 0.8 * rush * is_working_day + 0.05 * features["rain in mm"] + 0.2 * (features["temperature in °C"] < 0)
    )
    speed = np.where(features["airport ride"], 0.8, 0.45)
    minutes: pd.Series = features["distance in km"] / speed * slowness + 0.35 * features["traffic lights"] + 2
    return minutes


LONG = DataSource(
    key="long",
    label="Long",
    purpose="24,000 rides with their minutes: a full fit takes time, so partial fits and pruning pay.",
    source="Generated: distance, traffic and weather with log-normal noise, seed 41",
    task="regression",
    load=load,
)
