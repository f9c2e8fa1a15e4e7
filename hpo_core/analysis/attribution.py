"""Who found the gain: how much of the way from the default to the best each arm went, and how much of it is luck."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hpo_core.analysis.noise import Difference, compare_folds
from hpo_core.analysis.optimism import corrected_best
from hpo_core.analysis.selection import Rows
from hpo_core.analysis.steering import Steered, latest_before, steering_log
from hpo_core.studies.table import Floats, TrialTable

DEFAULT, MANUAL = "default", "manual"
START = "start"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one arm added to the best so far. Gains are at least 0 and in the metric's unit.

    Attributes:
        arm: Who made the trials.
        suggested_by: Key of the method whose suggestion a person ran by hand; "" for none.
        after: What had been done to the study last when the first of the trials began; "" where it is not told apart.
        gain: By how much the best so far got better, over all steps.
        rows: The trials that made the steps, in the order in which they came.
    """

    arm: str
    suggested_by: str
    after: str
    gain: float
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The way from where the study began to its best trial.

    Attributes:
        begins_with: "default" for the default configuration, "start" for the first trial of a study without one.
        start_row, best_row: The ends of the way.
        steps: Who went it: one entry for each arm, or for each stretch of an arm, in the order of their first steps.
        gain: Of the whole way; the sum of the steps.
        luck: How much of it the best is expected to lose on new folds, at most all of it; NaN where that is not known.
        difference: Of the best to the start, on the same folds.
        shares: By arm, its share of the gain if all orders of the arms were equally likely.
        alone: By arm, the gain of its own best trial over the start; 0 if that is no better.
    """

    begins_with: Literal["default", "start"]
    start_row: int
    best_row: int
    steps: tuple[Contribution, ...]
    gain: float
    luck: float
    difference: Difference
    shares: dict[str, float]
    alone: dict[str, float]


def why_no_attribution(table: TrialTable) -> str | None:
    """The sentence why there is no gain to share out, or None."""
    usable = _usable(table)
    if not len(usable):
        return "No trial has a value yet. Who found what appears here as soon as trials are better than the default."
    if len(usable) == 1:
        return "There is one trial with a value, so nothing has been gained yet."
    return None


def attribution(table: TrialTable, *, by_steering: bool = False, most: int = 12) -> Attribution:
    """Shares the gain of a study out to those who found it, as it happened.

    The best so far begins at the default, or without one at the first trial; each trial that makes it better is
    credited with the step. This depends on the order: who comes later starts from where the others got to. So each
    arm's gain alone is given too, and its Shapley value in the game in which a group of arms is worth the best gain
    among them; that is the airport game, whose value has a closed form.

    Args:
        table: A study of which `why_no_attribution` is None.
        by_steering: Tells stretches of the same arm apart when something was done to the study between them.
        most: With `by_steering`, at most so many stretches; the smallest are merged into others of their arm.

    Source: Shapley (1953), A Value for n-Person Games; Littlechild and Owen (1973), A Simple Expression for the Shapley
    Value in a Special Case.
    """
    usable = _in_order(table, _usable(table))
    defaults = usable[table.arms[usable] == DEFAULT]
    start = int(defaults[0] if len(defaults) else usable[0])
    best = _best(table, usable)
    signed = table.sign * table.values
    later = usable[usable != start]
    before = np.minimum(np.concatenate(([np.inf], np.minimum.accumulate(signed[later])[:-1])), signed[start])
    is_step = signed[later] < before
    rows, gains = later[is_step], (before - signed[later])[is_step]
    gain = float(signed[start] - signed[best])
    corrected = corrected_best(table)
    luck = min(corrected.optimism, gain) if corrected is not None and gain > 0 else math.nan
    alone = {arm: _own_gain(table, usable, arm, float(signed[start])) for arm in _arms(table, usable) if arm != DEFAULT}
    return Attribution(
        begins_with=DEFAULT if len(defaults) else START,  # type: ignore[arg-type]
        start_row=start,
        best_row=best,
        steps=tuple(_contributions(table, rows, gains, by_steering, most)),
        gain=gain,
        luck=luck,
        difference=_difference(table, best, start),
        shares=airport_shares(alone),
        alone=alone,
    )


def airport_shares(worth: dict[str, float]) -> dict[str, float]:
    """Shapley values of the game in which a group is worth as much as the best of its members; at least 0 each.

    >>> airport_shares({"a": 1.0, "b": 3.0})
    {'a': 0.5, 'b': 2.5}
    """
    rising = sorted(worth, key=worth.__getitem__)
    steps = np.diff([0.0, *(worth[name] for name in rising)]) / np.arange(len(rising), 0, -1)
    value = dict(zip(rising, np.cumsum(steps).tolist(), strict=True))
    return {name: value[name] for name in worth}


def _usable(table: TrialTable) -> Rows:
    return np.flatnonzero(table.is_complete & np.isfinite(table.values))


def _in_order(table: TrialTable, rows: Rows) -> Rows:
    """By the time of their end; as they stand where it is not known of all."""
    ends = table.completed[rows]
    return rows if np.isnan(ends).any() else rows[np.argsort(ends, kind="stable")]


def _best(table: TrialTable, usable: Rows) -> int:
    return int(usable[np.argmin(table.sign * table.values[usable])])


def _arms(table: TrialTable, rows: Rows) -> list[str]:
    return list(dict.fromkeys(table.arms[rows].tolist()))


def _own_gain(table: TrialTable, usable: Rows, arm: str, start: float) -> float:
    own = table.sign * table.values[usable[table.arms[usable] == arm]]
    return max(0.0, start - float(own.min()))


def _difference(table: TrialTable, best: int, start: int) -> Difference:
    first, second = table.fold_scores[best], table.fold_scores[start]
    overlap = 1 / max(int(np.isfinite(first).sum()) - 1, 1)
    return compare_folds(first, second, is_higher_better=table.direction == "maximize", overlap=overlap)


def _contributions(
    table: TrialTable, rows: Rows, gains: Floats, by_steering: bool, most: int
) -> Iterator[Contribution]:
    log = tuple(entry for entry in steering_log(table) if entry.is_act) if by_steering else ()
    began = np.where(np.isnan(table.started[rows]), table.completed[rows], table.started[rows])
    places = latest_before(log, began).tolist()
    keys: list[tuple[str, str, int]] = [
        (str(table.arms[row]), _suggested_by(table, row), place)
        for row, place in zip(rows.tolist(), places, strict=True)
    ]
    totals: dict[tuple[str, str, int], float] = {}
    for key, gain in zip(keys, gains.tolist(), strict=True):
        totals[key] = totals.get(key, 0.0) + gain
    home = _homes(totals, most)
    for key in dict.fromkeys(home[k] for k in keys):
        mine = [i for i, k in enumerate(keys) if home[k] == key]
        arm, suggested_by, place = key
        total = float(gains[mine].sum())
        yield Contribution(arm, suggested_by, _after(log, place), total, tuple(int(rows[i]) for i in mine))


def _homes(totals: dict[tuple[str, str, int], float], most: int) -> dict[tuple[str, str, int], tuple[str, str, int]]:
    """Where each stretch is counted: itself, or the largest one of the same arm where there are too many."""
    ranked = sorted(totals, key=lambda key: -totals[key])
    largest: dict[tuple[str, str], tuple[str, str, int]] = {}
    for key in ranked:
        largest.setdefault(key[:2], key)
    others = [key for key in ranked if key not in largest.values()]
    kept = {*largest.values(), *others[: max(0, most - len(largest))]}
    return {key: key if key in kept else largest[key[:2]] for key in totals}


def _after(log: tuple[Steered, ...], place: int) -> str:
    return log[place].words if place >= 0 else ""


def _suggested_by(table: TrialTable, row: int) -> str:
    """The method whose suggestion a person ran."""
    if table.arms[row] != MANUAL:
        return ""
    said = table.thought(row).get("suggested_by")
    return said if isinstance(said, str) else ""
