"""Out-of-fold predictions of chosen configurations: each is refitted on the folds of its problem."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from threadpoolctl import threadpool_limits

from hpo_core.errors import FitError
from hpo_core.metrics import Metric
from hpo_core.problem import ModelProblem

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions for the validation rows of all folds, one fold after the other.

    Attributes:
        predictions: Of each configuration, shape (m, n) for numbers and (m, n, k) for probabilities of k classes.
        rows: Row of the table of each prediction, shape (n,); repeats of the folds hold a row more than once.
        folds: Fold of each prediction, shape (n,).
        target: Truth of each prediction, shape (n,).
        metric: How they are scored.
        n_classes: 0 for regression.
    """

    predictions: Floats
    rows: NDArray[np.int64]
    folds: NDArray[np.int64]
    target: NDArray[Any]
    metric: Metric
    n_classes: int

    def score(self, prediction: Floats, chosen: NDArray[np.bool_] | None = None) -> float:
        """Mean over the folds of one prediction's score, shape (n,) or (n, k); NaN where no fold has one.

        Args:
            prediction: For all rows.
            chosen: Rows that count, shape (n,); all by default.
        """
        use = np.ones(len(self.folds), dtype=bool) if chosen is None else chosen
        parts = [use & (self.folds == fold) for fold in np.unique(self.folds)]
        scores = np.array([self._score_of(prediction[part], self.target[part]) for part in parts if part.any()])
        found = scores[np.isfinite(scores)]
        return float(found.mean()) if len(found) else float("nan")

    def _score_of(self, prediction: Floats, target: NDArray[Any]) -> float:
        shown = prediction.argmax(axis=1) if self.metric.needs == "labels" and prediction.ndim == 2 else prediction
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(self.metric.score(target, shown, self.n_classes))


def out_of_fold(
    problem: ModelProblem,
    configurations: Sequence[Mapping[str, Any]],
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[OutOfFold, dict[int, str]]:
    """Refits every configuration on every fold, in this process and on one thread.

    Returns:
        The predictions of those that could be fitted, in order, and for each of the others, by its place, the reason.

    Raises:
        FitError: None could be fitted.
    """
    found: list[Floats] = []
    faults: dict[int, str] = {}
    for place, configuration in enumerate(configurations):
        try:
            parts = [_predicted(problem, configuration, fold) for fold in range(problem.n_folds)]
            found.append(np.concatenate(parts))
        except FitError as fault:
            faults[place] = str(fault)
        if on_progress:
            on_progress(place + 1, len(configurations))
    if not found:
        raise FitError(f"None of the configurations could be fitted again. {next(iter(faults.values()), '')}".strip())
    valid = [rows for _, rows in problem.split.folds]
    rows = np.concatenate(valid).astype(np.int64)
    folds = np.repeat(np.arange(len(valid)), [len(part) for part in valid])
    target = problem.data.target[rows]
    return OutOfFold(np.array(found), rows, folds, target, problem.metric, problem.data.n_classes), faults


def _predicted(problem: ModelProblem, configuration: Mapping[str, Any], fold: int) -> Floats:
    checked = problem.space.check(configuration)
    train, valid = problem.split.folds[fold]
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        try:
            model = problem.pipeline(checked).fit(problem.features.iloc[train], problem.data.target[train])
            return _averageable(model, problem.features.iloc[valid], problem.data.n_classes)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError, MemoryError) as fault:
            raise FitError(f"A configuration could not be fitted again: {fault}") from fault


def _averageable(model: Any, features: Any, n_classes: int) -> Floats:
    """Predictions whose mean makes sense: numbers, or a probability for every class of the data, shape (n, k).

    A model that gives no probabilities has its distances to the borders squeezed into (0, 1); they rank as before, but
    are not calibrated.
    """
    if not n_classes:
        return np.asarray(model.predict(features), dtype=np.float64)
    wide = np.zeros((len(features), n_classes))
    wide[:, np.asarray(model.classes_, dtype=int)] = _probabilities(model, features)
    return wide


def _probabilities(model: Any, features: Any) -> Floats:
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(features))
    if not hasattr(model, "decision_function"):
        return np.asarray(np.asarray(model.predict(features))[:, None] == model.classes_, dtype=np.float64)
    margins = np.asarray(model.decision_function(features))
    if margins.ndim == 1:
        return np.column_stack([expit(-margins), expit(margins)])
    return np.asarray(softmax(margins, axis=1))
