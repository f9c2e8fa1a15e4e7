"""Trials of several studies of one problem as one table, so that something can be learned from all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpo_core.errors import UsageError
from hpo_core.studies.table import TrialTable


@dataclass(frozen=True, eq=False, kw_only=True)
class PooledTable(TrialTable):
    """Trials of several studies, one study after the other, numbered anew.

    Attributes:
        members: Which study each trial is from, by its place among them, shape (n,).
        own_numbers: The number that each trial has there, shape (n,).
    """

    members: NDArray[np.int64]
    own_numbers: NDArray[np.int64]


def pooled(name: str, tables: Sequence[TrialTable], arms: Sequence[str]) -> PooledTable:
    """One table of all trials.

    Args:
        name: What it is called in place of a study.
        tables: At least one; all of the same search space and direction.
        arms: What made the trials of each table.

    Raises:
        UsageError: The tables have different search spaces or directions.
    """
    first = tables[0]
    if any(t.distributions != first.distributions or t.direction != first.direction for t in tables):
        raise UsageError("Only trials of one search space can be learned from together.")
    n = [len(table) for table in tables]
    widest = {key: max(t.arrays()[key].shape[1] for t in tables) for key, a in first.arrays().items() if a.ndim == 2}
    columns: dict[str, Any] = {
        key: np.concatenate([_widened(table.arrays()[key], widest.get(key)) for table in tables])
        for key in (field.name for field in fields(TrialTable))
        if key in first.arrays()
    }
    columns["numbers"] = np.arange(sum(n), dtype=np.int64)
    columns["arms"] = np.repeat(np.array(arms, dtype=np.str_), n)
    digest = hashlib.blake2b("|".join(t.revision for t in tables).encode(), digest_size=8).hexdigest()
    return PooledTable(
        study=name,
        direction=first.direction,
        revision=digest,
        params={key: np.concatenate([t.params[key] for t in tables]) for key in first.params},
        distributions=first.distributions,
        arm_order=tuple(dict.fromkeys(arms)),
        members=np.repeat(np.arange(len(tables), dtype=np.int64), n),
        own_numbers=np.concatenate([table.numbers for table in tables]),
        hidden=_hidden(tables),
        **columns,
    )


def _widened(column: NDArray[np.generic], width: int | None) -> NDArray[np.generic]:
    """A column of folds with as many of them as the others have."""
    if width is None or column.shape[1] == width:
        return column
    wide = np.full((len(column), width), np.nan)
    wide[:, : column.shape[1]] = column
    return wide


def _hidden(tables: Sequence[TrialTable]) -> frozenset[int]:
    marks = np.concatenate([table.is_hidden for table in tables])
    return frozenset(np.flatnonzero(marks).tolist())
