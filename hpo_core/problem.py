"""A problem: what is tuned. Data x model x search space x metric x protocol, or a landscape with a known optimum.

A problem is described by a small `ProblemSpec` that travels as JSON between page, runner, workers and study; each
process builds the `Problem` from it once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from hpo_core.datasets import DATASETS, Dataset, Task, load_dataset
from hpo_core.errors import DataError, FitError, UsageError
from hpo_core.fit_result import SECOND_OBJECTIVES, FitResult
from hpo_core.landscapes import LANDSCAPES, Landscape
from hpo_core.metrics import Direction, Metric, default_metric, find_metric
from hpo_core.models import MODELS, DataFacts, ModelFamily
from hpo_core.preparation import preparation
from hpo_core.protocol import Protocol, Split
from hpo_core.schedule import WHOLE, Schedule
from hpo_core.space import Configuration, SearchSpace
from hpo_core.training import State, States, shrink, train, written_bytes

_BLUR = 0.05  # standard deviation of a look at half the resource, in units of a landscape's scale


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemSpec:
    """Everything that defines a problem, as plain values.

    Attributes:
        data: Key of a bundled data set or landscape, or the path of a CSV or Parquet file.
        model: Key of a model family; "" for landscapes.
        metric: Name of the metric; "" for the task's default, and for landscapes.
        target: Target column; for files only.
        task: Overrides the detected task.
        protocol: Validation protocol. A landscape takes from it the number of repeated looks (`folds`) and the seed.
        noise: Landscapes only: standard deviation of a look, in units of the landscape's `scale`.
        space: JSON of a search space that replaces the model's own; for child studies.
        second: Figure of a fit that is to be small beside a good score, of `SECOND_OBJECTIVES`; "" for the score alone.
        data_hash: Digest of the data that the problem was first built on; "" when it has not been built yet.
    """

    data: str
    model: str = ""
    metric: str = ""
    target: str | None = None
    task: Task | None = None
    protocol: Protocol = field(default_factory=Protocol)
    noise: float = 0.0
    space: tuple[Mapping[str, Any], ...] | None = None
    second: str = ""
    data_hash: str = ""

    def to_json(self) -> dict[str, Any]:
        row = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        if not self.second:
            del row["second"]  # so that studies from before there was one still are about the same problem
        return {
            **row,
            "protocol": self.protocol.to_json(),
            "space": None if self.space is None else [dict(p) for p in self.space],
        }

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> ProblemSpec:
        """The specification that `to_json` wrote.

        Raises:
            UsageError: The row does not describe a problem.
        """
        try:
            space = row.get("space")
            changed = {
                "protocol": Protocol.from_json(row["protocol"]),
                "space": None if space is None else tuple(space),
            }
            return ProblemSpec(**{**row, **changed})
        except (KeyError, TypeError) as fault:
            raise UsageError(f"This does not describe a problem: {fault}.") from fault


class Problem(ABC):
    """One interface to models and landscapes. Safe to share between threads; a fit changes nothing.

    Attributes:
        spec: What it was built from, with `data_hash` filled in.
        space: The search space.
        direction: Whether lower or higher scores are better.
        n_folds: Fits of a whole trial.
        title: One line for the screen.
        resource_noun: What a partial fit spends less of.
    """

    spec: ProblemSpec
    space: SearchSpace
    direction: Direction
    metric_label: str
    n_folds: int
    title: str
    notes: tuple[str, ...] = ()
    resource_noun: str = "rows"

    @abstractmethod
    def fit(self, configuration: Mapping[str, Any], fold: int, schedule: Schedule = WHOLE) -> FitResult:
        """Trains and scores one configuration on one fold.

        Args:
            configuration: One value for every active parameter.
            fold: From 0 to `n_folds` - 1.
            schedule: How far to train, as a share of the epochs, trees or training rows, and with what before.

        Raises:
            ConfigurationError: The configuration is not in the space.
            FitError: The model cannot be trained with it, or the score is not a finite number.
        """

    @property
    @abstractmethod
    def _identity(self) -> dict[str, Any]:
        """All that a score depends on beside configuration, fold and schedule."""

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all that a score depends on beside configuration, fold and schedule."""
        return _digest(self._identity)

    def fit_key(self, configuration: Mapping[str, Any], fold: int, schedule: Schedule = WHOLE) -> str:
        """The key under which the result of this fit is kept."""
        past = [schedule.past_to_json()] if schedule.past else []
        rows = [{"rows": schedule.rows}] if schedule.rows != 1.0 else []
        return _digest([self.fingerprint, dict(configuration), fold, schedule.resource, *past, *rows])

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Of the score, and of the second objective where there is one."""
        return (self.direction, "minimize") if self.spec.second else (self.direction,)

    def value(self, fold_scores: tuple[float, ...]) -> float:
        """Value of a trial: the mean of its fold scores."""
        return float(np.mean(fold_scores))


class ModelProblem(Problem):
    """A model family on a table; `features` are its columns without the one that the protocol keeps for itself."""

    def __init__(self, spec: ProblemSpec) -> None:
        self.data: Dataset = load_dataset(spec.data, spec.target, spec.task)
        if spec.data_hash and spec.data_hash != self.data.hash:
            raise DataError(
                f"The data in {spec.data} have changed since this problem was made, so scores would not compare. "
                "Start a new study on them."
            )
        if spec.second and spec.second not in SECOND_OBJECTIVES:
            known = ", ".join(SECOND_OBJECTIVES)
            raise UsageError(f"The second objective is one of {known}; got {spec.second!r}.")
        self.family: ModelFamily = _family_for(spec.model, self.data.task)
        self.metric: Metric = find_metric(spec.metric) if spec.metric else default_metric(self.data.task)
        self.spec = dataclasses.replace(spec, metric=self.metric.name, data_hash=self.data.hash)
        self.split: Split = spec.protocol.split(self.data)
        self.features = self.data.features.drop(columns=[c for c in [spec.protocol.column] if c])
        self.space = self.family.space(self.facts) if spec.space is None else SearchSpace.from_json([*spec.space])  # type: ignore[list-item]
        self.resource_noun = self.family.resource.noun if self.family.resource else "rows"
        self._states = States()
        self._check_metric()
        self.direction = self.metric.direction
        self.metric_label = self.metric.label
        self.n_folds = spec.protocol.n_folds
        own_notes = self.family.notes(self.facts) if self.family.notes else ()
        self.notes = (*self.data.notes, *self.split.notes, *own_notes)
        second = f" and {SECOND_OBJECTIVES[spec.second]}" if spec.second else ""
        self.title = f"{self.data.label} · {self.family.label} · {self.metric.label}{second}, {spec.protocol.title}"

    @property
    def n_development(self) -> int:
        return self.data.n_rows - len(self.split.test)

    @cached_property
    def facts(self) -> DataFacts:
        """Size and variance of the first fold's training rows after preparation."""
        train, _ = self.split.folds[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prepared = preparation(self.features, scale=self.family.needs_scaling)
            matrix = prepared.fit_transform(self.features.iloc[train])
        return DataFacts(
            task=self.data.task,
            n_rows=min(len(t) for t, _ in self.split.folds),
            n_features=matrix.shape[1],
            n_classes=self.data.n_classes,
            feature_variance=float(np.var(matrix)) or 1.0,
            target_scale=float(np.std(self.data.target[train])) if self.data.task == "regression" else 1.0,
            has_gaps=len(prepared.indicated_) > 0,
            has_categories=bool(prepared.categories),
            needs_probabilities=self.metric.needs == "probabilities",
        )

    def fit(self, configuration: Mapping[str, Any], fold: int, schedule: Schedule = WHOLE) -> FitResult:
        checked = self.space.check(configuration)
        if schedule.past and not self.goes_on:
            raise UsageError(f"{self.family.label} cannot go on training with other hyperparameters.")
        train, valid = self.split.folds[fold]
        train = self._cut_rows(train, fold, schedule.resource)
        if schedule.rows != 1.0:
            train = self.spec.protocol.thinned(self.data, train, fold, _share_of(len(train), schedule.rows))
        with warnings.catch_warnings(), _thread_pools().limit(limits=1):
            warnings.simplefilter("ignore")
            try:
                return self._fit(checked, fold, train, valid, schedule)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError) as fault:
                raise FitError(f"{self.family.label} could not be fitted: {_first_line(fault)}") from fault

    def _fit(self, configuration: Configuration, fold: int, train: Any, valid: Any, schedule: Schedule) -> FitResult:
        x, y, k = self.features, self.data.target, self.data.n_classes
        began = time.perf_counter()
        pipeline = self._trained(configuration, fold, schedule, x.iloc[train], y[train])
        fitted = time.perf_counter()
        score = self.metric.evaluate(pipeline, x.iloc[valid], y[valid], k)
        scored = time.perf_counter()
        seen = _sample(train, len(valid), self.spec.protocol.seed)
        result = FitResult(
            score=score,
            train_score=self.metric.evaluate(pipeline, x.iloc[seen], y[seen], k),
            fit_seconds=fitted - began,
            predict_seconds=scored - fitted,
            model_bytes=written_bytes(pipeline),
        )
        if not math.isfinite(score):
            raise FitError(f"{self.metric.label} is not a finite number here; got {score}.")
        if self.goes_on and not schedule.is_whole and schedule.rows == 1.0:
            state = State(schedule.segments(configuration), pipeline, result.model_bytes)
            self._states.keep(fold, state)
        return result

    @property
    def goes_on(self) -> bool:
        """Whether a fit can go on from where another one stopped."""
        return self.family.resource is not None and self.family.resource.grow is not None

    def _trained(self, configuration: Configuration, fold: int, schedule: Schedule, x: Any, y: Any) -> Pipeline:
        """A pipeline trained along the schedule, from the longest part of it that is known."""
        resource, segments = self.family.resource, schedule.segments(configuration)
        if resource is None or resource.grow is None or schedule.rows != 1.0:
            return self.pipeline(configuration, schedule.resource, schedule.rows).fit(x, y)
        is_seamless = not resource.trains_in_one_go(self.pipeline(configuration)[-1])
        known = self._states.longest(fold, segments, is_seamless)
        if known is None and schedule.is_whole and not schedule.past:
            return self.pipeline(configuration).fit(x, y)
        return train(resource, segments, lambda segment: self.pipeline(segment.configuration), known, x, y)

    def pipeline(self, configuration: Mapping[str, Any], resource: float = 1.0, rows: float = 1.0) -> Pipeline:
        """An untrained scikit-learn pipeline: preparation and model, for a share of the resource and of the rows."""
        rows = rows if self.family.resource else rows * resource
        facts = dataclasses.replace(self.facts, n_rows=_share_of(self.facts.n_rows, rows))
        model = self.family.build(configuration, facts, self.spec.protocol.seed)
        if self.family.resource and resource < 1.0:
            shrink(model, self.family.resource.parameter, resource)
        prepared = preparation(self.features, **self.family.preparation_of(configuration))
        return Pipeline([("prepare", prepared), ("model", model)])

    def _cut_rows(self, train: Any, fold: int, resource: float) -> Any:
        if not 0 < resource <= 1:
            raise UsageError(f"A resource is a share above 0 and at most 1; got {resource}.")
        if self.family.resource or resource == 1.0:
            return train
        return _sample(train, _share_of(len(train), resource), self.spec.protocol.seed + fold)

    def _check_metric(self) -> None:
        model = self.pipeline(self.space.default())[-1]
        if why := self.metric.why_unavailable(model, self.data.task, self.data.target):
            raise UsageError(why)

    @property
    def _identity(self) -> dict[str, Any]:
        return {
            "data": self.data.hash,
            "model": self.family.key,
            "metric": self.metric.name,
            "protocol": self.spec.protocol.to_json(),
            "scikit-learn": sklearn.__version__,
            "code": _code_digest(),
        }


