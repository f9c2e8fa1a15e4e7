"""Wine: three growers told apart by the chemistry of their wines."""

from __future__ import annotations

import pandas as pd

from hpo_core.datasets._base import DataSource


def load() -> tuple[pd.DataFrame, pd.Series]:
    """Chemical measures, shape (178, 13), and grower."""
    from sklearn.datasets import load_wine

    bunch = load_wine(as_frame=True)
    names = {c: c.replace("_", " ") for c in bunch.data}
    names["od280/od315_of_diluted_wines"] = "OD280/OD315 of diluted wines"
    growers = (bunch.target + 1).map("grower {}".format).rename("grower").astype("str")
    return bunch.data.rename(columns=names), growers


WINE = DataSource(
    key="wine",
    label="Wine",
    purpose="Three growers from thirteen chemical measures on very different scales: shows what scaling does.",
    source="Aeberhard, Coomans, de Vel (1992); UCI repository",
    task="classification",
    load=load,
)
