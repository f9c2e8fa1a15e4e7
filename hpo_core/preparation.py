"""From a mixed table to a dense matrix of numbers, by statistics of the training rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.validation import check_is_fitted

from hpo_core.errors import DataError

Kind = Literal["number", "flag", "date", "category"]
Fill = Literal["median", "mean", "most_frequent"]
Scaler = Literal["none", "standard", "min_max", "robust", "quantile"]
Encoding = Literal["one_hot", "ordinal", "frequency"]
Floats = NDArray[np.float64]

_DATE_PARTS = ("year", "month", "day of week", "hour", "days")
_MAX_LEVELS = 30
_LARGEST = 1e30  # trees compute in float32, and squares must stay finite
_NUMPY_KINDS: dict[str, Kind] = {"f": "number", "i": "number", "u": "number", "m": "number", "b": "flag", "M": "date"}
_CONTENT_KINDS: dict[str, Kind] = {
    "boolean": "flag",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "timedelta": "number",
    "empty": "number",
    "date": "date",
    "datetime": "date",
    "datetime64": "date",
}


def preparation(
    features: pd.DataFrame,
    *,
    scale: bool = False,
    fill: Fill = "median",
    scaler: Scaler | None = None,
    encoding: Encoding = "one_hot",
) -> Preparation:
    """A transformer for tables like this one, to be the first step of a pipeline.

    Args:
        features: The table, shape (n, d). Only its column types are read here, never a statistic.
        scale: Whether numbers and date parts are standardised. Flags and one-hot columns stay 0 and 1.
        fill: What gaps are filled with.
        scaler: Another way of scaling; None means the one that `scale` says.
        encoding: A column for each level, or one column with the level's rank or its share of the training rows.
    """
    names = list(features.columns)
    kinds = [_kind_of_type(t) or _kind_of_content(features[n]) for n, t in zip(names, features.dtypes, strict=True)]
    columns = {kind: tuple(n for n, k in zip(names, kinds, strict=True) if k == kind) for kind in get_args(Kind)}
    how = scaler or ("standard" if scale else "none")
    return Preparation(
        columns["number"], columns["flag"], columns["date"], columns["category"], how, fill=fill, encoding=encoding
    )


def kind_of(column: pd.Series[Any]) -> Kind:
    """What a column is taken for; text is always a category, whatever it spells."""
    return _kind_of_type(column.dtype) or _kind_of_content(column)


def _kind_of_type(dtype: Any) -> Kind | None:
    """The kind that a column type settles; None where only the content tells."""
    if isinstance(dtype, np.dtype):
        return _NUMPY_KINDS.get(dtype.kind)
    if isinstance(dtype, (pd.PeriodDtype, pd.DatetimeTZDtype)):
        return "date"
    if isinstance(dtype, (pd.CategoricalDtype, pd.StringDtype)):
        return "category"
    return None


def _kind_of_content(column: pd.Series[Any]) -> Kind:
    return _CONTENT_KINDS.get(pd.api.types.infer_dtype(column.dropna()), "category")


@dataclass(frozen=True, slots=True)
class _Table:
    """One table as read.

    Attributes:
        numbers: Numbers, flags and date parts, shape (n, m); NaN where missing.
        categories: For each category column codes, shape (n,), -1 where missing, and the text of each code.
    """

    numbers: Floats
    categories: list[tuple[NDArray[np.int64], pd.Index[Any]]]


@dataclass(frozen=True, slots=True)
class _Levels:
    """The levels of one category that get a column each; then "other" and "missing", where training rows had such."""

    kept: pd.Index[Any]
    has_other: bool
    has_missing: bool
    shares: Floats
    encoding: Encoding = "one_hot"

    @property
    def width(self) -> int:
        """Columns that it takes."""
        return self.n_places if self.encoding == "one_hot" else 1

    @property
    def n_places(self) -> int:
        return len(self.kept) + self.has_other + self.has_missing

    @staticmethod
    def of(codes: NDArray[np.int64], texts: pd.Index[Any], encoding: Encoding) -> _Levels:
        """The most frequent levels, the first seen of equals; what is seen once is not worth a column among many."""
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        order = np.argsort(-counts, kind="stable")
        if is_wide := len(texts) > _MAX_LEVELS:
            order = order[: _MAX_LEVELS - 1]
            order = order[counts[order] > 1]
        if encoding == "one_hot":
            order = np.sort(order)
        kept_counts = counts[order]
        n_missing = int((codes < 0).sum())
        rest = [len(codes) - n_missing - kept_counts.sum()] * is_wide + [n_missing] * (n_missing > 0)
        shares = np.append(kept_counts, rest) / max(len(codes), 1)
        return _Levels(texts[order], is_wide, n_missing > 0, shares, encoding)

    def encode(self, codes: NDArray[np.int64], texts: pd.Index[Any], out: Floats) -> None:
        """Writes into zeros of shape (n, width). A level that training did not hold is "other", or none.

        A rank counts from 1, the most frequent level; 0 is none, as is a share of 0.
        """
        place = self._places(codes, texts)
        rows = np.flatnonzero(place >= 0)
        if self.encoding == "one_hot":
            out[rows, place[rows]] = 1.0
        else:
            out[rows, 0] = place[rows] + 1.0 if self.encoding == "ordinal" else self.shares[place[rows]]

    def _places(self, codes: NDArray[np.int64], texts: pd.Index[Any]) -> NDArray[np.int64]:
        places = np.append(self.kept.get_indexer(texts), -1)
        places[:-1][places[:-1] < 0] = len(self.kept) if self.has_other else -1
        places[-1] = self.n_places - 1 if self.has_missing else -1
        return np.asarray(places[codes], dtype=np.int64)


class Preparation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers, flags, dates and categories to floats: shape (n, d) in, shape (n, d') out.

    Columns come out as: numbers and flags, the parts of each date, an indicator for each of those that had missing
    values in training, then the levels of categories. A gap is filled by a statistic of the training rows, with their
    mean in a column that had no gap there. Infinite values count as missing.

    Use `preparation` to make one. Column names of each kind are taken from the table by name.
    """

    def __init__(
        self,
        numbers: tuple[str, ...] = (),
        flags: tuple[str, ...] = (),
        dates: tuple[str, ...] = (),
        categories: tuple[str, ...] = (),
        scaler: Scaler = "none",
        fill: Fill = "median",
        encoding: Encoding = "one_hot",
    ) -> None:
        self.numbers = numbers
        self.flags = flags
        self.dates = dates
        self.categories = categories
        self.scaler = scaler
        self.fill = fill
        self.encoding = encoding

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        self._learn(self._read(X))
        return self

    def fit_transform(self, X: pd.DataFrame, y: object = None, **fit_params: Any) -> Floats:
        table = self._read(X)
        self._learn(table)
        return self._prepared(table)

    def transform(self, X: pd.DataFrame) -> Floats:
        check_is_fitted(self)
        return self._prepared(self._read(X))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        check_is_fitted(self)
        names = self._number_names()
        names += [f"{names[i]} is missing" for i in self.indicated_]
        for name, levels in zip(self.categories, self.levels_, strict=True):
            others = [f"{name} is other"] * levels.has_other + [f"{name} is missing"] * levels.has_missing
            own = [f"{name} = {level}" for level in levels.kept] + others
            names += own if levels.encoding == "one_hot" else [str(name)]
        return np.array(names, dtype=object)

    def _number_names(self) -> list[str]:
        return [*self.numbers, *self.flags, *(f"{name} ({part})" for name in self.dates for part in _DATE_PARTS)]

    def _read(self, X: pd.DataFrame) -> _Table:
        wanted = [*self.numbers, *self.flags, *self.dates, *self.categories]
        if missing := [name for name in wanted if name not in X.columns]:
            raise DataError(
                f"The table has no column {', '.join(map(repr, missing))}, which the model was trained with."
            )
        blocks = [_floats(X, [*self.numbers, *self.flags])] if self.numbers or self.flags else []
        blocks += [_date_parts(X[name]) for name in self.dates]
        # A table without any number still needs its row count.
        numbers = blocks[0] if len(blocks) == 1 else np.hstack([np.empty((len(X), 0)), *blocks])
        return _Table(_bounded(numbers), [_coded(X[name]) for name in self.categories])

    def _learn(self, table: _Table) -> None:
        numbers = table.numbers
        self.indicated_ = np.flatnonzero(np.isnan(numbers).any(axis=0))
        self.fill_ = numbers.mean(axis=0)
        self.fill_[self.indicated_] = [_statistic(numbers[:, i], self.fill) for i in self.indicated_]
        filled = self._filled(numbers)
        self.center_, self.spread_ = self._scales(filled)
        self.quantiles_ = self._quantiles(filled) if self.scaler == "quantile" and filled.shape[1] else None
        self.levels_ = [_Levels.of(codes, texts, self.encoding) for codes, texts in table.categories]

    def _scales(self, numbers: Floats) -> tuple[Floats, Floats]:
        """What is subtracted from each column and what it is divided by, shape (m,); 0 and 1 where it is left."""
        center, spread = np.zeros(numbers.shape[1]), np.ones(numbers.shape[1])
        if self.scaler not in ("none", "quantile"):
            center, spread = _center_and_spread(numbers, self.scaler)
            # Squares of numbers below 1e-160 vanish.
            spread[(numbers.max(axis=0) == numbers.min(axis=0)) | (spread == 0.0)] = 1.0
            center[self._flag_columns], spread[self._flag_columns] = 0.0, 1.0
        return center, spread

    @property
    def _flag_columns(self) -> slice:
        return slice(len(self.numbers), len(self.numbers) + len(self.flags))

    def _quantiles(self, numbers: Floats) -> QuantileTransformer:
        n_quantiles = min(1000, len(numbers))
        return QuantileTransformer(n_quantiles=n_quantiles, output_distribution="normal", random_state=0).fit(numbers)

    def _scaled(self, numbers: Floats) -> Floats:
        if self.scaler == "none" or not numbers.shape[1]:
            return numbers
        if self.quantiles_ is None:
            return np.asarray((numbers - self.center_) / self.spread_)
        scaled = np.array(self.quantiles_.transform(numbers))
        scaled[:, self._flag_columns] = numbers[:, self._flag_columns]
        return scaled

    def _filled(self, numbers: Floats) -> Floats:
        gaps = np.isnan(numbers)
        return np.where(gaps, self.fill_, numbers) if gaps.any() else numbers

    def _prepared(self, table: _Table) -> Floats:
        numbers = self._scaled(self._filled(table.numbers))
        if not len(self.indicated_) and not self.levels_:
            return numbers
        edges = np.cumsum([numbers.shape[1], len(self.indicated_), *(levels.width for levels in self.levels_)])
        out = np.zeros((len(numbers), edges[-1]), order="F")
        out[:, : edges[0]] = numbers
        out[:, edges[0] : edges[1]] = np.isnan(table.numbers[:, self.indicated_])
        for i, (levels, (codes, texts)) in enumerate(zip(self.levels_, table.categories, strict=True)):
            levels.encode(codes, texts, out[:, edges[i + 1] : edges[i + 2]])
        return out


