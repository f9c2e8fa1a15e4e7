"""The rows of Optuna's schema turned into columns, without an object for each trial."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import json_to_distribution
from optuna.trial import TrialState
from sqlalchemy import Connection, text

from hpo_core.studies.distributions import covering
from hpo_core.studies.table import Floats

FIGURES = ("train_scores", "fit_seconds", "predict_seconds", "model_bytes")

# Steps beyond are no folds: another program reported them.
_MAX_FOLDS = 1000
_REASON_LENGTH = 200
_CHUNK = 500
_STATES = {state.name: state.value for state in TrialState}

_TRIALS = """
    SELECT t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete,
        COALESCE(v.value, CASE v.value_type WHEN 'INF_POS' THEN :inf WHEN 'INF_NEG' THEN -:inf END)
    FROM trials t LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
    WHERE t.study_id = :study AND {where} ORDER BY t.trial_id
"""
_PARAMS = """
    SELECT t.trial_id, p.param_name, p.param_value FROM trials t JOIN trial_params p ON p.trial_id = t.trial_id
    WHERE t.study_id = :study AND {where}
"""
_DISTRIBUTIONS = """
    SELECT DISTINCT p.param_name, p.distribution_json FROM trials t JOIN trial_params p ON p.trial_id = t.trial_id
    WHERE t.study_id = :study AND {where}
"""
_FOLDS = """
    SELECT t.trial_id, i.step, COALESCE(i.intermediate_value,
        CASE i.intermediate_value_type WHEN 'INF_POS' THEN :inf WHEN 'INF_NEG' THEN -:inf END)
    FROM trials t JOIN trial_intermediate_values i ON i.trial_id = t.trial_id
    WHERE t.study_id = :study AND {where} AND i.step BETWEEN 0 AND :folds
"""
_ATTRIBUTES = """
    SELECT t.trial_id, a.key, a.value_json FROM trials t JOIN trial_user_attributes a ON a.trial_id = t.trial_id
    WHERE t.study_id = :study AND {where} AND a.key IN ('arm', 'figures', 'reason')
"""


class _Rows:
    """Runs queries over the same trials and hands their rows out as columns."""

    def __init__(self, connection: Connection, study_id: int, where: str) -> None:
        self._connection, self._study_id, self._where = connection, study_id, where

    def columns(self, query: str, width: int, **arguments: Any) -> Sequence[Sequence[Any]]:
        statement = text(query.format(where=self._where))
        rows = self._connection.execute(statement, {"study": self._study_id, **arguments})
        assert rows.cursor is not None
        found = rows.cursor.fetchall()
        rows.close()
        return list(zip(*found, strict=True)) if found else [()] * width


def read_columns(connection: Connection, study_id: int, where: str, is_lab: bool) -> dict[str, Any]:
    """The columns of a TrialTable for the trials that meet a condition on `t`, in the order of their ids."""
    rows = _Rows(connection, study_id, where)
    ids, numbers, states, started, completed, values = rows.columns(_TRIALS, 6, inf=float("inf"))
    trial_ids = np.array(ids, dtype=np.int64)
    columns: dict[str, Any] = {
        "ids": trial_ids,
        "numbers": np.array(numbers, dtype=np.int64),
        "states": np.array([_STATES[state] for state in states], dtype=np.int8),
        "values": np.array(values, dtype=float),
        "started": _seconds(started),
        "completed": _seconds(completed),
    }
    return columns | _param_columns(rows, trial_ids) | _lab_columns(rows, trial_ids, is_lab)


def _seconds(times: Sequence[Any]) -> Floats:
    moments = np.array(times, dtype="datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)


def _param_columns(rows: _Rows, ids: NDArray[np.int64]) -> dict[str, Any]:
    distributions: dict[str, Any] = {}
    for name, described in zip(*rows.columns(_DISTRIBUTIONS, 2), strict=True):
        distribution = json_to_distribution(described)
        known = distributions.get(name)
        distributions[name] = covering(known, distribution) if known else distribution
    matrix = np.full((len(distributions), len(ids)), np.nan)
    trial_ids, names, values = rows.columns(_PARAMS, 3)
    codes = {name: code for code, name in enumerate(distributions)}
    places, known_rows = _places(ids, trial_ids)
    column_of = np.fromiter(map(codes.__getitem__, names), dtype=np.int64, count=len(names))
    matrix[column_of[known_rows], places] = np.array(values, dtype=float)[known_rows]
    return {"params": dict(zip(distributions, matrix, strict=True)), "distributions": distributions}


def _places(ids: NDArray[np.int64], trial_ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The row of each trial id, and which of them have one: a trial may have come since its study was looked at."""
    wanted = np.array(trial_ids, dtype=np.int64)
    places = np.searchsorted(ids, wanted)
    if not len(ids):
        return places[:0], np.zeros(len(wanted), dtype=bool)
    is_known = ids[np.minimum(places, len(ids) - 1)] == wanted
    return places[is_known], is_known


