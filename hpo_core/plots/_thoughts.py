"""What methods recorded with their trials, as the pictures from inside read it: any text may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from hpo_core.studies.table import Floats, TrialTable, parsed_thought

_INSANE = 1e9


_said = lru_cache(maxsize=20_000)(parsed_thought)  # a chart that is watched reads the same texts each second


class Thought(NamedTuple):
    """The row of a trial, and what was recorded with it, which is shared: to be read only."""

    row: int
    said: Mapping[str, Any]


def thoughts_with(table: TrialTable, *keys: str) -> list[Thought]:
    """The trials that are not hidden whose thoughts have all these keys, in the order of their numbers."""
    texts = table.thoughts
    marks = [f'"{key}"' for key in keys]
    rows = [row for row in np.flatnonzero(~table.is_hidden).tolist() if all(mark in texts[row] for mark in marks)]
    found = (Thought(row, _said(texts[row])) for row in rows)
    return [thought for thought in found if all(key in thought.said for key in keys)]


def of_newest_arm(table: TrialTable, thoughts: list[Thought]) -> list[Thought]:
    """Those of the arm that recorded last."""
    arm = table.arms[thoughts[-1].row] if thoughts else ""
    return [thought for thought in thoughts if table.arms[thought.row] == arm]


def generation_of(thought: Thought) -> int | None:
    """Its generation; None where what was recorded is not a whole number from 0 on."""
    found = thought.said.get("generation")
    return found if is_count(found) else None


def is_count(found: Any) -> TypeGuard[int]:
    """Whether what was recorded is a whole number from 0 on, of a sane size."""
    return isinstance(found, int) and not isinstance(found, bool) and 0 <= found < _INSANE


def matrix_of(said: Any, *shape: int) -> Floats | None:
    """What was recorded as an array of this shape; None where it is no such array of numbers of a sane size."""
    try:
        found = np.array(said, dtype=float)
    except (TypeError, ValueError):
        return None
    return found if found.shape == shape and (np.abs(found) < _INSANE).all() else None