def _floats(table: pd.DataFrame, names: list[str]) -> Floats:
    """Columns of numbers and flags, shape (n, m); NaN where missing. A view of the table where it can be."""
    chosen = table if list(table.columns) == names else table[names]
    if all(isinstance(t, np.dtype) and t.kind in "fiub" for t in chosen.dtypes):
        return np.asarray(chosen.to_numpy(dtype=np.float64))
    return np.column_stack([_float_column(chosen[name]) for name in names])


def _float_column(column: pd.Series[Any]) -> Floats:
    """One column; a timedelta in seconds; NaN where a table met later holds what is no number."""
    if pd.api.types.infer_dtype(column.dropna()) in ("timedelta", "timedelta64"):
        return np.asarray(pd.to_timedelta(column).dt.total_seconds(), dtype=np.float64)
    try:
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError):
        return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))


def _date_parts(column: pd.Series[Any]) -> Floats:
    """Year, month, day of week, hour and days since 1970, shape (n, 5), in the column's own time zone."""
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        column = pd.to_datetime(column, errors="coerce", utc=True)
    stamps = column.dt.tz_localize(None).dt.as_unit("us")  # nanoseconds end in 2262
    days = (stamps - pd.Timestamp(0).as_unit("us")).dt.total_seconds() / 86_400
    parts = (stamps.dt.year, stamps.dt.month, stamps.dt.day_of_week, stamps.dt.hour, days)
    return np.column_stack([np.asarray(part, dtype=np.float64) for part in parts])