class LandscapeProblem(Problem):
    """A landscape, seen exactly or through noise."""

    def __init__(self, spec: ProblemSpec) -> None:
        if spec.model:
            raise UsageError(f"{spec.data} is a landscape and takes no model; got model {spec.model!r}.")
        if spec.metric not in ("", "height"):
            raise UsageError(f"{spec.data} is a landscape, scored by its height; got metric {spec.metric!r}.")
        if spec.target is not None or spec.task is not None:
            raise UsageError(f"{spec.data} is a landscape: it has no target column and no task. Leave them out.")
        if spec.second:
            raise UsageError(f"{spec.data} is a landscape: it costs nothing to fit, so it has no second objective.")
        if not (math.isfinite(spec.noise) and spec.noise >= 0):
            raise UsageError(f"Noise must be a number of at least 0; got {spec.noise}.")
        self.landscape: Landscape = LANDSCAPES[spec.data]
        self.spec = dataclasses.replace(spec, metric="height")
        self.space = self.landscape.space if spec.space is None else SearchSpace.from_json([*spec.space])  # type: ignore[list-item]
        self.direction, self.metric_label, self.resource_noun = "minimize", "height", "looks"
        self.n_folds = spec.protocol.folds if spec.noise else 1
        noise = f", noise {spec.noise:g}, {self.n_folds} looks" if spec.noise else ""
        self.title = f"{self.landscape.label} · height{noise}"

    def fit(self, configuration: Mapping[str, Any], fold: int, schedule: Schedule = WHOLE) -> FitResult:
        checked = self.space.check(configuration)
        began = time.perf_counter()
        height = self.landscape.function(checked) + self._noise(checked, fold) + self._blur(checked, schedule.resource)
        seconds = time.perf_counter() - began
        if not math.isfinite(height):
            raise FitError(f"{self.landscape.label} has no height here.")
        return FitResult(
            score=float(height), train_score=math.nan, fit_seconds=seconds, predict_seconds=0.0, model_bytes=0
        )

    def _noise(self, configuration: Configuration, fold: int) -> float:
        if not self.spec.noise:
            return 0.0
        protocol = self.spec.protocol
        redraw = [protocol.redraw] if protocol.redraw else []
        seed = int(_digest([configuration, fold, protocol.seed, *redraw])[:16], 16)
        return float(np.random.default_rng(seed).normal(0.0, self.spec.noise * self.landscape.scale))

    def _blur(self, configuration: Configuration, resource: float) -> float:
        """A partial look is off by an error, the same for all folds, that shrinks as one over its root."""
        if resource == 1.0:
            return 0.0
        seed = int(_digest([configuration, resource])[:16], 16)
        width = _BLUR * self.landscape.scale * math.sqrt(1 / resource - 1)
        return float(np.random.default_rng(seed).normal(0.0, width))

    @property
    def _identity(self) -> dict[str, Any]:
        protocol = self.spec.protocol
        looks = [self.spec.noise, protocol.seed, protocol.redraw] if self.spec.noise else []
        return {"landscape": self.landscape.key, "looks": looks, "code": _code_digest()}


