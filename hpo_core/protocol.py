"""Validation protocols: how rows become a locked test split and the folds that every configuration is scored on."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from hpo_core.datasets import Dataset
from hpo_core.errors import UsageError

Kind = Literal["kfold", "holdout", "grouped", "time"]
Rows = NDArray[np.int64]
_REDRAW = 100_003  # what the seed of other folds is further on: more than anybody repeats
_OUTER = 50_021  # what the seed of outer folds is further on


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Row positions in the data set. No row of `test` is in any fold.

    Attributes:
        test: The locked rows.
        folds: Training and validation rows of each fold.
        notes: Sentences about what is odd in the folds.
    """

    test: Rows
    folds: tuple[tuple[Rows, Rows], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How a configuration is scored. The test split is cut off first; the rest is divided into folds.

    Attributes:
        kind: `kfold` and `holdout` keep class shares in classification; `grouped` keeps each group of `column` in
            one fold; `time` orders rows by `column` (or as they stand) and always validates on later rows than it
            trains on.
        folds: Folds of one repeat; not used by `holdout`.
        repeats: How often the division is drawn anew; 1 for `grouped` and `time`.
        valid_fraction: Share of the development rows that `holdout` validates on.
        test_fraction: Share of all rows that is locked away; 0 locks none.
        column: The column of groups or of times; it is not a feature then.
        seed: Of the divisions and of the models.
        redraw: Another number divides the same rows into other folds, with the same rows locked away.
        is_opened: Whether the lock is open: one fold that trains on all other rows and validates on the locked ones.
            With outer folds the locked rows stay locked, and it is the outer fold that is opened.
        outer_folds: Into how many outer folds the rows that are not locked are divided first, of a nested
            cross-validation; 0 for none.
        outer_fold: Which of them, from 0, is kept out of all folds.
    """

    kind: Kind = "kfold"
    folds: int = 5
    repeats: int = 1
    valid_fraction: float = 0.25
    test_fraction: float = 0.2
    column: str | None = None
    seed: int = 0
    redraw: int = 0
    is_opened: bool = False
    outer_folds: int = 0
    outer_fold: int = 0

    def __post_init__(self) -> None:
        faults = [text for is_wrong, text in self._faults() if is_wrong]
        if faults:
            raise UsageError(" ".join(faults))

    def _faults(self) -> list[tuple[bool, str]]:
        return [
            (self.kind not in get_args(Kind), f"A protocol is one of {', '.join(get_args(Kind))}; got {self.kind!r}."),
            (not 2 <= self.folds <= 50, f"Folds must be a whole number from 2 to 50; got {self.folds}."),
            (not 1 <= self.repeats <= 50, f"Repeats must be a whole number from 1 to 50; got {self.repeats}."),
            (not 0 <= self.test_fraction <= 0.5, f"The test share must lie from 0 to 0.5; got {self.test_fraction}."),
            (
                not 0.05 <= self.valid_fraction <= 0.5,
                f"The validation share must lie from 0.05 to 0.5; got {self.valid_fraction}.",
            ),
            (self.kind == "grouped" and not self.column, "Grouped folds need the column that names the groups."),
            (
                self.outer_folds != 0 and not 2 <= self.outer_folds <= 20,
                f"Outer folds must be a whole number from 2 to 20; got {self.outer_folds}.",
            ),
            (
                not 0 <= self.outer_fold < max(1, self.outer_folds),
                f"There are {self.outer_folds} outer folds, counted from 0; got {self.outer_fold}.",
            ),
            (
                self.is_opened and not self.test_fraction and not self.outer_folds,
                "No rows are locked away, so there are none to open.",
            ),
            (
                self.repeats > 1 and self.kind in ("grouped", "time"),
                f"A {self.kind} protocol has one division only; set repeats to 1.",
            ),
        ]

    @property
    def n_folds(self) -> int:
        if self.is_opened:
            return 1
        return self.repeats if self.kind == "holdout" else self.folds * self.repeats

    @property
    def title(self) -> str:
        name = {"kfold": f"{self.folds}-fold", "grouped": f"{self.folds}-fold by {self.column}"}.get(self.kind)
        name = name or ("holdout" if self.kind == "holdout" else f"{self.folds} folds in time order")
        name = f"{name} × {self.repeats}" if self.repeats > 1 else name
        return f"{name}, outer fold {self.outer_fold + 1} of {self.outer_folds}" if self.outer_folds else name

    def to_json(self) -> dict[str, Any]:
        row = dataclasses.asdict(self)
        # Only where they are set, so that studies from before there were any still are about the same problem.
        later = ("redraw", "is_opened", "outer_folds", "outer_fold")
        return {name: value for name, value in row.items() if value or name not in later}

    def redrawn(self, redraw: int) -> Protocol:
        """The same protocol on fresh folds of the same rows: one draw of them, another one for each number from 1 on.

        Raises:
            UsageError: Folds in time order are what they are.
        """
        if self.kind == "time":
            raise UsageError("Folds in time order cannot be drawn anew: there is one past and one future.")
        return dataclasses.replace(self, repeats=1, redraw=redraw)

    def nested(self, outer_folds: int) -> tuple[Protocol, ...]:
        """The same protocol within all but one of so many outer folds, for each of them in turn.

        Raises:
            UsageError: There are fewer than 2 or more than 20.
        """
        if not outer_folds:
            raise UsageError("Outer folds must be a whole number from 2 to 20; got 0.")
        return tuple(dataclasses.replace(self, outer_folds=outer_folds, outer_fold=fold) for fold in range(outer_folds))

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Protocol:
        return Protocol(**row)

    def opened(self) -> Protocol:
        """The same protocol with its lock open.

        Raises:
            UsageError: No rows are locked away.
        """
        return dataclasses.replace(self, is_opened=True)

    def split(self, data: Dataset) -> Split:
        """Divides the rows of a data set; the same data and protocol give the same split.

        Raises:
            UsageError: There are too few rows, groups or rows of a class for this protocol.
        """
        side = self._column_values(data)
        order = np.argsort(side, kind="stable") if self.kind == "time" and side is not None else np.arange(data.n_rows)
        development, test = self._cut(data, order, side)
        scored = test
        if self.outer_folds:
            development, scored = self._outer(data, development, side)
        self._check_size(development, side)
        if self.is_opened:
            return Split(test=test, folds=((development, scored),))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds: said in the notes
            folds = tuple(self._folds(data, development, side))
        return Split(test=test, folds=folds, notes=self._notes(data, development))

    def thinned(self, data: Dataset, train: Rows, fold: int, n_rows: int) -> Rows:
        """So many of the training rows of a fold, for a learning curve: fewer ones are always among more.

        Class shares are kept in classification. Grouped rows come group by group, and of rows in order of time the
        latest are kept.
        """
        if self.kind == "time":
            return train[-n_rows:]
        rng, side = np.random.default_rng([self.seed, fold]), self._column_values(data)
        if self.kind == "grouped" and side is not None:
            return np.sort(train[np.argsort(rng.permutation(side.max() + 1)[side[train]], kind="stable")[:n_rows]])
        classes = data.target[train] if data.task == "classification" else np.zeros(len(train))
        shuffled = rng.permutation(len(train))
        # Each class spreads evenly over places from 0 to 1, so that any first part holds all in their shares.
        place = np.empty(len(train))
        for one in np.unique(classes):
            own = shuffled[classes[shuffled] == one]
            place[own] = (np.arange(len(own)) + 0.5) / len(own)
        return np.sort(train[np.argsort(place, kind="stable")[:n_rows]])

    def _outer(self, data: Dataset, rows: Rows, side: NDArray[Any] | None) -> tuple[Rows, Rows]:
        """The rows that one outer fold leaves, in their order, and its own; `rows` are those that are not locked.

        Outer folds are drawn as those of the protocol are: by class, by group, or later rows after earlier ones.
        """
        n, seed = self.outer_folds, self.seed + _OUTER
        plain = StratifiedKFold if data.task == "classification" else KFold
        splitter: Any = plain(n, shuffle=True, random_state=seed)
        if self.kind == "grouped":
            splitter = GroupKFold(n, shuffle=True, random_state=seed)
        elif self.kind == "time":
            splitter = TimeSeriesSplit(n)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a class with fewer rows than folds
                pairs = list(splitter.split(rows, data.target[rows], None if side is None else side[rows]))
        except ValueError as fault:
            raise UsageError(f"These rows cannot be divided into {n} outer folds: {fault}") from fault
        kept, left = pairs[self.outer_fold]
        return rows[kept], rows[left]

    def _column_values(self, data: Dataset) -> NDArray[Any] | None:
        if self.column is None:
            return None
        if self.column not in data.features.columns:
            raise UsageError(f"There is no column {self.column!r} for the {self.kind} protocol.")
        return np.asarray(pd.factorize(data.features[self.column], sort=True)[0])

    def _cut(self, data: Dataset, order: Rows, side: NDArray[Any] | None) -> tuple[Rows, Rows]:
        n_test = round(self.test_fraction * data.n_rows)
        if n_test == 0:
            return order, np.empty(0, dtype=np.int64)
        if self.kind == "time":
            return order[:-n_test], order[-n_test:]
        splitter = self._shuffler(data, self.test_fraction, 1, self.seed)
        return self._first(splitter, data, order, side)

    @property
    def _fold_seed(self) -> int:
        return self.seed + _REDRAW * self.redraw

    def _shuffler(self, data: Dataset, share: float, n_splits: int, seed: int) -> Any:
        if self.kind == "grouped":
            return GroupShuffleSplit(n_splits, test_size=share, random_state=seed)
        kind = StratifiedShuffleSplit if data.task == "classification" else ShuffleSplit
        return kind(n_splits, test_size=share, random_state=seed)

    def _first(self, splitter: Any, data: Dataset, rows: Rows, side: NDArray[Any] | None) -> tuple[Rows, Rows]:
        groups = None if side is None else side[rows]
        try:
            kept, cut = next(splitter.split(rows, data.target[rows], groups))
        except ValueError as fault:
            raise UsageError(
                f"A test split of {self.test_fraction:.0%} cannot be cut off these data: {fault} "
                "Choose another share, or bring more rows."
            ) from fault
        return np.sort(rows[kept]), np.sort(rows[cut])

    def _check_size(self, rows: Rows, side: NDArray[Any] | None) -> None:
        is_grouped = self.kind == "grouped" and side is not None
        what, n = ("groups", len(np.unique(side[rows]))) if is_grouped else ("rows", len(rows))  # type: ignore[index]
        needed = 2 if self.kind == "holdout" else self.folds + (self.kind == "time")
        if n < needed:
            raise UsageError(
                f"Outside the test split there are {n} {what} to divide, too few for {self.folds} folds. "
                f"Choose fewer folds or bring more {what}."
            )

    def _folds(self, data: Dataset, rows: Rows, side: NDArray[Any] | None) -> list[tuple[Rows, Rows]]:
        target = data.target[rows]
        try:
            return [
                (rows[train], rows[valid])
                for splitter in self._splitters(data)
                for train, valid in splitter.split(rows, target, None if side is None else side[rows])
            ]
        except ValueError as fault:
            raise UsageError(f"These rows cannot be divided by {self.title}: {fault}") from fault

    def _splitters(self, data: Dataset) -> list[Any]:
        if self.kind == "holdout":
            return [self._shuffler(data, self.valid_fraction, self.repeats, self._fold_seed)]
        if self.kind == "grouped":
            fresh = {"shuffle": True, "random_state": self._fold_seed} if self.redraw else {}
            return [GroupKFold(self.folds, **fresh)]
        if self.kind == "time":
            return [TimeSeriesSplit(self.folds)]
        kind = StratifiedKFold if data.task == "classification" else KFold
        return [kind(self.folds, shuffle=True, random_state=self._fold_seed + r) for r in range(self.repeats)]

    def _notes(self, data: Dataset, rows: Rows) -> tuple[str, ...]:
        if data.task == "regression" or self.kind != "kfold":
            return ()
        counts = np.bincount(data.target[rows].astype(int), minlength=data.n_classes)
        return tuple(
            f"Class {label} has {count} rows outside the test split, fewer than {self.folds} folds: some folds lack it."
            for label, count in zip(data.classes, counts, strict=True)
            if count < self.folds
        )
