"""Configurations scored on fresh folds: other divisions of the same rows, which had no part in choosing them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from hpo_core.analysis.selection import best_rows
from hpo_core.errors import FitError, UsageError
from hpo_core.fit_result import FitResult
from hpo_core.problem import Problem, ProblemSpec, open_problem
from hpo_core.schedule import WHOLE, Schedule
from hpo_core.search.executor import Executor, FitRequest, FitResults
from hpo_core.search.fits import FitStore
from hpo_core.space import Configuration
from hpo_core.studies.table import TrialTable

MANUAL, DEFAULT = "manual", "default"
MOST_FINALISTS, MOST_DRAWS = 30, 20
_LOOK_SECONDS = 0.2
_DRAWS, _FEWEST_SCORES = 3, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """A configuration to be scored on fresh folds.

    Attributes:
        schedule: What it was trained with on the way, where its hyperparameters changed.
        trial: Number of its trial; None for a default that no trial tried.
        arm: Who made that trial.
        value: Its value in the search; None where it has none.
    """

    configuration: Configuration
    schedule: Schedule = WHOLE
    trial: int | None = None
    arm: str = DEFAULT
    value: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "schedule": self.schedule.to_thought()}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Finalist:
        return Finalist(**{**row, "schedule": Schedule.of_thought(row["schedule"])})


@dataclass(frozen=True, slots=True)
class FreshScores:
    """Scores on the fresh folds, one draw after the other; empty, with the reason, where one of them gave none."""

    scores: tuple[float, ...] = ()
    why: str = ""


class Pace(NamedTuple):
    """How far the fits are, those included that were known; seconds left are None where nothing tells them."""

    done: int
    total: int
    seconds_left: float | None


def why_no_fresh_folds(spec: ProblemSpec) -> str:
    """The sentence why there are no fresh folds to score anything on, or ""."""
    if not spec.model and not spec.noise:
        return "A landscape without noise looks the same each time: there is nothing to score anew."
    if spec.model and spec.protocol.kind == "time":
        return "Folds in time order cannot be drawn anew: there is one past and one future."
    return ""


def suited_draws(spec: ProblemSpec, fewest: int = _FEWEST_SCORES, draws: int = _DRAWS) -> int:
    """How often to draw fresh folds: so often, or more where that gives fewer scores than this."""
    return min(MOST_DRAWS, max(draws, -(-fewest // folds_of_draw(spec))))


def folds_of_draw(spec: ProblemSpec) -> int:
    """Folds of one draw."""
    protocol = spec.protocol
    return 1 if spec.model and protocol.kind == "holdout" else protocol.folds


def fresh_problems(problem: Problem, n_draws: int) -> tuple[Problem, ...]:
    """The problem on fresh folds, once for each draw of them; more draws leave the first ones as they are.

    Raises:
        UsageError: Its folds cannot be drawn anew, or not so often.
    """
    if why := why_no_fresh_folds(problem.spec):
        raise UsageError(why)
    if not 1 <= n_draws <= MOST_DRAWS:
        raise UsageError(f"Fresh folds can be drawn from 1 to {MOST_DRAWS} times; got {n_draws}.")
    spec, space = problem.spec, tuple(problem.space.to_json())  # a default range may depend on the first fold

    def drawn(redraw: int) -> Problem:
        protocol = spec.protocol.redrawn(redraw) if spec.model else replace(spec.protocol, redraw=redraw)
        return open_problem(replace(spec, protocol=protocol, space=space))

    return tuple(map(drawn, range(1, n_draws + 1)))


def finalist_of(table: TrialTable, row: int) -> Finalist:
    """A trial of a table as it would be scored again."""
    value = float(table.values[row])
    return Finalist(
        configuration=table.configuration(row),
        schedule=Schedule.of_thought(table.thought(row)),
        trial=int(table.numbers[row]),
        arm=str(table.arms[row]),
        value=value if math.isfinite(value) else None,
    )


def choose_finalists(problem: Problem, table: TrialTable, top: int) -> tuple[Finalist, ...]:
    """The best configurations of a study, by hand or by machine, best first; the person's best and the default too.

    Raises:
        UsageError: There is none, or too many are asked for.
    """
    if not 1 <= top <= MOST_FINALISTS:
        raise UsageError(f"From 1 to {MOST_FINALISTS} finalists can be taken; got {top}.")
    own = table.best(MANUAL)
    rows = [*best_rows(table, top), *([] if own is None else [own])]
    if not rows:
        raise UsageError("No trial has a finite value yet, so there is nothing to score again.")
    return with_default(problem, table, [finalist_of(table, row) for row in rows])


def choose_trials(problem: Problem, table: TrialTable, numbers: Sequence[int]) -> tuple[Finalist, ...]:
    """The trials with these numbers, the best one and the default.

    Raises:
        UsageError: There is none of them with a value.
    """
    wanted = np.flatnonzero(table.is_complete & np.isin(table.numbers, list(numbers))).tolist()
    if not wanted:
        raise UsageError("None of these trials has come to its end, so there is no configuration to score again.")
    best = table.best()
    rows = sorted({*wanted, *([] if best is None else [best])}, key=lambda row: table.sign * table.values[row])
    return with_default(problem, table, [finalist_of(table, row) for row in rows])


def with_default(problem: Problem, table: TrialTable, chosen: Sequence[Finalist]) -> tuple[Finalist, ...]:
    """The same, each configuration once, and the default at the end unless it is among them.

    Raises:
        UsageError: These are too many.
    """
    default = problem.space.default()
    tried = [row for row in table.rows_of(default).tolist() if table.is_complete[row]]
    control = finalist_of(table, tried[0]) if tried else Finalist(configuration=default)
    found: list[Finalist] = []
    for one in (*chosen, control):
        if not any((one.configuration, one.schedule) == (other.configuration, other.schedule) for other in found):
            found.append(one)
    if len(found) > MOST_FINALISTS + 2:
        raise UsageError(f"At most {MOST_FINALISTS} configurations can be scored again at once; got {len(found)}.")
    return tuple(found)


def expected_seconds(table: TrialTable, finalists: Sequence[Finalist], n_folds: int, workers: int) -> float | None:
    """What scoring them takes, by the times of their fits in the search; None where these are not known."""
    rows = np.flatnonzero(np.isin(table.numbers, [one.trial for one in finalists if one.trial is not None]))
    seconds = (table.mean_of("fit_seconds") + table.mean_of("predict_seconds"))[rows]
    known = seconds[np.isfinite(seconds)]
    return float(known.mean()) * n_folds * len(finalists) / workers if len(known) else None


def score_on(
    draws: Sequence[Problem],
    finalists: Sequence[Finalist],
    executor: Executor,
    fits: FitStore,
    *,
    is_wanted: Callable[[], bool] = lambda: True,
    on_progress: Callable[[Pace], None] = lambda _: None,
) -> tuple[FreshScores, ...] | None:
    """Fits every finalist on every fold of every draw; known fits are not done again.

    Args:
        draws: See `fresh_problems`.
        finalists: At least one.
        executor: Does the fits.
        fits: Where results are kept: what was done is there for the next time, whatever becomes of this one.
        is_wanted: Asked between fits.
        on_progress: Told after each of them.

    Returns:
        By finalist; None when it was no longer wanted.
    """
    scoring = _Scoring(draws, finalists, executor, fits)
    try:
        while scoring.is_open:
            if not is_wanted():
                return None
            scoring.go_on()
            on_progress(scoring.pace())
    finally:
        scoring.cancel()
        fits.flush()
    return scoring.found()


class _Fit(NamedTuple):
    """One fit to be done: of a finalist on a fold of a draw."""

    place: int
    draw: Problem
    fold: int
    key: str


@dataclass
class _Scoring:
    """The fits of one call of `score_on`: those to do, those in flight, and what came of them."""

    draws: Sequence[Problem]
    finalists: Sequence[Finalist]
    executor: Executor
    fits: FitStore
    open: list[_Fit] = field(init=False)
    flying: dict[Future[FitResults], _Fit] = field(init=False, default_factory=dict)
    results: dict[str, FitResult] = field(init=False)
    faults: dict[int, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._all = list(self._every_fit())
        self.results = self.fits.get([fit.key for fit in self._all])
        self.open = [fit for fit in self._all if fit.key not in self.results]
        self._n_known, self._began = len(self.results), time.monotonic()

    def _every_fit(self) -> Iterator[_Fit]:
        """Fold by fold, so that what is known at any time is known of all finalists."""
        for draw in self.draws:
            for fold in range(draw.n_folds):
                for place, one in enumerate(self.finalists):
                    yield _Fit(place, draw, fold, draw.fit_key(one.configuration, fold, one.schedule))

    @property
    def is_open(self) -> bool:
        return bool(self.open or self.flying)

    def go_on(self) -> None:
        """Hands out fits to all workers, and takes in what has ended within a moment."""
        while self.open and len(self.flying) < self.executor.n_workers:
            self._submit(self.open.pop(0))
        done, _ = wait(self.flying, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            self._take_in(self.flying.pop(future), future)

    def _submit(self, fit: _Fit) -> None:
        one = self.finalists[fit.place]
        request = FitRequest(
            spec=fit.draw.spec, configuration=one.configuration, folds=(fit.fold,), schedule=one.schedule
        )
        self.flying[self.executor.submit(request)] = fit

    def _take_in(self, fit: _Fit, future: Future[FitResults]) -> None:
        try:
            (result,) = future.result()
        except FitError as fault:
            self.faults.setdefault(fit.place, str(fault))
            self.open = [other for other in self.open if other.place != fit.place]
        else:
            self.results[fit.key] = result
            self.fits.put(fit.key, result)

    def pace(self) -> Pace:
        total = len(self._all)
        left = len(self.open) + len(self.flying)
        n_new = len(self.results) - self._n_known
        seconds = (time.monotonic() - self._began) / n_new * left if n_new else None
        return Pace(total - left, total, seconds if left else 0.0)

    def cancel(self) -> None:
        for future in self.flying:
            self.executor.cancel(future)

    def found(self) -> tuple[FreshScores, ...]:
        return tuple(map(self._found_of, range(len(self.finalists))))

    def _found_of(self, place: int) -> FreshScores:
        if place in self.faults:
            return FreshScores(why=self.faults[place])
        return FreshScores(tuple(self.results[fit.key].score for fit in self._all if fit.place == place))
