"""Trials as lines of a list: found, sorted by any column, and written in words for the few lines that are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

from hpo_core.analysis.selection import Rows
from hpo_core.analysis.ties import STANDING_WORDS, UNTOLD, can_tell_ties, standings
from hpo_core.formats import NOTHING, format_score, format_seconds, format_value, round_significant
from hpo_core.studies.table import Floats, TrialTable

STATE_WORDS = {
    TrialState.COMPLETE.value: "complete",
    TrialState.PRUNED.value: "pruned",
    TrialState.FAIL.value: "failed",
    TrialState.RUNNING.value: "running",
    TrialState.WAITING.value: "waiting",
}
# Names of parameters come after a mark of their own, so that one called "value" is another column.
TRIAL, ARM, VALUE, STANDING, STATE = "trial", "arm", "value", "standing", "state"
SECONDS, REASON, NOTE = "seconds", "reason", "note"
_PARAMETER = "p."
_MOST_OF_NOTE = 60
# Without a direction asked for, trials that finished come before those that did not.
_RANK = {TrialState.COMPLETE.value: 0, TrialState.PRUNED.value: 1, TrialState.RUNNING.value: 2}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the list.

    Attributes:
        key: What `sorted_rows` takes.
        label: Its heading.
        is_number: Whether its cells line up on the right.
    """

    key: str
    label: str
    is_number: bool


def columns_of(table: TrialTable, value_label: str = "value") -> tuple[Column, ...]:
    """All columns; those of arms, ties, notes and reasons only if there are any."""
    names = [n for n in table.params if not np.isnan(table.params[n]).all()]
    parameters = [
        Column(_PARAMETER + name, name, not isinstance(table.distributions[name], CategoricalDistribution))
        for name in names
    ]
    return (
        Column(TRIAL, "trial", True),
        *([Column(ARM, "by", False)] if (table.arms != "").any() else []),
        Column(VALUE, f"{value_label} {'↑' if table.direction == 'maximize' else '↓'}", True),
        Column(STATE, "state", False),
        *([Column(STANDING, "to the best", False)] if can_tell_ties(table) else []),
        *([Column(NOTE, "note", False)] if _notes_by_trial(table) else []),
        *parameters,
        Column(SECONDS, "time", True),
        *([Column(REASON, "why it failed", False)] if (table.reasons != "").any() else []),
    )


def durations(table: TrialTable) -> Floats:
    """Seconds from the start of each trial to its end, shape (n,); NaN while it is not over."""
    return table.completed - table.started


def sorted_rows(table: TrialTable, rows: Rows, by: str, *, is_reversed: bool = False) -> Rows:
    """The rows in the order of a column: the best value first, numbers and text rising, what has none last.

    Unknown columns sort by number. `is_reversed` turns the order round, but leaves at the end what has no value.
    """
    keys, is_missing = _keys(table, rows, by)
    if is_reversed:
        keys = -keys
    if by != VALUE:
        return rows[np.lexsort((table.numbers[rows], keys, is_missing))]
    rank = np.array([_RANK.get(int(state), 3) for state in range(5)])[table.states[rows]]
    return rows[np.lexsort((-table.numbers[rows], keys, rank, is_missing))]


def found_rows(table: TrialTable, text: str, label_of: Callable[[str], str]) -> NDArray[np.bool_]:
    """Trials whose number the text is, or that have it in a category, their arm, why they failed, or a note.

    Args:
        table: The study.
        text: What is looked for, in any case.
        label_of: What a person reads for an arm.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return np.ones(len(table), dtype=bool)
    found = np.isin(table.numbers, [int(wanted)] if wanted.isdecimal() and len(wanted) < 16 else [])
    found |= _has(table.arms, lambda arm: wanted in label_of(arm).casefold())
    found |= _has(table.reasons, lambda reason: wanted in reason.casefold())
    for name, distribution in table.distributions.items():
        if isinstance(distribution, CategoricalDistribution) and name in table.params:
            places = [i for i, choice in enumerate(distribution.choices) if wanted in str(choice).casefold()]
            found |= np.isin(table.params[name], places)
    noted = [number for number, texts in _notes_by_trial(table).items() if wanted in texts.casefold()]
    return found | np.isin(table.numbers, noted)


def cells(
    table: TrialTable, rows: Rows, columns: Collection[Column], label_of: Callable[[str], str]
) -> list[list[str]]:
    """What each row says in each column, four significant digits; for a page of rows, not for a whole study."""
    part = table.take(rows)
    told = _standing_words(table, rows) if any(column.key == STANDING for column in columns) else []
    texts = [told if column.key == STANDING else _texts(part, column.key, label_of) for column in columns]
    return [list(row) for row in zip(*texts, strict=True)] if texts else [[] for _ in rows]


def trial_frame(table: TrialTable) -> pd.DataFrame:
    """All trials with all digits, one column each for number, arm, state, value, noise, parameters and times."""
    columns: dict[str, Any] = {
        "trial": table.numbers,
        "arm": table.arms,
        "state": _state_words(table),
        "value": table.values,
        "noise (sd over folds)": table.noise,
        "to the best": _standing_words(table, np.arange(len(table))),
        "folds": np.isfinite(table.fold_scores).sum(axis=1),
    }
    fixed = set(columns)
    columns |= {(name if name not in fixed else f"{name} (parameter)"): table.column(name) for name in table.params}
    columns["seconds"] = durations(table)
    columns["started (UTC)"] = pd.to_datetime(table.started, unit="s").strftime("%Y-%m-%d %H:%M:%S")
    if noted := _notes_by_trial(table):
        columns["notes"] = [noted.get(number, "") for number in table.numbers.tolist()]
    return pd.DataFrame({**columns, "reason": table.reasons})


def _keys(table: TrialTable, rows: Rows, by: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Numbers to sort by, smallest first, and which rows have none."""
    keys = _column_keys(table, by)[rows]
    is_missing = np.isnan(keys)
    return np.where(is_missing, 0.0, keys), is_missing


