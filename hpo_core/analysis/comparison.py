"""Two to six trials beside each other: what differs, by how much, and whether that is more than noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.trial import TrialState

from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.errors import UsageError
from hpo_core.formats import NOTHING, format_bytes, format_score, format_seconds, format_value
from hpo_core.protocol import Protocol
from hpo_core.space import Configuration, is_same
from hpo_core.studies.table import Direction, TrialTable

MOST = 6
_ABSENT = object()
_MOST_DIGITS = 17


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One of the things that stand side by side: a trial, with what is known of it.

    Attributes:
        heading: Its name at the top of its column.
        subtitle: A line below the name: who made it, in which state it is.
        value: NaN where it has none.
        fold_scores: NaN where a fold was not done.
        figures: What else is known, in words, by its name: training score, seconds of a fit, size of the model.
    """

    heading: str
    subtitle: str = ""
    value: float
    fold_scores: tuple[float, ...] = ()
    configuration: Configuration = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def noise(self) -> float:
        """Standard deviation of the fold scores (n - 1); NaN with fewer than two folds."""
        done = [score for score in self.fold_scores if math.isfinite(score)]
        return float(np.std(done, ddof=1)) if len(done) > 1 else math.nan


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter of all things, in words; a dash where it is inactive or unknown."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """The comparison.

    Attributes:
        things: In the order given.
        reference: Place of the one that the others are compared with.
        best: Place of the best value; None without any, or where values do not compare.
        tied: Places of those that are tied with the best: on the same folds the difference is within the noise.
        differences: Of each thing to the reference; None for the reference itself and where values do not compare.
        differing: Parameters that are not the same everywhere, in the order of the search space.
        same: Parameters that are.
        figures: Names of all further figures, in order.
    """

    things: tuple[Compared, ...]
    reference: int
    best: int | None
    tied: tuple[int, ...]
    differences: tuple[Difference | None, ...]
    differing: tuple[ParameterRow, ...]
    same: tuple[ParameterRow, ...]
    figures: tuple[str, ...]


def compare_side_by_side(
    things: Sequence[Compared],
    *,
    direction: Direction,
    overlap: float,
    reference: int = 0,
    values_compare: bool = True,
) -> SideBySide:
    """Compares two to six things with one of them.

    Args:
        things: Scored on the same folds, if their values compare.
        direction: Of their common metric.
        overlap: Validation rows over training rows of a fold, see `compare_folds` and `training_overlap`.
        reference: Place of the one that the others are compared with.
        values_compare: Whether they were measured in the same way; otherwise only parameters are compared.

    Raises:
        UsageError: There are fewer than two or more than six.
    """
    if not 2 <= len(things) <= MOST:
        raise UsageError(f"From 2 to {MOST} can be compared side by side; got {len(things)}.")
    rows = _parameter_rows(things)
    best = _best(things, direction) if values_compare else None
    return SideBySide(
        things=tuple(things),
        reference=reference,
        best=best,
        tied=() if best is None else _tied(things, best, direction, overlap),
        differences=tuple(
            _difference(thing, things[reference], direction, overlap) if values_compare and i != reference else None
            for i, thing in enumerate(things)
        ),
        differing=tuple(row for row, is_different in rows if is_different),
        same=tuple(row for row, is_different in rows if not is_different),
        figures=tuple(dict.fromkeys(name for thing in things for name in thing.figures)),
    )


def compared_trial(table: TrialTable, row: int, *, heading: str = "", subtitle: str = "") -> Compared:
    """A trial of a table, under its number unless it gets another heading. Only complete trials have a value."""
    is_complete = TrialState(int(table.states[row])) is TrialState.COMPLETE
    return Compared(
        heading=heading or f"trial {int(table.numbers[row])}",
        subtitle=subtitle,
        value=float(table.values[row]) if is_complete else math.nan,
        fold_scores=tuple(table.fold_scores[row].tolist()),
        configuration=table.configuration(row),
        figures=_figures(table, row),
    )


def training_overlap(protocol: Protocol) -> float:
    """Validation rows over training rows of a fold, of folds in time order the first: for `compare_folds`.

    >>> training_overlap(Protocol(folds=5)), training_overlap(Protocol(kind="holdout", valid_fraction=0.25))
    (0.25, 0.3333333333333333)
    """
    if protocol.kind == "time":
        return 1.0
    if protocol.kind == "holdout":
        return protocol.valid_fraction / (1 - protocol.valid_fraction)
    return 1 / (protocol.folds - 1)


def _difference(thing: Compared, other: Compared, direction: Direction, overlap: float) -> Difference:
    found = compare_folds(
        thing.fold_scores, other.fold_scores, is_higher_better=direction == "maximize", overlap=overlap
    )
    return Difference(thing.value - other.value, math.nan, "unknown") if math.isnan(found.mean) else found


def _tied(things: Sequence[Compared], best: int, direction: Direction, overlap: float) -> tuple[int, ...]:
    """Places of the things that are not worse than the best beyond noise, where that can be told."""
    verdicts = [_difference(thing, things[best], direction, overlap).verdict for thing in things]
    has_value = [math.isfinite(thing.value) for thing in things]
    return tuple(i for i, verdict in enumerate(verdicts) if i != best and has_value[i] and verdict in ("tie", "better"))


def _best(things: Sequence[Compared], direction: Direction) -> int | None:
    sign = 1.0 if direction == "minimize" else -1.0
    known = [(sign * thing.value, i) for i, thing in enumerate(things) if not math.isnan(thing.value)]
    return min(known)[1] if known else None


def _figures(table: TrialTable, row: int) -> dict[str, str]:
    """Means over the folds that were done; what was not measured is left out."""
    means = {
        "training score": (table.train_scores, format_score),
        "seconds of a fit": (table.fit_seconds, format_seconds),
        "seconds of a prediction": (table.predict_seconds, format_seconds),
        "size of a model": (table.model_bytes, format_bytes),
    }
    found = {name: (_mean(columns[row]), write) for name, (columns, write) in means.items()}
    return {name: write(mean) for name, (mean, write) in found.items() if math.isfinite(mean)}


def _mean(column: Any) -> float:
    done = column[np.isfinite(column)]
    return float(done.mean()) if len(done) else math.nan


def _parameter_rows(things: Sequence[Compared]) -> list[tuple[ParameterRow, bool]]:
    names = dict.fromkeys(name for thing in things for name in thing.configuration)
    rows = []
    for name in names:
        values = [thing.configuration.get(name, _ABSENT) for thing in things]
        rows.append((ParameterRow(name, _texts(values)), not all(is_same(values[0], v) for v in values[1:])))
    return rows


def _texts(values: Sequence[Any]) -> tuple[str, ...]:
    """Values in words, with as many digits as it takes to tell unequal ones apart."""
    short = [NOTHING if v is _ABSENT else format_value(v) for v in values]
    texts = []
    for value, text in zip(values, short, strict=True):
        twins = [v for v, other in zip(values, short, strict=True) if other == text and not is_same(v, value)]
        texts.append(_longer(value, twins) if isinstance(value, float) and twins else text)
    return tuple(texts)


def _longer(value: float, others: Sequence[Any]) -> str:
    for digits in range(5, _MOST_DIGITS):
        text = f"{value:.{digits}g}"
        if all(text != f"{other:.{digits}g}" for other in others if isinstance(other, float)):
            return text
    return repr(value)
