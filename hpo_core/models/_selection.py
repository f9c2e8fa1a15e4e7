"""Feature selection that always leaves at least one column, whatever the data are."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin, f_classif, f_regression
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]


class BestShare(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Keeps the share of the columns whose F test against the target is strongest, of equals the first."""

    def __init__(self, share: float = 0.5, is_classification: bool = True) -> None:
        self.share = share
        self.is_classification = is_classification

    def fit(self, X: Floats, y: NDArray[Any]) -> Self:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # constant columns have no F value: they come last
            strengths, _ = (f_classif if self.is_classification else f_regression)(X, y)
        order = np.argsort(-np.nan_to_num(strengths, nan=-1.0, posinf=np.inf), kind="stable")
        self.mask_ = np.zeros(X.shape[1], dtype=bool)
        self.mask_[order[: max(1, round(self.share * X.shape[1]))]] = True
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return np.asarray(self.mask_, dtype=bool)


class LeastVariance(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Drops columns whose variance is below a threshold; if all are, the one that varies most is left."""

    def __init__(self, threshold: float = 0.01) -> None:
        self.threshold = threshold

    def fit(self, X: Floats, y: object = None) -> Self:
        variances = X.var(axis=0)
        self.mask_ = variances >= min(self.threshold, float(variances.max(initial=0.0)))
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return np.asarray(self.mask_, dtype=bool)
