"""Learning and validation curves on demand: which fits they need, what these cost, and doing them with an executor."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpo_core.analysis.comparison import training_overlap
from hpo_core.analysis.curves import Curve, Kind
from hpo_core.errors import FitError, UsageError
from hpo_core.metrics import ideal_score
from hpo_core.problem import ModelProblem, Problem
from hpo_core.schedule import WHOLE, Schedule
from hpo_core.search.executor import Executor, FitRequest, FitResults
from hpo_core.search.fits import FitStore
from hpo_core.space import AnyParameter, Categorical, Configuration, is_same

MOST_POINTS = 25
_FEWEST_ROWS, _FEWEST_PER_CLASS, _SMALLEST = 10, 2, 0.04
_RANK = 100  # nudges come first
_KEPT = 32


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One place of a curve: what is fitted there, on all folds."""

    place: Any
    configuration: Configuration
    schedule: Schedule = WHOLE


@dataclass(frozen=True, kw_only=True)
class CurvePlan:
    """A curve before its fits are done.

    Attributes:
        problem: What is tuned.
        kind: Over rows or over a parameter.
        label: What the places are.
        points: In order.
        chosen: Place of the chosen configuration on all rows.
        is_log, is_ordered: See `Curve`.
    """

    problem: Problem
    kind: Kind
    label: str
    points: tuple[CurvePoint, ...]
    chosen: int
    is_log: bool
    is_ordered: bool

    @property
    def n_fits(self) -> int:
        return len(self.points) * self.problem.n_folds

    @property
    def keys(self) -> list[list[str]]:
        """Under which each fit is kept, by point and fold."""
        folds = range(self.problem.n_folds)
        return [[self.problem.fit_key(p.configuration, fold, p.schedule) for fold in folds] for p in self.points]


@dataclass(frozen=True, slots=True)
class CurveCost:
    """What a curve costs: all of its fits, those that are known already, and seconds for the others on one worker; NaN
    where no fit of the configuration is known."""

    n_fits: int
    n_known: int
    seconds: float


def plan_learning_curve(problem: Problem, configuration: Mapping[str, Any], n_points: int = 8) -> CurvePlan:
    """A curve over growing numbers of training rows: evenly on a log scale up to half of them, and all.

    Raises:
        UsageError: The problem has no rows, or too few; the number of points cannot be.
        ConfigurationError: The configuration is not in the space.
    """
    _check_points(n_points)
    if not isinstance(problem, ModelProblem):
        raise UsageError("A landscape has no training rows, so it has no learning curve.")
    checked = problem.space.check(configuration)
    n_rows = min(len(train) for train, _ in problem.split.folds)
    lowest = max(_FEWEST_ROWS, _FEWEST_PER_CLASS * problem.data.n_classes, round(_SMALLEST * n_rows))
    if 2 * lowest > n_rows:
        raise UsageError(f"A fold trains on {n_rows} rows: too few to draw a learning curve over fewer.")
    sizes = sorted({round(size) for size in np.geomspace(lowest, n_rows / 2, n_points - 1)[::-1]})
    points = [CurvePoint(size, checked, Schedule(rows=size / n_rows)) for size in sizes]
    return CurvePlan(
        problem=problem,
        kind="learning",
        label="training rows",
        points=(*points, CurvePoint(n_rows, checked)),
        chosen=len(points),
        is_log=True,
        is_ordered=True,
    )


def plan_validation_curve(problem: Problem, values: Mapping[str, Any], parameter: str, n_points: int = 9) -> CurvePlan:
    """A curve over the values of one parameter, all others as chosen.

    Args:
        problem: What is tuned.
        values: The chosen configuration. What another value of the parameter makes active may have a value here too,
            and has its default else.
        parameter: Its name.
        n_points: So many values, evenly on the parameter's own scale, and the chosen one; all choices of a category.

    Raises:
        UsageError: There is no such parameter, it has no effect here, or only one value.
        ConfigurationError: The configuration is not in the space.
    """
    _check_points(n_points)
    chosen = problem.space.check(problem.space.completed(values))
    p = problem.space[parameter]
    if parameter not in chosen:
        raise UsageError(f"{p.title} has no effect in this configuration, so there is no curve over it.")
    places, own = _values_along(p, chosen[parameter], n_points)
    if len(places) < 2:
        raise UsageError(f"{p.title} has one value only, so there is no curve over it.")
    configurations = [problem.space.check(problem.space.completed({**values, parameter: place})) for place in places]
    return CurvePlan(
        problem=problem,
        kind="validation",
        label=p.title,
        points=tuple(CurvePoint(place, c) for place, c in zip(places, configurations, strict=True)),
        chosen=own,
        is_log=not isinstance(p, Categorical) and p.log,
        is_ordered=not isinstance(p, Categorical),
    )