def _coded(column: pd.Series[Any]) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    """Codes by first appearance, shape (n,), -1 where missing, and the text of each code."""
    codes, texts = pd.factorize(column.astype("str"))
    return codes, texts


def _bounded(numbers: Floats) -> Floats:
    """The numbers with infinite ones missing and monstrous ones cut, so that no model overflows."""
    if np.abs(numbers).max(initial=0.0) <= _LARGEST:  # false also where a value is missing
        return numbers
    finite = np.where(np.isinf(numbers), np.nan, numbers)
    return np.clip(finite, -_LARGEST, _LARGEST)


def _statistic(values: Floats, fill: Fill) -> float:
    """Statistic of what is there, of equally frequent values the lowest; 0 for an empty column."""
    present = values[~np.isnan(values)]
    if not len(present):
        return 0.0
    if fill == "most_frequent":
        found, counts = np.unique(present, return_counts=True)
        return float(found[np.argmax(counts)])
    return float(np.mean(present) if fill == "mean" else np.median(present))


def _center_and_spread(numbers: Floats, scaler: Scaler) -> tuple[Floats, Floats]:
    """Of each column, shape (m,): mean and deviation, lowest value and range, or median and quartile range.

    Where half of a column is one value, its quartile range is 0, and its deviation takes the place of that.
    """
    if scaler == "standard":
        return numbers.mean(axis=0), numbers.std(axis=0)
    if scaler == "min_max":
        return numbers.min(axis=0), np.ptp(numbers, axis=0)
    low, middle, high = np.quantile(numbers, (0.25, 0.5, 0.75), axis=0)
    return middle, np.where(high > low, high - low, numbers.std(axis=0))
