"""The rows of Optuna's schema turned into columns, without an object for each trial."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.trial import TrialState
from sqlalchemy import Connection, text

from hpo_core.studies.distributions import joined_distributions
from hpo_core.studies.table import Floats

FIGURES = ("train_scores", "fit_seconds", "predict_seconds", "model_bytes")
_ALL_FIGURES = itemgetter(*FIGURES)

# Steps beyond are no folds: another program reported them.
_MAX_FOLDS = 1000
_REASON_LENGTH = 200

# In small pieces, because Python's garbage collector walks over all rows that are alive at once.
_PIECE = 200
_PARAMS_AT_ONCE = 40
_STATES = {state.name: state.value for state in TrialState}

_TRIALS = """
    SELECT t.trial_id, t.number, t.state, t.datetime_start, t.datetime_complete,
        COALESCE(v.value, CASE v.value_type WHEN 'INF_POS' THEN :inf WHEN 'INF_NEG' THEN -:inf END), {attributes}
    FROM trials t LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = {objective}
    WHERE t.study_id = :study AND {where} ORDER BY t.trial_id
"""
_ATTRIBUTE = "(SELECT a.value_json FROM trial_user_attributes a WHERE a.trial_id = t.trial_id AND a.key = '{key}')"
_PARAMS = """
    SELECT t.trial_id, {params} FROM trials t WHERE t.study_id = :study AND {where}
"""
_PARAM = "(SELECT p.param_value FROM trial_params p WHERE p.trial_id = t.trial_id AND p.param_name = :name_{place})"
_DISTRIBUTIONS = """
    SELECT p.param_name, p.distribution_json FROM trials t JOIN trial_params p ON p.trial_id = t.trial_id
    WHERE t.study_id = :study AND {where} GROUP BY p.param_name, p.distribution_json ORDER BY MIN(p.param_id)
"""
_FOLDS = """
    SELECT t.trial_id, i.step, COALESCE(i.intermediate_value,
        CASE i.intermediate_value_type WHEN 'INF_POS' THEN :inf WHEN 'INF_NEG' THEN -:inf END)
    FROM trials t JOIN trial_intermediate_values i ON i.trial_id = t.trial_id
    WHERE t.study_id = :study AND {where} AND i.step BETWEEN 0 AND :folds
"""
_ATTRIBUTES = ("arm", "reason", "thought", "figures")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which trials to read: those of a study that meet a condition on `t`, the table of trials.

    Attributes:
        objective: Whose values are read.
        is_lab: Whether the lab made the study: other programs' attributes and reports mean something else.
        distributions: Of the study's search space, which all trials of the lab's arms are drawn from.
    """

    study_id: int
    where: str
    objective: int
    is_lab: bool
    distributions: Mapping[str, BaseDistribution]


def read_columns(connection: Connection, selection: Selection) -> dict[str, Any]:
    """The columns of a TrialTable, in the order of the trials' ids."""
    rows = _Rows(connection, selection)
    columns = _trial_columns(rows, selection.objective, selection.is_lab)
    ids = columns["ids"]
    columns["fold_scores"] = _fold_scores(rows, ids) if selection.is_lab else np.empty((len(ids), 0))
    is_drawn_from_space = selection.is_lab and bool(np.all(columns["arms"] != ""))
    found = {} if is_drawn_from_space else _distributions(rows)
    return columns | _param_columns(rows, ids, joined_distributions(selection.distributions, found))


class _Rows:
    """Runs queries over the same trials."""

    def __init__(self, connection: Connection, selection: Selection) -> None:
        self._connection, self._study_id, self._where = connection, selection.study_id, selection.where

    def pieces(self, query: str, **arguments: Any) -> Iterator[tuple[tuple[Any, ...], ...]]:
        """The columns of the rows found, a few rows at a time."""
        statement = text(query.replace("{where}", self._where))
        result = self._connection.execute(statement, {"study": self._study_id, **arguments})
        cursor = result.cursor
        assert cursor is not None
        while rows := cursor.fetchmany(_PIECE):
            yield tuple(zip(*rows, strict=True))
        result.close()


def _trial_columns(rows: _Rows, objective: int, is_lab: bool) -> dict[str, Any]:
    attributes = [_ATTRIBUTE.format(key=key) if is_lab else "NULL" for key in _ATTRIBUTES]
    query = _TRIALS.replace("{attributes}", ", ".join(attributes)).replace("{objective}", str(objective))
    pieces = [_piece(*columns) for columns in rows.pieces(query, inf=float("inf"))] or [_piece(*[()] * 10)]
    return {name: stacked([piece[name] for piece in pieces]) for name in pieces[0]}