def _check_points(n_points: int) -> None:
    if not 2 <= n_points <= MOST_POINTS:
        raise UsageError(f"A curve has from 2 to {MOST_POINTS} points; got {n_points}.")


def _values_along(p: AnyParameter, own: Any, n_points: int) -> tuple[list[Any], int]:
    """Values in order with the chosen one among them, and its place."""
    if isinstance(p, Categorical):
        places = list(p.choices)
        return places, next(i for i, choice in enumerate(places) if is_same(choice, own))
    places = sorted({*p.levels(n_points), own})
    return places, places.index(own)


def cost_of(plan: CurvePlan, fits: FitStore, typical_seconds: float = math.nan) -> CurveCost:
    """What a curve costs.

    Args:
        plan: The curve.
        fits: What is known already.
        typical_seconds: Of a whole fit, where none of the chosen configuration is known.
    """
    keys = plan.keys
    known = fits.get([key for row in keys for key in row])
    whole = [known[key] for key in keys[plan.chosen] if key in known]
    seconds = float(np.mean([r.fit_seconds + 2 * r.predict_seconds for r in whole])) if whole else typical_seconds
    open_cost = sum(
        point.schedule.cost for point, row in zip(plan.points, keys, strict=True) for key in row if key not in known
    )
    return CurveCost(plan.n_fits, len(known), seconds * open_cost if open_cost else 0.0)


class CurveRun:
    """A curve on its way. Thread-safe; read it while it runs. Fits are taken from the store where they are known.

    The first folds of all places come first, so that the whole curve shows early. A fit that fails leaves a gap.

    Args:
        plan: The curve.
        executor: Who does the fits.
        fits: Results of fits already done.
        n_at_once: Fits that run or wait at the executor at a time, so that others find a free worker.
    """

    def __init__(self, plan: CurvePlan, executor: Executor, fits: FitStore, n_at_once: int) -> None:
        self.plan = plan
        self.faults: dict[tuple[int, int], str] = {}
        self.is_cancelled = False
        self.changed = threading.Condition()
        self._executor, self._fits, self._n_at_once = executor, fits, max(1, n_at_once)
        shape = (len(plan.points), plan.problem.n_folds)
        self._train, self._valid = np.full(shape, np.nan), np.full(shape, np.nan)
        self._keys = plan.keys
        self._under_way: dict[Future[FitResults], tuple[int, int]] = {}
        self._began = time.monotonic()
        self._waiting = self._take_known()
        self._cost_open = self._cost_all = sum(self._cost(at) for at in self._waiting)

    def start(self) -> None:
        """Begins; returns at once."""
        self._fill()

    @property
    def n_done(self) -> int:
        """Fits that are known by now, or failed."""
        return int(np.isfinite(self._valid).sum()) + len(self.faults)

    @property
    def is_over(self) -> bool:
        return self.is_cancelled or self.n_done == self.plan.n_fits

    @property
    def seconds_left(self) -> float:
        """By the pace of the fits so far; NaN before the first."""
        done = self._cost_all - self._cost_open
        return (time.monotonic() - self._began) / done * self._cost_open if done > 0 else math.nan

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it is over; whether that came true in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.is_over, timeout=seconds)

    def cancel(self) -> None:
        """Gives it up; what is done stays, and is kept."""
        with self.changed:
            self.is_cancelled = True
            left = list(self._under_way)
            self.changed.notify_all()
        for future in left:
            self._executor.cancel(future)

    def curve(self) -> Curve:
        """As far as it is drawn."""
        problem = self.plan.problem
        is_model = isinstance(problem, ModelProblem)
        with self.changed:
            train, valid = self._train.copy(), self._valid.copy()
        return Curve(
            kind=self.plan.kind,
            label=self.plan.label,
            places=tuple(point.place for point in self.plan.points),
            is_log=self.plan.is_log,
            is_ordered=self.plan.is_ordered,
            chosen=self.plan.chosen,
            train=train,
            valid=valid,
            direction=problem.direction,
            overlap=training_overlap(problem.spec.protocol) if is_model else 0.0,
            ideal=ideal_score(problem.metric) if isinstance(problem, ModelProblem) else None,
        )

    def _take_known(self) -> list[tuple[int, int]]:
        """Fills in what is known; what is left to do, in order."""
        known = self._fits.get([key for row in self._keys for key in row])
        left = []
        for fold in range(self.plan.problem.n_folds):
            for point, row in enumerate(self._keys):
                if (result := known.get(row[fold])) is None:
                    left.append((point, fold))
                else:
                    self._train[point, fold], self._valid[point, fold] = result.train_score, result.score
        return left

    def _cost(self, at: tuple[int, int]) -> float:
        return self.plan.points[at[0]].schedule.cost

    def _fill(self) -> None:
        """Hands as many fits over as may run at a time."""
        while True:
            with self.changed:
                if self.is_cancelled or not self._waiting or len(self._under_way) >= self._n_at_once:
                    return
                point, fold = at = self._waiting.pop(0)
                step = self.plan.points[point]
                request = FitRequest(
                    spec=self.plan.problem.spec,
                    configuration=step.configuration,
                    folds=(fold,),
                    schedule=step.schedule,
                    rank=_RANK + fold,
                )
                try:
                    future = self._executor.submit(request)
                except FitError as fault:
                    self._fail(at, str(fault))
                    continue
                self._under_way[future] = at
            future.add_done_callback(self._take_in)

    def _take_in(self, future: Future[FitResults]) -> None:
        with self.changed:
            point, fold = at = self._under_way.pop(future)
            if future.cancelled() or self.is_cancelled:
                return
            try:
                (result,) = future.result()
            except FitError as fault:
                self._fail(at, str(fault))
            else:
                self._train[point, fold], self._valid[point, fold] = result.train_score, result.score
                self._cost_open -= self._cost(at)
                self._fits.put(self._keys[point][fold], result)
            self.changed.notify_all()
        self._fill()
        if self.is_over:
            self._fits.flush()

    def _fail(self, at: tuple[int, int], why: str) -> None:
        self.faults[at] = why
        self._cost_open -= self._cost(at)
        self.changed.notify_all()


