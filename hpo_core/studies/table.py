"""The trial table: the trials of one study in columns, frozen. All analysis and all plots see only this."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import TrialState

from hpo_core.studies.notes import Note
from hpo_core.studies.run import Event

Floats = NDArray[np.float64]
Direction = Literal["minimize", "maximize"]
_FINISHED = [state.value for state in TrialState if state.is_finished()]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialTable:
    """n trials in the order of their numbers. Arrays are read-only.

    Attributes:
        study: Name of the study.
        direction: Whether lower or higher values are better.
        revision: Changes whenever any column changes; part of every cache key.
        ids: Database ids, int64, shape (n,).
        numbers: Optuna's trial numbers, int64, shape (n,).
        states: `optuna.trial.TrialState` values, int8, shape (n,).
        values: Value of each trial, shape (n,); NaN where it has none. A pruned trial may hold an estimate.
        started, completed: Seconds since the epoch, shape (n,); NaN where unknown.
        arms: Who made each trial: "manual", "default", a method's key; "" for trials of other programs. Shape (n,).
        params: By parameter, Optuna's internal number (the index of a category), shape (n,); NaN where inactive.
        distributions: By parameter.
        fold_scores: Score of each fold, shape (n, k); NaN where a fold was not done.
        train_scores: Score on the training rows, shape (n, k).
        fit_seconds, predict_seconds: Seconds of each fit, shape (n, k).
        model_bytes: Size of each fitted model, shape (n, k).
        reasons: Why a trial failed, else "". Shape (n,).
        thoughts: JSON text of what each trial's method recorded when it proposed it, else "". Objects, shape (n,).
        hidden: Numbers of the trials that a person left out of every view and of "the best".
        events: What was done to the study's runs, oldest first.
        notes: What people wrote on the study and on its trials, oldest first.
        arm_order: Arms of the table that this one is a part of, in the order of their first trials.
        overlap: Validation rows over training rows of a fold; None where nobody has said it.
    """

    study: str
    direction: Direction
    revision: str
    ids: NDArray[np.int64]
    numbers: NDArray[np.int64]
    states: NDArray[np.int8]
    values: Floats
    started: Floats
    completed: Floats
    arms: NDArray[np.str_]
    params: dict[str, Floats]
    distributions: dict[str, BaseDistribution]
    fold_scores: Floats
    train_scores: Floats
    fit_seconds: Floats
    predict_seconds: Floats
    model_bytes: Floats
    reasons: NDArray[np.str_]
    thoughts: NDArray[np.object_]
    hidden: frozenset[int] = frozenset()
    events: tuple[Event, ...] = ()
    notes: tuple[Note, ...] = ()
    arm_order: tuple[str, ...] = ()
    overlap: float | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def sign(self) -> float:
        """+1 where lower is better, -1 where higher is better: `sign * values` is always to be minimised."""
        return 1.0 if self.direction == "minimize" else -1.0

    @property
    def arm_names(self) -> tuple[str, ...]:
        """All arms in the order of their first trials, those that a part of the table leaves out included."""
        return tuple(dict.fromkeys((*self.arm_order, *self.arms.tolist())))

    @property
    def is_hidden(self) -> NDArray[np.bool_]:
        """Trials that a person left out, shape (n,). They are neither complete, nor pruned, nor failed below."""
        return np.isin(self.numbers, list(self.hidden))

    @property
    def is_complete(self) -> NDArray[np.bool_]:
        """Trials that finished with a value, shape (n,)."""
        return self._is_shown(TrialState.COMPLETE) & ~np.isnan(self.values)

    @property
    def is_pruned(self) -> NDArray[np.bool_]:
        return self._is_shown(TrialState.PRUNED)

    @property
    def is_failed(self) -> NDArray[np.bool_]:
        return self._is_shown(TrialState.FAIL)

    @property
    def is_estimated(self) -> NDArray[np.bool_]:
        """Trials that were given up after some of their folds and have an estimate of their value, shape (n,).

        A trial that was cut short in epochs or rows has all folds, and its value is no estimate of a whole one.
        """
        done = np.isfinite(self.fold_scores).sum(axis=1)
        is_part: NDArray[np.bool_] = (done > 0) & (done < self.fold_scores.shape[1])
        return self.is_pruned & np.isfinite(self.values) & is_part

    @property
    def is_learnable(self) -> NDArray[np.bool_]:
        """Trials that a model of the values can learn from: finite values and estimates, shape (n,)."""
        return (self.is_complete & np.isfinite(self.values)) | self.is_estimated

    @property
    def is_finished(self) -> NDArray[np.bool_]:
        """Trials that no longer change, hidden ones included, shape (n,)."""
        return np.isin(self.states, _FINISHED)

    @property
    def noise(self) -> Floats:
        """Standard deviation of each trial's fold scores (n - 1), shape (n,); NaN with fewer than two folds."""
        done = np.isfinite(self.fold_scores)
        count = done.sum(axis=1)
        total = np.where(done, self.fold_scores, 0.0).sum(axis=1)
        mean = total / np.maximum(count, 1)
        squares = np.where(done, (self.fold_scores - mean[:, None]) ** 2, 0.0).sum(axis=1)
        return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)

    def mean_of(self, figure: str) -> Floats:
        """Mean over the folds of a figure of the fits, such as fit_seconds, shape (n,); NaN without any."""
        by_fold: Floats = getattr(self, figure)
        done = np.isfinite(by_fold)
        count = done.sum(axis=1)
        return np.where(count > 0, np.where(done, by_fold, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)

    def best(self, arm: str | None = None) -> int | None:
        """Row of the best complete trial, of one arm or of all; the earliest of equals; None without any."""
        usable = self.is_complete if arm is None else self.is_complete & (self.arms == arm)
        if not usable.any():
            return None
        return int(np.argmin(np.where(usable, self.sign * self.values, np.inf)))

    def best_so_far(self, rows: NDArray[np.int64] | None = None) -> Floats:
        """Best value up to and including each of the rows (all by default), in order; NaN before the first value."""
        chosen = np.arange(len(self)) if rows is None else rows
        signed = np.where(self.is_complete[chosen], self.sign * self.values[chosen], np.inf)
        running = np.minimum.accumulate(signed) if len(signed) else signed
        return np.where(np.isfinite(running), self.sign * running, np.nan)

    def configuration(self, row: int) -> dict[str, Any]:
        """The parameters of one trial as values of their own types; inactive ones are left out."""
        return {
            name: self.distributions[name].to_external_repr(float(column[row]))
            for name, column in self.params.items()
            if not np.isnan(column[row])
        }

    def thought(self, row: int) -> dict[str, Any]:
        """What the method recorded when it proposed a trial; empty where it recorded nothing."""
        return parsed_thought(self.thoughts[row])

    def rows_of(self, configuration: Mapping[str, Any]) -> NDArray[np.int64]:
        """Rows of the trials that tried exactly this configuration, whose values the distributions must allow."""
        is_same = np.full(len(self), configuration.keys() <= self.params.keys())
        for name, column in self.params.items():
            if name in configuration:
                is_same &= column == self.distributions[name].to_internal_repr(configuration[name])
            else:
                is_same &= np.isnan(column)
        return np.flatnonzero(is_same)

    def column(self, name: str) -> NDArray[Any]:
        """A parameter as a person reads it: numbers, or category labels as text ("" where inactive), shape (n,)."""
        distribution, internal = self.distributions[name], self.params[name]
        if isinstance(distribution, CategoricalDistribution):
            labels = np.array([*map(str, distribution.choices), ""])
            return np.take(labels, np.where(np.isnan(internal), len(labels) - 1, internal).astype(int))
        return internal

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> TrialTable:
        """A table of some of the trials, by mask or by rows in order; its revision names which."""
        digest = hashlib.blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=6).hexdigest()
        chosen: dict[str, Any] = {name: column[rows] for name, column in self.arrays().items()}
        params = {name: column[rows] for name, column in self.params.items()}
        revision = f"{self.revision}/{digest}"
        return replace(self, **chosen, params=params, revision=revision, arm_order=self.arm_names)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns that every study has, by the name of their attribute."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if isinstance(value, np.ndarray)}

    def _is_shown(self, state: TrialState) -> NDArray[np.bool_]:
        is_state = np.equal(self.states, state.value)
        return is_state & ~self.is_hidden if self.hidden else is_state

    def is_log(self, name: str) -> bool:
        return bool(getattr(self.distributions[name], "log", False))

    def is_integer(self, name: str) -> bool:
        return isinstance(self.distributions[name], IntDistribution)


def parsed_thought(text: str) -> dict[str, Any]:
    """What a method recorded, from its JSON text; empty where it recorded nothing that can be read."""
    try:
        found = orjson.loads(text or "{}")
    except ValueError:  # it knows no NaN and no infinity
        found = _found_by_the_library(text)
    return found if isinstance(found, dict) else {}


def _found_by_the_library(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
