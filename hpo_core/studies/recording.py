"""Finished trials as rows of Optuna's schema, as few and as plain as Optuna needs to read them back equal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import distribution_to_json
from sqlalchemy import Connection, Table, bindparam, insert, select

from hpo_core.space import Categorical, SearchSpace
from hpo_core.studies import tables
from hpo_core.studies.trial import FinishedTrial

Row = dict[str, Any]
# More would only be slower to read: seconds to a microsecond, scores to 12 digits.
_SECONDS_DIGITS = 6
_SCORE_FORMAT = ".12g"

_LAST_NUMBER = (
    select(tables.trials.c.number)
    .where(tables.trials.c.study_id == bindparam("study"))
    .order_by(tables.trials.c.trial_id.desc())
    .limit(1)
)
_INSERT_TRIALS = insert(tables.trials).returning(tables.trials.c.trial_id, tables.trials.c.number)
_INSERT = {table: insert(table) for table in tables.TRIAL_CHILDREN}


class TrialWriter:
    """Writes trials of one search space; `second` is the figure of their fits that is their second objective, or ""."""

    def __init__(self, space: SearchSpace, second: str = "") -> None:
        self._second = second
        self._parameters = {p.name: p for p in space.parameters}
        self._distributions = {p.name: distribution_to_json(p.distribution()) for p in space.parameters}

    def write(self, connection: Connection, study_id: int, trials: Sequence[FinishedTrial]) -> list[int]:
        """Inserts trials into a study that is locked; returns their numbers."""
        first = _next_number(connection, study_id)
        rows = [_trial_row(trial, study_id, first + i) for i, trial in enumerate(trials)]
        written = connection.execute(_INSERT_TRIALS, rows).all()
        ids = {number: trial_id for trial_id, number in written}
        pairs = [(ids[first + i], trial) for i, trial in enumerate(trials)]
        _insert(connection, tables.values, [row for i, t in pairs for row in self._value_rows(i, t)])
        _insert(connection, tables.params, [row for i, t in pairs for row in self._param_rows(i, t)])
        _insert(connection, tables.intermediate_values, [row for i, t in pairs for row in _fold_rows(i, t)])
        _insert(connection, tables.trial_attributes, [row for i, t in pairs for row in _attribute_rows(i, t)])
        return [row["number"] for row in rows]

    def _value_rows(self, trial_id: int, trial: FinishedTrial) -> Iterator[Row]:
        if trial.value is None:
            return
        yield _value_row(trial_id, 0, trial.value)
        if self._second:
            yield _value_row(trial_id, 1, trial.mean_of(self._second))

    def _param_rows(self, trial_id: int, trial: FinishedTrial) -> Iterator[Row]:
        for name, value in trial.configuration.items():
            parameter = self._parameters[name]
            number = parameter.index(value) if isinstance(parameter, Categorical) else value
            yield {
                "trial_id": trial_id,
                "param_name": name,
                "param_value": float(number),
                "distribution_json": self._distributions[name],
            }


def numbers_of_recorded(connection: Connection, study_id: int, trials: Sequence[FinishedTrial]) -> list[int | None]:
    """The numbers of those trials that are in the study already, told by when they began and ended."""
    columns = tables.trials.c
    query = select(columns.number, columns.datetime_start, columns.datetime_complete).where(
        columns.study_id == study_id, columns.datetime_start.in_([utc_time(t.started) for t in trials])
    )
    known = {(row.datetime_start, row.datetime_complete): row.number for row in connection.execute(query)}
    return [known.get((utc_time(t.started), utc_time(t.completed))) for t in trials]


def utc_time(seconds: float) -> datetime:
    """Seconds since the epoch as Optuna stores a time: UTC, without saying so."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _next_number(connection: Connection, study_id: int) -> int:
    last = connection.execute(_LAST_NUMBER, {"study": study_id}).scalar()
    return 0 if last is None else int(last) + 1


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    if rows:
        connection.execute(_INSERT[table], rows)


def _trial_row(trial: FinishedTrial, study_id: int, number: int) -> Row:
    return {
        "number": number,
        "study_id": study_id,
        "state": trial.state,
        "datetime_start": utc_time(trial.started),
        "datetime_complete": utc_time(trial.completed),
    }


def _value_row(trial_id: int, objective: int, value: float) -> Row:
    stored, kind = _stored(value)
    return {"trial_id": trial_id, "objective": objective, "value": stored, "value_type": kind}


def _fold_rows(trial_id: int, trial: FinishedTrial) -> Iterator[Row]:
    for fold, score in enumerate(trial.fold_scores):
        if not math.isnan(score):
            stored, kind = _stored(score)
            yield {
                "trial_id": trial_id,
                "step": fold,
                "intermediate_value": stored,
                "intermediate_value_type": kind,
            }


def _stored(value: float) -> tuple[float | None, str]:
    if math.isinf(value):
        return None, "INF_POS" if value > 0 else "INF_NEG"
    return float(value), "FINITE"


def _attribute_rows(trial_id: int, trial: FinishedTrial) -> Iterator[Row]:
    attributes: Row = {"arm": trial.arm}
    if figures := _figures(trial):
        attributes["figures"] = figures
    if trial.reason:
        attributes["reason"] = trial.reason
    if trial.thought:
        attributes["thought"] = dict(trial.thought)
    for key, value in {**attributes, **trial.attributes}.items():
        yield {"trial_id": trial_id, "key": key, "value_json": json.dumps(value, default=_plain)}


def _figures(trial: FinishedTrial) -> Row:
    """The secondary figures by fold: null where not done, left out where no fold has one."""
    columns: Mapping[str, list[float | None]] = {
        "train_scores": [_finite(x) for x in trial.train_scores],
        "fit_seconds": [_finite(x, _SECONDS_DIGITS) for x in trial.fit_seconds],
        "predict_seconds": [_finite(x, _SECONDS_DIGITS) for x in trial.predict_seconds],
        "model_bytes": [_finite(x, 0) for x in trial.model_bytes],
    }
    return {name: column for name, column in columns.items() if any(x is not None for x in column)}


def _finite(value: float, digits: int | None = None) -> float | None:
    if not math.isfinite(value):
        return None
    if digits is None:
        return float(format(value, _SCORE_FORMAT))
    return int(value) if digits == 0 else round(float(value), digits)


def _plain(number: Any) -> Any:
    return number.item()