def open_problem(spec: ProblemSpec) -> Problem:
    """The problem that a specification describes; the last few are kept.

    Raises:
        UsageError: A key is unknown, or the parts do not fit together.
        DataError: The table cannot be read or tuned on.
    """
    stamp = None
    if spec.data not in LANDSCAPES and spec.data not in DATASETS:
        path = Path(spec.data).expanduser().absolute()
        if stamp := _stamp(path):
            # Absolute, because runners and workers have a working directory of their own.
            spec = dataclasses.replace(spec, data=str(path))
    return _opened(json.dumps(spec.to_json(), sort_keys=True), stamp)


def make_problem(data: str, model: str = "", metric: str = "", **options: Any) -> Problem:
    """A problem in one line; `options` are the other fields of `ProblemSpec`.

    >>> make_problem("branin").title
    'Branin · height'
    """
    return open_problem(ProblemSpec(data=data, model=model, metric=metric, **options))


@lru_cache(maxsize=16)
def _opened(text: str, stamp: tuple[int, int] | None) -> Problem:
    """Kept by what a file looked like: when it has changed, it is read again."""
    spec = ProblemSpec.from_json(json.loads(text))
    if spec.data in LANDSCAPES:
        return LandscapeProblem(spec)
    return ModelProblem(spec)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Time of change and size of a file; None where there is none."""
    with contextlib.suppress(OSError, ValueError):
        status = path.stat()
        return status.st_mtime_ns, status.st_size
    return None


def _family_for(key: str, task: Task) -> ModelFamily:
    if not key:
        raise UsageError(f"A problem on data needs a model; there are {', '.join(MODELS.keys)}.")
    family = MODELS[key]
    if family.why_unavailable:
        raise UsageError(f"{family.label} is {family.why_unavailable}.")
    if task not in family.tasks:
        raise UsageError(f"{family.label} does {' and '.join(family.tasks)} only; these data are a {task} problem.")
    return family


def _share_of(n_rows: int, resource: float) -> int:
    return n_rows if resource == 1.0 else max(2, round(resource * n_rows))


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    """The libraries' thread pools. Left alone, histogram boosting on two busy cores took twenty times as long."""
    return ThreadpoolController()


def _sample(rows: Any, n: int, seed: int) -> Any:
    return rows if len(rows) <= n else np.sort(np.random.default_rng(seed).choice(rows, n, replace=False))


@lru_cache(maxsize=1)
def _code_digest() -> str:
    """Digest of the code that scores depend on, so that scores kept by an older version are not taken for new ones."""
    here = Path(__file__).parent
    files = [here / f"{name}.py" for name in ("metrics", "preparation", "problem", "protocol", "training")]
    files += [file for folder in ("landscapes", "models") for file in sorted((here / folder).glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _first_line(fault: BaseException) -> str:
    text = str(fault).strip().splitlines()
    if isinstance(fault, MemoryError):
        return "it needs more memory than there is" + (f" ({text[0][:300]})." if text else ".")
    return text[0][:300] if text else type(fault).__name__