def _lab_columns(rows: _Rows, ids: NDArray[np.int64], is_lab: bool) -> dict[str, Any]:
    n = len(ids)
    if not is_lab:
        empty = {name: np.empty((n, 0)) for name in ("fold_scores", *FIGURES)}
        return {**empty, "arms": np.full(n, ""), "reasons": np.full(n, "")}
    trial_ids, keys, texts = rows.columns(_ATTRIBUTES, 3)
    attributes: dict[str, dict[int, str]] = {"arm": {}, "figures": {}, "reason": {}}
    for trial_id, key, value in zip(trial_ids, keys, texts, strict=True):
        attributes[key][trial_id] = value
    columns: dict[str, Any] = {"fold_scores": _fold_scores(rows, ids)}
    columns |= _figures([attributes["figures"].get(i, "{}") for i in ids.tolist()])
    for name, column in (("arm", "arms"), ("reason", "reasons")):
        columns[column] = _texts([attributes[name].get(i, "") for i in ids.tolist()])
    return columns


def _fold_scores(rows: _Rows, ids: NDArray[np.int64]) -> Floats:
    trial_ids, steps, scores = rows.columns(_FOLDS, 3, inf=float("inf"), folds=_MAX_FOLDS)
    folds = np.array(steps, dtype=np.int64)
    matrix = np.full((len(ids), int(folds.max(initial=-1)) + 1), np.nan)
    places, is_known = _places(ids, trial_ids)
    matrix[places, folds[is_known]] = np.array(scores, dtype=float)[is_known]
    return matrix


def _figures(texts: Sequence[str]) -> dict[str, Floats]:
    """The secondary figures by fold, each of shape (n, k)."""
    parts: dict[str, list[Floats]] = {name: [] for name in FIGURES}
    # In pieces, because the garbage collector slows down with every list that is alive.
    for start in range(0, len(texts), _CHUNK):
        figures = json.loads(f"[{','.join(texts[start : start + _CHUNK])}]")
        for name in FIGURES:
            parts[name].append(_matrix([row.get(name, ()) for row in figures]))
    return {name: _stack(pieces) for name, pieces in parts.items()}


def _matrix(rows: Sequence[Sequence[float | None]]) -> Floats:
    width = max(map(len, rows), default=0)
    if any(len(row) != width for row in rows):
        rows = [[*row, *[None] * (width - len(row))] for row in rows]
    return np.array(rows, dtype=float).reshape(len(rows), width)


def _stack(pieces: Sequence[Floats]) -> Floats:
    width = max((piece.shape[1] for piece in pieces), default=0)
    matrix = np.full((sum(map(len, pieces)), width), np.nan)
    start = 0
    for piece in pieces:
        matrix[start : start + len(piece), : piece.shape[1]] = piece
        start += len(piece)
    return matrix


def _texts(described: Sequence[str]) -> NDArray[np.str_]:
    decoded = {text: _text(text) for text in set(described)}
    return np.array([decoded[text] for text in described], dtype=np.str_)


def _text(described: str) -> str:
    value = json.loads(described) if described else ""
    return value[:_REASON_LENGTH] if isinstance(value, str) else ""
