"""Imbalanced: card payments, a few of them fraud, in mixed columns with gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hpo_core.datasets._base import DataSource

_N_ROWS = 3_000
_FRAUD_SHARE = 0.04


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Payments, shape (3000, 7): numbers with gaps, texts and a yes/no column; and whether each was fraud."""
    rng = np.random.default_rng(23)
    features = pd.DataFrame(
        {
            "amount": np.round(rng.lognormal(3.5, 1.1, _N_ROWS), 2),
            "hour": rng.integers(0, 24, _N_ROWS),
            "account age in days": rng.integers(1, 4_000, _N_ROWS),
            "payments in the last hour": rng.poisson(0.7, _N_ROWS),
            "channel": rng.choice(["shop", "web", "app", "phone"], _N_ROWS, p=[0.45, 0.3, 0.2, 0.05]),
            "country": rng.choice(["home", "neighbour", "far"], _N_ROWS, p=[0.8, 0.15, 0.05]),
            "card present": rng.random(_N_ROWS) < 0.5,
        }
    ).astype({"channel": "str", "country": "str"})
    risk = _risk(features) + rng.logistic(0, 1, _N_ROWS)
    is_fraud = risk > np.quantile(risk, 1 - _FRAUD_SHARE)
    features["account age in days"] = features["account age in days"].mask(rng.random(_N_ROWS) < 0.05)
    features["channel"] = features["channel"].mask(rng.random(_N_ROWS) < 0.02)
    return features, pd.Series(np.where(is_fraud, "yes", "no"), name="fraud", dtype="str")


def _risk(features: pd.DataFrame) -> pd.Series:
    is_night = (features["hour"] < 6).astype(float)
    is_young = (features["account age in days"] < 120).astype(float)
    risk: pd.Series = (
        1.1 * np.log(features["amount"])
        + 1.4 * features["payments in the last hour"]
        + features["country"].map({"home": 0.0, "neighbour": 0.8, "far": 2.5})
        + features["channel"].map({"shop": 0.0, "app": 0.5, "web": 1.0, "phone": 2.0})
        + 2.0 * is_night * ~features["card present"]
        + 2.5 * is_young
    )
    return risk


IMBALANCED = DataSource(
    key="imbalanced",
    label="Imbalanced",
    purpose="Payments of which one in 25 is fraud, with texts and gaps: accuracy looks fine when nothing was learnt.",
    source="Generated: numbers, texts and a logistic risk, seed 23",
    task="classification",
    load=load,
)