def draw_curve(
    plan: CurvePlan,
    executor: Executor,
    fits: FitStore,
    on_progress: Callable[[CurveRun], None] | None = None,
) -> Curve:
    """Does all fits of a curve and returns it. Interrupted, it gives up what runs.

    Raises:
        FitError: No fit gave a score; the sentence is that of the first.
    """
    run = CurveRun(plan, executor, fits, executor.n_workers)
    try:
        run.start()
        while not run.wait(0.2):
            if on_progress:
                on_progress(run)
    except BaseException:
        run.cancel()
        raise
    if len(run.faults) == plan.n_fits:
        raise FitError(next(iter(run.faults.values())))
    return run.curve()


class Curves:
    """The curves of all people of one server: the last one of each key, drawn or being drawn. Thread-safe.

    Args:
        executor: Who does the fits; one of its workers is left free where there are several.
        fits: Results of fits already done.
    """

    def __init__(self, executor: Executor, fits: FitStore) -> None:
        self._executor, self.fits = executor, fits
        self._runs: OrderedDict[Hashable, CurveRun] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def n_at_once(self) -> int:
        return max(1, self._executor.n_workers - 1)

    def start(self, key: Hashable, plan: CurvePlan) -> CurveRun:
        """Begins a curve in place of the last one of this key, which is given up; the same one goes on."""
        with self._lock:
            known = self._runs.get(key)
            if known is not None and not known.is_cancelled and known.plan == plan:
                return known
            run = self._runs[key] = CurveRun(plan, self._executor, self.fits, self.n_at_once)
            self._runs.move_to_end(key)
            dropped = [self._runs.popitem(last=False)[1]] if len(self._runs) > _KEPT else []
        for other in (known, *dropped):
            if other is not None:
                other.cancel()
        run.start()
        return run

    def of(self, key: Hashable) -> CurveRun | None:
        """The last curve of a key; None without any."""
        with self._lock:
            return self._runs.get(key)

    def forget(self, key: Hashable) -> None:
        """Drops the last curve of a key, given up if it is being drawn."""
        with self._lock:
            run = self._runs.pop(key, None)
        if run is not None:
            run.cancel()