def _piece(
    ids: Sequence[int],
    numbers: Sequence[int],
    states: Sequence[str],
    started: Sequence[Any],
    completed: Sequence[Any],
    values: Sequence[float | None],
    arms: Sequence[str | None],
    reasons: Sequence[str | None],
    thoughts: Sequence[str | None],
    figures: Sequence[str | None],
) -> dict[str, NDArray[Any]]:
    return {
        "ids": np.array(ids, dtype=np.int64),
        "numbers": np.array(numbers, dtype=np.int64),
        "states": np.array([_STATES[state] for state in states], dtype=np.int8),
        "values": np.array(values, dtype=float),
        "started": _seconds(started),
        "completed": _seconds(completed),
        "arms": _texts(arms),
        "reasons": _texts(reasons),
        "thoughts": np.array([text or "" for text in thoughts], dtype=object),
        **_figures(figures),
    }


def _seconds(times: Sequence[Any]) -> Floats:
    moments = np.array(times, dtype="datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)


def _param_columns(
    rows: _Rows, ids: NDArray[np.int64], distributions: Mapping[str, BaseDistribution]
) -> dict[str, Any]:
    names = list(distributions)
    matrix = np.full((len(names), len(ids)), np.nan)
    for first in range(0, len(names), _PARAMS_AT_ONCE):
        chosen = names[first : first + _PARAMS_AT_ONCE]
        query = _PARAMS.replace("{params}", ", ".join(_PARAM.format(place=i) for i in range(len(chosen))))
        for trial_ids, *columns in rows.pieces(query, **{f"name_{i}": name for i, name in enumerate(chosen)}):
            places, is_known = _places(ids, trial_ids)
            matrix[first : first + len(chosen), places] = np.array(columns, dtype=float)[:, is_known]
    return {"params": dict(zip(names, matrix, strict=True)), "distributions": dict(distributions)}


def _distributions(rows: _Rows) -> dict[str, BaseDistribution]:
    distributions: dict[str, BaseDistribution] = {}
    for names, described in rows.pieces(_DISTRIBUTIONS):
        for name, text_ in zip(names, described, strict=True):
            distributions = joined_distributions(distributions, {name: json_to_distribution(text_)})
    return distributions


def _places(ids: NDArray[np.int64], trial_ids: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The row of each trial id that has one, and which have: a trial may have come since the ids were read."""
    wanted = np.array(trial_ids, dtype=np.int64)
    places = np.searchsorted(ids, wanted)
    is_known = np.zeros(len(wanted), dtype=bool)
    if len(ids):
        is_known = ids[np.minimum(places, len(ids) - 1)] == wanted
    return places[is_known], is_known


def _fold_scores(rows: _Rows, ids: NDArray[np.int64]) -> Floats:
    matrix = np.empty((len(ids), 0))
    for trial_ids, steps, scores in rows.pieces(_FOLDS, inf=float("inf"), folds=_MAX_FOLDS):
        matrix = widened(matrix, max(steps) + 1)
        places, is_known = _places(ids, trial_ids)
        matrix[places, np.array(steps)[is_known]] = np.array(scores, dtype=float)[is_known]
    return matrix


def _figures(described: Sequence[str | None]) -> dict[str, Floats]:
    decoded = json.loads(f"[{','.join(text or '{}' for text in described)}]")
    try:
        columns = list(zip(*map(_ALL_FIGURES, decoded), strict=True))
        return {name: _matrix(column) for name, column in zip(FIGURES, columns, strict=True)}
    except (KeyError, TypeError, ValueError):
        # A trial without some of them, or one of another program with figures of its own.
        return {name: _matrix([_numbers(row, name) for row in decoded]) for name in FIGURES}


def _numbers(row: Any, name: str) -> Sequence[float | None]:
    column = row.get(name) if isinstance(row, dict) else None
    is_ours = isinstance(column, list) and all(x is None or isinstance(x, (int, float)) for x in column)
    return column if is_ours and column is not None else ()


def _matrix(rows: Sequence[Sequence[float | None]]) -> Floats:
    """Rows of unequal length as a matrix, NaN where one has nothing, shape (n, k)."""
    widths = set(map(len, rows))
    width = max(widths, default=0)
    if len(widths) > 1:
        rows = [[*row, *[None] * (width - len(row))] for row in rows]
    return np.array(rows, dtype=float).reshape(len(rows), width)


def widened(matrix: Floats, width: int) -> Floats:
    """The matrix itself, or with further columns of NaN if it has fewer than so many."""
    missing = max(width - matrix.shape[1], 0)
    return np.pad(matrix, ((0, 0), (0, missing)), constant_values=np.nan) if missing else matrix


def stacked(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Columns or matrices below each other, the matrices as wide as the widest."""
    width = max((piece.shape[1] for piece in pieces if piece.ndim == 2), default=0)
    return np.concatenate([widened(piece, width) if piece.ndim == 2 else piece for piece in pieces])


def _texts(described: Sequence[str | None]) -> NDArray[np.str_]:
    decoded = {text: _text(text) for text in set(described)}
    return np.array([decoded[text] for text in described], dtype=np.str_)


def _text(described: str | None) -> str:
    value = json.loads(described) if described else ""
    return value[:_REASON_LENGTH] if isinstance(value, str) else ""