def _column_keys(table: TrialTable, by: str) -> Floats:
    name = by.removeprefix(_PARAMETER)
    if by.startswith(_PARAMETER) and name in table.params:
        return table.params[name]
    if by == VALUE:
        return table.sign * np.where(_has_value(table), table.values, np.nan)
    if by == STANDING:
        found = standings(table).astype(float)
        return np.where(found == UNTOLD, np.nan, found)
    if by == SECONDS:
        return durations(table)
    if by in (ARM, STATE, REASON, NOTE):
        words = {ARM: table.arms, REASON: table.reasons, NOTE: np.array(_note_texts(table), dtype=str)}.get(by)
        words = _state_words(table) if words is None else words
        _, places = np.unique(words, return_inverse=True)
        return np.where(words == "", np.nan, places.astype(float))
    return table.numbers.astype(float)


def _standing_words(table: TrialTable, rows: Rows) -> list[str]:
    """Whether each trial is tied with the best, or worse beyond noise."""
    return [STANDING_WORDS[code] for code in standings(table, rows).tolist()]


def _has_value(table: TrialTable) -> NDArray[np.bool_]:
    return np.isin(table.states, (TrialState.COMPLETE.value, TrialState.PRUNED.value))


def _state_words(table: TrialTable) -> NDArray[np.str_]:
    words = np.array([STATE_WORDS.get(state, "") for state in range(5)])[table.states]
    return np.where(table.is_hidden, "hidden", words)


def _has(column: NDArray[np.str_], is_wanted: Callable[[str], bool]) -> NDArray[np.bool_]:
    known, places = np.unique(column, return_inverse=True)
    return np.array([is_wanted(str(text)) for text in known.tolist()], dtype=bool)[places]


def _texts(part: TrialTable, key: str, label_of: Callable[[str], str]) -> list[str]:
    if key == TRIAL:
        return [str(number) for number in part.numbers.tolist()]
    if key == ARM:
        return [label_of(arm) for arm in part.arms.tolist()]
    if key == VALUE:
        return _value_texts(part)
    if key == STATE:
        return list(_state_words(part).tolist())
    if key == SECONDS:
        return [format_seconds(seconds) for seconds in durations(part).tolist()]
    if key == REASON:
        return list(part.reasons.tolist())
    if key == NOTE:
        return _note_texts(part)
    return _parameter_texts(part, key.removeprefix(_PARAMETER))


def _value_texts(part: TrialTable) -> list[str]:
    values = np.where(_has_value(part), part.values, np.nan).tolist()
    return [
        format_score(value) + (f" ± {_two_digits(noise)}" if noise == noise and value == value else "")
        for value, noise in zip(values, part.noise.tolist(), strict=True)
    ]


def _note_texts(part: TrialTable) -> list[str]:
    """The notes of each trial after a mark, cut short; "" without any."""
    noted = {number: f"✎ {_shortened(text)}" for number, text in _notes_by_trial(part).items()}
    return [noted.get(number, "") for number in part.numbers.tolist()]


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _MOST_OF_NOTE else f"{words[:_MOST_OF_NOTE]}…"


def _notes_by_trial(table: TrialTable) -> dict[int, str]:
    """All notes on each trial that has any, by its number."""
    found: dict[int, str] = {}
    for note in table.notes:
        if note.trial is not None:
            found[note.trial] = f"{found[note.trial]}; {note.text}" if note.trial in found else note.text
    return found


def _two_digits(noise: float) -> str:
    return f"{noise:#.2g}".rstrip(".") if noise < 99.5 else format_value(float(f"{noise:.2g}"))


def _parameter_texts(part: TrialTable, name: str) -> list[str]:
    column = part.params[name]
    if isinstance(part.distributions[name], CategoricalDistribution):
        return [label or NOTHING for label in part.column(name).tolist()]
    return [NOTHING if np.isnan(number) else format_value(number) for number in round_significant(column).tolist()]
